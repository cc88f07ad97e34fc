"""`kybdesk reason`."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from dashboard.cli.common import Right, by_whom, database, in_words, known_user, prepare, writing
from receiver.directory.fields import FieldError
from receiver.reasons import (
    LONGEST_CODE,
    OwnTextError,
    TextVersion,
    WrittenText,
    all_codes,
    approve_text,
    checked_explanation,
    checked_label,
    checked_language,
    checked_text,
    describe_reason,
    find_reason,
    newest_texts,
    write_text,
)

EDIT = Right(lambda user: user.may_edit, "may look, but not edit: it needs the role of an operator")
APPROVE = Right(
    lambda user: user.may_approve, "may not decide what customers are told: it needs the role of a lead"
)


def _code(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not text or len(text) > LONGEST_CODE or not text.isprintable() or text != text.strip():
        raise click.BadParameter("must be a reason as VOVE sends it, such as DOCUMENT_MISMATCH")
    return text


def _field(check: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def checked(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
        try:
            return None if text is None else check(text)
        except FieldError as error:
            raise click.BadParameter(error.why) from None

    return checked


CODE = click.argument("code", callback=_code)
LANGUAGE_OPTION = click.option(
    "--language", required=True, callback=_field(checked_language), help="Such as en or pt-br."
)


@click.group()
def reason() -> None:
    """What may be said to a customer of a rejection's reason."""


@reason.command("list")
def list_reasons() -> None:
    """List the reasons, with the state of their texts."""
    with in_words():
        prepare(database())
        with writing() as connection:
            codes = all_codes(connection)
            for code in codes:
                _show(connection, code)
        if not codes:
            click.echo("No reason is described yet: see kybdesk reason set and kybdesk reason text.")


def _show(connection: Connection, code: str) -> None:
    found = find_reason(connection, code)
    assert found is not None, "it has just been listed"
    never = "never tell the customer" if found.never_tell else ""
    click.echo("  ".join(filter(None, (code, found.label, never))))
    newest = newest_texts(connection, code)
    for version in newest:
        click.echo(f"  {version.language}  {_state(version, version.language in found.customer_texts)}")
    if not newest:
        click.echo("  no customer text")


def _state(newest: TextVersion, another_counts: bool) -> str:
    if newest.approved_at is not None:
        return f"approved by {newest.approved_by} on {newest.approved_at:%Y-%m-%d}"
    waits = f"written by {newest.written_by} on {newest.written_at:%Y-%m-%d}, waits for approval"
    return f"{waits}; an older one is in use" if another_counts else waits


@reason.command("set")
@CODE
@click.option("--label", callback=_field(checked_label), help="Its name, as your people read it.")
@click.option(
    "--explanation", callback=_field(checked_explanation), help="For your people: what it means, what to do."
)
@click.option(
    "--never-tell/--may-tell", default=None, help="Whether telling the customer could be tipping off."
)
@by_whom
def set_reason(
    code: str, label: str | None, explanation: str | None, never_tell: bool | None, by: str
) -> None:
    """Name or explain a reason, or say that customers must never be told it. An empty text takes it away."""
    if label is None and explanation is None and never_tell is None:
        raise click.UsageError("Say what to set: --label, --explanation, --never-tell or --may-tell.")
    with in_words():
        prepare(database())
        with writing() as connection:
            known_user(connection, by, EDIT if never_tell is None else APPROVE)
            describe_reason(connection, code, by, datetime.now(UTC), label, never_tell, explanation)
            _show(connection, code)


@reason.command("text")
@CODE
@LANGUAGE_OPTION
@click.option("--text", help="What customers shall read; else it is read from standard input.")
@by_whom
def add_text(code: str, language: str, text: str | None, by: str) -> None:
    """Write what customers shall read. It counts once a second person has approved it."""
    with in_words():
        written = WrittenText(language, _checked(sys.stdin.read() if text is None else text), by)
        prepare(database())
        with writing() as connection:
            known_user(connection, by, EDIT)
            write_text(connection, code, written, datetime.now(UTC))
        click.echo(f"Written for {code} in {language}. Customers read it once a second person approves it:")
        click.echo(f"kybdesk reason approve {code} --language {language} --by EMAIL")


def _checked(text: str) -> str:
    try:
        return checked_text(text)
    except FieldError as error:
        raise click.UsageError(f"The text {error.why}.") from None


@reason.command("approve")
@CODE
@LANGUAGE_OPTION
@by_whom
@click.option("--yes", is_flag=True, help="Do not ask.")
def approve(code: str, language: str, by: str, yes: bool) -> None:
    """Approve the newest text in a language, which somebody else has written."""
    with in_words():
        prepare(database())
        with writing() as connection:
            known_user(connection, by, APPROVE)
            newest = _waiting(connection, code, language, by)
        click.echo(f"{code} in {language}, written by {newest.written_by}:\n\n{newest.text}\n")
        if not yes:
            click.confirm("May customers read this?", abort=True)
        with writing() as connection:
            _approve(connection, newest.id, by)
        click.echo(f"Approved by {by}. {_from_now_on(code)}")


def _approve(connection: Connection, text_id: int, by: str) -> None:
    known_user(connection, by, APPROVE)
    try:
        if not approve_text(connection, text_id, by, datetime.now(UTC)):
            raise click.ClickException("Somebody else has just approved it.")
    except OwnTextError as error:
        raise click.ClickException(str(error)) from None


def _from_now_on(code: str) -> str:
    with writing() as connection:
        found = find_reason(connection, code)
    if found is not None and found.never_tell:
        return (
            "But this reason must never be told: customers don't read it (kybdesk reason set … --may-tell)."
        )
    return "Customers with this reason read it from now on."


def _waiting(connection: Connection, code: str, language: str, by: str) -> TextVersion:
    """Raises ClickException where there is none, or none that this person may approve."""
    newest = next((each for each in newest_texts(connection, code) if each.language == language), None)
    if newest is None:
        raise click.ClickException(f"There is no text for {code} in {language}.")
    if newest.approved_at is not None:
        raise click.ClickException(
            f"The newest text for {code} in {language} is approved already, by {newest.approved_by}."
        )
    if newest.is_by(by):
        raise click.ClickException(f"{by} has written this text: a second person has to approve it.")
    return newest
