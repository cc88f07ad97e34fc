"""The `kybdesk` command, a file for each noun; it alone puts receiver, worker and dashboard together."""

import logging
import sys

import click

from dashboard.cli.businesses import businesses
from dashboard.cli.common import in_words
from dashboard.cli.databases import migrate, rebuild_cases
from dashboard.cli.handlers import handlers
from dashboard.cli.pauses import pause, resume
from dashboard.cli.reasons import reason
from dashboard.cli.reconcile import reconcile
from dashboard.cli.sending import send
from dashboard.cli.serving import demo, serve
from dashboard.cli.trying import try_handler
from dashboard.cli.users import user


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kybdesk")
def main() -> None:
    """KYB Desk stands between VOVE ID and your compliance team."""
    with in_words():
        _start_logging()


for command in (
    demo,
    serve,
    send,
    user,
    businesses,
    handlers,
    try_handler,
    reason,
    pause,
    resume,
    migrate,
    rebuild_cases,
    reconcile,
):
    main.add_command(command)


def _start_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    for name in ("uvicorn.error", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
