"""What people do about a case: notes, who sees to it, and which one to take next."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import ValidationException
from litestar.params import FromQuery
from litestar.response import Redirect

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_edit
from dashboard.errors import PageError
from dashboard.filters import address, case_path
from dashboard.forms import named_case, text_of
from dashboard.pages.case import FASTER, GONE, NOTHING_CAME, Typed, show_case
from dashboard.paths import local_path
from dashboard.queries.cases import Case, find_case
from dashboard.queries.limits import find_limits
from dashboard.queries.next_case import find_next_unassigned
from dashboard.rounds import FINAL
from receiver import casework
from receiver.casework import AssigneeError, NoCaseError, NotAssigned, NoteError
from receiver.event import UNSTORABLE, is_ref_id
from receiver.limits import Limit

NOTHING_WAITS = PageError(
    404,
    "Nothing waits",
    "Every case that is under way is assigned to somebody. Well done.",
    "A new one comes with the next status change. What completed and rejected cases need is on the overview.",
)
NO_OTHER = PageError(
    404,
    "There is no other",
    "The case you come from is the only one under way that is assigned to nobody.",
    NOTHING_WAITS.words.hint,
)
NO_CASE = PageError(404, "No such case", NOTHING_CAME, "Nothing was written.")


@post("/cases/notes", guards=[may_edit])
async def write_note(request: AnyRequest, ref: FromQuery[str] = "") -> Response[Any]:
    """Back to the case, at the note; or the form again, as it was typed, where it can't be kept.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    ref_id, form, state = named_case(ref), await request.form(), request.app.state
    text, now = text_of(form.get("text")), datetime.now(UTC)
    try:
        casework.checked(text)
        async with state.writer.begin() as writer:
            number = await writer.run_sync(casework.write_note, ref_id, text, request.user.email, now)
    except NoteError as error:
        async with state.readers.begin() as reader:
            return await show_case(request, reader, ref_id, 422, Typed(text, str(error)))
    except NoCaseError:
        raise NO_CASE from None
    return Redirect(f"{_back(form.get('next'), ref_id)}#activity_{number}", status_code=303)


@post("/cases/assignment", guards=[may_edit], status_code=303)
async def assign(request: AnyRequest, ref: FromQuery[str] = "") -> Redirect:
    ref_id, form = named_case(ref), await request.form()
    assignee, shown, now = text_of(form.get("assignee")), text_of(form.get("seen")), datetime.now(UTC)
    if UNSTORABLE.search(assignee + shown):
        raise ValidationException("nobody is called so")
    back, by = _back(form.get("next"), ref_id), request.user.email
    try:
        async with request.app.state.writer.begin() as writer:
            answer = await writer.run_sync(casework.assign, ref_id, assignee or None, shown or None, by, now)
    except AssigneeError:
        return Redirect(address(back, assignment=GONE), status_code=303)
    except NoCaseError:
        raise NO_CASE from None
    faster = FASTER if isinstance(answer, NotAssigned) else None
    return Redirect(address(back, assignment=faster), status_code=303)


@get("/cases/next")
async def lead_to_next(request: AnyRequest, reader: Reader, after: FromQuery[str] = "") -> Redirect:
    """`after` a case: the one that comes then, whatever became of it; without, the first."""
    limits, zone = await find_limits(reader), request.app.state.settings.timezone
    passed = await find_case(reader, after) if is_ref_id(after) else None
    ref_id = await find_next_unassigned(reader, limits, zone, passed)
    if ref_id is None:
        raise NO_OTHER if passed and passed.assigned_to is None and _waits(passed, limits) else NOTHING_WAITS
    return Redirect(case_path(ref_id), status_code=303)


def _waits(case: Case, limits: Mapping[str, Limit]) -> bool:
    return case.status in limits or case.status not in FINAL


def _back(field: object, ref_id: str) -> str:
    return local_path(str(field or case_path(ref_id)))


routes = [write_note, assign, lead_to_next]
