"""A company's account service, as a real HTTP server on a socket: it answers as a test tells it to."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 60  # seconds after which what hangs ends, should nobody have ended it


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]  # by names in lower case
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class Calling(BaseHTTPRequestHandler):
    """One request, and all that a behaviour can do with it."""

    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): text for name, text in self.headers.items()}
        self.server.service.take(Received(self.path, headers, body))(self)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002  # its parent's name


Behaviour = Callable[[Calling], None]


def answers(status: int, body: bytes | str = b"", **headers: str) -> Behaviour:
    text = body.encode() if isinstance(body, str) else body

    def behave(calling: Calling) -> None:
        calling.send_response(status)
        for name, value in {"content-length": str(len(text)), **headers}.items():
            calling.send_header(name.replace("_", "-"), value)
        calling.end_headers()
        calling.wfile.write(text)

    return behave


def hangs(calling: Calling) -> None:
    calling.server.service.closing.wait(PATIENCE)


def says(text: bytes) -> Behaviour:
    """These bytes, whatever they are, and then closes."""

    def behave(calling: Calling) -> None:
        calling.wfile.write(text)

    return behave


def says_and_hangs(text: bytes) -> Behaviour:
    def behave(calling: Calling) -> None:
        says(text)(calling)
        calling.wfile.flush()
        hangs(calling)

    return behave


def resets(calling: Calling) -> None:
    """The connection ends by RST."""
    calling.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    calling.rfile.close()
    calling.wfile.close()
    calling.connection.close()


def drips(calling: Calling) -> None:
    """A byte of a header at a time, for ever: each comes well before any timeout between two."""
    calling.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not calling.server.service.closing.wait(0.05):
        calling.wfile.write(b"x")
        calling.wfile.flush()


def never_ends(calling: Calling) -> None:
    """The body of a 200 goes on and on."""
    calling.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not calling.server.service.closing.is_set():
        calling.server.service.sent += calling.connection.send(b"x" * 65536)


@dataclass
class AccountService:
    """Answers each request by the next of `behaviours`, the last one for ever."""

    behaviours: list[Behaviour] = field(default_factory=lambda: [answers(200)])
    received: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    sent: int = 0  # bytes of a body that never ends

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/kyb"

    def behaves(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def take(self, request: Received) -> Behaviour:
        self.received.append(request)
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: AccountService) -> None:
        super().__init__(("127.0.0.1", 0), Calling)
        self.service = service

    def handle_error(self, *_: object) -> None: ...  # who called has gone: often that is the point


@contextmanager
def account_service() -> Iterator[AccountService]:
    service = AccountService()
    with _Server(service) as server:
        service.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            service.closing.set()
            server.shutdown()
            thread.join()
