"""`kybdesk handlers`."""

from collections.abc import Sequence
from itertools import zip_longest

import click
from sqlalchemy.exc import SQLAlchemyError

from dashboard.cli.common import database, in_words, settings, writing
from dashboard.cli.pauses import tell_pauses
from receiver import runs
from receiver.database import DatabaseError
from receiver.handlers import Registered
from receiver.handlers.inventing import USUALLY_BEFORE
from receiver.handlers.loading import describe
from receiver.settings.reading import SHIPPED

COLUMNS = ("NAME", "WHEN", "TITLE", "ONCE", "MODULE")


@click.command()
def handlers() -> None:
    """List the handlers that KYBDESK_HANDLERS names; exits with 1 where a module can't be imported."""
    with in_words():
        modules = settings().handler_modules
        if not modules:
            click.echo(
                "No handlers: KYBDESK_HANDLERS names no module. It takes modules of your own, and of the "
                f"shipped ones {', '.join(SHIPPED)}."
            )
            return
        registered = describe(modules)
        if registered:
            _tell_table([COLUMNS, *map(_row, registered)])
            click.echo()
        else:
            click.echo(f"No handlers: nothing in {', '.join(modules)} is decorated with @handles(…).")
        _tell_unhandled(registered)
        _tell_pauses()


def _row(handler: Registered) -> tuple[str, ...]:
    module = handler.module
    shipped = module.startswith("receiver.handlers.")
    once = "once" if handler.once else ""
    return handler.name, when(handler), handler.title, once, "shipped" if shipped else module


def when(handler: Registered) -> str:
    """`COMPLETED, leaving COMPLETED`"""
    left = [f"leaving {status}" for status in handler.leaving]
    return ", ".join([*handler.statuses, *left]) or "every event"


def _tell_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _tell_unhandled(registered: Sequence[Registered]) -> None:
    unhandled = [status for status in USUALLY_BEFORE if not any(_is_for(each, status) for each in registered)]
    if unhandled:
        click.echo(f"Nothing is done when a case becomes {' or '.join(unhandled)}.")


def _tell_pauses() -> None:
    """Where there is a database to ask: the list itself needs none."""
    try:
        database().check_schema()
        with writing() as connection:
            if runs.find_pauses(connection):
                tell_pauses(connection)
    except (DatabaseError, SQLAlchemyError):
        return


def _is_for(handler: Registered, status: str) -> bool:
    return status in handler.statuses or not (handler.statuses or handler.leaving)
