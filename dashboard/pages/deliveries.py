"""What came in at the webhook, and one delivery with its headers and bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from dashboard.aliases import AnyRequest, Reader
from dashboard.body import body_as_shown
from dashboard.errors import PageError
from dashboard.filters import age
from dashboard.queries.deliveries import (
    Delivery,
    count_deliveries,
    find_deliveries,
    find_delivery,
    find_siblings,
)
from dashboard.render import render
from receiver.models import Verdict

GONE = "It was never logged, or it was an unverified one that has made room for newer ones."
UNSHOWN = "not shown"  # whoever has it and the bytes could send them again for five minutes
MOST = 10**9  # seconds of clock difference that mean something as days


@get("/deliveries")
async def index(
    request: AnyRequest, reader: Reader, verdict: FromQuery[str] = "", at: FromQuery[str] = ""
) -> Response[str]:
    verdict = verdict if verdict in set(Verdict) else ""
    return await render(
        request,
        reader,
        "deliveries/index.html",
        "deliveries/_deliveries.html",
        found=await find_deliveries(reader, verdict, at),
        counts=await count_deliveries(reader, datetime.now(UTC)),
        wanted=verdict,
        at=at,
    )


@get("/deliveries/{delivery_id:int}")
async def show(request: AnyRequest, reader: Reader, delivery_id: FromPath[int]) -> Response[str]:
    delivery = await find_delivery(reader, delivery_id)
    if delivery is None:
        raise PageError(404, "No such delivery", GONE)
    return await render(
        request,
        reader,
        "deliveries/show.html",
        "deliveries/_delivery.html",
        delivery=delivery,
        headers=list(_headers(delivery)),
        clock=_clock_difference(delivery),
        body=body_as_shown(delivery.body),
        siblings=await find_siblings(reader, delivery.event_id) if delivery.event_id else [],
    )


def _headers(delivery: Delivery) -> Iterator[tuple[str, str | None, str]]:
    """Each header's name as it came, its value where the ledger has it, and else why not."""
    known = {
        "content-type": delivery.content_type,
        "user-agent": delivery.user_agent,
        "content-length": str(delivery.body_size),
        "svix-id": delivery.svix_id,
        "webhook-id": delivery.svix_id,
        "svix-timestamp": delivery.svix_timestamp,
        "webhook-timestamp": delivery.svix_timestamp,
    }
    for name in delivery.header_names.split():
        value = known.get(name.lower())
        text = None if value is None else str(value)
        yield name, text, UNSHOWN if name.lower().endswith("-signature") else "value not kept"


def _clock_difference(delivery: Delivery) -> str | None:
    if delivery.cause not in {"too_old", "too_new"} or delivery.svix_timestamp is None:
        return None
    seconds = abs(int(delivery.received_at.timestamp()) - delivery.svix_timestamp)
    return f"{seconds:,} s" + (f" ({age(timedelta(seconds=seconds))})" if 60 <= seconds < MOST else "")


routes = [index, show]
