"""`kybdesk handlers` and `kybdesk try-handler`: what is there, and one call of it that nobody records."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from dashboard.cli import common, main
from receiver.database import Database
from receiver.models import RunState, metadata
from receiver.runs import idempotency_key
from tests.factories import HOSTILE, NOON, add_business, add_case, add_reason, add_run, writing

ACME = '''
import os, time
from receiver.handlers import Done, InDoubt, Message, NoRetry, RetryAfter, handles

@handles("COMPLETED", title="Enable the business account")
def enable(event, context):
    context.log.info("enabling %s in process %d", event.ref_id, os.getpid())
    return Done("The account is active", business={"account_status": "active", "access_granted": True})

@handles("REJECTED", leaving="COMPLETED", once=True)
def tell(event, context):
    """Says what it sees."""
    text = context.reason.customer_texts.get("en", "nothing") if context.reason else "no reason"
    message = Message(context.business.email or "nobody", "Your verification", "Dear customer,\\n" + text)
    return Done(" ".join(map(str, [event.ref_id, event.status, context.case.status, context.case_moved_on,
                                   context.try_number, context.idempotency_key])), messages=[message])

@handles("IN_REVIEW")
def fail(event, context):
    raise ConnectionError("the service answered \\x1b[31m503")

@handles("IN_REVIEW", once=True)
def doubt(event, context):
    raise InDoubt("the server fell silent")

@handles("IN_REVIEW")
def refuse(event, context):
    raise NoRetry("There is no such account")

@handles("IN_REVIEW")
def hang(event, context):
    print("waiting", flush=True)
    time.sleep(60)

@handles("IN_REVIEW")
def die(event, context):
    os._exit(7)
'''


class Shell:
    """Runs `kybdesk` in a directory with a module of handlers, in this process: it starts quicker."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self.directory, self._patch = directory, patch
        patch.chdir(directory)
        for name in [name for name in os.environ if name.startswith(("KYBDESK", "VOVE"))]:
            patch.delenv(name)
        self.write(ACME)
        self.set(KYBDESK_HANDLERS="acme", KYBDESK_ENVIRONMENT="trial", KYBDESK_HANDLER_TIMEOUT="1")

    def write(self, module: str) -> None:
        (self.directory / "acme.py").write_text(module)

    def set(self, **settings: str) -> None:
        for name, text in settings.items():
            self._patch.setenv(name, text)

    def command(self, *arguments: str, given: str = "") -> Result:
        common.settings.cache_clear()
        return CliRunner().invoke(main, arguments, input=given)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Without a database: nothing has been started yet."""
    yield Shell(tmp_path, monkeypatch)
    common.settings.cache_clear()


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All that there is."""
    with writing(database) as connection:
        tables = [table for table in metadata.sorted_tables if table.name != "revision"]
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


def test_the_handlers_are_listed_with_when_they_are_called_and_where_they_are(shell: Shell) -> None:
    shell.set(KYBDESK_HANDLERS="acme, record_progress")
    listed = shell.command("handlers")
    assert listed.exit_code == 0, listed.stderr
    heading, *table = [line.split("  ") for line in listed.stdout.splitlines()]
    found = [[cell.strip() for cell in line if cell] for line in [heading, *table]]
    assert found[0] == ["NAME", "WHEN", "TITLE", "ONCE", "MODULE"]
    assert ["enable", "COMPLETED", "Enable the business account", "acme"] in found
    assert ["tell", "REJECTED, leaving COMPLETED", "Tell", "once", "acme"] in found
    assert [line[-1] for line in found if line[:1] == ["record_progress"]] == ["shipped"]


@pytest.mark.parametrize(
    ("decorated", "unhandled"),
    [
        ('@handles("COMPLETED")', "IN_PROGRESS or IN_REVIEW or REJECTED"),
        ('@handles(leaving="COMPLETED")', "IN_PROGRESS or IN_REVIEW or COMPLETED or REJECTED"),
        ("@handles()", None),
    ],
)
def test_the_statuses_that_nobody_handles_are_named(
    shell: Shell, decorated: str, unhandled: str | None
) -> None:
    shell.write(f"from receiver.handlers import handles\n{decorated}\ndef f(event, context): ...\n")
    last = shell.command("handlers").stdout.splitlines()[-1]
    if unhandled:
        assert last == f"Nothing is done when a case becomes {unhandled}."
    else:
        assert "Nothing is done" not in last


def test_a_module_without_handlers_says_so(shell: Shell) -> None:
    shell.write("x = 1")
    listed = shell.command("handlers")
    assert (listed.exit_code, "nothing in acme is decorated" in listed.stdout) == (0, True)


def test_a_module_that_cannot_be_imported_is_named_with_its_line(shell: Shell) -> None:
    shell.write("import json\n\nnowhere.to_go()\n")
    listed = shell.command("handlers")
    assert (listed.exit_code, listed.stdout) == (1, "")
    said = "acme cannot be imported: NameError: name 'nowhere' is not defined (acme.py, line 3)"
    assert said in listed.stderr


def test_an_invented_event_needs_no_database_and_leaves_none(shell: Shell) -> None:
    tried = shell.command("try-handler", "enable", "--status", "COMPLETED", "--name", "ACME Ltd")
    assert tried.exit_code == 0, tried.stderr
    assert tried.stdout.startswith("This really calls enable (Enable the business account)")
    for said in (
        "COMPLETED after IN_REVIEW (invented, msg_",
        "business  ACME Ltd",
        "\nDone: The account is active\n",
        "    account_status: none → active\n    access_granted: no → yes\n",
        "INFO enabling try-",
    ):
        assert said in tried.stdout
    assert not (shell.directory / "kybdesk.db").exists()


def test_what_it_sends_is_shown(shell: Shell) -> None:
    arguments = ["--status", "REJECTED", "--ref-id", "acme-1", "--email", "owner@acme.example"]
    tried = shell.command("try-handler", "tell", *arguments)
    assert "Done: acme-1 REJECTED REJECTED False 1 " in tried.stdout
    sent = "    e-mail to owner@acme.example (en): Your verification\n\n    Dear customer,\n    no reason\n"
    assert sent in tried.stdout


@pytest.mark.parametrize(
    ("handler", "said", "next_to_come"),
    [
        (
            "fail",
            "Failed: ConnectionError: the service answered ⟨001B⟩[31m503",
            "tried again by itself in about",
        ),
        ("doubt", "In doubt: the server fell silent", "need a person"),
        ("refuse", "Failed: There is no such account", "need a person"),
        ("hang", "Took too long: did not finish within 1 s", "tried again by itself in about"),
        ("die", "Broke off: its process ended by itself with exit code 7", "tried again by itself in about"),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_pages_with_what_becomes_of_a_run(
    shell: Shell, handler: str, said: str, next_to_come: str
) -> None:
    tried = shell.command("try-handler", handler, "--status", "IN_REVIEW")
    assert tried.exit_code == 1
    assert f"\n{said}\n" in tried.stdout
    assert next_to_come in tried.stdout
    if handler == "fail":
        assert 'acme.py", line' in tried.stdout
    if handler == "hang":
        assert "Output\n    waiting\n" in tried.stdout


def test_a_status_for_which_it_would_not_be_called_is_told(shell: Shell) -> None:
    tried = shell.command("try-handler", "enable", "--status", "REJECTED")
    assert "The worker would not call it for this event: it is for COMPLETED." in tried.stdout
    left = shell.command("try-handler", "tell", "--status", "IN_REVIEW", "--previous-status", "COMPLETED")
    assert "would not call it" not in left.stdout


def test_an_invented_rejection_has_the_customer_text_that_was_approved(
    shell: Shell, database: Database
) -> None:
    with writing(database) as connection:
        add_reason(connection, "DOCUMENT_MISMATCH", en="Please send the extract again.")
    tried = shell.command("try-handler", "tell", "--status", "REJECTED", "--reason", "DOCUMENT_MISMATCH")
    assert "    Please send the extract again.\n" in tried.stdout


def test_a_reason_is_not_known_where_there_is_no_database(shell: Shell) -> None:
    tried = shell.command("try-handler", "tell", "--status", "REJECTED", "--reason", "DOCUMENT_MISMATCH")
    assert tried.exit_code == 0
    assert "The reason is not looked up: There is no database" in tried.stderr


@pytest.mark.parametrize("by", [lambda svix_id, number: svix_id, lambda svix_id, number: str(number)])
def test_a_stored_event_is_called_as_things_stand_and_nothing_is_written(
    shell: Shell, any_database: Database, by: Callable[[str, int], str]
) -> None:
    shell.set(KYBDESK_DATABASE_URL=any_database.url.render_as_string(hide_password=False))
    with writing(any_database) as connection:
        way = ("NOT_STARTED", "IN_REVIEW", "REJECTED", "IN_REVIEW")
        _, rejected, _ = add_case(connection, "ACME-1", way)
        add_run(connection, rejected, RunState.FAILED, handler="tell", tries=3, repeats=1)
        add_business(connection, "ACME-1", name="ACME Ltd", email="owner@acme.example")
    before = rows(any_database)
    svix_id = next(str(row[1]) for row in before["events"] if row[0] == rejected)
    tried = shell.command("try-handler", "tell", "--event", by(svix_id, rejected))
    assert tried.exit_code == 0, tried.stderr
    assert f"REJECTED after IN_REVIEW (stored, {svix_id})" in tried.stdout
    assert "business  ACME Ltd, owner@acme.example\n" in tried.stdout
    assert "The case has moved on since this event." in tried.stdout
    key = idempotency_key(svix_id, "tell", repeats=1)
    assert f"Done: ACME-1 REJECTED IN_REVIEW True 4 {key}\n" in tried.stdout
    assert "e-mail to owner@acme.example" in tried.stdout
    assert rows(any_database) == before


def test_what_strangers_wrote_does_nothing_to_the_terminal(shell: Shell, database: Database) -> None:
    with writing(database) as connection:
        [event] = add_case(connection, HOSTILE, ("IN_REVIEW", "REJECTED"), at=NOON)
    tried = shell.command("try-handler", "tell", "--event", str(event))
    assert tried.exit_code == 0
    assert "⟨202E⟩" in tried.stdout
    assert not {"\u202e", "\u0007"} & set(tried.stdout)


def test_in_production_it_asks_first(shell: Shell) -> None:
    shell.set(KYBDESK_ENVIRONMENT="production")
    arguments = ["try-handler", "enable", "--status", "COMPLETED"]
    refused = shell.command(*arguments, given="n\n")
    assert (refused.exit_code, "Done" in refused.stdout) == (1, False)
    assert shell.command(*arguments).exit_code == 1  # nobody is there to be asked
    assert "Done: " in shell.command(*arguments, given="y\n").stdout
    unasked = shell.command(*arguments, "--yes")
    assert (unasked.exit_code, "This is production" in unasked.stdout) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["enabel", "--status", "COMPLETED"], "There are enable, tell, fail, doubt, refuse, hang, die."),
        (["enable"], "--status"),
        (["enable", "--event", "1", "--name", "ACME"], "leave out --name"),
        (["enable", "--status", "COMPLETED", "--email", "nobody"], "--email: 'nobody' is no e-mail address"),
        (["enable", "--event", "9"], "There is no event 9"),
        (["enable", "--event", "9" * 30], "There is no event 999"),
        (["enable", "--event", "msg_x"], "There is no event msg_x"),
    ],
)
def test_what_cannot_be_tried_is_said_before_anything_is_called(
    shell: Shell, database: Database, arguments: list[str], said: str
) -> None:
    tried = shell.command("try-handler", *arguments)
    assert (tried.exit_code, tried.stdout) == (2, "")
    assert said in tried.stderr


def test_a_stored_event_without_a_database_is_a_line(shell: Shell) -> None:
    tried = shell.command("try-handler", "enable", "--event", "1")
    assert (tried.exit_code, tried.stdout) == (1, "")
    assert "There is no database at" in tried.stderr
    assert "Traceback" not in tried.stderr
