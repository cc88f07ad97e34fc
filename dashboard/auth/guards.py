"""Deny by default: what is not marked `opt={"public": True}` needs a session."""

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Response
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect

from dashboard.aliases import AnyConnection, AnyRequest
from dashboard.auth import sessions
from dashboard.errors import PageError, Way, flash
from dashboard.paths import local_path
from dashboard.render import wants_part
from dashboard.taking import before_taking

MOST_WANTED = 16 * 1024  # characters of an address, quoted: more would not come back, see receiver/server.py


class NotSignedIn(NotAuthorizedException):
    """Answered by leading to the sign-in page."""


async def signed_in(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    if handler.opt.get("public"):
        return
    user = await sessions.user_of(connection)
    if user is None:
        raise NotSignedIn
    connection.scope["user"] = user


async def may_reprocess(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_reprocess:
        raise PageError(
            403,
            "You may look, but not re-process",
            "Your role lets you see everything and change nothing. Nothing was changed.",
            "Ask an administrator for the role of an operator.",
        )


async def may_pause(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_pause:
        raise PageError(
            403,
            "You may look, but not pause or resume",
            "Your role lets you see everything and change nothing. Nothing was changed.",
            "Ask an administrator for the role of an operator.",
        )


async def may_edit(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_edit:
        raise PageError(
            403,
            "You may look, but not edit",
            "Your role lets you see every business and change none. Nothing was changed.",
            "Ask an administrator for the role of an operator.",
        )


async def may_approve(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_approve:
        raise PageError(
            403,
            "You may not decide what customers are told",
            "A lead or an administrator approves texts and says which reasons are never told. "
            "Nothing was changed.",
            "Ask one of them.",
        )


async def may_set(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_set:
        raise PageError(
            403,
            "You may look, but not change settings",
            "They hold for everybody, so a lead or an administrator sets them. Nothing was changed.",
            "Ask one of them, or an administrator for the role of a lead.",
        )


async def may_manage_users(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    if not connection.user.may_manage_users:
        raise PageError(
            403,
            "You may look, but not change who may sign in",
            "An administrator adds people, and says what they may do. Nothing was changed.",
            "Ask one: Users says who they are.",
        )


def lead_to_sign_in(request: AnyRequest, _error: NotSignedIn) -> Response[Any]:
    """An open page is told; a visitor is led, and comes back to where they wanted to go."""
    if wants_part(request):
        return _session_has_ended(request)
    if request.method != "GET":
        return Redirect("/sign-in", status_code=303)
    return Redirect(_sign_in(before_taking(request)), status_code=303)


def _session_has_ended(request: AnyRequest) -> Response[Any]:
    """In another tab, what was typed here stays. Open pages ask every few seconds: a morph leaves the link as
    it is, and the focus on it."""
    way = Way(_sign_in(_open_page(request)), "Sign in again in another tab")
    response = flash(request, 401, "Your session has ended. What you have typed here stays.", way=way)
    response.headers["HX-Reswap"] = "innerMorph"
    return response


def _open_page(request: AnyRequest) -> str:
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # brackets that do not close
        return "/"
    return local_path(page._replace(scheme="", netloc="", fragment="").geturl())


def _sign_in(wanted: str) -> str:
    quoted = quote(wanted, safe="")
    comes_back = wanted != "/" and len(quoted) <= MOST_WANTED
    return f"/sign-in?next={quoted}" if comes_back else "/sign-in"
