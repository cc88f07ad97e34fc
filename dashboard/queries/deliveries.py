"""What came in at the webhook."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.paging import LARGEST, Page, cursor_from, read_page
from receiver.models import businesses, deliveries, delivery_counts, events, hour_of

PAGE = 50
SIBLINGS = 20
COUNTED_HOURS = 24


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """The fields of its event are None where it has none."""

    id: int
    received_at: datetime
    verdict: str
    cause: str | None
    http_status: int
    took: int
    event_id: int | None
    ref_id: str | None
    name: str | None  # the business's, where the directory knows it
    family: str | None
    status: str | None
    previous_status: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    received_at: datetime
    verdict: str
    cause: str | None
    http_status: int
    took: int
    svix_id: str | None
    svix_timestamp: int | None
    signed: bool
    verified_by: str | None
    event_id: int | None
    body: bytes | None
    body_size: int
    body_sha256: bytes | None
    content_type: str | None
    user_agent: str | None
    header_names: str
    client: str | None
    ref_id: str | None
    name: str | None  # the business's
    family: str | None
    status: str | None
    previous_status: str | None
    delivery_count: int | None


@dataclass(frozen=True, slots=True)
class Sibling:
    id: int
    received_at: datetime
    verdict: str


async def find_deliveries(
    connection: AsyncConnection, verdict: str | None = None, cursor: str | None = None
) -> Page[DeliveryRow]:
    """Newest first."""
    query = _with_event(
        deliveries.c.id,
        deliveries.c.received_at,
        deliveries.c.verdict,
        deliveries.c.cause,
        deliveries.c.http_status,
        deliveries.c.took,
        deliveries.c.event_id,
    )
    if verdict:
        query = query.where(deliveries.c.verdict == verdict)
    page = await read_page(
        connection,
        [query],
        keys=(deliveries.c.id,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=PAGE,
    )
    return page.of(lambda row: DeliveryRow(**row._mapping))


async def count_deliveries(connection: AsyncConnection, now: datetime) -> dict[str, int]:
    """By verdict, of the last 24 hours: whole hours, so up to 59 minutes more."""
    since = hour_of(now) - COUNTED_HOURS
    query = (
        select(delivery_counts.c.verdict, func.sum(delivery_counts.c.n).label("n"))
        .where(delivery_counts.c.hour >= since)
        .group_by(delivery_counts.c.verdict)
    )
    return {row.verdict: int(row.n) for row in await connection.execute(query)}


async def find_delivery(connection: AsyncConnection, delivery_id: int) -> Delivery | None:
    """With its bytes, which stand with the event where that keeps the same."""
    if delivery_id > LARGEST:
        return None
    own = [
        deliveries.c[name]
        for name in Delivery.__dataclass_fields__
        if name in deliveries.c and name != "body"
    ]
    query = _with_event(
        *own,
        deliveries.c.signature.is_not(None).label("signed"),
        func.coalesce(deliveries.c.body, events.c.body).label("body"),
        events.c.delivery_count,
    )
    row = (await connection.execute(query.where(deliveries.c.id == delivery_id))).one_or_none()
    return Delivery(**row._mapping) if row else None


async def find_siblings(connection: AsyncConnection, event_id: int) -> list[Sibling]:
    """All deliveries of the same event, oldest first."""
    query = (
        select(deliveries.c.id, deliveries.c.received_at, deliveries.c.verdict)
        .where(deliveries.c.event_id == event_id)
        .order_by(deliveries.c.id)
        .limit(SIBLINGS)
    )
    return [Sibling(**row._mapping) for row in await connection.execute(query)]


def _with_event(*columns: Any) -> Select[Any]:
    its_event = [events.c[name] for name in ("ref_id", "family", "status", "previous_status")]
    return (
        select(*columns, *its_event, businesses.c.name)
        .outerjoin_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .outerjoin(businesses, businesses.c.ref_key == events.c.ref_key)
    )
