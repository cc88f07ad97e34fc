"""What VOVE said about one case: status changes in the order of their places, and the rest by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, func, literal, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.cases import Link
from receiver.models import deliveries, events

DELIVERIES_SHOWN = 6  # of one event
LOOK_BACK = 500  # places: how far back one may have been made later than those that follow it
STEPS = 300  # the latest, of which the rounds of a case are told

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


@dataclass(frozen=True, slots=True)
class Step:
    """A status change, as the rounds and the way go by it."""

    event_id: int
    place: int
    status: str
    previous_status: str | None
    at: datetime
    is_repeat: bool = False


async def find_moves(
    connection: AsyncConnection, key: bytes, place: int, limit: int, upwards: bool = False
) -> list[EventRow]:
    """Status changes in the order of their places: the first from this place on, or the last before it."""
    query = _events().where(events.c.ref_key == key, events.c.place.is_not(None)).limit(limit)
    if upwards:
        query = query.where(events.c.place >= place).order_by(events.c.place)
    else:
        query = query.where(events.c.place < place).order_by(events.c.place.desc())
    found = [_event(row) for row in await connection.execute(query)]
    return found if upwards else found[::-1]


async def find_others(
    connection: AsyncConnection, key: bytes, bound: tuple[int, int, int], rank: int, limit: int, upwards: bool
) -> list[EventRow]:
    """Results of other checks for the same refId, which have no place: the first from this bound on, or the
    last before it. The bound is a time, a rank among what stands at the same moment, and an id."""
    key_of = tuple_(type_coerce(EVENT_TIME, BigInteger), literal(rank, BigInteger), events.c.id)
    wanted = tuple_(*(literal(part, BigInteger) for part in bound))
    query = _events().where(events.c.ref_key == key, events.c.place.is_(None)).limit(limit)
    if upwards:
        query = query.where(key_of >= wanted).order_by(EVENT_TIME, events.c.id)
    else:
        query = query.where(key_of < wanted).order_by(EVENT_TIME.desc(), events.c.id.desc())
    found = [_event(row) for row in await connection.execute(query)]
    return found if upwards else found[::-1]


async def find_reached(connection: AsyncConnection, key: bytes, place: int) -> datetime | None:
    """The youngest time of the status changes before this place; where one is dated, undated ones don't
    count, for these may have come long after they were made."""
    before = events.c.ref_key == key, events.c.place < place, events.c.place >= place - LOOK_BACK
    youngest = func.coalesce(func.max(events.c.message_at), func.max(events.c.first_attempt_at))
    query = select(type_coerce(youngest, events.c.message_at.type)).where(*before)
    return (await connection.execute(query)).scalar()


async def find_steps(connection: AsyncConnection, key: bytes) -> list[Step]:
    """The latest, oldest first."""
    query = (
        select(
            events.c.id.label("event_id"),
            events.c.place,
            events.c.status,
            events.c.previous_status,
            EVENT_TIME.label("at"),
            (events.c.link == Link.REPEAT).label("is_repeat"),
        )
        .where(events.c.ref_key == key, events.c.place.is_not(None))
        .order_by(events.c.place.desc())
        .limit(STEPS)
    )
    rows = (await connection.execute(query)).all()
    return [Step(**row._mapping) for row in reversed(rows)]


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
