"""What the worker holds: it starts calls, waits for their ends, and enforces their deadlines."""

import itertools
import os
import selectors
import signal
import time

from receiver.executor import ending, sessions
from receiver.executor.calls import Call, Ended, Limits
from receiver.executor.forkserver import LONGEST_IMPORT, PATIENCE, ForkServer, Kind, Message
from receiver.executor.pipes import Pipe
from receiver.executor.running import Running
from receiver.handlers import words

STUCK = "the process that starts the handlers did not answer"


class Executor:
    """Runs handlers of `modules`, each call in a process of its own.

    timeout  seconds that a call may take, by the monotonic clock, from when its process begins
    memory   MiB that a call may take, beyond what importing the modules took

    For one thread. A run is known by its id, which may be started again once it has ended or was killed.
    """

    def __init__(self, modules: tuple[str, ...], timeout: float, memory: int) -> None:
        self._modules, self._limits = modules, Limits(timeout, memory)
        self._selector = selectors.DefaultSelector()
        self._serials = itertools.count(1)  # of calls: a run may be started again before its last one is gone
        self._calls: dict[int, Running] = {}
        self._ended: list[tuple[int, Ended]] = []
        self._server: ForkServer | None = None
        self._open_server()  # the first call then need not wait for the imports

    @property
    def running(self) -> frozenset[int]:
        """The runs that were started and of which `wait` has not yet told the end."""
        return frozenset(call.run_id for call in self._calls.values()).union(run for run, _ in self._ended)

    def start(self, run_id: int, call: Call) -> None:
        """Start a call; returns at once. What becomes of it, even if it can't start, is told by `wait`."""
        if run_id in self.running:
            raise ValueError(f"run {run_id} is running already")
        try:
            self._send(run_id, call)
        except OSError as error:  # no memory, processes or descriptors left
            self._ended.append((run_id, ending.crashed(f"could not be started: {error.strerror}")))

    def _send(self, run_id: int, call: Call) -> None:
        running = Running(run_id, next(self._serials), time.monotonic() + LONGEST_IMPORT + PATIENCE)
        try:
            self._hand_over(running, call)
        except OSError:
            running.close()
            raise
        self._calls[running.serial] = running
        for pipe in running.pipes:
            self._selector.register(pipe.reading, selectors.EVENT_READ, pipe)

    def _hand_over(self, running: Running, call: Call) -> None:
        with running.report.writing as report, running.output.writing as output:
            asked = running.serial, call, self._limits, report.fileno(), output.fileno()
            try:
                self._open_server().start(*asked)
            except (BrokenPipeError, ConnectionResetError):  # it is gone, and that was not yet noticed
                self._lose_server()
                self._open_server().start(*asked)
            except BlockingIOError:  # it has not listened for hundreds of messages
                self._lose_server(STUCK)
                self._open_server().start(*asked)

    def _open_server(self) -> ForkServer:
        if not self._server:
            self._server = ForkServer(self._modules)
            self._selector.register(self._server.socket, selectors.EVENT_READ)
        return self._server

    def wait(self, timeout: float) -> list[tuple[int, Ended]]:
        """Wait until a call ends, `timeout` seconds at most. The calls that have ended, each told once."""
        until = time.monotonic() + timeout
        while not self._ended:
            due = min([until, *(call.due for call in self._calls.values())])
            self._look(max(0, due - time.monotonic()))
            self._end_overdue()
            if time.monotonic() >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def _look(self, timeout: float) -> None:
        pipes: list[Pipe | None] = [key.data for key, _ in self._selector.select(timeout)]
        for pipe in filter(None, pipes):
            if not pipe.drain():
                self._selector.unregister(pipe.reading)
        if None in pipes:  # the server; last, for what it tells closes pipes
            self._hear()

    def _hear(self) -> None:
        messages = self._server.hear() if self._server else []
        if messages is None:
            self._lose_server()
        for message in messages or ():
            if call := self._calls.get(message.serial):  # else it was killed meanwhile
                self._learn(call, message)

    def _learn(self, call: Running, message: Message) -> None:
        match message.kind:
            case Kind.STARTED:
                call.pid, call.due = message.first, message.second / 1e6 + self._limits.timeout
            case Kind.NOT_STARTED:
                self._end(call, ending.crashed(f"could not be started: {os.strerror(message.first)}"))
            case Kind.ENDED:
                self._end(call, self._judge(call, message.first, message.second / 1e6))

    def _judge(self, call: Running, exit_code: int, lasted: float) -> Ended:
        output = call.drained()
        return ending.from_report(call.report.last(), output) or ending.without_report(
            exit_code, lasted, self._limits, output
        )

    def _end(self, call: Running, ended: Ended) -> None:
        self._forget(call)
        self._ended.append((call.run_id, ended))

    def _forget(self, call: Running) -> None:
        del self._calls[call.serial]
        for pipe in call.pipes:
            if pipe.reading in self._selector.get_map():
                self._selector.unregister(pipe.reading)
        call.close()

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for call in [call for call in self._calls.values() if call.due <= now]:
            if call.pid is None:  # the server is stuck, and can't end the others either
                self._lose_server(STUCK)
                break
            if call.told_to_end:  # the server is stuck, or the kernel: a dead network file system can do that
                sessions.kill(call.pid)
                self._end(call, ending.timed_out(self._limits, call.output.text()))
            elif self._server:
                self._server.end(call.serial)
                call.told_to_end, call.due = True, now + PATIENCE

    def _lose_server(self, why: str | None = None) -> None:
        """End what has run in it. The next start opens another."""
        if not self._server:
            return
        self._selector.unregister(self._server.socket)
        exit_code = self._server.kill()
        why, self._server = why or _why_gone(exit_code), None
        for call in list(self._calls.values()):
            if call.pid:
                sessions.sweep(call.pid)
            output = call.drained()
            self._end(call, ending.from_report(call.report.last(), output) or ending.crashed(why, output))

    def kill(self, run_id: int) -> None:
        """End a run with all that it has started. Its end is not told; unknown runs are ignored."""
        self._ended = [(run, ended) for run, ended in self._ended if run != run_id]
        for call in [call for call in self._calls.values() if call.run_id == run_id]:
            if self._server:
                self._server.end(call.serial)
            self._forget(call)

    def close(self) -> None:
        """End all runs and the fork server. Nothing is told."""
        if self._server:
            self._server.close()
            self._server = None
        for call in list(self._calls.values()):
            if call.pid:
                sessions.sweep(call.pid)
            self._forget(call)
        self._ended.clear()
        self._selector.close()


def _why_gone(exit_code: int) -> str:
    if exit_code == -signal.SIGALRM:
        return f"importing the handler modules did not finish within {LONGEST_IMPORT:g} s"
    return f"the process that starts the handlers was lost: {words.of_exit(exit_code)}"
