"""`kybdesk handlers`."""

import click

from dashboard.cli.common import in_words, settings
from receiver.handlers.loading import describe


@click.command()
def handlers() -> None:
    """List the handlers that KYBDESK_HANDLERS names; exits with 1 where a module can't be imported."""
    with in_words():
        modules = settings().handler_modules
        if not modules:
            click.echo("No handlers: KYBDESK_HANDLERS names no module.")
        for handler in describe(modules):
            statuses = ", ".join(handler.statuses) or "every event"
            click.echo(f"{handler.name}  {statuses}  {handler.title}{'  once' if handler.once else ''}")
