"""One case: what is true of it at present, and its timeline."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.errors import PageError
from dashboard.pages.reprocesses import refusal_of
from dashboard.pages.vove import Box, box_of
from dashboard.paths import ref_id_of
from dashboard.queries.businesses import Business, find_business
from dashboard.queries.cases import Case, find_case
from dashboard.queries.events import find_steps
from dashboard.queries.reasons import find_labels
from dashboard.render import render
from dashboard.rounds import Rounds, rounds_of
from dashboard.strip.header import VOVE_BOX, read_header, read_links
from dashboard.timeline import NAMES, Looking, Timeline, read_timeline
from dashboard.way import Way, way_of
from receiver.event import ref_key
from receiver.models import to_microseconds
from receiver.runs import CloseReason
from receiver.telling import NotSettled

NOTHING_CAME = "Nothing has come from VOVE for this reference."
FASTER, GONE = "faster", "gone"
REFUSED_ASSIGNMENTS = {
    FASTER: "Nothing was changed: somebody was faster. See below who the case is assigned to now.",
    GONE: "Nothing was changed: this person may no longer sign in. Choose another one.",
}
REFUSED_TELLINGS: dict[str, str] = {
    NotSettled.MOVED_ON: "Nothing was kept: the case has moved on since the page was shown.",
    NotSettled.NOT_SEEN: "Nothing was kept: the worker has yet to see this rejection, and may tell them.",
    NotSettled.TASK: "Nothing was kept: a task is to tell the customer. Close it as done by hand instead.",
    NotSettled.BEFORE: "Nothing more was kept: it was settled meanwhile. See below how, and by whom.",
}
SETTLINGS = {
    CloseReason.BY_HAND: "The customer was told without KYB Desk",
    CloseReason.NOT_TOLD: "The customer must not be told",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was not taken, as it was typed, and why. `how`: of how the customer was told."""

    text: str
    error: str
    how: str = ""


@get(["/cases/{ref_id:path}", "/cases/notes", "/cases/assignment", "/cases/telling"])
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    """A case may be named like what can be done with one."""
    return await show_case(request, reader, ref_id_of(request))


async def show_case(
    request: AnyRequest,
    reader: AsyncConnection,
    ref_id: str,
    status: int = 200,
    typed: Typed | None = None,
    typed_telling: Typed | None = None,
) -> Response[str]:
    looking = Looking.of(request, ref_id)
    case, business = await find_case(reader, ref_id), await find_business(reader, ref_id)
    vove = await box_of(request, reader, ref_id)
    rounds = rounds_of(await find_steps(reader, case.ref_key)) if case else None
    timeline = await _timeline(reader, looking, rounds)
    if not (case or business or vove.compared) and await _is_unknown(reader, looking, timeline):
        raise PageError(404, "No such case", NOTHING_CAME, "Upper and lower case and spaces count.")
    return await render(
        request,
        reader,
        "cases/show.html",
        "cases/_case.html",
        status=status,
        ref_id=ref_id,
        case=case,
        business=business,
        vove=vove,
        **(await _state(request, reader, case, business, vove) if case else {}),
        **(_way(case, rounds, looking) if case and rounds else {}),
        timeline=timeline,
        labels=await find_labels(reader, [case.reason if case else None, *timeline.reasons]),
        kinds=NAMES,
        looking=looking,
        here=looking.here,
        refusal=refusal_of(request),
        saved=request.query_params.get("saved") == "yes",
        refused=_refused(request),
        typed=typed,
        typed_telling=typed_telling,
        settlings=SETTLINGS,
    )


def _refused(request: AnyRequest) -> str | None:
    """The address says why, in a word: any other word in its place shows nothing."""
    assignment, telling = (request.query_params.get(name, "") for name in ("assignment", "telling"))
    return REFUSED_ASSIGNMENTS.get(assignment) or REFUSED_TELLINGS.get(telling)


async def _timeline(reader: AsyncConnection, looking: Looking, rounds: Rounds | None) -> Timeline:
    beginnings = rounds.beginnings if rounds else {}
    key, newest_first = ref_key(looking.ref_id), looking.newest_first
    return await read_timeline(reader, key, looking.at, newest_first, looking.kinds, beginnings)


async def _is_unknown(reader: AsyncConnection, looking: Looking, timeline: Timeline) -> bool:
    """Nothing came, whatever the address hides."""
    if looking.is_at_all or not timeline.is_empty:
        return timeline.is_empty
    return (await read_timeline(reader, ref_key(looking.ref_id))).is_empty


async def _state(
    request: AnyRequest, reader: AsyncConnection, case: Case, business: Business | None, vove: Box
) -> dict[str, Any]:
    """What stands above the timeline."""
    compared, zone = vove.compared, request.app.state.settings.timezone
    links = await read_links(reader, case.ref_id, compared.vove_id if compared else None)
    in_the_box = request.user.may_edit and (vove.is_set_up or compared)
    asked_at = VOVE_BOX if in_the_box else links.vove
    header = await read_header(reader, case, business, compared, asked_at, datetime.now(UTC), zone)
    return {
        "header": header,
        "links": links,
        "seen": header.seen,
        "telling": header.telling,
        "since": to_microseconds(case.status_since),
    }


def _way(case: Case, rounds: Rounds, looking: Looking) -> dict[str, Any]:
    """Of the present round, or of the one that was asked for."""
    drawn = rounds.of(looking.round) if looking.round else rounds.present
    is_present = drawn == rounds.present
    way: Way = way_of(drawn.steps, case.status if is_present else None, case.status_since)
    return {"way": way, "rounds": rounds, "drawn": drawn, "is_present": is_present}


routes = [show]
