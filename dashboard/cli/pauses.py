"""`kybdesk pause` and `kybdesk resume`."""

from datetime import UTC, datetime

import click
from sqlalchemy import Connection, select

from dashboard.cli.common import Right, by_whom, database, in_words, known_user, prepare, writing
from dashboard.filters import visible
from receiver import runs
from receiver.models import handlers

PAUSE = Right(
    lambda user: user.may_pause, "may look, but not pause or resume: it needs the role of an operator"
)


@click.command()
@click.argument("handler", required=False)
@click.option("--reason", required=True, help="Why; everyone reads it on the pages.")
@by_whom
def pause(handler: str | None, reason: str, by: str) -> None:
    """Stop one handler, or all where none is named: tasks wait. What is under way ends."""
    with in_words():
        prepare(database())
        with writing() as connection:
            by, name = known_user(connection, by, PAUSE), _known(connection, handler)
            try:
                new = runs.pause(connection, name, reason=reason, by=by, now=datetime.now(UTC))
            except runs.ReasonError as error:
                raise click.UsageError(str(error)) from None
            click.echo(f"{_called(name)}: {'paused' if new else 'was paused already'}.")
            tell_pauses(connection)


@click.command()
@click.argument("handler", required=False)
@by_whom
def resume(handler: str | None, by: str) -> None:
    """Let one handler go on, or lift the pause of all where none is named."""
    with in_words():
        prepare(database())
        with writing() as connection:
            by, name = known_user(connection, by, PAUSE), _known(connection, handler)
            lifted = runs.resume(connection, name, by, datetime.now(UTC))
            click.echo(f"{_called(name)}: {f'resumed by {by}' if lifted else 'was not paused'}.")
            tell_pauses(connection)


def _known(connection: Connection, handler: str | None) -> str:
    """Also one that was taken away: it may still be paused."""
    if handler is None:
        return runs.ALL
    names = sorted(connection.execute(select(handlers.c.name)).scalars())
    if handler not in names:
        there_are = f"there are {', '.join(names)}" if names else "the worker has not registered any yet"
        raise click.ClickException(f"There is no handler {handler!r}: {there_are}")
    return handler


def tell_pauses(connection: Connection) -> None:
    """What is paused now."""
    paused = runs.find_pauses(connection)
    for each in sorted(paused.values(), key=lambda each: (each.handler != runs.ALL, each.handler)):
        since = f"{each.paused_at:%-d %b %Y, %H:%M} UTC"
        click.echo(f"  paused  {_called(each.handler)}  by {each.paused_by}, {since}: {visible(each.reason)}")
    if not paused:
        click.echo("  Nothing is paused.")


def _called(handler: str) -> str:
    return "all handlers" if handler == runs.ALL else handler
