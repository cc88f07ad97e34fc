"""A run's life in SQL: dispatch, claim, finish, retry, rescue, re-process.

Every function takes a connection inside a transaction. A run's state is a cache of its attempts, which are
only ever appended; both are written together.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, delete, insert, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.cases import Link
from receiver.event import Family
from receiver.executor import Call, Ended
from receiver.handlers import Case, Event
from receiver.handlers.loading import Registered
from receiver.models import Outcome, RunState, StartedBy, attempts, cases, events, handlers, revision, runs

DISPATCH_BATCH = 200  # events in one transaction: the receiver waits for it
LEASE_MARGIN = timedelta(seconds=10)  # past a call's deadline: by then its process has ended by itself
MAX_LOST_RETRIES = 3  # a call that keeps killing its worker is parked
LOST_DELAY = timedelta(seconds=5)
JITTER = 0.1  # of a delay, either way: what failed together need not come back together

# As text: a partial index serves only a condition that it can read, not one with parameters.
IS_DUE = text("runs.state IN ('queued', 'retrying')")
IS_RUNNING = text("runs.state = 'running'")
IS_UNDISPATCHED = text("events.dispatched_at IS NULL")


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


@dataclass(frozen=True)
class Reprocessed:
    """One more attempt is queued, due now."""

    run_id: int


@dataclass(frozen=True)
class NotReprocessed:
    """What has happened since the page was shown; `state` is None where there is no such run."""

    run_id: int
    state: RunState | None
    tries: int


def register(connection: Connection, registered: Sequence[Registered], now: datetime) -> None:
    """Note which handlers there are, for the pages."""
    connection.execute(delete(handlers))
    if registered:
        connection.execute(
            insert(handlers),
            [
                {
                    "name": handler.name,
                    "title": handler.title,
                    "statuses": json.dumps(handler.statuses),
                    "once": handler.once,
                    "module": handler.module,
                    "registered_at": now,
                }
                for handler in registered
            ],
        )
    _raise_revision(connection)


def dispatch(connection: Connection, registered: Sequence[Registered], now: datetime) -> int:
    """Queue a run for each handler of each new event, and mark the events; returns how many events.

    One transaction does both, so that a run is queued exactly once however often the worker dies.
    """
    new = connection.execute(
        select(events.c.id, events.c.family, events.c.status)
        .where(IS_UNDISPATCHED)
        .order_by(events.c.id)
        .limit(DISPATCH_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if not new:
        return 0
    queued = [
        _queued(event.id, handler, now)
        for event in new
        for handler in registered
        if _concerns(handler, event.family, event.status)
    ]
    if queued:
        upsert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(upsert(runs).on_conflict_do_nothing(), queued)
        _raise_revision(connection)
    connection.execute(
        update(events).where(events.c.id.in_([event.id for event in new])).values(dispatched_at=now)
    )
    return len(new)


def _queued(event_id: int, handler: Registered, now: datetime) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "handler": handler.name,
        "once": handler.once,
        "state": RunState.QUEUED,
        "created_at": now,
        "due_at": now,
        "fence": 0,
        "tries": 0,
        "lost": 0,
        "repeats": 0,
        "started_by": StartedBy.EVENT,
    }


def _concerns(handler: Registered, family: str, status: str) -> bool:
    """Without statuses every event; else the named statuses of KYB: an AML REJECTED is none of them."""
    return not handler.statuses or (family == Family.KYB and status in handler.statuses)


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
    _raise_revision(connection)
    return Claimed(
        run_id=row.id,
        fence=row.fence,
        number=row.tries,
        started_by=StartedBy(row.started_by),
        requested_by=row.requested_by,
        started_at=now,
        once=row.once,
        lost=row.lost,
        call=_call(connection, row),
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
    return _update_claimed(connection, claimed, {"lease_until": until})


def finish(
    connection: Connection, claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime
) -> bool:
    """Append the attempt and move the run on; False, and nothing, where the fence has moved since.

    `delays` are seconds before each automatic retry.
    """
    if not _update_claimed(connection, claimed, _next(claimed, ended, delays, now)):
        return False
    connection.execute(
        insert(attempts).values(
            run_id=claimed.run_id,
            number=claimed.number,
            started_by=claimed.started_by,
            requested_by=claimed.requested_by,
            started_at=claimed.started_at,
            finished_at=now,
            outcome=ended.outcome,
            result=ended.result,
            error=ended.error,
            traceback=ended.traceback,
            output=ended.output,
        )
    )
    _raise_revision(connection)
    return True


def _update_claimed(connection: Connection, claimed: Claimed, values: dict[str, Any]) -> bool:
    ours = and_(runs.c.id == claimed.run_id, runs.c.fence == claimed.fence, IS_RUNNING)
    return connection.execute(update(runs).where(ours).values(values)).rowcount == 1


def _next(claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime) -> dict[str, Any]:
    """What becomes of the run."""
    ending = {"finished_at": now, "lease_until": None, "summary": ended.error or ended.result}
    lost = claimed.lost + 1 if ended.outcome is Outcome.LOST else 0
    due_at = _retry_at(claimed, ended, delays, lost, now)
    if ended.outcome is Outcome.SUCCEEDED:
        return ending | {"state": RunState.SUCCEEDED, "lost": 0}
    if due_at is None:
        return ending | {"state": RunState.FAILED, "lost": lost}
    retry = {"started_by": StartedBy.RETRY, "requested_by": None, "requested_at": None}
    return ending | retry | {"state": RunState.RETRYING, "due_at": due_at, "lost": lost}


def _retry_at(
    claimed: Claimed, ended: Ended, delays: Sequence[float], lost: int, now: datetime
) -> datetime | None:
    """When to try again; None where a person is needed."""
    nobody_knows = ended.outcome in {Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED}
    if ended.no_retry or (claimed.once and nobody_knows):
        return None
    if ended.outcome is Outcome.LOST:
        return now + LOST_DELAY if lost <= MAX_LOST_RETRIES else None
    if claimed.number > len(delays):
        return None
    if ended.retry_at is not None:
        return max(ended.retry_at, now)
    delay = delays[claimed.number - 1]
    return now + timedelta(seconds=delay * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def rescue(connection: Connection, now: datetime) -> int:
    """Record as lost the attempts whose lease ran out: their worker has died. Returns how many."""
    abandoned = connection.execute(
        select(runs)
        .where(IS_RUNNING, runs.c.lease_until < now)
        .order_by(runs.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(finish(connection, _as_claimed(connection, run), lost(run.once), (), now) for run in abandoned)


def _as_claimed(connection: Connection, run: Any) -> Claimed:
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


def lost(once: bool, why: str = "The worker died during this try") -> Ended:
    """An attempt of which nobody knows how far it came."""
    doubt = ": what it does may have been done" if once else ""
    return Ended(Outcome.LOST, result=None, error=why + doubt, traceback=None, output=None)


def reprocess(
    connection: Connection, run_id: int, tries: int, by: str, now: datetime
) -> Reprocessed | NotReprocessed:
    """Queue one more attempt, due now, on the word of `by`, who saw a page that showed `tries`.

    One conditional UPDATE: of a double click, or of two people, one wins. The other learns what has happened.
    """
    open_to_it = runs.c.state.in_([RunState.RETRYING, RunState.FAILED, RunState.CLOSED, RunState.SUCCEEDED])
    repeat = runs.c.state == RunState.SUCCEEDED
    queued = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.tries == tries, open_to_it)
        .values(
            state=RunState.QUEUED,
            due_at=now,
            lost=0,
            repeats=case((repeat, runs.c.repeats + 1), else_=runs.c.repeats),
            started_by=StartedBy.PERSON,
            requested_by=by,
            requested_at=now,
        )
    ).rowcount
    if queued:
        _raise_revision(connection)
        return Reprocessed(run_id)
    run = connection.execute(select(runs.c.state, runs.c.tries).where(runs.c.id == run_id)).one_or_none()
    return NotReprocessed(run_id, RunState(run.state) if run else None, run.tries if run else 0)


def _raise_revision(connection: Connection) -> None:
    connection.execute(update(revision).where(true()).values(n=revision.c.n + 1))
