"""What handlers owe a case's present status, how far that has come, and why no further. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.filters import clock, cut, shorten
from dashboard.queries.attempts import Attempt
from dashboard.queries.runs import Run
from dashboard.results import close_reason
from dashboard.words import in_a_sentence
from receiver.handlers import AccountStatus, Effect
from receiver.models import RunState

TITLE_SHOWN, NOTE_SHOWN = 60, 300  # characters


class Duty(StrEnum):
    """How far it has come; the first of these weighs most where several handlers owe the same."""

    FAILED = "failed"
    RETRIED = "retried"
    RUNS = "runs"
    PAUSED = "paused"
    WAITS = "waits"
    CLOSED = "closed"
    DONE = "done"
    NOT_CALLED = "not called"  # the worker has seen the status change, but not for this handler
    NOT_SEEN = "not seen"  # by the worker


_DUTIES = {
    RunState.QUEUED: Duty.WAITS,
    RunState.RUNNING: Duty.RUNS,
    RunState.RETRYING: Duty.RETRIED,
    RunState.FAILED: Duty.FAILED,
    RunState.CLOSED: Duty.CLOSED,
    RunState.SUCCEEDED: Duty.DONE,
}


@dataclass(frozen=True, slots=True)
class Owed:
    """By one handler. Without a run: it was not called, or the worker has not `dispatched` the status change.

    `adopted_by`: who took the status over from VOVE, which calls no handler by itself.
    """

    title: str
    effect: str
    run: Run | None = None
    tries: Sequence[Attempt] = ()
    dispatched: bool = True
    adopted_by: str | None = None

    @property
    def duty(self) -> Duty:
        if self.run is None:
            return Duty.NOT_CALLED if self.dispatched else Duty.NOT_SEEN
        return Duty.PAUSED if self.run.is_held else _DUTIES[RunState(self.run.state)]

    @property
    def nobody_knows(self) -> bool:
        """Whether it was done: a try ended before it could say so, and none has succeeded since."""
        return self.duty is not Duty.DONE and any(attempt.nobody_knows for attempt in self.tries)

    @property
    def enabled_the_account(self) -> bool:
        return any(account_after(attempt.changes) == AccountStatus.ACTIVE for attempt in self.tries)

    @property
    def why(self) -> str:
        """A sentence: what has become of it."""
        title = f"“{shorten(self.title, TITLE_SHOWN)}”"
        if self.run is None:
            return self._why_not_called(title)
        said = f": {self.run.summary}" if self.run.summary else "."
        return {
            Duty.FAILED: f"{title} needs a person{said}",
            Duty.RETRIED: f"{title} has not worked yet, and is tried again by itself{said}",
            Duty.RUNS: f"{title} is being done now.",
            Duty.PAUSED: f"{title} is paused by {self.run.paused_by}: {self.run.pause_reason}",
            Duty.WAITS: f"{title} waits for its turn.",
            Duty.CLOSED: _how_closed(self.run, title),
            Duty.DONE: f"{title} was done{said}",
        }[self.duty]

    def _why_not_called(self, title: str) -> str:
        if not self.dispatched:
            return f"{title} waits for the worker."
        if self.adopted_by:
            return f"{self.adopted_by} took the status over from VOVE; {title} was not called for it."
        return f"{title} was not set up yet when the status changed, so it was not called."


def _how_closed(run: Run, title: str) -> str:
    when = f" on {clock(run.closed_at, '%-d %b %Y, %H:%M')}" if run.closed_at else ""
    why = f": {in_a_sentence(close_reason(run.close_reason))}" if run.close_reason else ""
    note = f" “{cut(' '.join(run.close_note.split()), NOTE_SHOWN)}”" if run.close_note else ""
    return f"{run.closed_by or 'A person'} closed {title} without retrying{when}{why}.{note}"


def weightiest(owed: Iterable[Owed], effect: Effect) -> Owed | None:
    """Of what is owed to this effect, that which a person should know first."""
    ranks = list(Duty)
    return min(
        (each for each in owed if each.effect == effect),
        key=lambda each: ranks.index(each.duty),
        default=None,
    )


def account_after(changes: str | None) -> str | None:
    """What an attempt's changes of the directory made of the account; None where they did not touch it."""
    return next((after for field, _, after in json.loads(changes or "[]") if field == "account_status"), None)
