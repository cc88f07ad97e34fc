"""All cases, and one case with its timeline."""

from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest, Reader
from dashboard.errors import PageError
from dashboard.filters import address, case_path
from dashboard.pages.reprocesses import refusal_of
from dashboard.pages.vove import box_of
from dashboard.paths import ref_id_of
from dashboard.queries.businesses import Business, find_business, find_without_case
from dashboard.queries.cases import Case, count_cases, find_case, find_cases, find_way
from dashboard.queries.runs import count_failed_of_case
from dashboard.queries.vove import count_differences
from dashboard.render import render
from dashboard.strip import read_strip
from dashboard.timeline import read_timeline
from dashboard.way import way_of
from receiver.event import ref_key

MAX_SEARCH = 1000  # characters: SQLite refuses a pattern of 50,000 bytes
NOTHING_CAME = "Nothing has come from VOVE for this reference."


@get("/cases")
async def index(
    request: AnyRequest,
    reader: Reader,
    q: FromQuery[str] = "",
    status: FromQuery[str] = "",
    at: FromQuery[str] = "",
    ref: FromQuery[str | None] = None,
) -> Response[str]:
    if ref is not None:  # a refId that browsers would take out of a path
        return await _show(request, reader, ref)
    search, status = q.strip().replace("\0", "")[:MAX_SEARCH], status.replace("\0", "")
    counts, found = await count_cases(reader), await find_cases(reader, search, status, at)
    return await render(
        request,
        reader,
        "cases/index.html",
        "cases/_cases.html",
        found=found,
        counts=counts,
        differing=await count_differences(reader),
        statuses=_statuses(counts, status),
        q=search,
        wanted=status,
        without_case=[] if status or at or found.next else await find_without_case(reader, search),
        at=at,
    )


def _statuses(counts: dict[str, int], wanted: str) -> list[str]:
    """What one can filter by: the known ones in their order, then what else there is."""
    known = [status for status in words.STATUSES if status in counts or status != "NOT_STARTED"]
    return list(dict.fromkeys([*known, *sorted(counts), *filter(None, [wanted])]))


@get("/cases/{ref_id:path}")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    return await _show(request, reader, ref_id_of(request))


async def _show(request: AnyRequest, reader: AsyncConnection, ref_id: str) -> Response[str]:
    key, order, at = ref_key(ref_id), request.query_params.get("order"), request.query_params.get("at")
    timeline = await read_timeline(reader, key, at, newest_first=order != "oldest")
    case = await find_case(reader, ref_id)
    business = await find_business(reader, ref_id)
    vove = await box_of(request, reader, ref_id)
    if case is None and business is None and vove.compared is None and timeline.is_empty:
        raise PageError(404, "No such case", NOTHING_CAME, "Upper and lower case and spaces count.")
    return await render(
        request,
        reader,
        "cases/show.html",
        "cases/_case.html",
        ref_id=ref_id,
        case=case,
        business=business,
        vove=vove,
        **(await _state(reader, case, business) if case else {}),
        timeline=timeline,
        order=order,
        here=address(case_path(ref_id), order=order, at=at),
        refusal=refusal_of(request),
    )


async def _state(reader: AsyncConnection, case: Case, business: Business | None) -> dict[str, Any]:
    """What stands above the timeline."""
    return {
        "way": way_of(case, await find_way(reader, case.ref_key)),
        "seen": await read_strip(reader, case, business),
        "failed_of_case": await count_failed_of_case(reader, case.ref_key),
    }


routes = [index, show]
