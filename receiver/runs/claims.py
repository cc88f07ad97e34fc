"""A run becomes one worker's, by lease and fence."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, update

from receiver.executor import Call
from receiver.handlers import Case, Event
from receiver.models import RunState, StartedBy, cases, events, record, runs
from receiver.runs.conditions import IS_DUE, IS_RUNNING, has_moved_on, raise_revision

LEASE_MARGIN = timedelta(seconds=10)  # past a call's deadline: by then its process has ended by itself


@dataclass(frozen=True)
class Claimed:
    """A run that is this worker's until its lease ends; `fence` proves it. `number` is the attempt's."""

    run_id: int
    fence: int
    number: int
    started_by: StartedBy
    requested_by: str | None
    started_at: datetime
    once: bool
    lost: int
    call: Call


def claim(connection: Connection, timeout: timedelta, now: datetime) -> Claimed | None:
    """Take the run that is due first, if any is, for one attempt of at most `timeout`."""
    first_due = (
        select(runs.c.id)
        .where(IS_DUE, runs.c.due_at <= now)
        .order_by(runs.c.due_at, runs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(
        update(runs)
        .where(runs.c.id == first_due.scalar_subquery(), IS_DUE)
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
    raise_revision(connection)
    return as_claimed(connection, row)


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
