"""Which runs a list shows: the same words choose those of a batch, so that it takes what was counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, and_, or_, select, text

from receiver.event import ref_key
from receiver.models import RunState, events, runs

# As text, for the partial indexes: see conditions.py.
IN_STATE = {state: text(f"runs.state = '{state}'") for state in RunState}


@dataclass(frozen=True, slots=True)
class Selection:
    """In one of these states, and as the filters say that are given.

    until  and so at that moment, as far as can be told: what came to be so later is not meant
    """

    states: Sequence[RunState]
    failure: str | None = None  # its fingerprint
    handler: str | None = None
    ref_id: str | None = None
    until: datetime | None = None

    def in_state(self, state: RunState) -> list[ColumnElement[bool] | TextClause]:
        """The conditions; each state has an index of its own."""
        if self.ref_id is not None:
            return [*_of_case(self.ref_id, state), *self._filters()]
        return [IN_STATE[state], *self._filters()]

    def _filters(self) -> list[ColumnElement[bool] | TextClause]:
        chosen: list[ColumnElement[bool] | TextClause] = []
        if self.failure is not None:
            chosen.append(runs.c.fingerprint == self.failure)
        if self.handler is not None:
            chosen.append(runs.c.handler == self.handler)
        if self.until is not None:
            chosen.append(_since(self.until))
        return chosen


def _of_case(ref_id: str, state: RunState) -> list[ColumnElement[bool] | TextClause]:
    """By its events. Concatenated with nothing, the state offers no index: through that SQLite would walk all
    runs there are in this state."""
    its_events = select(events.c.id).where(events.c.ref_key == ref_key(ref_id))
    return [runs.c.event_id.in_(its_events), (runs.c.state + "") == state]


def _since(until: datetime) -> ColumnElement[bool]:
    """Tried for the last time by then, and not opened again after it. What waits for its next try is due
    later by its nature."""
    not_opened_since = or_(runs.c.due_at <= until, runs.c.state == RunState.RETRYING)
    return and_(runs.c.finished_at <= until, not_opened_since)
