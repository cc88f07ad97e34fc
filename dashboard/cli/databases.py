"""`kybdesk migrate` and `kybdesk rebuild-cases`."""

import sys

import click

from dashboard.cli.common import database, in_words
from receiver.ledger import rebuild


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with in_words():
        database().migrate()
        click.echo("The database is up to date.")


@click.command("rebuild-cases")
@click.option("--check", is_flag=True, help="Compare only; exits with 1 where a case differs.")
def rebuild_cases(check: bool) -> None:
    """Compute every case anew from its events, and compare."""
    with in_words():
        database().check_schema()
        engine = database().writer()
        result = rebuild.rebuild(engine, write=not check)
        engine.dispose()
        for ref_id in result.differing[:20]:
            click.echo(f"differs: {ref_id}")
        for status in result.miscounted:
            click.echo(f"miscounted: {status}")
        click.echo(
            f"{result.cases} cases, {len(result.differing)} differ" + ("" if check else ", all rebuilt")
        )
        if check and (result.differing or result.miscounted):
            sys.exit(1)
