"""One reason: what it means, what customers may be told of it, and which cases were rejected for it.

What is typed is typed on a page of its own, on which nothing changes by itself.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_approve, may_edit
from dashboard.charts import bars
from dashboard.errors import PageError
from dashboard.filters import address
from dashboard.forms import moment_of, text_of
from dashboard.pages.rejections import TALL
from dashboard.periods import By, last_periods
from dashboard.queries.failures import find_lacking_text
from dashboard.queries.paging import LARGEST
from dashboard.queries.reasons import describe, find_labels
from dashboard.queries.rejections import count_reason, find_first_seen, find_latest
from dashboard.render import render
from dashboard.zones import readers_zone
from receiver.directory.fields import FieldError
from receiver.event import UNSTORABLE
from receiver.mail.previewing import languages
from receiver.models import to_microseconds
from receiver.reasons import (
    LONGEST_CODE,
    MAX_LABEL,
    Description,
    OwnTextError,
    approve_text,
    checked_explanation,
    checked_label,
    describe_reason,
    edit_description,
    find_description,
)

LATEST = 20  # cases
CHECKS = {"label": checked_label, "explanation": checked_explanation}


@get("/rejections/reason")
async def show(
    request: AnyRequest, reader: Reader, code: FromQuery[str] = "", by: FromQuery[str] = ""
) -> Response[str]:
    """Without a code: of the rejections that came without a reason."""
    code = code and code_from(code)
    chosen = By.MONTH if by == By.MONTH else By.WEEK
    periods = last_periods(chosen, datetime.now(UTC), readers_zone())
    counted = await count_reason(reader, code or None, periods)
    return await render(
        request,
        reader,
        "rejections/reason.html",
        "rejections/_reason.html",
        code=code,
        labels=await find_labels(reader, [code]),
        described=await describe(reader, code, languages(request.app.state.settings)) if code else None,
        lacking=await find_lacking_text(reader, code) if code else [],
        first_seen=await find_first_seen(reader, code) if code else None,
        by=chosen,
        periods=periods,
        counted=counted,
        tall=bars(counted.counts, TALL),
        frames={"tall": TALL},
        latest=await find_latest(reader, code or None, LATEST),
        here=address("/rejections/reason?code=" if not code else "/rejections/reason", code=code, by=by),
    )


@get("/rejections/reason/describe", guards=[may_edit])
async def edit(request: AnyRequest, reader: Reader, code: FromQuery[str] = "") -> Response[str]:
    known = await reader.run_sync(find_description, code_from(code))
    return await _form(request, reader, code, known, typed=_shown(known))


@post("/rejections/reason/describe", guards=[may_edit])
async def save(request: AnyRequest, code: FromQuery[str] = "") -> Response[Any]:
    """A transaction begins only when the whole form is there: the receiver waits for its end."""
    code, form, state = code_from(code), await request.form(), request.app.state
    typed = {name: text_of(form.get(name)) for name in CHECKS}
    as_of, now = moment_of(text_of(form.get("updated_at"))), datetime.now(UTC)
    wanted, errors = checked(typed, CHECKS)
    if not errors:
        async with state.writer.begin() as writer:
            if await writer.run_sync(edit_description, code, wanted, as_of, request.user.email, now):
                return Redirect(path_of(code), status_code=303)
    async with state.readers.begin() as reader:
        known = await reader.run_sync(find_description, code)
        if not errors:
            return await _form(request, reader, code, known, typed, meanwhile=True)
        return await _form(request, reader, code, known, typed, errors=errors, as_of=as_of)


async def _form(
    request: AnyRequest,
    connection: AsyncConnection,
    code: str,
    known: Description | None,
    typed: dict[str, str],
    **trouble: Any,
) -> Response[str]:
    """With `errors`, the form stays one that was opened `as_of` then; `meanwhile` changed, it is of now."""
    shown, errors, meanwhile = _shown(known), trouble.get("errors", {}), trouble.get("meanwhile", False)
    opened_at = trouble["as_of"] if errors else known and known.updated_at
    return await render(
        request,
        connection,
        "rejections/describe.html",
        status=422 if errors else 409 if meanwhile else 200,
        code=code,
        known=known,
        labels=await find_labels(connection, [code]),
        typed=typed,
        errors=errors,
        meanwhile=meanwhile,
        present={name: shown[name] for name in CHECKS if meanwhile and shown[name] != typed[name]},
        updated_at=to_microseconds(opened_at) if opened_at else "",
        max_label=MAX_LABEL,
    )


@post("/rejections/reason/never-tell", guards=[may_approve], status_code=303)
async def never_tell(request: AnyRequest, code: FromQuery[str] = "") -> Redirect:
    code, form = code_from(code), await request.form()
    never, by, now = text_of(form.get("never")) == "yes", request.user.email, datetime.now(UTC)
    async with request.app.state.writer.begin() as writer:
        await writer.run_sync(describe_reason, code, by, now, never_tell=never)
    return Redirect(path_of(code), status_code=303)


@post("/rejections/reason/approve", guards=[may_approve], status_code=303)
async def approve(request: AnyRequest, code: FromQuery[str] = "") -> Redirect:
    """Who comes second changes nothing, and reads who was first."""
    code, form = code_from(code), await request.form()
    text_id, by, now = number_of(text_of(form.get("text"))), request.user.email, datetime.now(UTC)
    async with request.app.state.writer.begin() as writer:
        try:
            await writer.run_sync(approve_text, text_id, by, now, code)
        except OwnTextError:
            raise PageError(
                403,
                "You have written this text yourself",
                "A second person has to approve what customers read. Nothing was changed.",
                "Ask another lead or an administrator.",
            ) from None
    return Redirect(path_of(code), status_code=303)


def path_of(code: str) -> str:
    return address("/rejections/reason", code=code)


def code_from(text: str) -> str:
    if not text or len(text) > LONGEST_CODE or UNSTORABLE.search(text):
        raise NotFoundException
    return text


def number_of(text: str) -> int:
    """An id, as a form or an address has it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST)) and int(text) <= LARGEST):
        raise NotFoundException
    return int(text)


def _shown(known: Description | None) -> dict[str, str]:
    return {name: getattr(known, name, None) or "" for name in CHECKS}


def checked(
    typed: Mapping[str, str], checks: Mapping[str, Callable[[str], str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """As it is kept; and by field, why it can't be as it was typed."""
    wanted, errors = {}, {}
    for name, check in checks.items():
        try:
            wanted[name] = check(typed[name])
        except FieldError as error:
            errors[name] = error.why
    return wanted, errors


routes = [show, edit, save, never_tell, approve]
