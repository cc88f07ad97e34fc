"""New events to queued runs, exactly once."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, select, update

from receiver import search
from receiver.database import raise_revision, upsert
from receiver.directory.fields import AccountStatus
from receiver.directory.rows import note_accounts
from receiver.event import Family
from receiver.handlers import Registered
from receiver.models import RunState, StartedBy, businesses, cases, events, handlers, runs
from receiver.reasons import LONGEST_CODE, note_seen
from receiver.runs.conditions import IS_UNDISPATCHED
from receiver.runs.turns import bring_forward

DISPATCH_BATCH = 200  # events in one transaction: the receiver waits for it


def register(connection: Connection, registered: Sequence[Registered], now: datetime) -> None:
    """Note which handlers there are, for the pages. One that is no longer there is kept, and marked."""
    for handler in registered:
        row = _row(handler, now)
        connection.execute(
            upsert(connection, handlers).values(row).on_conflict_do_update(index_elements=["name"], set_=row)
        )
    gone = handlers.c.name.not_in([handler.name for handler in registered]), handlers.c.removed_at.is_(None)
    connection.execute(update(handlers).where(*gone).values(removed_at=now))
    raise_revision(connection)


def _row(handler: Registered, now: datetime) -> dict[str, Any]:
    return {
        "name": handler.name,
        "title": handler.title,
        "statuses": json.dumps(handler.statuses),
        "leaving": json.dumps(handler.leaving),
        "effect": handler.effect,
        "once": handler.once,
        "module": handler.module,
        "registered_at": now,
        "removed_at": None,
    }


def dispatch(connection: Connection, registered: Sequence[Registered], now: datetime) -> int:
    """Queue a run for each handler of each new event, and mark the events; returns how many events.

    One transaction does both, so that a run is queued exactly once however often the worker dies.
    """
    new = connection.execute(
        select(
            events.c.id,
            events.c.ref_key,
            events.c.family,
            events.c.status,
            events.c.previous_status,
            events.c.ref_id,
            func.substr(events.c.reason, 1, LONGEST_CODE).label("reason"),
            events.c.svix_id,
            events.c.adopted_by,
            _status_before().label("status_before"),
        )
        .where(IS_UNDISPATCHED)
        .order_by(events.c.id)
        .limit(DISPATCH_BATCH)
        .with_for_update(of=events, skip_locked=True)
    ).all()
    if not new:
        return 0
    queued = [
        _queued(event, handler, now)
        for event in new
        for handler in registered
        if handler.concerns(event.family, event.status, (event.previous_status, event.status_before))
    ]
    if queued:
        connection.execute(upsert(connection, runs).on_conflict_do_nothing(), queued)
        bring_forward(connection, {(run["ref_key"], run["handler"]) for run in queued}, now)
        raise_revision(connection)
    search.note_events(connection, new)
    _note_missed_accounts(connection, {bytes(event.ref_key) for event in new})
    note_seen(connection, [(event.reason, event.ref_id) for event in new if _rejects(event)], now)
    connection.execute(
        update(events).where(events.c.id.in_([event.id for event in new])).values(dispatched_at=now)
    )
    return len(new)


def _note_missed_accounts(connection: Connection, keys: Collection[bytes]) -> None:
    """On PostgreSQL the directory may have learned of an account while the first event of its case was being
    written: neither of the two saw the other."""
    active = select(cases.c.ref_key).join(businesses, businesses.c.ref_key == cases.c.ref_key)
    missed = active.where(
        cases.c.ref_key.in_(keys),
        businesses.c.account_status == AccountStatus.ACTIVE,
        ~cases.c.account_active,
    )
    found = connection.execute(missed).scalars().all()
    if found:
        note_accounts(connection, found)


def _status_before() -> ScalarSelect[str]:
    """Of the event that stands before it in its case: what it names as previous may never have come."""
    before = events.alias("before")
    adjoins = before.c.ref_key == events.c.ref_key, before.c.place == events.c.place - 1
    return select(before.c.status).where(*adjoins).scalar_subquery()


def _rejects(event: Any) -> bool:
    return event.family == Family.KYB and event.status == "REJECTED" and bool(event.reason)


def _queued(event: Any, handler: Registered, now: datetime) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "ref_key": event.ref_key,
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
