"""What came in at the webhook, and one delivery with what was wrong with it, its headers and bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.body import body_as_shown
from dashboard.causes import BY_VERDICT
from dashboard.diagnosis import Evidence, Secret, diagnose, verify_today
from dashboard.errors import PageError
from dashboard.left_out import TEXT, left_out, one_of
from dashboard.queries.deliveries import (
    Delivery,
    Wanted,
    count_deliveries,
    find_deliveries,
    find_delivery,
    find_last_secret,
    find_siblings,
)
from dashboard.render import render
from dashboard.resending import as_commands
from dashboard.spans import TIME, Span, span_from
from receiver.models import Verdict
from receiver.settings import Settings

GONE = "It was never logged, or it was an unverified one that has made room for newer ones."
UNSHOWN = "not shown"  # whoever has it and the bytes could send them again for five minutes
MAX_ID = 255  # characters
PARAMETERS = {
    "verdict": one_of(Verdict, "is no verdict"),
    "cause": one_of(
        {cause for causes in BY_VERDICT.values() for cause in causes},
        "is no reason why a delivery is not taken",
    ),
    "id": TEXT,
    "from": TIME,
    "to": TIME,
}


@get("/deliveries")
async def index(request: AnyRequest, reader: Reader, at: FromQuery[str] = "") -> Response[str]:
    asked = request.query_params
    span = span_from(asked.get("from", ""), asked.get("to", ""))
    wanted = wanted_from(dict(asked), span)
    return await render(
        request,
        reader,
        "deliveries/index.html",
        "deliveries/_deliveries.html",
        found=await find_deliveries(reader, wanted, at),
        counts=await count_deliveries(reader, datetime.now(UTC)),
        causes=BY_VERDICT,
        wanted=wanted,
        span=span,
        filters={"cause": wanted.cause, "id": wanted.svix_id, "from": span.first, "to": span.last},
        at=at,
        left_out=left_out(asked, PARAMETERS),
    )


def wanted_from(asked: dict[str, str], span: Span) -> Wanted:
    """What an address asks for; a verdict or a cause that there is not was not asked for. A cause has one
    verdict, whichever was asked for."""
    verdict, cause = asked.get("verdict", ""), asked.get("cause", "")
    its_verdict = next((one for one, causes in BY_VERDICT.items() if cause in causes), None)
    return Wanted(
        verdict=its_verdict or (verdict if verdict in set(Verdict) else ""),
        cause=cause if its_verdict else "",
        svix_id=asked.get("id", "").strip().replace("\0", "")[:MAX_ID],
        since=span.since,
        until=span.until,
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
        **await _diagnosis(reader, delivery, request.app.state.settings),
        headers=list(_headers(delivery)),
        body=body_as_shown(delivery.body),
        commands=_commands(delivery),
        siblings=await find_siblings(reader, delivery.event_id) if delivery.event_id else [],
    )


async def _diagnosis(reader: AsyncConnection, delivery: Delivery, settings: Settings) -> dict[str, Any]:
    evidence = _evidence(delivery)
    ours = [Secret(text) for text in settings.webhook_secrets]
    others = {
        "KYBDESK_ACCOUNT_SECRET": settings.account_secret,
        "KYBDESK_FORWARD_SECRET": settings.forward_secret,
    }
    named = [Secret(text, name) for name, text in others.items() if text]
    last = await find_last_secret(reader, delivery.id) if delivery.verdict == Verdict.REFUSED else None
    return {
        "findings": diagnose(evidence, [*ours, *named] if ours else [], last),
        "today": verify_today(evidence, ours),
    }


def _evidence(delivery: Delivery) -> Evidence:
    return Evidence(
        received_at=delivery.received_at,
        cause=delivery.cause if delivery.verdict == Verdict.REFUSED else None,
        svix_id=delivery.svix_id,
        timestamp=delivery.svix_timestamp,
        signature=delivery.signature,
        verified_by=delivery.verified_by,
        body=delivery.body,
        body_size=delivery.body_size,
        body_sha256=delivery.body_sha256,
        header_names=tuple(delivery.header_names.split()),
        content_type=delivery.content_type,
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


def _commands(delivery: Delivery) -> str | None:
    """Only of bytes that were kept whole."""
    body = _evidence(delivery).whole_body
    return None if body is None else as_commands(body, delivery.svix_id, delivery.content_type)


routes = [index, show]
