"""What came in at the webhook."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.by_time import came_between
from dashboard.queries.paging import LARGEST, Page, cursor_from, read_page
from receiver.models import Verdict, businesses, deliveries, delivery_counts, events, hour_of

PAGE = 50
SIBLINGS = 20
COUNTED_HOURS = 24
VERIFIED = (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.QUARANTINED)
# Served by no index: beside a cause or an id, which name few, a million accepted ones are not walked.
any_verdict: ColumnElement[str] = func.coalesce(deliveries.c.verdict, "")
# As text: so that partial indexes serve them.
HAS_CAUSE = text("deliveries.cause IS NOT NULL")
HAS_NO_EVENT = text("deliveries.event_id IS NULL AND deliveries.svix_id IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries; what says nothing lets all through. `until` no longer belongs to the time."""

    verdict: str = ""
    cause: str = ""
    svix_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_narrow(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """The fields of its event are None where it has none."""

    id: int
    received_at: datetime
    verdict: str
    cause: str | None
    http_status: int
    took: int
    svix_id: str | None
    event_id: int | None
    ref_id: str | None
    name: str | None  # the business's, where the directory knows it
    family: str | None
    status: str | None
    previous_status: str | None


ALL = Wanted()


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
    signature: str | None = field(repr=False)  # of a refused one; no page shows it
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
    connection: AsyncConnection, wanted: Wanted = ALL, cursor: str | None = None, size: int = PAGE
) -> Page[DeliveryRow]:
    """Newest first."""
    query = _with_event(
        deliveries.c.id,
        deliveries.c.received_at,
        deliveries.c.verdict,
        deliveries.c.cause,
        deliveries.c.http_status,
        deliveries.c.took,
        deliveries.c.svix_id,
        deliveries.c.event_id,
    ).where(*await came_between(connection, wanted.since, wanted.until))
    if wanted.verdict and (wanted.cause or wanted.svix_id):
        query = query.where(any_verdict == wanted.verdict)
    elif wanted.verdict:
        query = query.where(deliveries.c.verdict == wanted.verdict)
    if wanted.cause:
        query = query.where(HAS_CAUSE, deliveries.c.cause == wanted.cause)
    page = await read_page(
        connection,
        _of_message(query, wanted.svix_id) if wanted.svix_id else [query],
        keys=(deliveries.c.id,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=size,
    )
    return page.of(lambda row: DeliveryRow(**row._mapping))


def _of_message(query: Select[Any], svix_id: str) -> list[Select[Any]]:
    """By its event, and those that became none: each has its index."""
    event = select(events.c.id).where(events.c.svix_id == svix_id).scalar_subquery()
    without_event = query.where(HAS_NO_EVENT, deliveries.c.svix_id == svix_id)
    return [query.where(deliveries.c.event_id == event), without_event]


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
        func.coalesce(deliveries.c.body, events.c.body).label("body"),
        events.c.delivery_count,
    )
    row = (await connection.execute(query.where(deliveries.c.id == delivery_id))).one_or_none()
    return Delivery(**row._mapping) if row else None


async def find_last_secret(connection: AsyncConnection, before: int) -> str | None:
    """The fingerprint of the secret that verified the last delivery before this one."""
    last = (
        select(deliveries.c.id, deliveries.c.verified_by)
        .where(deliveries.c.verdict == Verdict.ACCEPTED, deliveries.c.id < before)
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(last)).one_or_none()
    return row.verified_by if row else None


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
