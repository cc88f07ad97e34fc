"""`kybdesk demo` and `kybdesk serve`."""

import signal
import sys

import click

from dashboard.cli.common import database, in_words, prepare, settings, webhook
from dashboard.demo.stage import Demo
from dashboard.roles import serve_role
from dashboard.supervisor import ROLES, Supervisor, stop_with_supervisor
from receiver.settings import Settings


@click.command()
@click.option(
    "--port",
    envvar="KYBDESK_DASHBOARD_PORT",
    type=click.IntRange(1, 65535),
    help="The dashboard's port (8000, or a free one).",
)
def demo(port: int | None) -> None:
    """Everything on a throwaway database, with an invented VOVE that sends signed webhooks."""
    with in_words():
        Demo(port).run()


@click.command()
@click.argument("role", required=False, type=click.Choice(ROLES))
@click.option("--alive-fd", type=int, hidden=True, help="Given by the supervisor.")
def serve(role: str | None, alive_fd: int | None) -> None:
    """Start the receiver, the dashboard and the worker, or one of them alone."""
    with in_words():
        chosen = settings()
        if role != "worker":
            chosen.require_secrets()
        prepare(database())
        if alive_fd is not None:
            stop_with_supervisor(alive_fd)
        if role is None:
            _supervise(chosen)
        elif not serve_role(role, chosen, database(), supervised=alive_fd is not None):
            sys.exit(1)


def _supervise(chosen: Settings) -> None:
    supervisor = Supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    click.echo(f"Dashboard  {chosen.dashboard_url}")
    click.echo(f"Webhook    {webhook(chosen)}")
    click.echo("Ctrl-C ends it.")
    supervisor.run()
