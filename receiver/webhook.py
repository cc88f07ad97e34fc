"""`POST /webhooks/vove-kyb`: read, verify, understand, log, answer."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from litestar.types import HTTPScope, Receive, Send

from receiver import event
from receiver.event import Event, Unreadable
from receiver.ledger import Delivery, Ledger, Unavailable
from receiver.verification import Refusal, Refused, Verified, Verifier

log = logging.getLogger(__name__)

PATH = b"/webhooks/vove-kyb"
MAX_BODY = 1024 * 1024  # bytes; VOVE's are some hundred
MAX_REFUSED_BODY = 64 * 1024  # bytes that are kept of what did not verify
MAX_HEADER = 500  # characters that are kept of a header that is only noted
MAX_INTEGER = 2**63 - 1  # that the databases hold: a Content-Length may say twice as much
MAX_SIGNATURE = 2000  # Svix sends 50 for each secret
BODY_DEADLINE = 4.0  # seconds until the body must be there
DEADLINE = 9.0  # seconds for all of it: the sender waits 15
RETRY_AFTER = b"5"  # seconds


class Webhook:
    """The endpoint, as an ASGI app of its own: behind a router the same write costs more.

    `clock` gives Unix seconds; it dates deliveries and judges their timestamps.
    """

    def __init__(self, verifier: Verifier, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._ledger = ledger
        self._clock = clock

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        if scope["method"] != "POST":
            return await _answer(send, 405, b"only POST", (b"allow", b"POST"))
        try:
            body = await _read(scope, receive)
        except _DisconnectedError:
            return None
        except _UnreadError as unread:
            delivery = self._delivery(scope, b"", unread.status, Refused(unread.cause), began)
        else:
            delivery = self._examine(scope, body, began)
        try:
            verdict = await self._ledger.record(delivery, began + DEADLINE)
        except Unavailable as reason:
            log.warning("answered 503: %s", reason)
            return await _answer(send, 503, b"unavailable", (b"retry-after", RETRY_AFTER))
        return await _answer(send, delivery.http_status, verdict.encode(), *_closing(delivery))

    def _examine(self, scope: HTTPScope, body: bytes, began: float) -> Delivery:
        found = self._verifier.verify(scope["headers"], body, self._clock())
        if isinstance(found, Refused):
            return self._delivery(scope, body, 401, found, began)
        return self._delivery(scope, body, 200, event.read(body), began, found)

    def _delivery(
        self,
        scope: HTTPScope,
        body: bytes,
        http_status: int,
        found: Event | Unreadable | Refused,
        began: float,
        verified: Verified | None = None,
    ) -> Delivery:
        headers = dict(scope["headers"])
        client = scope["client"]
        return Delivery(
            received_at=datetime.fromtimestamp(self._clock(), UTC),
            took=int((time.monotonic() - began) * 1_000_000),
            http_status=http_status,
            body=body if verified else body[:MAX_REFUSED_BODY],
            body_size=len(body) or _announced(scope),
            body_sha256=hashlib.sha256(body).digest(),
            content_type=_noted(headers.get(b"content-type")),
            user_agent=_noted(headers.get(b"user-agent")),
            header_names=b" ".join(name for name, _ in scope["headers"])[:MAX_SIGNATURE].decode("latin-1"),
            client=client[0] if client else None,
            verified=verified,
            found=_bounded(found) if isinstance(found, Refused) else found,
        )


class _DisconnectedError(Exception):
    """The sender has gone: there is nobody to answer, and it will send again."""


class _UnreadError(Exception):
    def __init__(self, status: int, cause: Refusal) -> None:
        self.status = status
        self.cause = cause


async def _read(scope: HTTPScope, receive: Receive) -> bytes:
    if _announced(scope) > MAX_BODY:
        raise _UnreadError(413, Refusal.TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise _DisconnectedError
                body += message["body"]
                if len(body) > MAX_BODY:
                    raise _UnreadError(413, Refusal.TOO_LARGE)
                if not message["more_body"]:
                    return bytes(body)
    except TimeoutError:
        raise _UnreadError(408, Refusal.BODY_TIMEOUT) from None


def _announced(scope: HTTPScope) -> int:
    """The Content-Length, as far as a database's integer goes; the server has refused a malformed one."""
    announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    return min(announced, MAX_INTEGER)


def _noted(value: bytes | None) -> str | None:
    return None if value is None else value[:MAX_HEADER].decode("latin-1")


def _bounded(refused: Refused) -> Refused:
    """A signature is kept to verify it again, but not at any length."""
    if refused.signature is None or len(refused.signature) <= MAX_SIGNATURE:
        return refused
    return replace(refused, signature=None)


def _closing(delivery: Delivery) -> tuple[tuple[bytes, bytes], ...]:
    """Where the body was not read to its end, the connection can't be used again."""
    return ((b"connection", b"close"),) if delivery.http_status in {408, 413} else ()


async def _answer(send: Send, status: int, word: bytes, *headers: tuple[bytes, bytes]) -> None:
    """One short word, nothing internal: the sender keeps our answers."""
    fixed = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(word)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": word, "more_body": False})
