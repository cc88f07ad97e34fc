"""What leads set for everybody: limits of statuses, links to a case elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_set
from dashboard.queries.activities import find_last_changes
from dashboard.queries.limits import find_limits
from dashboard.queries.settings import find_settings, find_statuses
from dashboard.render import render
from dashboard.setting_forms import (
    LimitRow,
    LinkRow,
    limit_rows,
    link_rows,
    typed_limits,
    typed_links,
)
from dashboard.surroundings import surroundings
from receiver import desk_settings, limits
from receiver.desk_settings import MOST, link
from receiver.limits import MOST_DAYS

SAVED = {"limits", "links"}
EXAMPLE = ("acme-1", "kyb_8f3a")  # a reference, and VOVE's own number


@get("/settings")
async def index(request: AnyRequest, reader: Reader) -> Response[str]:
    return await _page(request, reader)


@post("/settings/limits", guards=[may_set])
async def save_limits(request: AnyRequest) -> Response[Any]:
    """All of the form or nothing of it.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    rows, state = typed_limits(await request.form()), request.app.state
    if not any(row.error for row in rows):
        shown, chosen = {row.status: row.was for row in rows}, {row.status: row.chosen for row in rows}
        async with state.writer.begin() as writer:
            now = datetime.now(UTC)
            if await writer.run_sync(limits.replace_limits, shown, chosen, request.user.email, now):
                return Redirect("/settings?saved=limits", status_code=303)
    async with state.readers.begin() as reader:
        if any(row.error for row in rows):
            return await _page(request, reader, 422, of_limits=rows)
        present = await find_limits(reader)
        beside = [row.beside(present.get(row.status)) for row in rows]
        return await _page(request, reader, 409, of_limits=beside)


@post("/settings/links", guards=[may_set])
async def save_links(request: AnyRequest) -> Response[Any]:
    rows, state = typed_links(await request.form()), request.app.state
    if not any(row.error for row in rows):
        shown, chosen = {row.name: row.shown for row in rows}, {row.name: row.value for row in rows}
        async with state.writer.begin() as writer:
            now = datetime.now(UTC)
            if await writer.run_sync(desk_settings.replace_settings, shown, chosen, request.user.email, now):
                return Redirect("/settings?saved=links", status_code=303)
    async with state.readers.begin() as reader:
        if any(row.error for row in rows):
            return await _page(request, reader, 422, of_links=rows)
        present = await find_settings(reader)
        beside = [row.beside(present.get(row.name, "")) for row in rows]
        return await _page(request, reader, 409, of_links=beside)


async def _page(
    request: AnyRequest,
    reader: AsyncConnection,
    status: int = 200,
    of_limits: Sequence[LimitRow] | None = None,
    of_links: Sequence[LinkRow] | None = None,
) -> Response[str]:
    """With what was typed into one of its forms, where that was not saved."""
    set_links = await find_settings(reader)
    saved = request.query_params.get("saved")
    return await render(
        request,
        reader,
        "settings/index.html",
        status=status,
        of_limits=of_limits or limit_rows(await find_limits(reader), await find_statuses(reader)),
        of_links=of_links or link_rows(set_links),
        refused="limits" if of_limits else "links" if of_links else None,
        saved=saved if saved in SAVED and status == 200 else None,
        leads_to={name: link(template, *EXAMPLE) for name, template in set_links.items()},
        last=await find_last_changes(reader),
        given=surroundings(request.app.state.settings),
        most_days=MOST_DAYS,
        longest_link=MOST,
    )


routes = [index, save_limits, save_links]
