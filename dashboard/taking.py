"""A file leaves, and the activity says who took it, only where a person took it."""

import re
from collections.abc import AsyncIterator

from litestar.enums import MediaType
from litestar.handlers import BaseRouteHandler
from litestar.response import Stream
from litestar.types import Guard

from dashboard.aliases import AnyConnection, AnyRequest
from dashboard.errors import PageError, Way
from dashboard.render import asked

BY_A_PERSON = {"same-origin", "none"}  # none: typed, a bookmark, or a link in a program for mail
FILE = re.compile(r"(/[a-z-]+)\.(csv|json)")  # a list's, or the case file
HEAD = "is_head"  # of a request's scope, where only its head was asked for: see app.py


def taken_from_here(way: str) -> Guard:
    """A link on another site could make whoever is signed in take out files, without a wish of theirs. It
    leads here, and `way` on. A browser that only looks ahead comes again."""

    async def guard(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
        if _is_by_a_person(connection):
            return
        raise PageError(
            403,
            "Nothing has been taken out yet",
            "A link on another site led here. Who takes out a file of KYB Desk, and when, is kept with the "
            "activity, so it has to begin on a page of KYB Desk.",
            "If you want it, go on from here.",
            Way(asked(connection), way),
        )

    return guard


def _is_by_a_person(connection: AnyConnection) -> bool:
    site, looks_ahead = connection.headers.get("Sec-Fetch-Site"), "Sec-Purpose" in connection.headers
    return (site is None or site in BY_A_PERSON) and not looks_ahead


def before_taking(connection: AnyConnection) -> str:
    """Where to go after signing in: what was asked for, or the page from which that file can be taken. By
    signing in it would have begun here: a link on another site leads no further than to a form."""
    path, mark, query = asked(connection).partition("?")
    if file := FILE.fullmatch(path):
        path = file[1]
    if path == "/case-file" and not _is_by_a_person(connection):
        path = "/case-files"
    return path + mark + query


def only_looks(request: AnyRequest) -> bool:
    """Nobody takes anything by asking for its head."""
    return bool(request.scope.get(HEAD))


def nothing(media_type: MediaType | str) -> Stream:
    """What only looks gets of a file."""
    return Stream(_nothing(), media_type=media_type)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
