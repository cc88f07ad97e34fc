"""The one place that turns a template into an answer.

A handler says `return await render(request, reader, "cases/index.html", "cases/_cases.html", rows=rows)`. A
request for a part (`HX-Request-Type: partial`) is answered with the part, where one is named; anything else
with the page. It asks for its connection as `reader: Reader` or `writer: Writer` (which reads too; never
both), and for the rest as `FromPath[int]`, `FromQuery[str]`: Litestar warns about anything less.

Every template may use:
    user          `User` (email, role, may_…), or None on the sign-in page and on errors before it
    environment   "production", or the name that stands as a banner on every page
    path          of the request, without its query, such as "/cases"
    now           an aware datetime, UTC
    timezone      `ZoneInfo`: what "today" means
    zone_switch   `Switch`: in which zone times are told, and which other there is
    keys_off      whether single letters do nothing
    asked         of the request, path and query, as it came
    PLACES, BELOW what stands in the rail, a tuple of `Place` each
    term(key)     `Word`: a word of the pages with its meaning, see glossary.TERMS
    static(path)  the address of a file below static/, such as static("css/base.css")
and the filters in `filters.FILTERS`, a dict from name to function. A page may use also what its layout shows:
    revision        of the ledger, a number; None on the sign-in page and on error pages
    failed_runs     how many runs need a person: "" for none, "1" to "999", "999+"
    worker_down     a sentence, or None: no worker was seen of late
    handlers_error  a sentence, or None: what a worker says it can't do
    receiver_down   a sentence, or None
    paused          what is paused at present: a list of `Paused`, all handlers first
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.enums import MediaType
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyConnection, AnyRequest
from dashboard.assets import Assets
from dashboard.filters import FILTERS
from dashboard.glossary import TERMS
from dashboard.layout import NOTHING_KNOWN, layout
from dashboard.places import BELOW, PLACES
from dashboard.zones import switch

KEYS, OFF = "keys", "off"  # a cookie, and its value for those whom single letters are in the way of


async def render(
    request: AnyRequest,
    connection: AsyncConnection,
    page: str,
    part: str | None = None,
    status: int = 200,
    **context: Any,
) -> Response[str]:
    """Answer with the part, where one is named and asked for, else with the page and its layout."""
    if part is not None and wants_part(request):
        return render_alone(request, part, status, **context)
    return render_alone(request, page, status, **await layout(connection), **context)


def render_alone(request: AnyRequest, template: str, http_status: int = 200, **context: Any) -> Response[str]:
    """Answer without asking the database: sign-in, errors, parts."""
    text = request.app.state.templates.get_template(template).render(
        {**NOTHING_KNOWN, **_common(request), **context}
    )
    return Response(text, status_code=http_status, media_type=MediaType.HTML)


def wants_part(request: AnyConnection) -> bool:
    return request.headers.get("HX-Request-Type") == "partial"


def _common(request: AnyRequest) -> dict[str, Any]:
    settings, now = request.app.state.settings, datetime.now(UTC)
    return {
        "user": request.scope.get("user"),
        "environment": settings.environment,
        "path": request.scope["path"],
        "now": now,
        "timezone": settings.timezone,
        "zone_switch": switch(request, now),
        "keys_off": request.cookies.get(KEYS) == OFF,
        "asked": asked(request),
    }


def asked(request: AnyConnection) -> str:
    path, query = request.scope["raw_path"].decode("latin-1"), request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def templates(directory: Path, assets: Assets) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(directory),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(static=assets.address, PLACES=PLACES, BELOW=BELOW, term=TERMS.__getitem__)
    return environment
