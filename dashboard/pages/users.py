"""Who may sign in, and what they may do. Administrators add people."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth import people
from dashboard.auth.guards import may_manage_users
from dashboard.auth.links import HOLDS, link_address
from dashboard.auth.users import MAX_EMAIL, UserError
from dashboard.forms import text_of
from dashboard.people import ROLES, STANDINGS, role_in_words
from dashboard.queries.runs import counted
from dashboard.queries.users import PEOPLE, find_people
from dashboard.render import render

WORDS: dict[str, Any] = {
    "roles": ROLES,
    "standings": STANDINGS,
    "in_words": role_in_words,
    "counted": counted,
}


@get("/users")
async def index(request: AnyRequest, reader: Reader) -> Response[str]:
    return await _index(request, reader)


@post("/users", guards=[may_manage_users])
async def add(request: AnyRequest) -> Response[Any]:
    form, state = await request.form(), request.app.state
    email, role = text_of(form.get("email")).strip()[: MAX_EMAIL + 1], text_of(form.get("role"))
    try:
        async with state.writer.begin() as writer:
            token = await writer.run_sync(
                people.add_person, email, role, request.user.email, datetime.now(UTC)
            )
    except UserError as error:
        async with state.readers.begin() as reader:
            return await _index(request, reader, 422, {"email": email, "role": role}, error)
    return await hand_over(request, email, token, back="/users")


async def _index(
    request: AnyRequest,
    reader: AsyncConnection,
    status: int = 200,
    typed: dict[str, str] | None = None,
    error: UserError | None = None,
) -> Response[str]:
    found = await find_people(reader)
    return await render(
        request,
        reader,
        "users/index.html",
        "users/_users.html",
        status,
        people=found[:PEOPLE],
        cut=len(found) > PEOPLE,
        typed=typed or {"email": "", "role": ""},
        error=error,
        **WORDS,
    )


async def hand_over(request: AnyRequest, email: str, token: str, back: str) -> Response[str]:
    """A POST that is answered with a page, where all others lead to one: the link can be shown now and never
    again, so there is no address to lead to. A reload asks before it would make another."""
    async with request.app.state.readers.begin() as reader:
        return await render(
            request,
            reader,
            "users/link.html",
            email=email,
            link=link_address(request.app.state.settings.dashboard_url, token),
            until=datetime.now(UTC) + HOLDS,
            back=back,
            asked=back,
        )


routes = [index, add]
