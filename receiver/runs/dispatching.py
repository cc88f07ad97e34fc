"""New events to queued runs, exactly once."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.event import Family
from receiver.handlers import Registered
from receiver.models import RunState, StartedBy, events, handlers, runs
from receiver.runs.conditions import IS_UNDISPATCHED, raise_revision

DISPATCH_BATCH = 200  # events in one transaction: the receiver waits for it


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
    raise_revision(connection)


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
        raise_revision(connection)
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
