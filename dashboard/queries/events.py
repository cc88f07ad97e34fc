"""What VOVE said about one case: status changes in the order of their places, and the rest by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.paging import Page, cursor_from, read_page
from receiver.models import deliveries, events

PAGE = 100
OTHERS = 200  # results of other checks beside one page of status changes
DELIVERIES_SHOWN = 6  # of one event

EVENT_TIME: ColumnElement[datetime] = func.coalesce(
    events.c.message_at, events.c.first_attempt_at, type_=events.c.message_at.type
)


@dataclass(frozen=True, slots=True)
class EventRow:
    """`at` is when the sender made the message, or else first tried to send it (`dated` tells which)."""

    id: int
    svix_id: str
    family: str
    ref_id: str
    status: str
    previous_status: str | None
    reason: str | None
    at: datetime
    dated: bool
    received_at: datetime
    place: int | None
    link: str | None
    late: bool
    delivery_count: int
    adopted_by: str | None = None  # who took it over from VOVE; none: it came by webhook


@dataclass(frozen=True, slots=True)
class EventDelivery:
    id: int
    event_id: int
    received_at: datetime
    verdict: str


async def find_moves(
    connection: AsyncConnection, key: bytes, cursor: str | None = None, newest_first: bool = True
) -> Page[EventRow]:
    """One page of the status changes of a case."""
    page = await read_page(
        connection,
        [_events().where(events.c.ref_key == key, events.c.place.is_not(None))],
        keys=(events.c.place,),
        key_of=lambda row: (row.place,),
        cursor=cursor_from(cursor, 1),
        size=PAGE,
        descending=newest_first,
    )
    return page.of(_event)


async def find_others(connection: AsyncConnection, key: bytes, window: "Window") -> list[EventRow]:
    """Results of other checks for the same refId, newest first: they have no place."""
    query = _events().where(events.c.ref_key == key, events.c.place.is_(None))
    if window.after is not None:
        query = query.where(window.after < EVENT_TIME)
    if window.until is not None:
        query = query.where(window.until >= EVENT_TIME)
    rows = await connection.execute(query.order_by(events.c.id.desc()).limit(OTHERS))
    return [_event(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time that a page of status changes covers; None: it has no end on this side."""

    after: datetime | None = None
    until: datetime | None = None


async def window_of(connection: AsyncConnection, key: bytes, moves: Sequence[EventRow]) -> Window:
    """From the status change before the page's oldest to its newest; the last page has no upper end."""
    if not moves:
        return Window()
    places = [move.place or 0 for move in moves]
    times = select(events.c.place, EVENT_TIME.label("at")).where(
        events.c.ref_key == key, events.c.place.in_([min(places) - 1, max(places), max(places) + 1])
    )
    at = {row.place: row.at for row in await connection.execute(times)}
    last = max(places) + 1 not in at
    return Window(after=at.get(min(places) - 1), until=None if last else at.get(max(places)))


async def find_event_deliveries(
    connection: AsyncConnection, event_ids: Sequence[int]
) -> dict[int, list[EventDelivery]]:
    """The first deliveries of each event, oldest first."""
    number = (
        func.row_number().over(partition_by=deliveries.c.event_id, order_by=deliveries.c.id).label("number")
    )
    numbered = (
        select(deliveries.c.id, deliveries.c.event_id, deliveries.c.received_at, deliveries.c.verdict, number)
        .where(deliveries.c.event_id.in_(event_ids))
        .subquery()
    )
    query = select(numbered).where(numbered.c.number <= DELIVERIES_SHOWN).order_by(numbered.c.id)
    found: dict[int, list[EventDelivery]] = {event_id: [] for event_id in event_ids}
    for row in await connection.execute(query) if event_ids else ():
        found[row.event_id].append(EventDelivery(row.id, row.event_id, row.received_at, row.verdict))
    return found


def _events() -> Select[Any]:
    return select(
        events.c.id,
        events.c.svix_id,
        events.c.family,
        events.c.ref_id,
        events.c.status,
        events.c.previous_status,
        events.c.reason,
        EVENT_TIME.label("at"),
        events.c.message_at.is_not(None).label("dated"),
        events.c.received_at,
        events.c.place,
        events.c.link,
        events.c.late,
        events.c.delivery_count,
        events.c.adopted_by,
    )


def _event(row: Row[Any]) -> EventRow:
    return EventRow(**row._mapping)
