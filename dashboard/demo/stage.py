"""The whole product on a throwaway database, with an invented VOVE that sends to it."""

import base64
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import click
from sqlalchemy import make_url

from dashboard.auth.users import Role, add_user
from dashboard.demo.vove import Vove
from dashboard.supervisor import Supervisor
from receiver.database import Database

EMAIL = "ana@example.com"
START_LIMIT = 30.0  # seconds for the roles to come up

WELCOME = """
  KYB Desk is running on a throwaway database. Nothing leaves this machine.

    Open       {dashboard}
    Sign in    {email}
    Password   {password}

  An invented VOVE is sending signed webhooks: first what happened over the last days, then one every
  second or two. Within a minute you can see:

    Cases        businesses moving from In progress to In review, Completed or Rejected
    Runs         tasks that need a person: open one, read why it failed, press Re-process
    Deliveries   repeats, a wrong secret (unverified), a body that is no JSON (unreadable)
    A case       "gap" where an event never came, "late" where one came hours after its time

  Send one yourself, from another terminal:

    VOVE_WEBHOOK_SECRET={secret} \\
      {command} send --url {webhook} \\
      --ref-id my-business --status IN_PROGRESS

  Ctrl-C ends it and leaves nothing behind.
"""


class Demo:
    """Ports are free ones unless `port`, the dashboard's, is named; 8000 and 8001 where they are free."""

    def __init__(self, port: int | None = None) -> None:
        self._dashboard_port = port or _free_port(8000)
        self._receiver_port = _free_port(8001)
        self._secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self._password = f"desk-{secrets.randbelow(10**4):04}-{secrets.randbelow(10**4):04}"
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM."""
        with tempfile.TemporaryDirectory(prefix="kybdesk-demo-") as directory:
            self._add_user(Path(directory))
            supervisor = Supervisor(self._environment(Path(directory)), directory=Path(directory))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stop(supervisor))
            vove = threading.Thread(target=self._play, name="vove", daemon=True)
            vove.start()
            supervisor.run()
            vove.join(timeout=5)
        click.echo("  The demo has ended; its database is gone.")

    def _add_user(self, directory: Path) -> None:
        database = Database(make_url(_database_url(directory)))
        database.migrate()
        engine = database.writer()
        with engine.begin() as connection:
            add_user(connection, EMAIL, Role.OPERATOR, self._password)
        engine.dispose()

    def _environment(self, directory: Path) -> dict[str, str]:
        """Ours alone: no setting of the user's own installation reaches the demo."""
        own = {name: text for name, text in os.environ.items() if not name.startswith(("KYBDESK_", "VOVE_"))}
        return own | {
            "VOVE_WEBHOOK_SECRET": self._secret,
            "KYBDESK_DATABASE_URL": _database_url(directory),
            "KYBDESK_RECEIVER_PORT": str(self._receiver_port),
            "KYBDESK_DASHBOARD_PORT": str(self._dashboard_port),
            "KYBDESK_DASHBOARD_URL": f"http://127.0.0.1:{self._dashboard_port}",
            "KYBDESK_HANDLERS": "dashboard.demo.handlers",
            "KYBDESK_HANDLER_TIMEOUT": "3",
            "KYBDESK_RETRY_DELAYS": "10,20",
            "KYBDESK_ENVIRONMENT": "demo",
        }

    def _stop(self, supervisor: Supervisor) -> None:
        self._stopping.set()
        supervisor.stop()

    def _play(self) -> None:
        receiver = f"http://127.0.0.1:{self._receiver_port}"
        dashboard = f"http://127.0.0.1:{self._dashboard_port}"
        for url in (f"{receiver}/readyz", f"{dashboard}/healthz"):
            if not self._wait_for(url):
                return
        webhook = f"{receiver}/webhooks/vove-kyb"
        click.echo(
            WELCOME.format(
                dashboard=dashboard,
                email=EMAIL,
                password=self._password,
                secret=self._secret,
                webhook=webhook,
                command=sys.argv[0],
            )
        )
        Vove(webhook, self._secret, self._stopping).play()

    def _wait_for(self, url: str) -> bool:
        for _ in range(int(START_LIMIT / 0.1)):
            if self._stopping.wait(0.1):
                return False
            try:
                urlopen(url, timeout=1).close()  # noqa: S310  # http on loopback
            except OSError:
                continue
            return True
        click.echo(f"  {url} did not answer within {START_LIMIT:.0f} s; the lines above say why.", err=True)
        return False


def _database_url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory / 'kybdesk.db'}"


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("No free port on 127.0.0.1")
