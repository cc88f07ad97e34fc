"""A run becomes one worker's, by lease and fence."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, update

from receiver.cases import Link
from receiver.executor import Call
from receiver.handlers import Case, Event
from receiver.models import RunState, StartedBy, cases, events, runs
from receiver.runs.conditions import IS_DUE, IS_RUNNING, raise_revision

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
    return Claimed(
        run_id=run.id,
        fence=run.fence,
        number=run.tries,
        started_by=StartedBy(run.started_by),
        requested_by=run.requested_by,
        started_at=run.started_at,
        once=run.once,
        lost=run.lost,
        call=_call(connection, run),
    )


def _call(connection: Connection, run: Any) -> Call:
    event = connection.execute(select(events).where(events.c.id == run.event_id)).one()
    known = connection.execute(select(cases).where(cases.c.ref_key == event.ref_key)).one_or_none()
    return Call(
        handler=run.handler,
        event=Event(
            svix_id=event.svix_id,
            family=event.family,
            ref_id=event.ref_id,
            status=event.status,
            previous_status=event.previous_status,
            reason=event.reason,
            message_at=event.message_at,
            received_at=event.received_at,
            body=bytes(event.body),
        ),
        case=_case(known) if known else None,
        idempotency_key=idempotency_key(event.svix_id, run.handler, run.repeats),
        try_number=run.tries,
        case_moved_on=_has_moved_on(connection, event),
    )


def _has_moved_on(connection: Connection, event: Any) -> bool:
    """Whether anything but a repeat of it stands after this event."""
    if event.place is None:
        return False
    later = select(events.c.id).where(
        events.c.ref_key == event.ref_key, events.c.place > event.place, events.c.link != Link.REPEAT
    )
    return connection.execute(later.limit(1)).first() is not None


def _case(row: Any) -> Case:
    return Case(
        ref_id=row.ref_id,
        status=row.status,
        reason=row.reason,
        status_since=row.status_since,
        gap=row.gap,
        uncertain=row.uncertain,
        began_before=row.began_before,
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
