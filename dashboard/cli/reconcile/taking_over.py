"""What VOVE said becomes ours, on a person's word. Each case in a transaction of its own."""

import time
from datetime import UTC, datetime

import click
from sqlalchemy import Engine

from dashboard.cli.common import Right, known_user
from dashboard.cli.reconcile.comparing import Report
from dashboard.filters import plural, visible
from receiver.database import rest_after
from receiver.ledger.case_rows import RacedError
from receiver.vove import adopting
from receiver.vove.adopting import Adopted, Refusal, Seen
from receiver.vove.views import Comparison

TAKE_OVER = Right(
    lambda user: user.may_reprocess, "may look, but not take over: it needs the role of an operator"
)
NAMES_AT_ONCE = 100  # in one transaction: the receiver waits for it
WHY_NOT = {
    Refusal.MOVED: "our case has moved on meanwhile",
    Refusal.OTHER: "VOVE says something else meanwhile",
    Refusal.RENAMED: "one of the two names has changed meanwhile",
    Refusal.OLD: "VOVE was asked more than an hour ago",
    Refusal.AGREES: "there is nothing to take over any more",
    Refusal.UNKNOWN: "VOVE has no such case",
}


def who_takes_over(engine: Engine, email: str | None) -> str:
    """Raises UserError."""
    if email is None:
        raise click.UsageError("Say who you are: --by you@example.com")
    with engine.begin() as connection:
        return known_user(connection, email, TAKE_OVER)


def adopt(engine: Engine, report: Report, by: str, run_handlers: bool, yes: bool) -> None:
    adoptable = [each for each in report.compared if each.can_be_adopted]
    if not adoptable:
        click.echo("There is nothing to take over.")
        return
    handlers = "Their handlers run too." if run_handlers else "No handler runs for it."
    question = f"Take over VOVE's view of {plural(len(adoptable), 'case')}? {handlers}"
    if not (yes or click.confirm(question)):
        return
    for compared in adoptable:
        answer = _adopt(engine, compared, by, run_handlers)
        if isinstance(answer, Adopted):
            report.settled.add(compared.ref_id)
            click.echo(visible(f"{compared.ref_id}: taken over: {_what(compared, answer)}"))
        else:
            click.echo(visible(f"{compared.ref_id}: not taken over: {WHY_NOT[answer]}"))


def _adopt(engine: Engine, compared: Comparison, by: str, run_handlers: bool) -> Adopted | Refusal:
    seen = Seen(compared.last_event_id, compared.status, compared.name, compared.our_name)
    for _ in range(2):
        try:
            with engine.begin() as connection:
                now = datetime.now(UTC)
                return adopting.adopt(connection, compared.ref_id, seen, by, now, run_handlers)
        except RacedError:
            continue  # a webhook has created the case a moment ago
    return Refusal.MOVED


def _what(compared: Comparison, adopted: Adopted) -> str:
    name = f"the name “{compared.name}”" if adopted.name else None
    return " and ".join(filter(None, [compared.status if adopted.event_id else None, name]))


def take_names(engine: Engine, report: Report, by: str, yes: bool) -> None:
    """Into the directory, where it has none."""
    if not report.new_names:
        click.echo("VOVE knows no name that the directory lacks.")
        return
    if not (yes or click.confirm(f"Enter {plural(report.new_names, 'name')} into the directory?")):
        return
    after, entered = 0, 0
    while True:
        began = time.monotonic()
        with engine.begin() as connection:
            found = adopting.take_new_names(connection, by, datetime.now(UTC), after, NAMES_AT_ONCE)
        if not found:
            break
        after, entered = found[-1].id, entered + len(found)
        time.sleep(rest_after(began))
    click.echo(f"{plural(entered, 'name')} entered into the directory.")
