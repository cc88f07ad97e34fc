"""Errors in calm words, with their true status: as a page, or beside the part that asked. Nothing internal
is told."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, cast

from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboard.aliases import AnyRequest
from dashboard.filters import address
from dashboard.places import BELOW, PLACES
from dashboard.render import asked, render_alone, wants_part

log = logging.getLogger(__name__)

FRAME = "frame"  # of a request's scope: what the layout shows around an error, see frame.py


@dataclass(frozen=True)
class Way:
    """From an error on to a page."""

    href: str
    name: str


@dataclass(frozen=True)
class Words:
    title: str
    message: str
    hint: str = ""
    ways: Sequence[Way] = ()


WORDS = {
    400: Words("This was not understood", "Something in the address or in the form is not as expected."),
    403: Words("You may not do this", "Your role does not allow it. Nothing was changed."),
    404: Words("There is nothing here", "The address is mistyped, or what it named is gone."),
    405: Words("This can't be done here", "The address exists, but not for this kind of request."),
    413: Words(
        "This is too much at once", "What was sent is larger than KYB Desk takes. Nothing was changed."
    ),
    503: Words(
        "The database can't be reached",
        "KYB Desk can't read or write its records at the moment.",
        "Wait a moment and try again. If it stays like this, tell whoever runs KYB Desk.",
    ),
}
OURS = Words(
    "Something went wrong on our side",
    "KYB Desk could not show this. The cause is in its log.",
    "Try again. If it happens again, tell whoever runs KYB Desk, with the time.",
)


class PageError(HTTPException):
    """Words for a person, which are shown as they are; other exceptions' own words never are."""

    def __init__(self, status: int, title: str, message: str, hint: str = "", *ways: Way) -> None:
        """`ways`: on from here, before those that fit the address."""
        super().__init__(detail=title, status_code=status)
        self.words = Words(title, message, hint, ways)


def http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected_error(request, error)
    words = error.words if isinstance(error, PageError) else WORDS.get(error.status_code, WORDS[400])
    return _answer(request, error.status_code, words, error.headers)


def database_error(request: AnyRequest, error: Exception) -> Response[str]:
    """Locked, full, gone or out of reach."""
    log.error("The database failed at %s", _path(request), exc_info=error)
    return _answer(request, 503, WORDS[503], {"Retry-After": "5"})


def unexpected_error(request: AnyRequest, error: Exception) -> Response[str]:
    log.error("%s %s failed", request.method, _path(request), exc_info=error)
    return _answer(request, 500, OURS)


def flash(
    request: AnyRequest, status: int, message: str, tone: str = "error", way: Way | None = None
) -> Response[str]:
    """Beside the part that asked, which stays as it is. The way is gone in another tab."""
    response = render_alone(request, "_flash.html", status, message=message, tone=tone, way=way)
    response.headers.update({"HX-Retarget": "#flash", "HX-Reswap": "innerHTML"})
    return response


def _answer(
    request: AnyRequest, status: int, words: Words, headers: dict[str, str] | None = None
) -> Response[str]:
    try:
        response = _rendered(request, status, words)
    except Exception as error:
        log.error("The error page can't be rendered", exc_info=error)
        response = Response(f"{words.title}. {words.message}", status_code=status, media_type=MediaType.TEXT)
    response.headers.update(headers or {})
    return response


def _path(request: AnyRequest) -> str:
    """As it came: unquoted, it could hold line breaks, and so lines of the log that we never wrote. But not
    what opens something."""
    if "token" in request.scope.get("path_params", {}):
        return request.scope["path_template"]
    return request.scope["raw_path"].decode("latin-1")


def _rendered(request: AnyRequest, status: int, words: Words) -> Response[str]:
    if wants_part(request):
        return flash(request, status, f"{words.title}. {words.message}")
    frame = cast(dict[str, Any], request.scope.get(FRAME, {}))
    ways = _ways_on(request, status, words)
    return render_alone(
        request, "error.html", status, **{**frame, **asdict(words), "status": status, "ways": ways}
    )


def _ways_on(request: AnyRequest, status: int, words: Words) -> Sequence[Way]:
    """Of who is signed in, the nearest first. A stranger is shown none that depends on what was asked."""
    if not request.scope.get("user"):
        return [Way("/cases", "Go to the cases")]
    path = request.scope["path"].partition(".")[0]
    place = next((place for place in (*PLACES, *BELOW) if place.holds(path)), PLACES[0])
    return [*words.ways, *_ways_by_status(request, status), Way(place.href, f"Go to {place.name}")]


def _ways_by_status(request: AnyRequest, status: int) -> Sequence[Way]:
    if status == HTTPStatus.NOT_FOUND and "ref_id" in request.scope.get("path_params", {}):
        ref_id = request.scope["path"].removeprefix("/cases/")
        return [Way(address("/cases", q=ref_id), "Look for it in all cases")]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and request.method == "GET":
        return [Way(asked(request), "Try again")]
    return []


DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)
EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: http_error,
    **dict.fromkeys(DATABASE_ERRORS, database_error),
    Exception: unexpected_error,
}
