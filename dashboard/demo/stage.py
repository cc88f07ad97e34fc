"""The whole product on a throwaway database, with an invented VOVE that sends to it."""

import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import click
from sqlalchemy import make_url

from dashboard.auth.users import Role, add_user
from dashboard.demo.businesses import LAST, business
from dashboard.demo.entries import APPROVER, AUTHOR, enter
from dashboard.demo.services import Services, new_secret
from dashboard.demo.vove import PAST_BUSINESSES, Vove
from dashboard.demo.welcome import WELCOME
from dashboard.supervisor import Supervisor
from receiver.database import Database

EMAIL = "ana@example.com"
PEOPLE = {EMAIL: Role.ADMIN, AUTHOR: Role.OPERATOR, APPROVER: Role.LEAD}  # all with one password
HANDLERS = "record_progress,activate_business,notify_customer,dashboard.demo.handlers"
START_LIMIT = 30.0  # seconds for the roles to come up


class Demo:
    """Ports are free ones unless `port`, the dashboard's, is named; 8000 to 8002 where they are free. Raises
    ClickException where the named one is taken."""

    def __init__(self, port: int | None = None) -> None:
        self._dashboard_port = _free_port(8000) if port is None else _named_port(port)
        self._receiver_port = _free_port(8001, self._dashboard_port)
        mailbox_port = _free_port(8002, self._dashboard_port, self._receiver_port)
        self._secret = new_secret()
        self._password = f"desk-{secrets.randbelow(10**4):04}-{secrets.randbelow(10**4):04}"
        self._stopping = threading.Event()
        self._services = Services(self._dashboard, mailbox_port, self._stopping)

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM."""
        with tempfile.TemporaryDirectory(prefix="kybdesk-demo-") as directory:
            self._fill(Path(directory))
            supervisor = Supervisor(_environment(), directory=Path(directory))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stop(supervisor))
            self._services.start()
            vove = threading.Thread(target=self._play, args=(directory,), name="vove", daemon=True)
            vove.start()
            supervisor.run()
            vove.join(timeout=5)
            self._services.stop()
        click.echo("  The demo has ended; its database is gone.")

    @property
    def _dashboard(self) -> str:
        return f"http://127.0.0.1:{self._dashboard_port}"

    def _fill(self, directory: Path) -> None:
        """With the settings, which every command finds that is called there, and with a database."""
        settings = [f"{name}='{text}'\n" for name, text in self._settings(directory).items()]
        (directory / ".env").write_text("".join(settings), encoding="utf-8")
        database = Database(make_url(_database_url(directory)))
        database.migrate()
        engine = database.writer()
        with engine.begin() as connection:
            for email, role in PEOPLE.items():
                add_user(connection, email, role, self._password)
            enter(connection, PAST_BUSINESSES)
        engine.dispose()

    def _settings(self, directory: Path) -> dict[str, str]:
        return {
            "VOVE_WEBHOOK_SECRET": self._secret,
            "KYBDESK_DATABASE_URL": _database_url(directory),
            "KYBDESK_RECEIVER_PORT": str(self._receiver_port),
            "KYBDESK_DASHBOARD_PORT": str(self._dashboard_port),
            "KYBDESK_DASHBOARD_URL": self._dashboard,
            "KYBDESK_HANDLERS": HANDLERS,
            "KYBDESK_HANDLER_TIMEOUT": "3",
            "KYBDESK_RETRY_DELAYS": "10,20",
            "KYBDESK_ENVIRONMENT": "demo",
            **self._services.settings(),
        }

    def _stop(self, supervisor: Supervisor) -> None:
        self._stopping.set()
        supervisor.stop()

    def _play(self, directory: str) -> None:
        receiver = f"http://127.0.0.1:{self._receiver_port}"
        for url in (f"{receiver}/readyz", f"{self._dashboard}/healthz"):
            if not self._wait_for(url):
                return
        webhook = f"{receiver}/webhooks/vove-kyb"
        click.echo(
            WELCOME.format(
                dashboard=self._dashboard,
                email=EMAIL,
                author=AUTHOR,
                approver=APPROVER,
                password=self._password,
                mailbox=self._services.mailbox.address,
                lost=next(each.ref_id for each in map(business, count()) if each.story.lost == LAST),
                directory=directory,
                command=Path(sys.argv[0]).absolute(),
            )
        )
        Vove(webhook, self._secret, self._stopping, self._services.records).play()

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


def _environment() -> dict[str, str]:
    """Without settings of the user's own installation, which would win over the demo's."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("KYBDESK_", "VOVE_"))}


def _database_url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory / 'kybdesk.db'}"


def _named_port(port: int) -> int:
    try:
        return _bound(port)
    except OSError as error:
        why = f"Port {port} can't be used ({error.strerror}): name another one with --port"
        raise click.ClickException(why) from None


def _free_port(wanted: int, *promised: int) -> int:
    for port in (wanted, 0) if wanted not in promised else (0,):
        with suppress(OSError):
            return _bound(port)
    raise click.ClickException("No free port on 127.0.0.1")


def _bound(port: int) -> int:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
