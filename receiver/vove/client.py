"""One question to VOVE's API: tolerant of what comes back, polite with what goes out.

The key goes to the address that is set up and to no other, and stands in no error: httpx's own errors may
hold a header's value, so none of their texts is ever shown.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from types import TracebackType

import httpx

from receiver.retry_after import wait_asked_for
from receiver.settings import Settings
from receiver.vove.troubles import RETRIED, Trouble, VoveError

MAX_ANSWER = 8 * 1024 * 1024  # bytes: a hundred cases with their documents and owners, and room


@dataclass(frozen=True)
class Patience:
    """How long, and how often. All in seconds."""

    one: float = 30  # for one request
    all: float = 300  # for one question with its repeats
    tries: int = 5
    pause: float = 1  # before the first repeat; each later one is twice as long
    apart: float = 0.35  # between two requests: VOVE names no limit, so a few a second


THOROUGH = Patience()
BRIEF = Patience(one=5, all=8, tries=2, pause=0.5)  # somebody waits for the page


@dataclass
class Pace:
    """Shared by those who ask at the same time, so that all together stay polite."""

    next_at: float = field(default=0, init=False)

    async def turn(self, apart: float) -> None:
        now = time.monotonic()
        at = max(now, self.next_at)
        self.next_at = at + apart
        await asyncio.sleep(at - now)


class Client:
    """Raises VoveError; use it as `async with Client(settings) as client`."""

    def __init__(self, settings: Settings, patience: Patience = THOROUGH, pace: Pace | None = None) -> None:
        self._key = settings.vove_api_key or ""
        self._cases = f"{settings.vove_api_url.rstrip('/')}/kyb/case"
        self._patience = patience
        self._pace = pace or Pace()

    async def __aenter__(self) -> "Client":
        if not self._key:
            raise VoveError(Trouble.OFF)
        if not (self._key.isascii() and self._key.isprintable()):
            raise VoveError(Trouble.KEY)
        if not _keeps_secrets(self._cases):
            raise VoveError(Trouble.PLAIN)
        headers = {"x-api-key": self._key, "accept": "application/json", "user-agent": "KYB-Desk"}
        self._http = httpx.AsyncClient(headers=headers, timeout=self._patience.one, follow_redirects=False)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get_cases(self, parameters: Mapping[str, str | int]) -> bytes:
        """The body of a good answer, after as many tries as patience allows."""
        until = time.monotonic() + self._patience.all
        for pause in self._pauses():
            try:
                await self._pace.turn(self._patience.apart)
                return await self._once(parameters, min(self._patience.one, until - time.monotonic()))
            except VoveError as error:
                if error.trouble not in RETRIED or pause is None:
                    raise
                wait = max(pause, error.wait or 0)
                if time.monotonic() + wait > until:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _pauses(self) -> Iterator[float | None]:
        """Before each repeat; None after the last try. Half of each is left to chance."""
        for number in range(self._patience.tries - 1):
            yield self._patience.pause * 2**number * random.uniform(0.5, 1)  # noqa: S311
        yield None

    async def _once(self, parameters: Mapping[str, str | int], within: float) -> bytes:
        try:
            async with asyncio.timeout(within):
                async with self._http.stream("GET", self._cases, params=dict(parameters)) as answer:
                    _check(answer)
                    return await _body(answer)
        except (TimeoutError, httpx.TimeoutException):
            raise VoveError(Trouble.SLOW) from None
        except httpx.TransportError as error:
            trouble = Trouble.CERTIFICATE if _is_about_trust(error) else Trouble.UNREACHABLE
            raise VoveError(trouble) from None
        except httpx.HTTPError:  # what claimed to be compressed was not
            raise VoveError(Trouble.STRANGE) from None


async def _body(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER:
            raise VoveError(Trouble.TOO_LARGE)
    return bytes(body)


def _check(answer: httpx.Response) -> None:
    status = answer.status_code
    if status in {401, 403}:
        raise VoveError(Trouble.KEY)
    if status == 429 or (status == 503 and "retry-after" in answer.headers):
        raise VoveError(Trouble.BUSY, wait=_wait(answer.headers.get("retry-after")))
    if status == 408 or status >= 500:
        raise VoveError(Trouble.FAILING, status)
    if answer.is_redirect or 300 <= status < 400:
        raise VoveError(Trouble.ELSEWHERE)
    if not answer.is_success:
        raise VoveError(Trouble.REFUSED, status)


def _wait(retry_after: str | None) -> float | None:
    wait = wait_asked_for(retry_after, datetime.now(UTC))
    return None if wait is None else wait.total_seconds()


def _is_about_trust(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _keeps_secrets(url: str) -> bool:
    """https, or this machine itself."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    try:
        local = parts.host == "localhost" or ip_address(parts.host).is_loopback
    except ValueError:
        local = False
    return parts.scheme == "https" or local
