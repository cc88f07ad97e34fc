"""Who did what, newest first; and what people did on one case.

A list walks one index: that of the case, of the person, of the kind or of time. What else is asked for is
looked for among the next WALKED rows of it, and the list leads on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Row,
    Select,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.paging import Cursor, Page, Way, cursor_from, read_page
from receiver.activity import Kind
from receiver.event import ref_key
from receiver.models import activities, businesses, handlers, record, to_microseconds, users

PAGE = 50
WALKED = 3_000  # rows looked through for one page, where no index serves all that is asked for
DETAIL_SHOWN = 1_000  # characters: a note may be long
PEOPLE = 200  # to choose from
LATEST = 500  # of which the last change of each setting is picked


@dataclass(frozen=True, slots=True)
class Activity:
    """`name` is the business's; `title` that of the handler whose name is the subject."""

    id: int
    at: datetime
    by: str
    kind: str
    ref_id: str | None
    run_id: int | None
    subject: str | None
    detail: str | None
    name: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """`since`, or later; earlier than `until`."""

    person: str | None = None
    kind: str | None = None
    case: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def find_activities(
    connection: AsyncConnection,
    filters: Filters,
    cursor: str | None = None,
    size: int = PAGE,
    shown: int = DETAIL_SHOWN,
) -> Page[Activity]:
    """Newest first, with so many characters of each detail. A page that is not full may lead on, where more
    may be found among older ones."""
    start, asked = cursor_from(cursor, 2), _asked(filters)
    indexed = [*_equal(activities, asked[:1]), *_within(filters)]
    if len(asked) <= 1:
        page = await _read(connection, activities, indexed, start, size, shown)
    else:
        walk = _walk(indexed, start, shown)
        walked = walk.subquery("walked")
        page = await _read(connection, walked, _equal(walked, asked[1:]), start, size, shown)
        page = await _led_on(connection, page, walk, start)
    return page.of(lambda row: record(Activity, row))


async def find_last_changes(connection: AsyncConnection) -> dict[str, Activity]:
    """Who set what last, by what was set: of the latest changes."""
    page = _activities(activities).where(activities.c.kind == Kind.SET)
    query = page.order_by(activities.c.at.desc(), activities.c.id.desc()).limit(LATEST)
    found = [record(Activity, row) for row in await connection.execute(query)]
    return {each.subject: each for each in reversed(found) if each.subject is not None}


async def find_people(connection: AsyncConnection) -> Sequence[str]:
    """To choose from: the first by their addresses."""
    query = select(users.c.email).order_by(users.c.email).limit(PEOPLE)
    return (await connection.execute(query)).scalars().all()


def _asked(filters: Filters) -> list[tuple[str, Any]]:
    """By column, the one that leaves least first."""
    key = None if filters.case is None else ref_key(filters.case)
    given = [("ref_key", key), ("by", filters.person), ("kind", filters.kind)]
    return [(name, value) for name, value in given if value is not None]


def _equal(source: FromClause, asked: Sequence[tuple[str, Any]]) -> list[ColumnElement[bool]]:
    return [source.c[name] == value for name, value in asked]


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    since = [] if filters.since is None else [activities.c.at >= filters.since]
    return since if filters.until is None else [*since, activities.c.at < filters.until]


async def _read(
    connection: AsyncConnection,
    source: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    start: Cursor | None,
    size: int,
    shown: int,
) -> Page[Row[Any]]:
    return await read_page(
        connection,
        [_activities(source, shown).where(*conditions)],
        keys=(source.c.at, source.c.id),
        key_of=lambda row: _position(row.at, row.id),
        cursor=start,
        size=size,
    )


def _activities(source: FromClause, shown: int = DETAIL_SHOWN) -> Select[Any]:
    own = [source.c[name] for name in Activity.__dataclass_fields__ if name in source.c and name != "detail"]
    return (
        select(*own, _detail(source, shown), businesses.c.name, handlers.c.title)
        .outerjoin_from(source, businesses, businesses.c.ref_key == source.c.ref_key)
        .outerjoin(handlers, handlers.c.name == source.c.subject)
    )


def _detail(source: FromClause, shown: int) -> ColumnElement[str]:
    return func.substr(source.c.detail, 1, shown).label("detail")


def _walk(conditions: Sequence[ColumnElement[bool]], start: Cursor | None, shown: int) -> Select[Any]:
    """The next rows of an index, as the page goes."""
    backwards = start is not None and start.way is Way.PREVIOUS
    columns = [type_coerce(column, BigInteger) for column in (activities.c.at, activities.c.id)]
    own = [
        activities.c[name] for name in ("id", "at", "by", "kind", "ref_id", "ref_key", "run_id", "subject")
    ]
    query = select(*own, _detail(activities, shown)).where(*conditions)
    if start is not None:
        bound = tuple_(*(literal(part, BigInteger) for part in start.key))
        query = query.where(tuple_(*columns) > bound if backwards else tuple_(*columns) < bound)
    return query.order_by(*(column.asc() if backwards else column.desc() for column in columns)).limit(WALKED)


async def _led_on(
    connection: AsyncConnection, page: Page[Row[Any]], walk: Select[Any], start: Cursor | None
) -> Page[Row[Any]]:
    """Past what was looked through, where that did not fill the page."""
    way = Way.NEXT if start is None else start.way
    if page.next if way is Way.NEXT else page.previous:
        return page
    walked = walk.with_only_columns(activities.c.at, activities.c.id).subquery("walked")
    ends = (walked.c.at, walked.c.id) if way is Way.NEXT else (walked.c.at.desc(), walked.c.id.desc())
    last = select(walked, func.count().over().label("number")).order_by(*ends).limit(1)
    row = (await connection.execute(last)).one_or_none()
    if row is None or row.number < WALKED:
        return page
    further = str(Cursor(way, _position(row.at, row.id)))
    return replace(page, next=further) if way is Way.NEXT else replace(page, previous=further)


def _position(at: datetime, key: int) -> tuple[int, ...]:
    return to_microseconds(at), key
