"""Whose turn it is among one handler's runs for one case: one at a time, in the order of their events."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    false,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.sql.selectable import NamedFromClause

from receiver.models import RunState, events, runs
from receiver.runs.conditions import IS_OPEN, IS_QUEUED


def is_its_turn() -> ColumnElement[bool]:
    """Of a run that a query selects. What has failed or was closed stands in nobody's way.

    Not by EXISTS nor by a join: PostgreSQL would read all of a long case's runs for each, or begin with all
    events there are.
    """
    return ~func.coalesce(_another_comes_first(), false()) & ~func.coalesce(_earlier_event_is_new(), false())


def _another_comes_first() -> ScalarSelect[bool]:
    """One is under way, or is still to come and belongs to an earlier event."""
    this, other, its_event = events.alias("this"), runs.alias("other"), events.alias("its_event")
    is_open = text("other.state IN ('queued', 'retrying', 'running')")  # see conditions.py
    same = other.c.ref_key == runs.c.ref_key, other.c.handler == runs.c.handler, other.c.id != runs.c.id
    first = or_(other.c.state == RunState.RUNNING, _stands_before(its_event, this))
    found = (
        select(true())
        .select_from(other.join(its_event, its_event.c.id == other.c.event_id), this)
        .where(this.c.id == runs.c.event_id, *same, is_open, first)
    )
    return found.limit(1).correlate(runs).scalar_subquery()


def _earlier_event_is_new() -> ScalarSelect[bool]:
    """Its runs are still to be queued: many events are dispatched in several transactions."""
    this, new = events.alias("this"), events.alias("new_event")
    is_new = text("new_event.dispatched_at IS NULL")  # see conditions.py
    of_the_case = this.c.id == runs.c.event_id, new.c.ref_key == this.c.ref_key
    found = select(true()).select_from(this, new).where(*of_the_case, is_new, _stands_before(new, this))
    return found.limit(1).correlate(runs).scalar_subquery()


def _stands_before(one: NamedFromClause, other: NamedFromClause) -> ColumnElement[bool]:
    """Of two events of a case. What moves no case stands in the order in which it came."""
    neither_moves = and_(one.c.place.is_(None), other.c.place.is_(None))
    return or_(one.c.place < other.c.place, and_(neither_moves, one.c.id < other.c.id))


def is_still_its_turn(connection: Connection, run_id: int, handler: str, ref_key: bytes | None) -> bool:
    """On PostgreSQL two workers see neither what the other is about to claim, nor that a person has just had
    an earlier run queued anew. So who claims for one case and handler does it alone, and looks again."""
    if connection.dialect.name != "postgresql":
        return True
    digest = hashlib.blake2b((ref_key or b"") + handler.encode(), digest_size=8).digest()
    connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest, signed=True))))
    this = select(runs.c.id).where(runs.c.id == run_id, is_its_turn())
    return connection.execute(this).one_or_none() is not None


def bring_forward(
    connection: Connection, queued: Collection[tuple[bytes | None, str]], now: datetime
) -> None:
    """What is to be tried again stands before the runs that were queued for these cases and handlers, which
    would wait for it, for up to half a day. Tried now, it learns that its case has moved on."""
    keys = {ref_key for ref_key, _ in queued}  # named beside the pairs: by them the index is found
    ahead = (
        select(runs.c.id)
        .where(IS_OPEN, runs.c.due_at > now, runs.c.ref_key.in_(keys))
        .where(tuple_(runs.c.ref_key, runs.c.handler).in_(queued))
        .with_for_update(skip_locked=True)  # whoever has it claims it, or brings it forward
    )
    connection.execute(update(runs).where(runs.c.id.in_(ahead)).values(due_at=now))


def is_waited_for(connection: Connection, handler: str, ref_key: bytes | None, since: datetime) -> bool:
    """Whether another run of the same was queued since: it could not bring forward what was under way."""
    same = runs.c.ref_key == ref_key, runs.c.handler == handler, IS_OPEN
    came = or_(runs.c.created_at > since, runs.c.requested_at > since)
    return connection.execute(select(runs.c.id).where(*same, IS_QUEUED, came).limit(1)).first() is not None
