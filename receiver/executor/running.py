"""A call under way, as the worker sees it."""

from dataclasses import dataclass, field

from receiver.executor.pipes import Pipe

KEPT_OUTPUT = 32 * 1024  # bytes, of the beginning and of the end each
LONGEST_REPORT = 8 * 1024 * 1024  # bytes: more than the child's own bounds come to, escaped as JSON


@dataclass
class Running:
    """`due`: the moment of the monotonic clock at which what we wait for is overdue."""

    run_id: int
    serial: int
    due: float
    pid: int | None = None  # none: the server has not yet forked
    told_to_end: bool = False
    report: Pipe = field(default_factory=lambda: Pipe(0, LONGEST_REPORT))
    output: Pipe = field(default_factory=lambda: Pipe(KEPT_OUTPUT, KEPT_OUTPUT))

    @property
    def pipes(self) -> tuple[Pipe, Pipe]:
        return self.report, self.output

    def drained(self) -> str | None:
        """All of its output, once nobody writes any more."""
        for pipe in self.pipes:
            pipe.drain()
        return self.output.text()

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.close()
