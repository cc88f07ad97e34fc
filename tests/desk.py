"""KYB Desk as real processes in a directory of its own, for the tests of the whole."""

import os
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import make_url

from dashboard import sending
from dashboard.auth.users import add_user
from receiver.database import Database
from tests.receiver.factories import SECRET

EMAIL, PASSWORD = "ana@example.com", "a password of some length"
PLAIN_HTTP = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # httpx would read all authorities anew for each client
PORTS = range(10_000, 32_000)  # below those that systems give out by themselves
T = TypeVar("T")


def eventually(look: Callable[[], T], within: float = 60) -> T:
    """Look until there is something true to see; tests wait for conditions, never for a time."""
    until = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {within} s: {look}")
        time.sleep(0.02)
    return seen


class Desk:
    """`kybdesk serve` on free ports, with the handlers of `module` (the text of a Python module)."""

    def __init__(self, directory: Path, module: str = "", **settings: str) -> None:
        self.directory = directory
        self.ports = {"receiver": free_port(), "dashboard": free_port()}
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("KYBDESK", "VOVE"))},
            "VOVE_WEBHOOK_SECRET": SECRET,
            "KYBDESK_RECEIVER_PORT": str(self.ports["receiver"]),
            "KYBDESK_DASHBOARD_PORT": str(self.ports["dashboard"]),
            "KYBDESK_HANDLERS": "acme" if module else "",
            "KYBDESK_HANDLER_TIMEOUT": "2",
            "KYBDESK_RETRY_DELAYS": "0.1",
            "KYBDESK_HANDLER_PACE": "0",
            **settings,
        }
        if module:
            (directory / "acme.py").write_text(module)

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.ports['receiver']}/webhooks/vove-kyb"

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.ports['dashboard']}"

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `kybdesk …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "dashboard.cli", *arguments],
            cwd=self.directory,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def add_user(self, role: str = "operator", email: str = EMAIL) -> None:
        database = Database(make_url(f"sqlite+aiosqlite:///{self.directory}/kybdesk.db"))
        database.migrate()
        engine = database.writer()
        with engine.begin() as connection:
            add_user(connection, email, role, PASSWORD)
        engine.dispose()

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.cli", "serve"],
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self.is_up)

    def is_up(self) -> bool:
        try:
            urls = self.webhook.replace("/webhooks/vove-kyb", "/readyz"), f"{self.dashboard}/healthz"
            return all(httpx.get(url, verify=PLAIN_HTTP).is_success for url in urls)
        except httpx.HTTPError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the supervisor and wait for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def send(
        self, ref_id: str, status: str, svix_id: str | None = None, secret: str = SECRET, **fields: Any
    ) -> httpx.Response:
        signed = sending.sign(
            sending.payload(ref_id, status, **fields), secret, svix_id or sending.new_message_id()
        )
        return httpx.post(
            self.webhook, content=signed.body, headers=signed.headers, timeout=30, verify=PLAIN_HTTP
        )

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.directory / "kybdesk.db")) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()

    def pids(self, role: str) -> list[int]:
        """The processes of one role, or of `handler` calls and what serves them."""
        return [pid for pid, line in self.processes() if f"serve {role}" in line]

    def processes(self) -> list[tuple[int, str]]:
        """Every process that works in our directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (entry / "cwd").resolve() == self.directory.resolve():
                        line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                        found.append((int(entry.name), line))
                except OSError:
                    continue
        return found

    def log(self) -> str:
        return (self.directory / "log").read_text()


@contextmanager
def running(desk: Desk) -> Iterator[Desk]:
    """The desk, up; afterwards nothing of it is left, whatever the test did."""
    desk.start()
    try:
        yield desk
    finally:
        if desk.process is not None and desk.process.poll() is None:
            desk.stop()
        for pid, _ in desk.processes():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def signed_in(desk: Desk) -> Iterator[httpx.Client]:
    """A browser's stand-in, signed in as a user that may re-process."""
    desk.command("user", "add", EMAIL, "--role", "operator", "--password-stdin", given=PASSWORD + "\n")
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=desk.dashboard, headers=headers, timeout=30, verify=PLAIN_HTTP) as browser:
        answer = browser.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield browser


def free_port() -> int:
    """By chance, so that nobody else comes upon it before it is used: other tests run meanwhile."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
