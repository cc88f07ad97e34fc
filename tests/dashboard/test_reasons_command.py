"""`kybdesk reason`: what customers may read, written by one person and approved by another."""

from pathlib import Path

import pytest

from tests.desk import Desk

ANA, BEN = "ana@example.com", "ben@example.com"
CODE = "DOCUMENT_MISMATCH"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for email in (ANA, BEN):
        desk.add_user("lead", email)
    return desk


def write(desk: Desk, text: str, by: str = ANA, language: str = "de") -> None:
    written = desk.command("reason", "text", CODE, "--language", language, "--by", by, given=text)
    assert written.returncode == 0, written.stderr


def test_a_text_counts_once_a_second_person_has_read_and_approved_it(desk: Desk) -> None:
    write(desk, "Ein Dokument\r\npasst nicht.\n")
    assert "waits for approval" in desk.command("reason", "list").stdout
    approve = ("reason", "approve", CODE, "--language", "DE", "--by")
    own = desk.command(*approve, "Ana@Example.com", "--yes")
    assert own.returncode == 1
    assert "a second person has to approve it" in own.stderr

    declined = desk.command(*approve, BEN, given="n\n")
    assert declined.returncode == 1
    assert desk.rows("SELECT approved_by FROM reason_texts")[0]["approved_by"] is None

    approved = desk.command(*approve, BEN, given="y\n")
    assert approved.returncode == 0
    assert f"{CODE} in de, written by {ANA}:\n\nEin Dokument\npasst nicht.\n" in approved.stdout
    (row,) = desk.rows("SELECT * FROM reason_texts")
    assert (row["text"], row["written_by"], row["approved_by"]) == ("Ein Dokument\npasst nicht.", ANA, BEN)
    assert f"  de  approved by {BEN} on " in desk.command("reason", "list").stdout

    again = desk.command(*approve, BEN, "--yes")
    assert again.returncode == 1
    assert "approved already" in again.stderr


def test_a_newer_text_waits_while_the_older_one_is_in_use(desk: Desk) -> None:
    write(desk, "old")
    assert desk.command("reason", "approve", CODE, "--language", "de", "--by", BEN, "--yes").returncode == 0
    write(desk, "new", by=BEN)
    assert "waits for approval; an older one is in use" in desk.command("reason", "list").stdout
    assert "new" in desk.command("reason", "approve", CODE, "--language", "de", "--by", ANA, "--yes").stdout
    texts = desk.rows("SELECT text, approved_by FROM reason_texts ORDER BY id")
    assert [tuple(row) for row in texts] == [("old", BEN), ("new", ANA)]


def test_a_reason_is_named_and_marked(desk: Desk) -> None:
    assert "No reason is described yet" in desk.command("reason", "list").stdout
    named = desk.command("reason", "set", CODE, "--label", "Document mismatch", "--never-tell", "--by", ANA)
    assert named.stdout.startswith(f"{CODE}  Document mismatch  never tell the customer\n  no customer text")
    write(desk, "Ein Dokument")
    approved = desk.command("reason", "approve", CODE, "--language", "de", "--by", BEN, "--yes").stdout
    assert "customers don't read it" in approved
    assert "never" not in desk.command("reason", "set", CODE, "--may-tell", "--by", BEN).stdout
    (row,) = desk.rows("SELECT * FROM reasons")
    assert (row["label"], row["never_tell"], row["updated_by"]) == ("Document mismatch", 0, BEN)


def test_a_reason_is_explained_and_what_was_said_can_be_taken_away(desk: Desk) -> None:
    set_reason = ("reason", "set", CODE, "--by", ANA)
    assert desk.command(*set_reason, "--label", "Documents", "--explanation", "Ask\r\nagain.").returncode == 0
    (row,) = desk.rows("SELECT * FROM reasons")
    assert (row["label"], row["explanation"]) == ("Documents", "Ask\nagain.")
    assert desk.command(*set_reason, "--label", "").stdout == f"{CODE}\n  no customer text\n"
    (row,) = desk.rows("SELECT * FROM reasons")
    assert (row["label"], row["explanation"]) == (None, "Ask\nagain.")
    described = "SELECT by, kind, subject, detail FROM activities WHERE kind = 'described' ORDER BY id"
    done = desk.rows(described)
    assert [tuple(row) for row in done] == [
        (ANA, "described", CODE, "label “Documents”, explanation"),
        (ANA, "described", CODE, "no label"),
    ]


@pytest.mark.parametrize(
    ("arguments", "given", "why"),
    [
        (("text", CODE, "--language", "german", "--by", ANA), "x", "language code"),
        (("text", CODE, "--language", "de", "--by", "nobody"), "x", "e-mail address"),
        (("text", CODE, "--language", "de", "--by", ANA), " \n", "empty"),
        (("text", CODE, "--language", "de", "--by", ANA), "x" * 5001, "longer than 5,000"),
        (("text", "", "--language", "de", "--by", ANA), "x", "as VOVE sends it"),
        (("set", CODE, "--by", ANA), "", "Say what to set"),
        (("set", CODE, "--label", "a\nb", "--by", ANA), "", "one line"),
        (("set", CODE, "--explanation", "x" * 5001, "--by", ANA), "", "longer than 5,000"),
        (("approve", CODE, "--language", "de", "--by", ANA), "", "There is no text for"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    desk: Desk, arguments: tuple[str, ...], given: str, why: str
) -> None:
    refused = desk.command("reason", *arguments, given=given)
    assert refused.returncode != 0
    assert why in refused.stderr
    assert "Traceback" not in refused.stderr
    assert desk.rows("SELECT * FROM reason_texts") == []
