"""The `kybdesk` command says in a line what a person can set right, and never a secret."""

import getpass
import re
import shlex
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from dashboard.auth import people
from dashboard.auth.users import add_user
from dashboard.cli import common, main, pauses, reasons
from receiver import models
from receiver.database import Database
from receiver.reasons import WrittenText, write_text
from tests.desk import PASSWORD, Desk
from tests.factories import writing
from tests.receiver.factories import SECRET


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_serving_without_a_secret_says_where_to_get_one(desk: Desk) -> None:
    del desk.environment["VOVE_WEBHOOK_SECRET"]
    ended = desk.command("serve")
    assert ended.returncode == 1
    assert "VOVE_WEBHOOK_SECRET is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_malformed_secret_is_not_printed(desk: Desk) -> None:
    desk.environment["VOVE_WEBHOOK_SECRET"] = "hunter2"
    ended = desk.command("serve")
    assert ended.returncode == 1
    assert "hunter2" not in ended.stderr + ended.stdout


def test_a_user_is_added_with_a_password_from_standard_input(desk: Desk) -> None:
    added = desk.command(
        "user", "add", "Ana@Example.com", "--role", "viewer", "--password-stdin", given="a long password\n"
    )
    assert added.returncode == 0, added.stderr
    (row,) = desk.rows("SELECT * FROM users")
    assert (row["email"], row["role"]) == ("ana@example.com", "viewer")
    assert "a long password" not in row["password_hash"]
    (noted,) = desk.rows("SELECT * FROM activities")
    assert (noted["kind"], noted["subject"], noted["detail"]) == ("user added", "ana@example.com", "viewer")
    assert noted["by"] == f"kybdesk user add ({getpass.getuser()})"


@pytest.mark.parametrize(
    ("email", "password", "why"),
    [("nobody", "a long password", "address"), ("ana@example.com", "short", "12 characters")],
)
def test_a_user_that_cannot_be_is_refused_in_words(desk: Desk, email: str, password: str, why: str) -> None:
    added = desk.command("user", "add", email, "--role", "viewer", "--password-stdin", given=password + "\n")
    assert added.returncode == 1
    assert why in added.stderr
    assert "Traceback" not in added.stderr


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("nobody", "'nobody' is no e-mail address"),
        ("ana@example..com", "'ana@example..com' is no e-mail address"),
        ("Ana@Example.com", "There is already a user ana@example.com"),
    ],
)
def test_who_cannot_be_added_is_refused_before_a_password_is_asked_for(
    desk: Desk, email: str, why: str
) -> None:
    desk.add_user()
    refused = desk.command("user", "add", email, "--role", "viewer")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"Error: {why}\n")


def test_a_user_is_added_with_a_link_in_place_of_a_password(desk: Desk) -> None:
    added = desk.command("user", "add", "bo@example.com", "--role", "lead", "--link")
    assert re.fullmatch(rf"{desk.dashboard}/password/[\w-]{{43}}\n", added.stdout), added.stderr
    assert "once, within 3 days" in added.stderr
    [listed] = desk.command("user", "list").stdout.splitlines()
    assert listed == "bo@example.com  lead  has no password yet  not here yet"
    [noted] = desk.rows("SELECT kind, subject, detail, by FROM activities")
    assert tuple(noted)[:3] == ("user added", "bo@example.com", "lead")
    both = desk.command("user", "add", "cy@example.com", "--role", "lead", "--link", "--password-stdin")
    assert (both.returncode, len(desk.rows("SELECT 1 FROM users"))) == (2, 1)


AS_ON_THE_PAGES = {
    "pause": (("pause", "--reason", "Stop"), "viewer"),
    "resume": (("resume",), "viewer"),
    "text": (("reason", "text", "X", "--language", "en", "--text", "Told"), "viewer"),
    "set": (("reason", "set", "X", "--label", "A label"), "viewer"),
    "never tell": (("reason", "set", "X", "--never-tell"), "operator"),
    "may tell": (("reason", "set", "X", "--may-tell"), "operator"),
    "approve": (("reason", "approve", "X", "--language", "en", "--yes"), "operator"),
}


@pytest.mark.parametrize("name", AS_ON_THE_PAGES)
def test_a_command_does_nothing_for_who_may_not_do_it_on_the_pages(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for command in (pauses, reasons):
        monkeypatch.setattr(command, "database", lambda: database)
    monkeypatch.setattr(common, "database", lambda: database)
    (first, *arguments), too_little = AS_ON_THE_PAGES[name]
    with writing(database) as connection:
        add_user(connection, "low@example.com", too_little, PASSWORD)
        for email, password in (
            ("lea@example.com", PASSWORD),
            ("dora@example.com", PASSWORD),
            ("new@example.com", None),
        ):
            add_user(connection, email, "lead", password)
        people.disable_user(connection, "dora@example.com", "kybdesk", datetime.now(UTC))
        write_text(connection, "X", WrittenText("en", "Old", "bea@example.com"), datetime.now(UTC))

    def by(email: str) -> Result:
        return CliRunner().invoke(main.commands[first], [*arguments, "--by", email])

    before = _facts(database)
    for email, why in (
        ("ghost@example.com", "There is no user ghost@example.com"),
        ("dora@example.com", "dora@example.com may not sign in"),
        ("new@example.com", "new@example.com has no password yet"),
        ("low@example.com", "low@example.com may "),
    ):
        refused = by(email)
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1), refused.output
        assert refused.output.startswith(f"Error: {why}")
    assert _facts(database) == before
    assert by("LEA@example.com").exit_code == 0


def _facts(database: Database) -> list[list[tuple[object, ...]]]:
    with writing(database) as connection:
        tables = (models.activities, models.reasons, models.reason_texts, models.pauses)
        return [[tuple(row) for row in connection.execute(select(table))] for table in tables]


def test_the_demo_takes_the_port_of_the_environment_and_says_where_it_is_taken(desk: Desk) -> None:
    with closing(socket.create_server(("127.0.0.1", desk.ports["dashboard"]))):
        ended = desk.command("demo")
    assert ended.returncode == 1
    assert f"Port {desk.ports['dashboard']} can't be used (Address already in use)" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_role_that_there_is_not_is_refused(desk: Desk) -> None:
    added = desk.command("user", "add", "ana@example.com", "--role", "king", "--password-stdin", given="x\n")
    assert added.returncode == 2
    assert "viewer" in added.stderr


def test_sending_to_nobody_says_so(desk: Desk) -> None:
    sent = desk.command("send", "--ref-id", "acme", "--status", "IN_PROGRESS")
    assert sent.returncode == 1
    assert "can't be reached" in sent.stderr


def test_the_curl_command_is_one_that_a_shell_takes(desk: Desk) -> None:
    printed = desk.command("send", "--ref-id", "o'neil & sons", "--status", "IN_PROGRESS", "--curl").stdout
    words = shlex.split(printed.replace("\\\n", " "))
    assert words[:2] == ["curl", "-i"]
    assert '{"refId": "o\'neil & sons", "status": "IN_PROGRESS", "previousStatus": "NOT_STARTED"}' in words
    assert SECRET not in printed


def test_rebuilding_finds_and_mends_a_case_that_is_not_what_its_events_say(desk: Desk) -> None:
    assert desk.command("migrate").returncode == 0
    with closing(sqlite3.connect(desk.directory / "kybdesk.db")) as connection:
        connection.executescript(
            """
            INSERT INTO events (svix_id, family, ref_id, ref_key, status, previous_status, first_attempt_at,
                                received_at, late, body, body_sha256, delivery_count)
            VALUES ('msg_1', 'kyb', 'acme', x'00', 'IN_PROGRESS', 'NOT_STARTED', 1000000,
                    1000000, 0, x'', x'', 1);
            """
        )
    checked = desk.command("rebuild-cases", "--check")
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (1, "differs: acme")
    assert desk.command("rebuild-cases").returncode == 0
    assert desk.command("rebuild-cases", "--check").returncode == 0
    assert desk.rows("SELECT status FROM cases")[0]["status"] == "IN_PROGRESS"


def test_a_port_that_is_taken_is_named(desk: Desk) -> None:
    with closing(socket.create_server(("127.0.0.1", desk.ports["receiver"]))):
        ended = desk.command("serve", "receiver")
    assert ended.returncode != 0
    assert "address already in use" in ended.stderr


def test_no_handlers_is_no_error(desk: Desk) -> None:
    listed = desk.command("handlers")
    assert (listed.returncode, "KYBDESK_HANDLERS" in listed.stdout) == (0, True)


def test_the_list_of_handlers_tells_what_is_paused_and_needs_no_database(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        "from receiver.handlers import handles\n\n@handles('REJECTED')\ndef tell(event, context): ...\n",
    )
    alone = desk.command("handlers")
    assert (alone.returncode, "paused" in alone.stdout) == (0, False)
    assert not (tmp_path / "kybdesk.db").exists()
    desk.add_user()
    desk.command("pause", "--reason", "The text is wrong", "--by", "ana@example.com")
    listed = desk.command("handlers")
    assert listed.returncode == 0, listed.stderr
    assert "paused  all handlers  by ana@example.com" in listed.stdout
    assert "The text is wrong" in listed.stdout


def test_who_there_is_is_listed_in_words(desk: Desk) -> None:
    assert "nobody yet" in desk.command("user", "list").stdout
    for email, role in (("ana@example.com", "admin"), ("bo@example.com", "viewer")):
        desk.command("user", "add", email, "--role", role, "--password-stdin", given="a long password\n")
    assert desk.command("user", "role", "Bo@example.com", "lead").returncode == 0
    assert desk.command("user", "disable", "bo@example.com").returncode == 0
    assert desk.command("user", "list").stdout.splitlines() == [
        "ana@example.com  admin  may sign in  not here yet",
        "bo@example.com  lead  may not sign in  not here yet",
    ]
    assert desk.command("user", "enable", "bo@example.com").returncode == 0
    noted = [(row["kind"], row["subject"], row["by"]) for row in desk.rows("SELECT * FROM activities")]
    assert noted[2:] == [
        (kind, "bo@example.com", f"kybdesk user {verb} ({getpass.getuser()})")
        for kind, verb in (("role changed", "role"), ("user disabled", "disable"), ("user enabled", "enable"))
    ]


def test_the_only_administrator_stays_on_the_command_line_too(desk: Desk) -> None:
    desk.command(
        "user", "add", "ana@example.com", "--role", "admin", "--password-stdin", given="a long password\n"
    )
    for arguments in (["role", "ana@example.com", "lead"], ["disable", "ana@example.com"]):
        refused = desk.command("user", *arguments)
        assert refused.returncode == 1
        assert "only administrator who may sign in" in refused.stderr
        assert "Traceback" not in refused.stderr
    [row] = desk.rows("SELECT role, disabled_at FROM users")
    assert tuple(row) == ("admin", None)


def test_a_link_is_printed_alone_with_the_address_of_the_desk(desk: Desk) -> None:
    desk.environment["KYBDESK_DASHBOARD_URL"] = "https://kyb.example.com"
    desk.command(
        "user", "add", "ana@example.com", "--role", "admin", "--password-stdin", given="a long password\n"
    )
    printed = desk.command("user", "link", "ana@example.com")
    assert re.fullmatch(r"https://kyb\.example\.com/password/[\w-]{43}\n", printed.stdout)
    assert "once, within 3 days" in printed.stderr
    [row] = desk.rows("SELECT detail, subject FROM activities WHERE kind = 'link made'")
    assert tuple(row) == (None, "ana@example.com")
    missing = desk.command("user", "link", "eve@example.com")
    assert missing.returncode == 1
    assert "There is no user eve@example.com" in missing.stderr
