"""The list of cases, one case, and the way it went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.businesses import has_text
from dashboard.queries.events import EVENT_TIME
from dashboard.queries.paging import Page, cursor_from, read_page
from dashboard.queries.runs import has_failed
from receiver.event import ref_key
from receiver.models import businesses, case_counts, cases, events, record, runs, to_microseconds

PAGE = 50
REASON_SHOWN = 200  # characters: a reason may be as long as a delivery
FEW = 500  # names that a search fits
WAY_EVENTS = 200  # of these the way through the statuses is drawn


@dataclass(frozen=True, slots=True)
class CaseRow:
    id: int
    ref_id: str
    name: str | None  # the business's, where the directory knows it
    status: str
    reason: str | None
    status_since: datetime
    changed_at: datetime
    gap: bool
    uncertain: bool
    needs_person: bool


@dataclass(frozen=True, slots=True)
class Case:
    id: int
    ref_id: str
    ref_key: bytes
    status: str
    reason: str | None
    status_since: datetime
    gap: bool
    uncertain: bool
    began_before: bool
    event_count: int
    last_event_id: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    status: str
    previous_status: str | None
    at: datetime


async def find_cases(
    connection: AsyncConnection, search: str = "", status: str | None = None, cursor: str | None = None
) -> Page[CaseRow]:
    """Last changed first. The search is for text anywhere in the refId or in the business's name."""
    query = select(
        cases.c.id,
        cases.c.ref_id,
        cases.c.ref_key,
        businesses.c.name,
        cases.c.status,
        func.substr(cases.c.reason, 1, REASON_SHOWN).label("reason"),
        cases.c.status_since,
        cases.c.changed_at,
        cases.c.gap,
        cases.c.uncertain,
    ).outerjoin_from(cases, businesses, businesses.c.ref_key == cases.c.ref_key)
    if search:
        query = query.where(or_(has_text(cases.c.ref_id, search), await _is_named(connection, search)))
    if status:
        query = query.where(cases.c.status == status)
    page = await read_page(
        connection,
        [query],
        keys=(cases.c.changed_at, cases.c.id),
        key_of=lambda row: (to_microseconds(row.changed_at), row.id),
        cursor=cursor_from(cursor, 2),
        size=PAGE,
    )
    failing = await _with_failed_runs(connection, [row.ref_key for row in page.rows])
    return page.of(lambda row: record(CaseRow, row, needs_person=row.ref_key in failing))


async def _is_named(connection: AsyncConnection, search: str) -> ColumnElement[bool]:
    """Whether a case's business has the text in its name. Where few have it, they are found first: to look up
    the name of each of 300,000 cases took two seconds. Where many have it, a page is soon full."""
    named = select(businesses.c.ref_key).where(has_text(businesses.c.name, search)).limit(FEW + 1)
    keys = (await connection.execute(named)).scalars().all()
    return cases.c.ref_key.in_(keys) if len(keys) <= FEW else has_text(businesses.c.name, search)


async def count_cases(connection: AsyncConnection) -> dict[str, int]:
    counts = await connection.execute(select(case_counts).where(case_counts.c.n > 0))
    return {row.status: row.n for row in counts}


async def find_case(connection: AsyncConnection, ref_id: str) -> Case | None:
    query = select(*(cases.c[name] for name in Case.__dataclass_fields__))
    row = (await connection.execute(query.where(cases.c.ref_key == ref_key(ref_id)))).one_or_none()
    return Case(**row._mapping) if row else None


async def find_way(connection: AsyncConnection, key: bytes) -> list[Move]:
    """The case's latest moves, oldest first."""
    query = (
        select(events.c.status, events.c.previous_status, EVENT_TIME.label("at"))
        .where(events.c.ref_key == key, events.c.place.is_not(None))
        .order_by(events.c.place.desc())
        .limit(WAY_EVENTS)
    )
    rows = (await connection.execute(query)).all()
    return [Move(**row._mapping) for row in reversed(rows)]


async def _with_failed_runs(connection: AsyncConnection, keys: Collection[bytes]) -> set[bytes]:
    failed = (
        select(runs.c.id)
        .join(events, events.c.id == runs.c.event_id)
        .where(events.c.ref_key == cases.c.ref_key, has_failed())
    )
    query = select(cases.c.ref_key).where(cases.c.ref_key.in_(keys), failed.exists())
    return set((await connection.execute(query)).scalars()) if keys else set()
