"""All cases, by whatever one looks for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest, Reader
from dashboard.case_filters import PARAMETERS, CaseFilters
from dashboard.left_out import left_out
from dashboard.needs import NEEDS
from dashboard.pages.case import show_case
from dashboard.queries.case_list import CasePage, find_cases, find_codes
from dashboard.queries.cases import count_cases
from dashboard.queries.handlers import find_effects_set_up
from dashboard.queries.limits import find_limits
from dashboard.queries.people import find_assignees
from dashboard.queries.reasons import find_labels
from dashboard.queries.search import Search, find_hits, find_without_case, read_search
from dashboard.queries.vove import count_differences
from dashboard.render import render, wants_part
from receiver.limits import cutoffs


@get("/cases")
async def index(
    request: AnyRequest, reader: Reader, at: FromQuery[str] = "", ref: FromQuery[str | None] = None
) -> Response[str]:
    if ref is not None:  # a refId that browsers would take out of a path
        return await show_case(request, reader, ref)
    filters, limits = CaseFilters.read(request.query_params), await find_limits(reader)
    now, zone = datetime.now(UTC), request.app.state.settings.timezone
    over = cutoffs(limits, now, zone)
    search = await read_search(reader, filters.q)
    found = await find_cases(reader, filters.selection(search, request.user.email, over, now), at)
    answer = await render(
        request,
        reader,
        "cases/index.html",
        "cases/_cases.html",
        found=found,
        filters=filters,
        q=filters.q,
        is_short=search is not None and search.is_short,
        at=at,
        limits=limits,
        left_out=left_out(request.query_params, PARAMETERS),
        as_part=wants_part(request),
        **await _choices(reader, filters, [row.reason for row in found.rows]),
        **await _beside_them(reader, found, search, alone=not at and filters.only_search and not found.next),
    )
    return _at_its_address(answer, request, filters.address(at))


def _at_its_address(answer: Response[str], request: AnyRequest, address: str) -> Response[str]:
    """A form sends its empty fields too: these don't belong into an address that is mailed to a colleague."""
    asked = request.url.query
    if wants_part(request) and asked != address.partition("?")[2]:
        answer.headers["HX-Push-Url"] = address
    return answer


async def _choices(
    reader: AsyncConnection, filters: CaseFilters, shown: Sequence[str | None]
) -> dict[str, Any]:
    """What one can filter by, and the labels of all reasons."""
    counts = await count_cases(reader)
    codes = sorted({*await find_codes(reader), *filter(None, [filters.reason])})
    return {
        "counts": counts,
        "statuses": _statuses(counts, filters.status),
        "codes": codes,
        "labels": await find_labels(reader, [*codes, *shown]),
        "people": await find_assignees(reader),
        "all_needs": NEEDS,
    }


def _statuses(counts: dict[str, int], wanted: str) -> list[str]:
    """The known ones in their order, then what else there is."""
    known = [status for status in words.STATUSES if status in counts or status != "NOT_STARTED"]
    return list(dict.fromkeys([*known, *sorted(counts), *filter(None, [wanted])]))


async def _beside_them(
    reader: AsyncConnection, found: CasePage, search: Search | None, alone: bool
) -> dict[str, Any]:
    """What its rows don't say by themselves; where it stands `alone`, businesses without a case too."""
    return {
        "hits": await find_hits(reader, search, found.rows) if search else {},
        "effects": await find_effects_set_up(reader),
        "without_case": await find_without_case(reader, search) if alone else [],
        "differing": await count_differences(reader),
    }


routes = [index]
