"""What may be said of a reason, on each database."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from receiver.database import Database
from receiver.handlers import Reason
from receiver.models import activities, metadata, reason_texts, reasons
from receiver.reasons import (
    LONGEST_CODE,
    OwnTextError,
    WrittenText,
    all_texts,
    approve_text,
    describe_reason,
    edit_description,
    find_description,
    find_reason,
    must_not_be_told,
    newest_texts,
    note_seen,
    replace_text,
    write_text,
)
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


def test_a_version_after_which_another_one_was_written_is_not_approved(connection: Connection) -> None:
    older, newer = written(connection, "first"), written(connection, "second")
    assert not approved(connection, older)
    assert approved(connection, newer)
    assert not approved(connection, older, hours=1)
    assert texts(connection) == {"en": "second"}


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


ANA, BEN = "ana@example.com", "ben@example.com"


def noted(connection: Connection) -> list[tuple[str, str, str, str]]:
    rows = connection.execute(select(activities).order_by(activities.c.id))
    return [(row.by, row.kind, row.subject, row.detail) for row in rows]


@pytest.mark.parametrize("person", [ANA, "Ana@Example.com"])
def test_who_wrote_a_text_can_not_approve_it(connection: Connection, person: str) -> None:
    text_id = written(connection, "Please")
    with pytest.raises(OwnTextError, match="second person"):
        approve_text(connection, text_id, person, NOON)
    assert texts(connection) == {}
    assert approve_text(connection, text_id, BEN, NOON)
    assert not approve_text(connection, text_id, person, NOON)  # too late to be refused: it is approved


def test_there_is_nothing_to_approve_where_there_is_no_text(connection: Connection) -> None:
    assert not approve_text(connection, 4711, BEN, NOON)


def test_what_is_done_twice_is_written_and_noted_once(connection: Connection) -> None:
    for _ in range(2):
        describe_reason(connection, CODE, ANA, NOON, label="Documents", explanation="Ask.", never_tell=True)
        text_id = written(connection, "Please")
        approved(connection, text_id)
    assert len(all_texts(connection, CODE)) == 1
    assert noted(connection) == [
        (ANA, "described", CODE, "label “Documents”, explanation, never tell the customer"),
        (ANA, "text written", CODE, "en"),
        (BEN, "text approved", CODE, "en"),
    ]


def test_a_label_and_an_explanation_can_be_taken_away(connection: Connection) -> None:
    describe_reason(connection, CODE, ANA, NOON, label="Documents", explanation="Ask.")
    describe_reason(connection, CODE, BEN, NOON + HOUR, label="", explanation="")
    known = find_description(connection, CODE)
    assert known is not None
    assert (known.label, known.explanation, known.updated_by) == (None, None, BEN)
    assert noted(connection)[-1][-1] == "no label, no explanation"


def test_who_saw_an_older_description_does_not_write_over_the_newer_one(connection: Connection) -> None:
    def edited(label: str, hours: int | None, by: str = ANA, now: int = 5) -> bool:
        as_of = None if hours is None else NOON + hours * HOUR
        return edit_description(connection, CODE, {"label": label}, as_of, by, NOON + now * HOUR)

    assert edited("", None)
    assert find_description(connection, CODE) is None
    assert edited("First", None, now=1)
    assert not edited("Other", None)
    assert edited("First", None)  # as after a double click
    assert edited("Second", 1, BEN, now=2)
    assert not edited("Third", 1)
    known = find_description(connection, CODE)
    assert known is not None
    assert (known.label, known.updated_by) == ("Second", BEN)


def test_who_only_wrote_a_text_has_described_nothing(connection: Connection) -> None:
    written(connection, "Please")
    assert edit_description(connection, CODE, {"label": "First"}, None, BEN, NOON + HOUR)


def test_who_did_not_see_the_newest_text_does_not_write_over_it(connection: Connection) -> None:
    def replaced(text: str, seen: int | None, by: str = ANA) -> bool:
        return replace_text(connection, CODE, WrittenText("en", text, by), seen, NOON)

    assert replaced("first", None)
    assert replaced("first", None)  # as after a double click
    (first,) = newest_texts(connection, CODE)
    assert not replaced("second", None, BEN)
    assert replaced("second", first.id, BEN)
    assert not replaced("third", first.id)
    assert [version.text for version in all_texts(connection, CODE)] == ["second", "first"]


def test_a_reason_longer_than_a_code_is_known_by_its_first_characters(connection: Connection) -> None:
    whole = "The document " + "x" * 300
    code = whole[:LONGEST_CODE]
    describe_reason(connection, code, ANA, NOON, label="Unreadable")
    text_id = write_text(connection, code, WrittenText("en", "Please", ANA), NOON)
    approved(connection, text_id)
    assert find_reason(connection, whole) == Reason(whole, "Unreadable", False, {"en": "Please"})
    describe_reason(connection, code, ANA, NOON, never_tell=True)
    assert must_not_be_told(connection, whole)


def test_reasons_that_are_seen_are_noted_with_their_first_case(connection: Connection) -> None:
    note_seen(connection, [], NOON)
    note_seen(connection, [("B", "b-1"), ("A", "a-1"), ("B", "b-2")], NOON)
    note_seen(connection, [("A", "a-2")], NOON + HOUR)
    rows = connection.exec_driver_sql("SELECT code, first_at < last_at, ref_id FROM seen_reasons ORDER BY 1")
    assert [(code, bool(again), ref) for code, again, ref in rows] == [
        ("A", True, "a-1"),
        ("B", False, "b-1"),
    ]


PEOPLE, LANGUAGES = st.sampled_from(["ana", "ben", "cy"]), st.sampled_from(["en", "de"])
STEPS = st.one_of(
    st.tuples(st.just("write"), PEOPLE, LANGUAGES, st.sampled_from("abc")),
    st.tuples(st.just("approve"), PEOPLE, st.integers(1, 12), st.none()),
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_customers_read_what_was_approved_last_by_somebody_else_than_its_writer(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    engine = create_engine("sqlite://")
    metadata.create_all(engine, tables=[reasons, reason_texts, activities])
    versions: list[tuple[str, str, str]] = []  # language, text, writer; the id is the place, from 1
    done: set[int] = set()
    read: dict[str, str] = {}
    with engine.begin() as connection:
        for hours, (verb, person, what, text) in enumerate(steps):
            now = NOON + hours * HOUR
            if verb == "write":
                newest = next((each for each in reversed(versions) if each[0] == what), None)
                if newest is None or newest[1] != text:
                    versions.append((what, text, person))
                write_text(connection, CODE, WrittenText(what, text, person), now)
            elif (
                what <= len(versions)
                and what not in done | older(versions)
                and versions[what - 1][2] == person
            ):
                with pytest.raises(OwnTextError):
                    approve_text(connection, what, person, now)
            else:
                waits = what <= len(versions) and what not in done | older(versions)
                assert approve_text(connection, what, person, now) is waits
                if waits:
                    done.add(what)
                    read[versions[what - 1][0]] = versions[what - 1][1]
            known = find_reason(connection, CODE)
            assert known is not None
            assert known.customer_texts == read
    engine.dispose()


def older(versions: list[tuple[str, str, str]]) -> set[int]:
    """Those after which another one was written in the same language."""
    newest = {language: number for number, (language, *_) in enumerate(versions, 1)}
    return set(range(1, len(versions) + 1)) - set(newest.values())
