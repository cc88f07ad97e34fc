"""A small HTTP server in a thread of the demo's own process: its invented services answer with it."""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dashboard.headers import ALWAYS

LOOPBACK = "127.0.0.1"
OURS = {LOOPBACK, "localhost"}  # as Host, else a stranger's name that resolves to us could read the mails
MAX_BODY = 1024 * 1024  # bytes
PATIENCE = 10.0  # seconds until a request must have come


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # by lower-case name
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, said: Any, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(said).encode(), "application/json", named)


class Service:
    """Answers on the loopback address from `start` to `stop`, at `port` or, where that is taken, another."""

    def __init__(self, answer: Callable[[Request], Answer], port: int = 0) -> None:
        self._server = _bound(_speaking(answer), port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, TCPServer):
    """Not http.server's own, which asks the name service for our name first."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def _bound(speaking: type[BaseHTTPRequestHandler], port: int) -> _Server:
    try:
        return _Server((LOOPBACK, port), speaking)
    except OSError:
        if port == 0:
            raise
        return _Server((LOOPBACK, 0), speaking)


def _speaking(answer: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Speaking(BaseHTTPRequestHandler):
        timeout = PATIENCE
        error_content_type = "text/plain; charset=utf-8"
        error_message_format = "%(code)d\n"

        def serve(self) -> None:
            with suppress(ConnectionError):  # who asked has gone
                self.give(answer(request) if isinstance(request := self.read(), Request) else request)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815  # named by the library

        def read(self) -> Request | Answer:
            """What was asked, or why it is not heard."""
            hosts = self.headers.get_all("Host", [])
            if len(hosts) != 1 or hosts[0].partition(":")[0] not in OURS:
                return Answer(421, b"This address is not the demo's.\n")
            length = self.headers.get("Content-Length", "0")
            if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY:
                return Answer(413, b"The body is too large.\n")
            parts = urlsplit(self.path)
            return Request(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(length)),
            )

        def give(self, answered: Answer) -> None:
            self.send_response_only(answered.status)
            named = {"Cache-Control": "no-store", "Content-Type": answered.media_type, **answered.headers}
            for name, value in (ALWAYS | named | {"Content-Length": str(len(answered.body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answered.body)

        def log_message(self, *_: Any) -> None:
            """The terminal is for the demo's own words."""

    return Speaking
