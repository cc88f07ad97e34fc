"""The form in which a person edits what the directory knows of one business.

It is a page of its own, on which nothing changes by itself: what is typed stays.
"""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_edit
from dashboard.filters import address, case_path
from dashboard.forms import moment_of, named_case, text_of
from dashboard.queries.businesses import Business, find_business
from dashboard.render import render
from receiver.directory import rows
from receiver.directory.csv_text import FIELDS
from receiver.directory.fields import MAX_EMAIL, MAX_NAME, AccountStatus, FieldError, checked
from receiver.models import to_microseconds

MOST = {"name": MAX_NAME, "email": MAX_EMAIL}  # characters


@get("/businesses/edit", guards=[may_edit])
async def edit(request: AnyRequest, reader: Reader, ref: FromQuery[str] = "") -> Response[str]:
    ref_id = named_case(ref)
    business = await find_business(reader, ref_id)
    return await _form(request, reader, ref_id, business, typed=_shown(business))


@post("/businesses/edit", guards=[may_edit])
async def save(request: AnyRequest, ref: FromQuery[str] = "") -> Response[Any]:
    """Back to the case; or the form again, as it was typed, where a field is wrong or somebody was faster.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    ref_id, form, state = named_case(ref), await request.form(), request.app.state
    typed = {name: text_of(form.get(name)) for name in FIELDS}
    as_of, now = moment_of(text_of(form.get("updated_at"))), datetime.now(UTC)
    errors = _errors(typed)
    if not errors:
        async with state.writer.begin() as writer:
            if await writer.run_sync(rows.edit, ref_id, typed, as_of, request.user.email, now):
                return Redirect(address(case_path(ref_id), saved="yes"), status_code=303)
    async with state.readers.begin() as reader:
        business = await find_business(reader, ref_id)
        if not errors:
            return await _form(request, reader, ref_id, business, typed, meanwhile=True)
        return await _form(request, reader, ref_id, business, typed, errors=errors, as_of=as_of)


async def _form(
    request: AnyRequest,
    connection: AsyncConnection,
    ref_id: str,
    business: Business | None,
    typed: dict[str, str],
    **trouble: Any,
) -> Response[str]:
    """With `errors`, the form stays one that was opened `as_of` then: what has changed since was not shown.

    `meanwhile` it has changed: what differs from what was typed is `present`ed, and the form is of now.
    """
    shown = _shown(business)
    errors, meanwhile = trouble.get("errors", {}), trouble.get("meanwhile", False)
    opened_at = trouble["as_of"] if errors else business and business.updated_at
    return await render(
        request,
        connection,
        "businesses/edit.html",
        status=422 if errors else 409 if meanwhile else 200,
        ref_id=ref_id,
        business=business,
        typed=typed,
        errors=errors,
        meanwhile=meanwhile,
        present={name: shown[name] for name in FIELDS if meanwhile and shown[name] != typed[name]},
        updated_at=to_microseconds(opened_at) if opened_at else "",
        account_statuses=list(AccountStatus),
        most=MOST,
        here=address("/businesses/edit", ref=ref_id),
    )


def _shown(business: Business | None) -> dict[str, str]:
    return {name: getattr(business, name, None) or "" for name in FIELDS}


def _errors(typed: dict[str, str]) -> dict[str, str]:
    """By field, why it can't be as it was typed."""
    errors = {}
    for name, text in typed.items():
        try:
            checked({name: text})
        except FieldError as error:
            errors[name] = error.why
    return errors


routes = [edit, save]
