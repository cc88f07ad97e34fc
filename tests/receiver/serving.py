"""The receiver as it is served, over real sockets: a client would tidy what a hostile sender sends."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from typing import Any

import uvicorn
from sqlalchemy import Row, Table, select

from receiver.app import create_app
from receiver.database import Database
from receiver.server import server
from receiver.settings import Settings
from tests.receiver.factories import NOON, OTHER_SECRET, SECRET, body, message_id, signed

Headers = Sequence[tuple[bytes, bytes]]


@dataclass
class Clock:
    """What the receiver takes for the time."""

    now: datetime = NOON

    def __call__(self) -> float:
        return self.now.timestamp()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> tuple[int, bytes]:
        return self.status, self.body


class Line:
    """One TCP connection to the receiver."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self._file: BufferedReader = self.socket.makefile("rb")

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def answer(self) -> Answer:
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return Answer(status, headers, self._file.read(int(headers.get("content-length", 0))))

    def is_ended(self) -> bool:
        """Waits until the receiver ends the connection; False where it sends something first."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True


@dataclass(frozen=True)
class Serving:
    database: Database
    clock: Clock
    running: uvicorn.Server

    @property
    def port(self) -> int:
        port: int = self.running.servers[0].sockets[0].getsockname()[1]
        return port

    def connect(self) -> Line:
        return Line(self.port)

    def ask(self, *parts: bytes) -> Answer:
        with self.connect() as line:
            line.send(*parts)
            return line.answer()

    def post(self, content: bytes, headers: Headers) -> Answer:
        return self.ask(request(content, headers))

    def deliver(
        self, content: bytes | None = None, svix_id: str | None = None, secret: str = SECRET
    ) -> Answer:
        """A genuine delivery, signed now; its message was made now too where it has no id."""
        content = body() if content is None else content
        svix_id = svix_id or message_id(self.clock.now)
        return self.post(content, signed(content, svix_id, self.clock.now, secret))

    def rows(self, table: Table) -> list[Row[Any]]:
        return rows(self.database, table)

    def wait_until_idle(self) -> None:
        state = self.running.server_state
        wait_until(lambda: not state.connections and not state.tasks)


@contextmanager
def serving(database: Database) -> Iterator[Serving]:
    """By uvicorn as the product sets it up, but in a thread, which can't take signals."""
    clock = Clock()
    settings = Settings(webhook_secrets=(SECRET, OTHER_SECRET))
    app = create_app(settings, database, clock)
    running = uvicorn.Server(server(app, "127.0.0.1", 0, settings).config)
    thresholds = gc.get_threshold()
    thread = threading.Thread(target=running.run)
    thread.start()
    wait_until(lambda: running.started or not thread.is_alive())
    assert running.started
    try:
        yield Serving(database, clock, running)
    finally:
        running.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def request(
    content: bytes = b"",
    headers: Headers = (),
    method: bytes = b"POST",
    target: bytes = b"/webhooks/vove-kyb",
    announced: int | None = None,
) -> bytes:
    """The bytes of a request; `announced` is the Content-Length where it is not the content's."""
    length = b"%d" % (len(content) if announced is None else announced)
    lines = [method + b" " + target + b" HTTP/1.1", b"host: receiver"]
    lines += [name + b": " + value for name, value in [*headers, (b"content-length", length)]]
    return b"\r\n".join([*lines, b"", content])


def chunked(headers: Headers, *chunks: bytes) -> bytes:
    """A request whose body comes in chunks; the last one must be empty for it to end."""
    lines = [b"POST /webhooks/vove-kyb HTTP/1.1", b"host: receiver", b"transfer-encoding: chunked"]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", b""]) + b"".join(
        b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks
    )


def rows(database: Database, table: Table) -> list[Row[Any]]:
    engine = database.writer()
    try:
        with engine.begin() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))
    finally:
        engine.dispose()


def wait_until(condition: Callable[[], object], within: float = 15) -> None:
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.005)
