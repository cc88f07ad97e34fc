"""uvicorn as both listeners use it, with the deadlines and limits that it lacks."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.settings import Settings

HEADER_DEADLINE = 10.0  # seconds until a request's headers must be complete
REQUEST_DEADLINE = 30.0  # seconds until its body must be, where the endpoint has no shorter one of its own
MAX_HEADERS = 32 * 1024  # bytes of a request's line and headers
MAX_PIPELINED = 100  # requests waiting behind another: uvicorn would read on, and answer seven a second
UNREAD_DEADLINE = 30.0  # seconds until a sender takes what we answered: unread, it would hold us for ever
MAX_CONNECTIONS = 1000
GRACE = 10  # seconds that requests under way have to end once a stop is asked for


class Protocol(HttpToolsProtocol):
    """Ends a connection whose headers or body do not come, one with too much of them, and one left unread."""

    deadline: asyncio.TimerHandle | None = None
    in_headers = False
    header_size = 0  # of the headers that the parser has handed on
    unfinished_size = 0  # of the chunks that left headers unfinished: of a long one it hands nothing on

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _end_when_unread(transport)
        self._expect(HEADER_DEADLINE)

    def data_received(self, data: bytes) -> None:
        self.unfinished_size += len(data) if self.in_headers else 0
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.in_headers and self.unfinished_size > MAX_HEADERS:
            self.send_400_response("The headers are too large.")
        elif self.deadline is None and self.cycle is not None and self.cycle.response_complete:
            self._expect(HEADER_DEADLINE)  # an empty line between requests has ended uvicorn's own deadline

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_headers = True
        self.header_size = self.unfinished_size = 0
        self._expect(HEADER_DEADLINE)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        self.in_headers = False
        self._expect(REQUEST_DEADLINE)
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many requests at once")  # the parser hands it on: 400
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._expect(None)
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self.header_size += size
        if self.header_size > MAX_HEADERS:
            raise ValueError("the headers are too large")  # the parser hands it on as a bad request: 400

    def _expect(self, within: float | None) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
        self.deadline = None if within is None else self.loop.call_later(within, self.transport.close)


def _end_when_unread(transport: asyncio.Transport) -> None:
    """By the kernel, which alone sees it: closing a transport waits for the sender to read."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # not on macOS
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_DEADLINE * 1000))


class Server(uvicorn.Server):
    """Stops in order on SIGTERM, and on SIGINT where no supervisor orders the stop."""

    supervised = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, signal.SIG_IGN if self.supervised else self.handle_exit)
        yield


def server(app: Litestar, host: str, port: int, settings: Settings, supervised: bool = False) -> Server:
    """A server of `app`, not yet running. Forwarded headers count only from the trusted proxies."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    made = Server(config)
    made.supervised = supervised
    return made
