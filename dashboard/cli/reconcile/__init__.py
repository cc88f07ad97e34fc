"""`kybdesk reconcile`.

comparing    the full pass, told as it goes on, or a question about some cases
taking_over  what VOVE said becomes ours, on a person's word
printing     where we differ, as lines or as JSON
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from sqlalchemy import Engine

from dashboard.cli.common import database, in_words, prepare
from dashboard.cli.reconcile import comparing, printing, taking_over
from receiver.vove.troubles import VoveError


@click.command()
@click.option("--fresh", is_flag=True, help="Begin anew, also where the last comparison was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@click.option("--adopt", multiple=True, metavar="REF_ID", help="Ask about this case alone; take VOVE's view.")
@click.option("--adopt-all", is_flag=True, help="Compare all; take VOVE's view wherever we differ.")
@click.option("--take-names", is_flag=True, help="Compare all; enter names that the directory lacks.")
@click.option("--by", metavar="EMAIL", help="Who you are, a user of the dashboard; needed to take over.")
@click.option("--run-handlers", is_flag=True, help="Run the handlers for the statuses taken over.")
@click.option("--yes", is_flag=True, help="Do not ask before taking over.")
def reconcile(
    fresh: bool,
    as_json: bool,
    adopt: Sequence[str],
    adopt_all: bool,
    take_names: bool,
    by: str | None,
    run_handlers: bool,
    yes: bool,
) -> None:
    """Compare all cases with VOVE over its API, and list where we differ.

    Exits with 0 where we agree, with 1 where we differ, with 2 where it failed. Interrupted, and run again
    within a day, it goes on where it stopped.
    """
    takes_over = bool(adopt or adopt_all or take_names)
    if as_json and takes_over:
        raise click.UsageError("--json lists, and takes nothing over")
    if adopt and (adopt_all or fresh or take_names):
        raise click.UsageError("--adopt asks about single cases; the others compare all of them")
    with _failing_otherwise(), in_words(), _engine() as engine:
        who = taking_over.who_takes_over(engine, by) if takes_over or by else comparing.NOBODY
        if adopt:
            report = comparing.ask_about(engine, adopt, who)
        else:
            report = comparing.compare_all(engine, who, fresh)
        printing.show(report, as_json)
        if adopt or adopt_all:
            taking_over.adopt(engine, report, who, run_handlers, yes)
        if take_names:
            taking_over.take_names(engine, report, who, yes)
        sys.exit(1 if report.differs else 0)


@contextmanager
def _engine() -> Iterator[Engine]:
    prepare(database())
    engine = database().writer()
    try:
        yield engine
    finally:
        engine.dispose()


class _FailedError(click.ClickException):
    exit_code = 2  # 1 says that we differ


@contextmanager
def _failing_otherwise() -> Iterator[None]:
    try:
        yield
    except click.UsageError:
        raise
    except click.ClickException as error:
        raise _FailedError(error.message) from None
    except VoveError as error:
        raise _FailedError(str(error)) from None
    except (KeyboardInterrupt, click.Abort):
        raise _FailedError("Interrupted. Run it again, and it goes on where it stopped.") from None
