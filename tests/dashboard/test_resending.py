"""The commands that send a delivery again, run by a real shell against a receiver."""

import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from dashboard.resending import LONGEST, as_commands
from receiver.verification import Verified, Verifier
from tests.factories import HOSTILE
from tests.receiver.factories import SECRET

ID = "msg_2if9qqkVjQDrS738JZOnax9T7MO"


class Endpoint(HTTPServer):
    """Keeps what came last."""

    headers: list[tuple[str, str]]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.server.headers = self.headers.items()
        self.server.body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"refId":"ACME-1","status":"REJECTED"}',
        b'it\'s $HOME `id` "$(id)" !! %s %d \\n \\\\',
        b"-n -e",
        HOSTILE.encode(),
        b"\x1b[201~\nrm -rf ./x\n",
        bytes(range(256)),
        b"",
        b"\n\n",
        b"x" * 60_000,
    ],
    ids=range(9),
)
def test_the_exact_bytes_arrive_and_verify(endpoint: Endpoint, body: bytes, shell: str) -> None:
    commands = as_commands(body, ID, "application/json")
    assert commands is not None
    assert commands.replace("\n", "").isascii()
    assert commands.replace("\n", "").isprintable()
    assert SECRET not in commands
    assert "200 OK" in run(shell, commands, endpoint)
    assert endpoint.body == body
    sent = dict(endpoint.headers)
    assert sent["content-type"] == "application/json"
    headers = [(name.lower().encode(), value.encode()) for name, value in endpoint.headers]
    if body != bytes(range(256)):  # which no text is, so that no receiver takes it
        found = Verifier([SECRET]).verify(headers, body, float(sent["svix-timestamp"]))
        assert isinstance(found, Verified)
        assert found.svix_id == ID


@pytest.mark.parametrize("content_type", ["text/x'; id; '", "a\nb", "\N{EURO SIGN}", "", None])
def test_a_hostile_header_runs_nothing(endpoint: Endpoint, content_type: str | None) -> None:
    commands = as_commands(b"{}", "msg_1; id", content_type)
    assert commands is not None
    assert "200 OK" in run("sh", commands, endpoint)
    sent = dict(endpoint.headers)
    assert sent["svix-id"] == "msg_test"
    assert sent["content-type"] in {content_type, "application/json"}


def test_without_a_test_secret_nothing_is_sent() -> None:
    commands = as_commands(b"{}", ID, None) or ""
    done = subprocess.run(
        ["sh", "-c", commands], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode != 0
    assert "set it to the signing secret" in done.stderr


def test_what_is_too_long_to_paste_is_not_offered() -> None:
    assert as_commands(b"x" * (LONGEST + 1), ID, None) is None


def run(shell: str, commands: str, endpoint: Endpoint) -> str:
    url = f"http://127.0.0.1:{endpoint.server_address[1]}/webhooks/vove-kyb"
    environment = {"PATH": os.environ["PATH"], "TEST_SECRET": SECRET, "TEST_ENDPOINT": url}
    done = subprocess.run(
        [shell], input=commands + "\n", capture_output=True, text=True, env=environment, timeout=30
    )
    return done.stdout + done.stderr
