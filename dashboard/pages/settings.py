"""What leads set for everybody: limits of statuses, links to a case elsewhere."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_set
from dashboard.queries.activities import find_last_changes
from dashboard.queries.limits import find_limits
from dashboard.queries.settings import find_settings, find_statuses
from dashboard.render import render
from dashboard.setting_forms import limit_rows, link_rows, typed_limits, typed_links
from dashboard.surroundings import surroundings
from receiver import desk_settings, limits
from receiver.desk_settings import MOST, link
from receiver.limits import MOST_DAYS

EXAMPLE = ("acme-1", "kyb_8f3a")  # a reference, and VOVE's own number


@dataclass(frozen=True)
class Form:
    """One of the page's. `find` finds what holds, by the names of its rows; `replace` says whether it could:
    not where somebody was faster."""

    name: str
    typed: Callable[[FormMultiDict], Sequence[Any]]
    find: Callable[[AsyncConnection], Awaitable[Mapping[str, Any]]]
    replace: Callable[..., bool]


LIMITS = Form("limits", typed_limits, find_limits, limits.replace_limits)
LINKS = Form("links", typed_links, find_settings, desk_settings.replace_settings)
SAVED = {LIMITS.name, LINKS.name}


@get("/settings")
async def index(request: AnyRequest, reader: Reader) -> Response[str]:
    return await _page(request, reader)


@post("/settings/limits", guards=[may_set])
async def save_limits(request: AnyRequest) -> Response[Any]:
    return await _save(request, LIMITS)


@post("/settings/links", guards=[may_set])
async def save_links(request: AnyRequest) -> Response[Any]:
    return await _save(request, LINKS)


async def _save(request: AnyRequest, form: Form) -> Response[Any]:
    """All of the form or nothing of it.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    rows, by = form.typed(await request.form()), request.user.email
    is_wrong = any(row.error for row in rows)
    if not is_wrong:
        shown, chosen = {row.name: row.was for row in rows}, {row.name: row.chosen for row in rows}
        async with request.app.state.writer.begin() as writer:
            if await writer.run_sync(form.replace, shown, chosen, by, datetime.now(UTC)):
                return Redirect(f"/settings?saved={form.name}", status_code=303)
    async with request.app.state.readers.begin() as reader:
        if is_wrong:
            return await _page(request, reader, 422, {form.name: rows})
        present = await form.find(reader)
        beside = [row.beside(present.get(row.name)) for row in rows]
        return await _page(request, reader, 409, {form.name: beside})


async def _page(
    request: AnyRequest,
    reader: AsyncConnection,
    status: int = 200,
    typed: Mapping[str, Sequence[Any]] | None = None,
) -> Response[str]:
    """With what was typed into one of its forms, where that was not saved."""
    typed, set_links = typed or {}, await find_settings(reader)
    saved = request.query_params.get("saved")
    return await render(
        request,
        reader,
        "settings/index.html",
        status=status,
        of_limits=typed.get("limits") or limit_rows(await find_limits(reader), await find_statuses(reader)),
        of_links=typed.get("links") or link_rows(set_links),
        refused=next(iter(typed), None),
        saved=saved if saved in SAVED and status == 200 else None,
        leads_to={name: link(template, *EXAMPLE) for name, template in set_links.items()},
        last=await find_last_changes(reader),
        given=surroundings(request.app.state.settings),
        most_days=MOST_DAYS,
        longest_link=MOST,
    )


routes = [index, save_limits, save_links]
