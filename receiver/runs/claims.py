"""A run becomes one worker's, by lease and fence."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select, update

from receiver.database import raise_revision
from receiver.directory.rows import find
from receiver.executor import Call
from receiver.handlers import Business, Case, Event
from receiver.models import RunState, StartedBy, cases, events, record, runs
from receiver.reasons import find_reason
from receiver.runs.brake import ALL, find_pauses
from receiver.runs.conditions import IS_DUE, IS_RUNNING, has_moved_on
from receiver.runs.pace import ahead_of_pace, note_begun
from receiver.runs.repeats import is_said_before, is_settled
from receiver.runs.turns import is_its_turn, is_still_its_turn

LEASE_MARGIN = timedelta(seconds=10)  # past a call's deadline: by then its process has ended by itself


@dataclass(frozen=True)
class Claimed:
    """A run that is this worker's until its lease ends; `fence` proves it. `number` is the attempt's."""

    run_id: int
    fence: int
    number: int
    handler: str
    event_id: int
    ref_key: bytes | None
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
    ready = set(handlers) - paused.keys()
    if pace:
        ready -= ahead_of_pace(connection, now)
    first = min(filter(None, (_first_due(connection, handler, now) for handler in ready)), default=None)
    if first is None or not is_still_its_turn(connection, first.id, first.handler, first.ref_key):
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
        note_begun(connection, row.handler, now, pace)
    raise_revision(connection)
    return as_claimed(connection, row)


class _Due(NamedTuple):
    at: datetime
    id: int
    handler: str
    ref_key: bytes | None


def _first_due(connection: Connection, handler: str, now: datetime) -> _Due | None:
    """The handlers are asked for one by one: then none has to be walked past that is paused or has gone."""
    due = (
        select(runs.c.due_at, runs.c.id, runs.c.handler, runs.c.ref_key)
        .where(runs.c.handler == handler, IS_DUE, runs.c.due_at <= now, is_its_turn())
        .order_by(runs.c.due_at, runs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    return _Due(*row) if row else None


def as_claimed(connection: Connection, run: Any) -> Claimed:
    """The row of a run that is under way."""
    return record(
        Claimed,
        run,
        run_id=run.id,
        number=run.tries,
        started_by=StartedBy(run.started_by),
        call=call_of(connection, run.event_id, run.handler, run.repeats, run.tries, run.requested_by),
    )


def call_of(
    connection: Connection,
    event_id: int,
    handler: str,
    repeats: int = 0,
    number: int = 1,
    requested_by: str | None = None,
) -> Call:
    """What a handler gets to see of an event, as things stand now."""
    its_event = select(events, has_moved_on().label("has_moved_on")).where(events.c.id == event_id)
    event = connection.execute(its_event).one()
    case = connection.execute(select(cases).where(cases.c.ref_key == event.ref_key)).one_or_none()
    return Call(
        handler=handler,
        event=record(Event, event, body=bytes(event.body)),
        case=record(Case, case) if case else None,
        idempotency_key=idempotency_key(event.svix_id, handler, repeats),
        try_number=number,
        case_moved_on=event.has_moved_on,
        said_before=is_said_before(connection, event, handler)
        or is_settled(connection, event, case, handler),
        business=find(connection, event.ref_id) or Business(event.ref_id),
        reason=find_reason(connection, event.reason),
        requested_by=requested_by,
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
