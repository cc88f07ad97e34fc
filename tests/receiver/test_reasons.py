"""What may be said of a reason, on each database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from receiver.database import Database
from receiver.handlers import Reason
from receiver.reasons import LONGEST_CODE, WrittenText, approve_text, describe_reason, find_reason, write_text
from tests.receiver.factories import NOON
from tests.receiver.workbench import HOUR, emptied

CODE = "DOCUMENT_MISMATCH"


@pytest.fixture
def connection(lasting_database: Database) -> Iterator[Connection]:
    with emptied(lasting_database) as engine, engine.begin() as connection:
        yield connection


def written(connection: Connection, text: str, language: str = "en") -> int:
    return write_text(connection, CODE, WrittenText(language, text, "ana@example.com"), NOON)


def approved(connection: Connection, text_id: int, hours: int = 0) -> bool:
    return approve_text(connection, text_id, "ben@example.com", NOON + hours * HOUR)


def texts(connection: Connection) -> dict[str, str]:
    reason = find_reason(connection, CODE)
    assert reason is not None
    return dict(reason.customer_texts)


def test_an_event_without_a_reason_has_none(connection: Connection) -> None:
    assert find_reason(connection, None) is None


@pytest.mark.parametrize("code", ["", "UNHEARD_OF", "x" * 100_000])
def test_a_reason_that_nobody_has_described_has_its_code(connection: Connection, code: str) -> None:
    assert find_reason(connection, code) == Reason(code)


def test_a_text_counts_once_a_person_has_approved_it(connection: Connection) -> None:
    text_id = written(connection, "Please send it again.")
    assert texts(connection) == {}
    assert approved(connection, text_id)
    assert not approved(connection, text_id)
    assert texts(connection) == {"en": "Please send it again."}


def test_a_new_version_leaves_the_approved_one_until_it_is_approved_itself(connection: Connection) -> None:
    approved(connection, written(connection, "first"))
    newer = written(connection, "second")
    assert texts(connection) == {"en": "first"}
    approved(connection, newer, hours=1)
    assert texts(connection) == {"en": "second"}


def test_of_two_versions_the_one_that_was_approved_last_counts(connection: Connection) -> None:
    older, newer = written(connection, "first"), written(connection, "second")
    approved(connection, newer)
    approved(connection, older, hours=1)
    assert texts(connection) == {"en": "first"}


def test_each_language_has_a_text_of_its_own(connection: Connection) -> None:
    approved(connection, written(connection, "Please"))
    approved(connection, written(connection, "Bitte", "de"))
    written(connection, "Por favor", "pt-br")
    assert texts(connection) == {"en": "Please", "de": "Bitte"}


def test_what_is_described_stays_where_only_something_else_is_said(connection: Connection) -> None:
    describe_reason(connection, CODE, "ana@example.com", NOON, never_tell=True)
    describe_reason(connection, CODE, "ana@example.com", NOON, label="Documents don't match")
    assert find_reason(connection, CODE) == Reason(CODE, "Documents don't match", never_tell=True)
    describe_reason(connection, CODE, "ana@example.com", NOON, never_tell=False)
    assert find_reason(connection, CODE) == Reason(CODE, "Documents don't match")


def test_a_text_that_is_written_does_not_lift_the_ban_on_telling(connection: Connection) -> None:
    describe_reason(connection, CODE, "ana@example.com", NOON, never_tell=True)
    approved(connection, written(connection, "Please"))
    reason = find_reason(connection, CODE)
    assert reason is not None
    assert reason.never_tell


@pytest.mark.parametrize("typed", [CODE.lower(), f" {CODE}\t", "Document mismatch", "DOCUMENT-MISMATCH"])
def test_a_ban_on_telling_holds_however_the_code_was_typed(connection: Connection, typed: str) -> None:
    approved(connection, written(connection, "Please"))
    describe_reason(connection, "DOCUMENT", "ana@example.com", NOON, never_tell=True)
    reason = find_reason(connection, CODE)
    assert reason is not None
    assert not reason.never_tell
    describe_reason(connection, typed, "ana@example.com", NOON, never_tell=True)
    reason = find_reason(connection, CODE)
    assert reason is not None
    assert reason.never_tell


@pytest.mark.parametrize("code", ["", "x" * (LONGEST_CODE + 1)])
def test_what_can_be_no_code_is_not_described(connection: Connection, code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        describe_reason(connection, code, "ana@example.com", NOON)
