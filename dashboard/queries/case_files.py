"""All that is kept of a case, in pages: for the case file, where nothing is left out or cut."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Table, func, literal, select, text, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.activity import Kind
from receiver.event import ref_key
from receiver.models import (
    activities,
    attempts,
    businesses,
    cases,
    deliveries,
    events,
    handlers,
    messages,
    runs,
    to_microseconds,
    vove_views,
)

EVENTS = 50  # of a page: each may be a mebibyte
ACTIVITIES = 500

Position = tuple[int, int]  # of an activity: its time and its id
Stamp = tuple[tuple[Any, ...], ...]  # the same before and after: nothing has come to the case in between


async def find_known(connection: AsyncConnection, ref_ids: Iterable[str]) -> set[str]:
    """Those of which anything is known."""
    by_key = {ref_key(ref_id): ref_id for ref_id in ref_ids}
    known: set[bytes] = set()
    for table in (cases, businesses, vove_views):
        known.update((await connection.execute(_keys(table, by_key))).scalars())
    for key in by_key.keys() - known:
        if await connection.scalar(select(events.c.id).where(events.c.ref_key == key).limit(1)) is not None:
            known.add(key)
    return {by_key[key] for key in known}


def _keys(table: Table, keys: Iterable[bytes]) -> Any:
    return select(table.c.ref_key).where(table.c.ref_key.in_(list(keys)))


async def read_at_one_moment(connection: AsyncConnection) -> None:
    """All that this transaction reads, which has read nothing yet; one of SQLite is always so."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


async def find_stamp(connection: AsyncConnection, key: bytes) -> Stamp:
    """Of all that a case file tells: what is only appended, by its last number; what changes, by when it did;
    and runs by their states and tries."""
    of_case = events.c.ref_key == key
    of_runs = runs.c.state, func.count(), func.sum(runs.c.tries), func.max(runs.c.closed_at)
    its_runs = runs.c.event_id.in_(select(events.c.id).where(of_case))
    asked = (
        select(cases.c.changed_at, cases.c.event_count).where(cases.c.ref_key == key),
        select(func.count(), func.sum(events.c.delivery_count)).where(of_case),
        select(*of_runs).where(its_runs).group_by(runs.c.state).order_by(runs.c.state),
        select(func.max(activities.c.id)).where(activities.c.ref_key == key, _is_told()),
        select(func.max(messages.c.id)).where(messages.c.ref_key == key),
        select(businesses.c.updated_at).where(businesses.c.ref_key == key),
        select(vove_views.c.checked_at).where(vove_views.c.ref_key == key),
    )
    return tuple([tuple(row) for query in asked for row in await connection.execute(query)])


async def find_changes(connection: AsyncConnection, key: bytes, after: int) -> Sequence[Row[Any]]:
    """Whole events in the order of their places, beyond this one."""
    query = select(events).where(events.c.ref_key == key, events.c.place > after).order_by(events.c.place)
    return (await connection.execute(query.limit(EVENTS))).all()


async def find_checks(connection: AsyncConnection, key: bytes, after: int) -> Sequence[Row[Any]]:
    """Whole events that move no case, beyond this id."""
    of_case = events.c.ref_key == key, events.c.place.is_(None), events.c.id > after
    return (
        await connection.execute(select(events).where(*of_case).order_by(events.c.id).limit(EVENTS))
    ).all()


async def find_deliveries_of(connection: AsyncConnection, event_ids: Sequence[int]) -> Sequence[Row[Any]]:
    query = select(deliveries).where(deliveries.c.event_id.in_(event_ids)).order_by(deliveries.c.id)
    return (await connection.execute(query)).all() if event_ids else []


async def find_attempts_of(connection: AsyncConnection, run_ids: Sequence[int]) -> Sequence[Row[Any]]:
    query = select(attempts).where(attempts.c.run_id.in_(run_ids))
    ordered = query.order_by(attempts.c.run_id, attempts.c.number)
    return (await connection.execute(ordered)).all() if run_ids else []


async def find_messages_of(connection: AsyncConnection, run_ids: Sequence[int]) -> Sequence[Row[Any]]:
    query = select(messages).where(messages.c.run_id.in_(run_ids)).order_by(messages.c.id)
    return (await connection.execute(query)).all() if run_ids else []


async def find_activities(
    connection: AsyncConnection, key: bytes, after: Position | None
) -> Sequence[Row[Any]]:
    """Oldest first. A case file does not tell of case files: each would differ from the one before."""
    position = tuple_(type_coerce(activities.c.at, BigInteger), activities.c.id)
    query = (
        select(activities, handlers.c.title)
        .outerjoin_from(activities, handlers, handlers.c.name == activities.c.subject)
        .where(activities.c.ref_key == key, _is_told())
        .order_by(activities.c.at, activities.c.id)
        .limit(ACTIVITIES)
    )
    if after is not None:
        query = query.where(position > tuple_(*(literal(part, BigInteger) for part in after)))
    return (await connection.execute(query)).all()


def position_of(activity: Row[Any]) -> Position:
    return to_microseconds(activity.at), activity.id


def _is_told() -> Any:
    return activities.c.kind != Kind.CASE_FILE
