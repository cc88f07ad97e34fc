"""`kybdesk try-handler`: one call, as the worker would make it, of which nothing is recorded."""

import secrets
import sys
from contextlib import closing

import click

from dashboard.cli.common import in_words, settings
from dashboard.cli.trying import stored, telling
from receiver.directory.fields import FieldError, checked
from receiver.executor import Call, Ended, Executor
from receiver.handlers import Business, Registered
from receiver.handlers.inventing import case_of, invented_event
from receiver.handlers.loading import describe
from receiver.models import Outcome
from receiver.runs import idempotency_key

POLL = 0.25  # seconds


@click.command("try-handler")
@click.argument("handler")
@click.option("--status", help="Of an invented event, such as REJECTED.")
@click.option("--previous-status", help="The status before (the one that usually stands before).")
@click.option("--reason", help="Of a rejection, such as DOCUMENT_MISMATCH.")
@click.option("--ref-id", help="Your reference of the business (an invented one).")
@click.option("--name", help="What the directory would know of the business.")
@click.option("--email", help="The business's e-mail address; what the handler sends there is sent.")
@click.option("--language", help="The business's language, such as de or pt-br.")
@click.option("--event", "event_id", help="A stored event instead, by its svix-id or its number.")
@click.option("--yes", is_flag=True, help="Don't ask, in production either.")
def try_handler(handler: str, event_id: str | None, yes: bool, **invented: str | None) -> None:
    """Call one handler now, for an invented or a stored event, and say what came of it.

    It really does what it does: what it sends is sent. KYB Desk alone records nothing. Exits with 0 where it
    succeeded, with 1 where it failed.
    """
    with in_words():
        _check_choice(event_id, invented)
        chosen = _find(handler)
        call = stored.call_for(handler, event_id) if event_id else _invent(handler, invented)
        telling.announce(chosen, call, "stored" if event_id else "invented")
        if settings().environment == "production" and not yes:
            click.confirm("This is production. Call it? (--yes skips this question.)", abort=True)
        ended = _call(call)
        telling.tell(chosen, call, ended)
        if ended.outcome is not Outcome.SUCCEEDED:
            sys.exit(1)


def _check_choice(event_id: str | None, invented: dict[str, str | None]) -> None:
    given = [f"--{name.replace('_', '-')}" for name, text in invented.items() if text is not None]
    if event_id and given:
        raise click.UsageError(f"A stored event has all that it needs: leave out {', '.join(given)}.")
    if not event_id and invented["status"] is None:
        raise click.UsageError("Say which: --status REJECTED invents an event, --event takes a stored one.")


def _find(name: str) -> Registered:
    registered = describe(settings().handler_modules)
    for handler in registered:
        if handler.name == name:
            return handler
    known = ", ".join(handler.name for handler in registered)
    raise click.UsageError(
        f"There is no handler {name}. "
        + (f"There are {known}." if known else "KYBDESK_HANDLERS names no module that has any.")
    )


def _invent(handler: str, given: dict[str, str | None]) -> Call:
    status, ref_id = given["status"] or "", given["ref_id"] or f"try-{secrets.token_hex(3)}"
    event = invented_event(ref_id, status, given["previous_status"], given["reason"])
    return Call(
        handler=handler,
        event=event,
        case=case_of(event),
        idempotency_key=idempotency_key(event.svix_id, handler, repeats=0),
        try_number=1,
        case_moved_on=False,
        business=_business(ref_id, given),
        reason=stored.reason(given["reason"]),
    )


def _business(ref_id: str, given: dict[str, str | None]) -> Business:
    try:
        return Business(ref_id, **checked({name: given[name] for name in ("name", "email", "language")}))
    except FieldError as error:
        raise click.UsageError(f"--{error.field}: {error.why}") from None


def _call(call: Call) -> Ended:
    chosen = settings()
    bounds = chosen.handler_timeout, chosen.handler_memory
    with closing(Executor(chosen.handler_modules, *bounds)) as executor:
        executor.start(1, call)
        while not (ended := executor.wait(POLL)):
            pass
        return ended[0][1]
