"""A run becomes one worker's, by lease and fence."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select, text, update

from receiver.database import raise_revision
from receiver.directory.rows import find
from receiver.executor import Call
from receiver.handlers import Business, Case, Event
from receiver.models import RunState, StartedBy, cases, events, record, runs
from receiver.models import handlers as handlers_table
from receiver.reasons import find_reason
from receiver.runs.brake import ALL, find_pauses
from receiver.runs.conditions import IS_DUE, IS_RUNNING, has_moved_on

LEASE_MARGIN = timedelta(seconds=10)  # past a call's deadline: by then its process has ended by itself
PACE_BURST = timedelta(seconds=1)  # of runs may begin at once, which is what comes on a usual day


@dataclass(frozen=True)
class Claimed:
    """A run that is this worker's until its lease ends; `fence` proves it. `number` is the attempt's."""

    run_id: int
    fence: int
    number: int
    handler: str
    event_id: int
    ref_key: bytes
    started_by: StartedBy
    requested_by: str | None
    started_at: datetime
    once: bool
    lost: int
    call: Call


def claim(
    connection: Connection, handlers: Iterable[str], timeout: timedelta, now: datetime, pace: float = 0
) -> Claimed | None:
    """Take the run of these handlers that is due first, if any is, for one attempt of at most `timeout`.

    None of a paused handler is, nor one whose case has another run of the same handler under way or before
    it. `pace`: how many runs of one handler may begin in a second (0: as many as there are).
    """
    paused = find_pauses(connection)
    if ALL in paused:
        return None
    ready = _within_pace(connection, set(handlers) - paused.keys(), now) if pace else handlers
    first = min(filter(None, (_first_due(connection, handler, now) for handler in ready)), default=None)
    if first is None:
        return None
    row = connection.execute(
        update(runs)
        .where(runs.c.id == first.id, IS_DUE)
        .values(
            state=RunState.RUNNING,
            started_at=now,
            lease_until=now + timeout + LEASE_MARGIN,
            fence=runs.c.fence + 1,
            tries=runs.c.tries + 1,
        )
        .returning(*runs.c)
    ).one_or_none()
    if row is None:
        return None
    if pace:
        _note_pace(connection, row.handler, now, timedelta(seconds=1 / pace))
    raise_revision(connection)
    return as_claimed(connection, row)


class _Due(NamedTuple):
    at: datetime
    id: int


def _first_due(connection: Connection, handler: str, now: datetime) -> _Due | None:
    """The handlers are asked for one by one: then none has to be walked past that is paused or has gone."""
    due = (
        select(runs.c.due_at, runs.c.id)
        .join(events, events.c.id == runs.c.event_id)
        .where(runs.c.handler == handler, IS_DUE, runs.c.due_at <= now, ~_another_comes_first())
        .order_by(runs.c.due_at, runs.c.id)
        .limit(1)
        .with_for_update(of=runs, skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    return _Due(row.due_at, row.id) if row else None


def _another_comes_first() -> ColumnElement[bool]:
    """Of a run and its event that a query selects: whether another of the same case and handler is under way,
    or is still to come and belongs to an earlier event. What has failed or was closed stands in nobody's way.
    """
    other, its_event = runs.alias("other"), events.alias("its_event")
    moves_the_case = events.c.place.is_not(None)
    earlier = or_(
        its_event.c.place < events.c.place,
        and_(~moves_the_case, its_event.c.place.is_(None), its_event.c.id < events.c.id),
    )
    is_open = text("other.state IN ('queued', 'retrying', 'running')")  # see conditions.py
    return (
        select(other.c.id)
        .join(its_event, its_event.c.id == other.c.event_id)
        .where(other.c.ref_key == runs.c.ref_key, other.c.handler == runs.c.handler, is_open)
        .where(other.c.id != runs.c.id, or_(other.c.state == RunState.RUNNING, earlier))
        .exists()
    )


def _within_pace(connection: Connection, names: Iterable[str], now: datetime) -> list[str]:
    soon = now + PACE_BURST
    held = select(handlers_table.c.name).where(handlers_table.c.next_at > soon)
    return sorted(set(names) - set(connection.execute(held).scalars()))


def _note_pace(connection: Connection, handler: str, now: datetime, interval: timedelta) -> None:
    this = handlers_table.c.name == handler
    next_at = connection.execute(select(handlers_table.c.next_at).where(this).with_for_update()).scalar()
    connection.execute(update(handlers_table).where(this).values(next_at=max(next_at or now, now) + interval))


def as_claimed(connection: Connection, run: Any) -> Claimed:
    """The row of a run that is under way."""
    return record(
        Claimed,
        run,
        run_id=run.id,
        number=run.tries,
        started_by=StartedBy(run.started_by),
        call=_call(connection, run),
    )


def _call(connection: Connection, run: Any) -> Call:
    its_event = select(events, has_moved_on().label("has_moved_on")).where(events.c.id == run.event_id)
    event = connection.execute(its_event).one()
    case = connection.execute(select(cases).where(cases.c.ref_key == event.ref_key)).one_or_none()
    return Call(
        handler=run.handler,
        event=record(Event, event, body=bytes(event.body)),
        case=record(Case, case) if case else None,
        idempotency_key=idempotency_key(event.svix_id, run.handler, run.repeats),
        try_number=run.tries,
        case_moved_on=event.has_moved_on,
        business=find(connection, event.ref_id) or Business(event.ref_id),
        reason=find_reason(connection, event.reason),
        requested_by=run.requested_by,
    )


def idempotency_key(svix_id: str, handler: str, repeats: int) -> str:
    """The same for all tries of a run; a person's repeat of a success gets a new one."""
    return hashlib.sha256(f"kybdesk\n{svix_id}\n{handler}\n{repeats}".encode()).hexdigest()[:32]


def renew(connection: Connection, claimed: Claimed, until: datetime) -> bool:
    """Lengthen a lease; False where the run is no longer this worker's."""
    return update_claimed(connection, claimed, {"lease_until": until})


def update_claimed(connection: Connection, claimed: Claimed, values: dict[str, Any]) -> bool:
    """False, and nothing, where the run is no longer this worker's."""
    ours = and_(runs.c.id == claimed.run_id, runs.c.fence == claimed.fence, IS_RUNNING)
    return connection.execute(update(runs).where(ours).values(values)).rowcount == 1
