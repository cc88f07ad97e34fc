"""VOVE's API as it is documented, real on a socket; and as it may be, failing in the way a test wants."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.certificates import certificate

KEY = "vk_the-key-that-nobody-may-see"
Case = dict[str, Any]


def case(ref_id: str, status: str = "COMPLETED", name: str | None = None, **fields: Any) -> Case:
    """As a list holds it, with what nobody asked for."""
    return {
        "id": f"kyb_{ref_id}",
        "refId": ref_id,
        "status": status,
        "businessName": name or f"{ref_id} Ltd",
        "documents": [{"type": "REGISTER", "url": "https://files.example/1"}],
        "ubos": [{"name": "An owner", "share": 51}],
        "updatedAt": datetime.now(UTC).isoformat(),
        **fields,
    }


@dataclass(frozen=True)
class Answer:
    """Instead of a list: a status, headers and bytes; or what is no answer at all."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    act: str = ""  # "hang", "reset", "trickle"


@dataclass
class Asked:
    path: str
    parameters: dict[str, str]
    key: str | None


class VoveStandIn:
    """`cases` are what it knows. `faults` are answered first, one after the other, `faults_of_pages` whenever
    that page is asked for; the rest is as documented, in the shape that `shape` gives to a page."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.faults: list[Answer] = []
        self.faults_of_pages: dict[str, Answer] = {}
        self.shape: Callable[[list[Case], int, int, int], Any] = as_sibling_list
        self.ignores: set[str] = set()  # parameters, such as "page" or "search"
        self.first_page = 1
        self.most_on_a_page = 100
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        self.url = ""

    def answer(self, parameters: dict[str, str]) -> Answer:
        heard = {name: text for name, text in parameters.items() if name not in self.ignores}
        found = [each for each in self.cases if heard.get("search", "").lower() in _searched(each)]
        limit = min(int(heard.get("limit", 20)), self.most_on_a_page)
        page = int(heard.get("page", self.first_page)) - self.first_page
        if page < 0:
            return Answer(400, b'{"message": "page must not be less than 1"}')
        shown = found[page * limit : (page + 1) * limit]
        said = self.shape(shown, len(found), page + self.first_page, limit)
        return Answer(body=json.dumps(said).encode())


def as_sibling_list(shown: list[Case], total: int, page: int, limit: int) -> Any:
    """As VOVE documents the list of another kind."""
    return {"data": shown, "total": total, "page": page, "limit": limit}


def _searched(of: Case) -> str:
    return f"{of.get('refId')}\n{of.get('businessName')}".lower()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: VoveStandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        parameters = {name: texts[0] for name, texts in parse_qs(parts.query).items()}
        key = self.headers.get("x-api-key")
        self.stand_in.asked.append(Asked(parts.path, parameters, key))
        if self.stand_in.faults:
            self._give(self.stand_in.faults.pop(0))
        elif fault := self.stand_in.faults_of_pages.get(parameters.get("page", "")):
            self._give(fault)
        elif key != KEY:
            self._give(Answer(401, b'{"message": "Unauthorized"}'))
        elif parts.path != "/v2/kyb/case":
            self._give(Answer(404, b'{"message": "Not Found"}'))
        else:
            self._give(self.stand_in.answer(parameters))

    def _give(self, answer: Answer) -> None:
        if answer.act == "hang":
            self.stand_in.stopping.wait(30)
        if answer.act in {"hang", "reset"}:
            linger = struct.pack("ii", 1, 0)  # closing sends a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
            return
        try:
            self._send(answer)
        except OSError:  # whoever asked has had enough
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, text in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.act == "trickle":
            for number in range(len(answer.body)):
                self.wfile.write(answer.body[number : number + 1])
                self.wfile.flush()
                if self.stand_in.stopping.wait(0.05):
                    return
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def finish(self) -> None:
        with suppress(OSError, ValueError):  # closed already
            super().finish()


@contextmanager
def vove(*cases: Case, tls: bool = False) -> Iterator[VoveStandIn]:
    stand_in = VoveStandIn()
    stand_in.cases = list(cases)
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate())
        server.socket = context.wrap_socket(server.socket, server_side=True)
    stand_in.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/v2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
