"""A text that customers may be told: the form in which it is written, and the mail that it would stand in."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_edit
from dashboard.forms import text_of
from dashboard.pages.reasons import checked, code_from, number_of, path_of
from dashboard.queries.reasons import Told, describe, find_labels, find_text
from dashboard.render import render
from receiver.mail.previewing import languages, preview
from receiver.mail.templates import Letter
from receiver.reasons import WrittenText, checked_language, checked_text, replace_text

CHECKS = {"language": checked_language, "text": checked_text}


@get("/rejections/reason/text", guards=[may_edit])
async def write(
    request: AnyRequest, reader: Reader, code: FromQuery[str] = "", language: FromQuery[str] = ""
) -> Response[str]:
    """Without a language, the form asks for it. It begins with the newest text that there is."""
    told = await _told(request, reader, code_from(code), language)
    newest = told and told.newest
    typed = {"language": language, "text": newest.text if newest else ""}
    return await _form(request, reader, code, typed, told, seen=newest.id if newest else None)


@post("/rejections/reason/text", guards=[may_edit])
async def save(request: AnyRequest, code: FromQuery[str] = "") -> Response[Any]:
    """A transaction begins only when the whole form is there: the receiver waits for its end."""
    code, form, state = code_from(code), await request.form(), request.app.state
    typed = {name: text_of(form.get(name)) for name in CHECKS}
    seen_text, now = text_of(form.get("seen")), datetime.now(UTC)
    seen = number_of(seen_text) if seen_text else None
    wanted, errors = checked(typed, CHECKS)
    if not errors:
        text = WrittenText(wanted["language"], wanted["text"], request.user.email)
        async with state.writer.begin() as writer:
            if await writer.run_sync(replace_text, code, text, seen, now):
                return Redirect(path_of(code), status_code=303)
    async with state.readers.begin() as reader:
        told = await _told(request, reader, code, wanted.get("language", ""))
        if errors:
            return await _form(request, reader, code, typed, told, seen, errors=errors)
        newest = told and told.newest
        return await _form(request, reader, code, typed, told, newest.id if newest else None, meanwhile=True)


async def _told(request: AnyRequest, reader: AsyncConnection, code: str, language: str) -> Told | None:
    described = await describe(reader, code, languages(request.app.state.settings))
    return next((told for told in described.told if told.language == language), None)


async def _form(
    request: AnyRequest,
    connection: AsyncConnection,
    code: str,
    typed: dict[str, str],
    told: Told | None,
    seen: int | None,
    **trouble: Any,
) -> Response[str]:
    """`seen`: the newest text that its writer knows of. `meanwhile`: another one was written since."""
    errors, meanwhile = trouble.get("errors", {}), trouble.get("meanwhile", False)
    return await render(
        request,
        connection,
        "rejections/write.html",
        status=422 if errors else 409 if meanwhile else 200,
        code=code,
        labels=await find_labels(connection, [code]),
        typed=typed,
        told=told,
        errors=errors,
        meanwhile=meanwhile,
        seen=seen or "",
        languages=sorted(languages(request.app.state.settings)),
    )


@get("/rejections/reason/mail")
async def mail(request: AnyRequest, reader: Reader, text: FromQuery[str] = "") -> Response[str]:
    found = await find_text(reader, number_of(text))
    if found is None:
        raise NotFoundException
    code, version = found
    described = await describe(reader, code, languages(request.app.state.settings))
    letter = preview(version.language, version.text, request.app.state.settings)
    return await render(
        request,
        reader,
        "rejections/mail.html",
        code=code,
        labels=await find_labels(reader, [code]),
        version=version,
        told=next(told for told in described.told if told.language == version.language),
        never_tell=described.never_tell,
        letter=letter if isinstance(letter, Letter) else None,
        why_not=None if isinstance(letter, Letter) else letter,
    )


routes = [write, save, mail]
