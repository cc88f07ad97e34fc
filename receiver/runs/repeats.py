"""Whether what an event says was said before: VOVE may tell the same move twice, in two messages."""

from typing import Any

from sqlalchemy import Connection, func, or_, select, true

from receiver.cases import Link
from receiver.handlers import Effect
from receiver.models import Outcome, RunState, attempts, events, handlers, runs

NOBODY_KNOWS = (Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.IN_DOUBT)


def is_said_before(connection: Connection, event: Any, handler: str) -> bool:
    """Whether an older run of the handler is for an event that says the same as this one, and is done, to be
    done, or may have been. One that failed for certain leaves it to the newer.

    `event` is its row. Nothing but repeats stands between two events that say the same.
    """
    if event.place is None:
        return False
    of_case, place, moves = events.c.ref_key == event.ref_key, events.c.place, events.c.link != Link.REPEAT
    first = select(func.max(place)).where(of_case, moves, place <= event.place)
    following = select(func.min(place)).where(of_case, moves, place > event.place)
    start, end = connection.execute(select(first.scalar_subquery(), following.scalar_subquery())).one()
    its_run = select(runs.c.id).where(runs.c.event_id == event.id, runs.c.handler == handler)
    in_doubt = select(attempts.c.id).where(
        attempts.c.run_id == runs.c.id, attempts.c.outcome.in_(NOBODY_KNOWS)
    )
    older = (
        select(runs.c.id)
        .join(events, events.c.id == runs.c.event_id)
        .where(of_case, place >= (start or 0), true() if end is None else place < end)
        .where(runs.c.handler == handler, runs.c.id < its_run.scalar_subquery())
        .where(or_(runs.c.state != RunState.FAILED, in_doubt.exists()))
    )
    return connection.execute(older.limit(1)).first() is not None


def is_settled(connection: Connection, event: Any, case: Any, handler: str) -> bool:
    """Whether this is a repeat for a handler that tells customers, and this one was told already, or must not
    be: by whatever told them, or by a person's word. `event` knows whether its case `has_moved_on`."""
    if event.link != Link.REPEAT or event.has_moved_on or case is None or case.told_at is None:
        return False
    return tells_customers(connection, handler)


def tells_customers(connection: Connection, handler: str) -> bool:
    effect = select(handlers.c.effect).where(handlers.c.name == handler)
    return connection.execute(effect).scalar() == Effect.CUSTOMER
