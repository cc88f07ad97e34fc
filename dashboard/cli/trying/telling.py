"""What `kybdesk try-handler` prints: what it is about to call, and what came of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from dashboard import words
from dashboard.cli.common import settings
from dashboard.cli.handlers import when
from dashboard.filters import age, lines, moment, visible
from receiver.executor import Call, Ended
from receiver.handlers import Business, Event, Message, Registered
from receiver.models import Outcome
from receiver.runs import retry_at

INDENT = "    "


def announce(handler: Registered, call: Call, origin: str) -> None:
    click.echo(
        f"This really calls {handler.name} ({handler.title}): what it sends is sent, and what it changes "
        "elsewhere is changed.\nKYB Desk records nothing of it: a run of it does the same once more."
    )
    for name, text in _given(call, origin):
        click.echo(f"  {name:<9} {visible(text)}")
    for caution in _cautions(handler, call, origin):
        click.echo(f"  {caution}")


def _given(call: Call, origin: str) -> Iterator[tuple[str, str]]:
    yield "event", f"{_move(call.event)} ({origin}, {call.event.svix_id})"
    now = f"now {call.case.status}" if call.case else "of which no case is known"
    yield "case", f"{call.event.ref_id}, {now}"
    yield "business", _known(call.business)
    if call.reason:
        told = ", ".join(call.reason.customer_texts) or "none is approved"
        yield "reason", "never to be told" if call.reason.never_tell else f"customer text: {told}"
    yield "call", f"try {call.try_number}, idempotency key {call.idempotency_key}"


def _move(event: Event) -> str:
    before = f" after {event.previous_status}" if event.previous_status else ""
    return f"{event.status}{before}" + (f", reason {event.reason}" if event.reason else "")


def _known(business: Business) -> str:
    known = [business.name, business.email, business.language]
    return ", ".join(text for text in known if text) or "nothing is known of it"


def _cautions(handler: Registered, call: Call, origin: str) -> Iterator[str]:
    event = call.event
    if origin == "invented" and not handler.concerns(event.family, event.status, (event.previous_status,)):
        yield f"The worker would not call it for this event: it is for {when(handler)}."
    if call.case_moved_on:
        yield "The case has moved on since this event."


def tell(handler: Registered, call: Call, ended: Ended) -> None:
    said = ended.error or ended.result
    click.echo(f"\n{words.outcome(ended.outcome).text}" + (f": {lines(said)}" if said else ""))
    if ended.outcome is not Outcome.SUCCEEDED:
        click.echo(_what_next(handler, call, ended))
    if ended.business:
        _tell_part("It would change in the directory", _changes(call.business, ended.business))
    for message in ended.messages:
        _tell_part("It says that it sent", _sent(message))
    if ended.output:
        _tell_part("Output", ended.output)
    if ended.traceback:
        _tell_part("Traceback", ended.traceback)


def _what_next(handler: Registered, call: Call, ended: Ended) -> str:
    now = datetime.now(UTC)
    at = retry_at(ended, handler.once, call.try_number, settings().retry_delays, now)
    if at is None:
        return "A run of it would now need a person: it is not tried again by itself."
    if ended.retry_at is not None:
        return f"A run of it would be tried again by itself at {moment(at)}."
    return f"A run of it would be tried again by itself in about {age(at - now)}."


def _changes(business: Business, changes: Any) -> str:
    return "\n".join(
        f"{field}: {_shown(getattr(business, field))} → {_shown(value)}" for field, value in changes.items()
    )


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return moment(value) if isinstance(value, datetime) else str(value)


def _sent(message: Message) -> str:
    about = f"{message.channel} to {message.recipient} ({message.language}): {message.subject}"
    return f"{about}\n\n{message.text}"


def _tell_part(title: str, text: str) -> None:
    click.echo(f"\n{title}")
    for line in lines(text).rstrip("\n").split("\n"):
        click.echo(f"{INDENT}{line}".rstrip())
