"""People choose their passwords: `/password/{token}` by a link, `/password` with the one that they have."""

import math
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth import sessions
from dashboard.auth.choosing import change_own, choose_by_link
from dashboard.auth.links import Link, find_link
from dashboard.auth.origins import client_address
from dashboard.auth.throttle import network
from dashboard.auth.users import MIN_PASSWORD, UserError
from dashboard.errors import PageError
from dashboard.forms import text_of
from dashboard.pages.sign_in import INSECURE, TOO_OFTEN
from dashboard.render import render, render_alone

UNEQUAL = "The new password was typed in two different ways: type it twice alike."
WRONG = "This is not your current password."


@get("/password/{token:str}", opt={"public": True})
async def show(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    link = await _link(request, token)
    return _chooser(request, 200, link, None if sessions.may_have_cookie(request) else INSECURE)


@post("/password/{token:str}", opt={"public": True})
async def choose(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    form, link = await request.form(), await _link(request, token)
    password = text_of(form.get("password"))
    if not sessions.may_have_cookie(request):
        return _chooser(request, 403, link, INSECURE)
    if password != text_of(form.get("again")):
        return _chooser(request, 422, link, UNEQUAL)
    state, old_token = request.app.state, sessions.token_of(request)
    try:
        new_token = await choose_by_link(state.readers, state.writer, token, password, old_token)
    except UserError as error:
        return _chooser(request, 422, link, f"{error}.")
    if new_token is None:
        raise _does_not_hold()
    return Redirect("/", status_code=303, cookies=[sessions.cookie(request, new_token)])


@get("/password")
async def own(request: AnyRequest, reader: Reader) -> Response[str]:
    saved = request.query_params.get("saved") == "yes"
    return await render(request, reader, "password/own.html", saved=saved, error=None, shortest=MIN_PASSWORD)


@post("/password")
async def change(request: AnyRequest) -> Response[Any]:
    form, throttle = await request.form(), request.app.state.sign_in_throttle
    old, new = text_of(form.get("old")), text_of(form.get("password"))
    if not sessions.may_have_cookie(request):
        return await _own(request, 403, INSECURE)
    if new != text_of(form.get("again")):
        return await _own(request, 422, UNEQUAL)
    if wait := throttle.wait(request.user.email, client_address(request)):
        return await _own(request, 429, _too_often(wait))
    try:
        new_token = await _change(request, old, new)
    except UserError as error:
        return await _own(request, 422, f"{error}.")
    if new_token is None:
        return await _own(request, 422, WRONG)
    return Redirect("/password?saved=yes", status_code=303, cookies=[sessions.cookie(request, new_token)])


async def _change(request: AnyRequest, old: str, new: str) -> str | None:
    """Throttled as signing in: who finds a desk unlocked can't guess there either."""
    state, user = request.app.state, request.user
    with state.sign_in_throttle.trying(user.email, client_address(request)) as this_try:
        new_token = await change_own(state.readers, state.writer, user, old, new)
        this_try.was_wrong = new_token is None
        return new_token


async def _link(request: AnyRequest, token: str) -> Link:
    """Raises PageError, with the same words whatever became of it."""
    state, address = request.app.state, network(client_address(request))
    async with state.readers.connect() as reader:
        link = await find_link(reader, token)
    if link is None:  # nobody guesses one; and a colleague's good one works although others were mistyped
        if wait := state.link_throttle.wait(address):
            raise PageError(429, "That was tried too often", _too_often(wait))
        state.link_throttle.count(address)
        raise _does_not_hold()
    return link


def _does_not_hold() -> PageError:
    return PageError(
        404,
        "This link does not work",
        "It was used already, a newer one took its place, three days have passed, or it was not copied "
        "whole.",
        "Ask an administrator of KYB Desk for a new one.",
    )


def _too_often(wait: float) -> str:
    return TOO_OFTEN.format(minutes=math.ceil(wait / 60))


def _chooser(request: AnyRequest, status: int, link: Link, error: str | None) -> Response[str]:
    context = {"email": link.email, "error": error, "shortest": MIN_PASSWORD}
    return render_alone(request, "password/choose.html", status, **context)


async def _own(request: AnyRequest, status: int, error: str) -> Response[str]:
    async with request.app.state.readers.begin() as reader:
        return await render(
            request,
            reader,
            "password/own.html",
            status=status,
            saved=False,
            error=error,
            shortest=MIN_PASSWORD,
        )


routes = [show, choose, own, change]
