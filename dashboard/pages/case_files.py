"""The case file for an auditor: of one case or of a sample, as a page to print and as JSON."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.response import Redirect, Stream

from dashboard.aliases import AnyRequest, Reader
from dashboard.case_file.asking import MOST_CASES, possible, references
from dashboard.case_file.checking import CHECKS
from dashboard.case_file.giving import Asked, json_file, note_given
from dashboard.case_file.printing import Room, print_case
from dashboard.errors import PageError
from dashboard.filters import plural
from dashboard.queries.case_files import find_known
from dashboard.render import render
from dashboard.taking import nothing, only_looks, taken_from_here
from receiver.server import MAX_HEADERS

LONGEST = MAX_HEADERS // 2  # characters of an address
NAME = "case-file.json"  # as the instructions for checking it call it
NONE = "Write at least one reference."
TOO_LONG = "These references are too long for one file: make several of fewer cases."


@get("/case-files")
async def ask(request: AnyRequest, reader: Reader) -> Response[str]:
    refs = "\n".join(request.query_params.getall("ref", []))
    return await render(request, reader, "case_files/ask.html", refs=refs, error=None, most=MOST_CASES)


@post("/case-files")
async def lead_to_file(request: AnyRequest) -> Response[Any]:
    """It writes nothing: the address that it leads to is the file's own."""
    text = str((await request.form()).get("refs") or "")
    async with request.app.state.readers.begin() as reader:

        async def known(ref_ids: Iterable[str]) -> set[str]:
            return await find_known(reader, ref_ids)

        ref_ids = await references(text, known)
        query = urlencode([("ref", ref_id) for ref_id in ref_ids])
        if error := _error(ref_ids, query):
            return await render(
                request, reader, "case_files/ask.html", status=422, refs=text, error=error, most=MOST_CASES
            )
    return Redirect(f"/case-file?{query}", status_code=303)


def _error(ref_ids: list[str], query: str) -> str | None:
    if not ref_ids:
        return NONE
    if len(ref_ids) > MOST_CASES:
        return f"These are {plural(len(ref_ids), 'case')}. At most {MOST_CASES} go into one file."
    return TOO_LONG if len(query) > LONGEST else None


@get("/case-file", guards=[taken_from_here("Open the case file")])
async def show(request: AnyRequest) -> Response[Any]:
    """Each case is read by itself, in short transactions, and noted before it is shown."""
    if not request.query_params.getall("ref", []):
        return Redirect("/case-files", status_code=303)
    asked, readers, room = await _asked(request), request.app.state.readers, Room()
    if only_looks(request):
        return nothing(MediaType.HTML)
    printed = [await print_case(readers, ref_id, room) for ref_id in asked.ref_ids]
    for number, (ref_id, case) in enumerate(zip(asked.ref_ids, printed, strict=True), 1):
        what = f"page, {asked.of(number)}"
        await note_given(request.app.state.writer, asked.by, ref_id, case.digest, what)
    async with readers.begin() as reader:
        return await render(
            request,
            reader,
            "case_files/show.html",
            printed=printed,
            checks=CHECKS,
            asked_for=asked,
            query=urlencode([("ref", ref_id) for ref_id in asked.ref_ids]),
        )


@get("/case-file.json", guards=[taken_from_here("Take the case file")])
async def give(request: AnyRequest) -> Stream:
    asked, state = await _asked(request), request.app.state
    if only_looks(request):
        return nothing(MediaType.JSON)
    return Stream(
        json_file(state.readers, state.writer, asked),
        media_type=MediaType.JSON,
        headers={"Content-Disposition": f'attachment; filename="{NAME}"'},
    )


async def _asked(request: AnyRequest) -> Asked:
    given = list(dict.fromkeys(request.query_params.getall("ref", [])))
    if not 0 < len(given) <= MOST_CASES:
        raise PageError(400, "Not so many at once", f"A case file holds from 1 to {MOST_CASES} cases.")
    async with request.app.state.readers.begin() as reader:
        known = await find_known(reader, possible(given))
    if not known:
        raise PageError(
            404,
            "No such case",
            "Nothing has come from VOVE for any of these references.",
            "Upper and lower case and spaces count.",
        )
    ref_ids = [ref_id for ref_id in given if ref_id in known]
    return Asked(ref_ids, [ref_id for ref_id in given if ref_id not in known], request.user.email)


routes = [ask, lead_to_file, show, give]
