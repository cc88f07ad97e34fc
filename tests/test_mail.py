"""The whole way of a mail: from a signed webhook over the worker and a real mail server to its row, and to
what a person reads where it was not sent. With real processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from receiver.database import Database
from tests import factories
from tests.desk import Desk, eventually, running, signed_in
from tests.mail_server import DROP, HANG, HOST, mailbox, moody

OWNER = "owner@acme.example"
BY_AGE = "SELECT runs.* FROM runs JOIN (SELECT COUNT(*) AS n FROM runs) ON n = 2 ORDER BY id"
LAST_ATTEMPT = "SELECT * FROM attempts ORDER BY id DESC LIMIT 1"


def mailing(directory: Path, port: int, **settings: str) -> Desk:
    usual = {
        "KYBDESK_HANDLERS": "notify_customer",
        "KYBDESK_HANDLER_TIMEOUT": "10",
        "KYBDESK_SMTP_HOST": HOST,
        "KYBDESK_SMTP_PORT": str(port),
        "KYBDESK_SMTP_SECURITY": "none",
        "KYBDESK_MAIL_FROM": "Acme Bank <kyb@bank.example>",
        "KYBDESK_SUPPORT_URL": "https://help.bank.example/kyb",
    }
    return Desk(directory, **usual | settings)


@contextmanager
def directory_of(desk: Desk) -> Iterator[Any]:
    with factories.writing(Database(make_url(f"sqlite+aiosqlite:///{desk.directory}/kybdesk.db"))) as writing:
        yield writing


def the_run(desk: Desk, state: str) -> Any:
    (run,) = eventually(lambda: desk.rows("SELECT * FROM runs WHERE state = ?", state))
    return run


def test_a_rejected_customer_is_told_once_what_was_missing_is_there(tmp_path: Path) -> None:
    with mailbox() as box, running(mailing(tmp_path, box.port)) as desk, signed_in(desk) as browser:
        assert desk.send("acme", "REJECTED", reason="DOCUMENT_MISMATCH").text == "accepted"

        # Nothing is known of the customer, so nothing is sent, and a person reads all that is missing.
        run = the_run(desk, "failed")
        assert run["tries"] == 1
        page = browser.get(f"/runs/{run['id']}").text
        assert "The business has no e-mail address" in page
        assert "No customer text is approved" in page
        assert box.mails == []

        # Two people write and approve the text, one enters the address; a click sends the mail.
        desk.add_user("lead", "ben@example.com")
        text = ("reason", "text", "DOCUMENT_MISMATCH", "--language", "de", "--by", "ana@example.com")
        assert desk.command(*text, given="Ein Dokument passt nicht.\n").returncode == 0
        approve = ("reason", "approve", "DOCUMENT_MISMATCH", "--language", "de", "--by", "ben@example.com")
        assert desk.command(*approve, given="y\n").returncode == 0
        with directory_of(desk) as connection:
            factories.add_business(connection, "acme", name="Acme GmbH", email=OWNER, language="de-at")
        again = browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
        assert again.status_code == 303

        assert the_run(desk, "succeeded")["summary"] == f"E-mail sent to {OWNER}"
        (mail,), (message,) = box.mails, desk.rows("SELECT * FROM messages")
        assert mail["To"] == message["recipient"] == OWNER
        assert mail["Subject"] == message["subject"] == "Wir konnten Ihr Unternehmen nicht verifizieren"
        assert "Ein Dokument passt nicht." in message["text"]
        assert (message["language"], message["channel"], message["number"]) == ("de", "e-mail", 2)


def test_a_mail_that_may_have_been_sent_is_not_sent_again_by_itself(tmp_path: Path) -> None:
    with (
        moody(DATA=DROP) as server,
        running(mailing(tmp_path, server.port, KYBDESK_RETRY_DELAYS="1,1,1,1")) as desk,
        signed_in(desk) as browser,
    ):
        with directory_of(desk) as connection:
            factories.add_business(connection, "acme", email=OWNER)
        assert desk.send("acme", "COMPLETED").text == "accepted"

        # Before the content, the connection is lost: the schedule tries again.
        (first,) = eventually(lambda: desk.rows(LAST_ATTEMPT))
        assert first["outcome"] == "failed"
        assert "broke off the connection. Nothing was sent" in first["error"]
        server.moods = {"content": HANG}

        # After it, nobody knows: a person is needed, and reads why.
        run = the_run(desk, "failed")
        assert run["tries"] == len(desk.rows("SELECT 1 FROM attempts"))
        (last,) = desk.rows(LAST_ATTEMPT)
        assert last["outcome"] == "in doubt"
        assert f"The mail to {OWNER} may have been sent: the mail server fell silent" in last["error"]
        assert len(server.contents) == 1
        assert desk.rows("SELECT * FROM messages") == []

        # Sent again by a person, it can be recognised as the same mail.
        server.moods = {}
        browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
        the_run(desk, "succeeded")
        assert len(desk.rows("SELECT * FROM messages")) == 1
        first_id, second_id = (message_from_bytes(each)["Message-ID"] for each in server.contents)
        assert first_id == second_id


def test_a_move_that_vove_tells_twice_is_told_to_the_customer_once(tmp_path: Path) -> None:
    with mailbox() as box, running(mailing(tmp_path, box.port)) as desk:
        with directory_of(desk) as connection:
            factories.add_business(connection, "acme", email=OWNER)
        for _ in range(2):
            assert desk.send("acme", "COMPLETED").text == "accepted"
        done = eventually(
            lambda: [] if desk.rows("SELECT 1 FROM runs WHERE finished_at IS NULL") else desk.rows(BY_AGE)
        )
        assert [run["state"] for run in done] == ["succeeded", "succeeded"]
        assert [run["summary"].partition(":")[0] for run in done] == [
            f"E-mail sent to {OWNER}",
            "Nothing was sent for this",
        ]
        assert len(box.mails) == 1
