"""Errors in calm words, with their true status: as a page, or beside the part that asked. Nothing internal
is told."""

import logging
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboard.aliases import AnyRequest
from dashboard.render import render_alone, wants_part

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Words:
    title: str
    message: str
    hint: str = ""


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

    def __init__(self, status: int, title: str, message: str, hint: str = "") -> None:
        super().__init__(detail=title, status_code=status)
        self.words = Words(title, message, hint)


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


def flash(request: AnyRequest, status: int, message: str, tone: str = "error") -> Response[str]:
    """Beside the part that asked, which stays as it is."""
    response = render_alone(request, "_flash.html", status, message=message, tone=tone)
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
    """As it came: unquoted, it could hold line breaks, and so lines of the log that we never wrote."""
    return request.scope["raw_path"].decode("latin-1")


def _rendered(request: AnyRequest, status: int, words: Words) -> Response[str]:
    if wants_part(request):
        return flash(request, status, f"{words.title}. {words.message}")
    return render_alone(request, "error.html", status, status=status, **asdict(words))


DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)
EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: http_error,
    **dict.fromkeys(DATABASE_ERRORS, database_error),
    Exception: unexpected_error,
}
