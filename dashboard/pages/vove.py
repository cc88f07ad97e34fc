"""Agreement with VOVE: check a case, adopt VOVE's view, where we differ."""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader, Writer
from dashboard.asking import asking_of
from dashboard.auth.guards import may_edit
from dashboard.body import body_as_shown
from dashboard.errors import PageError
from dashboard.filters import address, case_path
from dashboard.paths import local_path
from dashboard.queries.paging import LARGEST
from dashboard.queries.vove import (
    find_adoption,
    find_comparison,
    find_differences,
    find_last_reconciliation,
)
from dashboard.render import render
from receiver.event import is_ref_id
from receiver.ledger.case_rows import RacedError
from receiver.vove import adopting
from receiver.vove.adopting import FRESH, Adopted, Refusal, Seen
from receiver.vove.troubles import SENTENCES, Trouble, VoveError
from receiver.vove.views import Comparison

log = logging.getLogger(__name__)

SEVERAL = "several"
NOTES: dict[str, str] = {
    SEVERAL: "VOVE has several cases with this reference. The one that changed last is shown.",
    Refusal.MOVED: "Nothing was taken over: the case has moved on since the page was shown.",
    Refusal.OTHER: "Nothing was taken over: VOVE says something else since the page was shown.",
    Refusal.RENAMED: "Nothing was taken over: one of the two names has changed since the page was shown.",
    Refusal.OLD: "Nothing was taken over: VOVE was asked more than an hour ago. Check again first.",
    Refusal.AGREES: "It has been taken over already, or there is nothing to take over.",
    Refusal.UNKNOWN: "Nothing was taken over: VOVE has no such case.",
    **{str(trouble): sentence for trouble, sentence in SENTENCES.items()},
}


@post("/checks", guards=[may_edit], status_code=303)
async def check(request: AnyRequest) -> Redirect:
    """It asks for no connection: while VOVE is asked, no transaction is open."""
    form = await request.form()
    ref_id = _ref_id(form)
    state = request.app.state
    try:
        found = await asking_of(state).about(ref_id, state.writer, request.user.email)
    except VoveError as error:
        log.warning("VOVE could not be asked: %s", error)
        return _back(form, ref_id, error.trouble)
    return _back(form, ref_id, SEVERAL if found.several else None)


@post("/adoptions", guards=[may_edit], status_code=303)
async def adopt(request: AnyRequest) -> Redirect:
    form = await request.form()
    ref_id, seen = _ref_id(form), _seen(form)
    answer = await _adopted(request, ref_id, seen, run_handlers=form.get("run_handlers") == "yes")
    return _back(form, ref_id, None if isinstance(answer, Adopted) else answer)


async def _adopted(request: AnyRequest, ref_id: str, seen: Seen, run_handlers: bool) -> Adopted | Refusal:
    for _ in range(2):
        try:
            async with request.app.state.writer.begin() as writer:
                return await writer.run_sync(  # type: ignore[no-any-return]
                    adopting.adopt, ref_id, seen, request.user.email, datetime.now(UTC), run_handlers
                )
        except RacedError:
            continue  # a webhook has created the case a moment ago
    return Refusal.MOVED


@post("/adoptions/{event_id:int}/runs", guards=[may_edit], status_code=303)
async def run_handlers(request: AnyRequest, writer: Writer, event_id: FromPath[int]) -> Redirect:
    """Pressed twice, they are called once."""
    if event_id > LARGEST:
        raise NotFoundException
    form = await request.form()
    await writer.run_sync(adopting.run_handlers, event_id)
    return Redirect(local_path(str(form.get("next") or "/cases")), status_code=303)


def _back(form: FormMultiDict, ref_id: str, note: str | None) -> Redirect:
    back = local_path(str(form.get("next") or case_path(ref_id)))
    return Redirect(address(back, vove=note), status_code=303)


def _ref_id(form: FormMultiDict) -> str:
    ref_id = _exactly(form, "ref")
    if not is_ref_id(ref_id):
        raise ValidationException("ref names no case")
    return ref_id


def _exactly(form: FormMultiDict, name: str) -> str:
    """Percent-encoded, because browsers write the line breaks in a form's field their own way."""
    given = form.get(name)
    if not isinstance(given, str):
        raise ValidationException(f"{name} is missing")
    return unquote(given)


def _seen(form: FormMultiDict) -> Seen:
    """What the page showed."""
    event = _exactly(form, "event")
    if not re.fullmatch("[0-9]{0,18}", event):
        raise ValidationException("event is no number")
    names = [_exactly(form, name) or None for name in ("name", "our_name")]
    return Seen(int(event) if event else None, _exactly(form, "status"), *names)


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a question or of a word, for the page that the person comes back to."""

    sentence: str
    is_trouble: bool


def note_of(request: AnyRequest) -> Note | None:
    """The address says it in a word: any other word in its place shows nothing."""
    said = request.query_params.get("vove", "")
    return Note(NOTES[said], said in set(Trouble)) if said in NOTES else None


@dataclass(frozen=True, slots=True)
class Box:
    """What the case page shows of VOVE's view."""

    is_set_up: bool
    compared: Comparison | None  # None: VOVE was not asked
    note: Note | None

    def is_old(self, now: datetime) -> bool:
        """To adopt it, VOVE must be asked again."""
        return self.compared is not None and now - self.compared.checked_at > FRESH


async def box_of(request: AnyRequest, reader: AsyncConnection, ref_id: str) -> Box:
    is_set_up = request.app.state.settings.vove_api_key is not None
    return Box(is_set_up, await find_comparison(reader, ref_id), note_of(request))


@get("/differences")
async def index(request: AnyRequest, reader: Reader, at: FromQuery[str] = "") -> Response[str]:
    return await render(
        request,
        reader,
        "vove/index.html",
        "vove/_differences.html",
        found=await find_differences(reader, at),
        last=await find_last_reconciliation(reader),
        is_set_up=request.app.state.settings.vove_api_key is not None,
        at=at,
    )


@get("/adoptions/{event_id:int}")
async def show(request: AnyRequest, reader: Reader, event_id: FromPath[int]) -> Response[str]:
    adoption = await find_adoption(reader, event_id)
    if adoption is None:
        raise PageError(404, "Nothing was taken over here", "The address is mistyped: what was is kept.")
    return await render(
        request, reader, "vove/show.html", adoption=adoption, body=body_as_shown(adoption.body)
    )


routes: list[Any] = [check, adopt, run_handlers, index, show]
