"""The dashboard as it is served, over a real socket: test clients hide repeated headers and raw paths."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from litestar import Litestar

from dashboard.auth.users import add_user
from receiver.database import Database
from receiver.server import server
from receiver.settings import Settings
from tests.desk import PLAIN_HTTP

EMAIL = "ana@example.com"
PASSWORD = "correct horse battery"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


class Compiled(BytecodeCache):
    """The pages' templates, which each test's dashboard would compile anew."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


@dataclass(frozen=True)
class Desk:
    """A served dashboard and a visitor, who follows no redirect by himself."""

    app: Litestar
    database: Database
    client: httpx.Client

    def get_raw(self, path: str, **headers: str) -> httpx.Response:
        """With the path as it is: a client would tidy it."""
        url = httpx.URL(self.client.base_url, raw_path=path.encode())
        return self.client.send(self.client.build_request("GET", url, headers=headers))

    def add_user(self, role: str = "operator", email: str = EMAIL) -> None:
        engine = self.database.writer()
        with engine.begin() as connection:
            add_user(connection, email, role, PASSWORD)
        engine.dispose()

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD, **fields: str) -> httpx.Response:
        form = {"email": email, "password": password, **fields}
        return self.client.post("/sign-in", data=form, headers=SAME_ORIGIN)

    def signed_in(self, role: str = "operator") -> "Desk":
        self.add_user(role)
        assert self.sign_in().status_code == 303
        return self


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, trust_env=False, verify=PLAIN_HTTP)


@contextmanager
def served(app: Litestar, settings: Settings) -> Iterator[str]:
    """By uvicorn as the product sets it up, but in a thread, which can't take signals."""
    if templates := app.state.get("templates"):
        templates.bytecode_cache = COMPILED
    running = uvicorn.Server(server(app, "127.0.0.1", 0, settings).config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"
