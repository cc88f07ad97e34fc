"""One who may sign in, or may not: administrators change that, and what they may do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth import people
from dashboard.auth.guards import may_manage_users
from dashboard.auth.users import UserError
from dashboard.errors import PageError
from dashboard.forms import text_of
from dashboard.pages.users import WORDS, hand_over
from dashboard.queries.users import Person, find_person
from dashboard.render import render

Done = TypeVar("Done")


@get("/users/{user_id:int}", guards=[may_manage_users])
async def show(request: AnyRequest, reader: Reader, user_id: FromPath[int]) -> Response[str]:
    return await _show(request, reader, await _person(reader, user_id))


@post("/users/{user_id:int}/role", guards=[may_manage_users])
async def change_role(request: AnyRequest, user_id: FromPath[int]) -> Response[Any]:
    role = text_of((await request.form()).get("role"))
    return await _do(request, user_id, people.change_role, role)


@post("/users/{user_id:int}/disable", guards=[may_manage_users])
async def disable(request: AnyRequest, user_id: FromPath[int]) -> Response[Any]:
    return await _do(request, user_id, people.disable_user)


@post("/users/{user_id:int}/enable", guards=[may_manage_users])
async def enable(request: AnyRequest, user_id: FromPath[int]) -> Response[Any]:
    return await _do(request, user_id, people.enable_user)


@post("/users/{user_id:int}/link", guards=[may_manage_users])
async def give_link(request: AnyRequest, user_id: FromPath[int]) -> Response[Any]:
    try:
        person, token = await _act(request, user_id, people.give_link)
    except UserError as error:
        return await _refused(request, user_id, error)
    return await hand_over(request, person.email, token, back=f"/users/{user_id}")


async def _do(request: AnyRequest, user_id: int, verb: Callable[..., None], *given: str) -> Response[Any]:
    try:
        await _act(request, user_id, verb, *given)
    except UserError as error:
        return await _refused(request, user_id, error)
    return Redirect(f"/users/{user_id}", status_code=303)


async def _act(
    request: AnyRequest, user_id: int, verb: Callable[..., Done], *given: str
) -> tuple[Person, Done]:
    """A transaction begins only when the whole form is there: the receiver waits for its end."""
    by, now = request.user.email, datetime.now(UTC)
    await request.body()
    async with request.app.state.writer.begin() as writer:
        person = await _person(writer, user_id)
        return person, await writer.run_sync(verb, person.email, *given, by, now)


async def _person(connection: AsyncConnection, user_id: int) -> Person:
    person = await find_person(connection, user_id)
    if person is None:
        raise PageError(404, "There is no such user", "Nobody was ever removed: the address is mistyped.")
    return person


async def _refused(request: AnyRequest, user_id: int, error: UserError) -> Response[str]:
    async with request.app.state.readers.begin() as reader:
        return await _show(request, reader, await _person(reader, user_id), 409, error)


async def _show(
    request: AnyRequest,
    reader: AsyncConnection,
    person: Person,
    status: int = 200,
    error: UserError | None = None,
) -> Response[str]:
    return await render(
        request, reader, "users/show.html", status=status, person=person, error=error, **WORDS
    )


routes = [show, change_role, disable, enable, give_link]
