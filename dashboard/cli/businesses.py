"""`kybdesk businesses`."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from dashboard.cli.common import by_command, database, in_words, prepare, writing
from dashboard.filters import plural, visible
from receiver.directory import csv_file, importing
from receiver.directory.csv_text import MAX_BYTES, Problem
from receiver.directory.importing import Imported

PRINTED = 50  # problems: more nobody reads


@click.group()
def businesses() -> None:
    """What people know of the businesses: names, e-mail addresses, notes."""


@businesses.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Say what the file would change, and write nothing.")
def import_(file: Path, check: bool) -> None:
    """Import a CSV file: refId and name, email, language, account_status, notes; all of it or nothing.

    An empty cell leaves the field as it is. Exits with 1 where something is wrong with the file.
    """
    with in_words():
        with file.open("rb") as opened:
            read = csv_file.read(opened.read(MAX_BYTES + 1))
        if read.problems:
            _refuse(read.problems)
        prepare(database())
        with writing() as connection:
            if check:
                result = importing.count(importing.compare(connection, read.rows))
            else:
                by = by_command("kybdesk businesses import")
                result = importing.import_rows(connection, read.rows, by, datetime.now(UTC), file.name)
        click.echo(_in_words(result) + (". Nothing was written." if check else "."))


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems[:PRINTED]:
        click.echo(visible(str(problem)), err=True)
    if len(problems) > PRINTED:
        click.echo(f"and {len(problems) - PRINTED:,} more", err=True)
    click.echo("Nothing was imported.", err=True)
    sys.exit(1)


def _in_words(result: Imported) -> str:
    fields = ", ".join(f"{name} of {count:,}" for name, count in result.fields.items())
    return (
        f"{plural(result.new, 'business', 'businesses')} new, {result.changed:,} changed"
        f"{f' ({fields})' if fields else ''}, {result.unchanged:,} unchanged"
    )
