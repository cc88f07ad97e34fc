"""Notes and assignments, on each database."""

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from receiver.activity import Kind
from receiver.casework import (
    MAX_NOTE,
    TWICE,
    Assigned,
    AssigneeError,
    NoCaseError,
    NotAssigned,
    NoteError,
    assign,
    write_note,
)
from receiver.database import Database
from receiver.models import activities, cases, users
from tests.factories import NOON, SECOND, add_case, writing

ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture
def database(any_database: Database) -> Database:
    """With one case, and two users."""
    with writing(any_database) as connection:
        add_case(connection)
        for email in (ANA, BEN):
            user = {"email": email, "role": "operator", "password_hash": "x", "created_at": NOON}
            connection.execute(users.insert().values(user))
    return any_database


def test_a_note_stands_with_its_author_and_its_time(database: Database) -> None:
    with writing(database) as connection:
        number = write_note(connection, "ACME-1", "  Called the owner.\r\nShe writes.  ", ANA, NOON)
        (activity,) = _activities(connection)
    assert (activity.id, activity.kind, activity.ref_id) == (number, Kind.NOTED, "ACME-1")
    assert (activity.by, activity.at, activity.detail) == (ANA, NOON, "Called the owner.\nShe writes.")


def test_a_double_click_writes_a_note_once(database: Database) -> None:
    with writing(database) as connection:
        first = write_note(connection, "ACME-1", "Called", ANA, NOON)
        assert write_note(connection, "ACME-1", "Called", ANA, NOON + SECOND) == first
        assert len(_activities(connection)) == 1


@pytest.mark.parametrize(
    ("text", "by", "later"),
    [("Wrote", ANA, SECOND), ("Called", BEN, SECOND), ("Called", ANA, TWICE + SECOND)],
)
def test_another_note_another_person_or_another_time_is_no_double_click(
    database: Database, text: str, by: str, later: Any
) -> None:
    with writing(database) as connection:
        write_note(connection, "ACME-1", "Called", ANA, NOON)
        write_note(connection, "ACME-1", text, by, NOON + later)
        assert len(_activities(connection)) == 2


def test_two_presses_at_the_same_moment_write_once(database: Database) -> None:
    """Each in a transaction of its own, of which the second one waits for the first."""
    start = threading.Barrier(2)

    def press() -> None:
        start.wait()
        with writing(database) as connection:
            write_note(connection, "ACME-1", "Called", ANA, NOON)

    presses = [threading.Thread(target=press) for _ in range(2)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    with writing(database) as connection:
        assert len(_activities(connection)) == 1


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MAX_NOTE + 1), "a\0b", "\ud800"])
def test_what_can_be_no_note_is_refused_in_words(database: Database, text: str) -> None:
    with writing(database) as connection:
        with pytest.raises(NoteError):
            write_note(connection, "ACME-1", text, ANA, NOON)
        assert _activities(connection) == []


def test_a_note_of_the_longest_kind_is_kept(database: Database) -> None:
    with writing(database) as connection:
        write_note(connection, "ACME-1", "ä" * MAX_NOTE, ANA, NOON)
        assert len(_activities(connection)[0].detail) == MAX_NOTE


def test_nothing_is_done_for_a_reference_without_a_case(database: Database) -> None:
    with writing(database) as connection:
        with pytest.raises(NoCaseError):
            write_note(connection, "nobody", "Called", ANA, NOON)
        with pytest.raises(NoCaseError):
            assign(connection, "nobody", ANA, None, ANA, NOON)
        assert _activities(connection) == []


def test_a_case_is_assigned_and_given_back(database: Database) -> None:
    with writing(database) as connection:
        assert assign(connection, "ACME-1", BEN, None, ANA, NOON) == Assigned(BEN)
        assert _assigned_to(connection) == BEN
        assert assign(connection, "ACME-1", None, BEN, BEN, NOON + SECOND) == Assigned(None)
        assert _assigned_to(connection) is None
        said = [(each.kind, each.by, each.subject) for each in _activities(connection)]
    assert said == [(Kind.ASSIGNED, ANA, BEN), (Kind.ASSIGNED, BEN, None)]


def test_who_takes_a_case_second_learns_who_was_faster(database: Database) -> None:
    with writing(database) as connection:
        assign(connection, "ACME-1", ANA, None, ANA, NOON)
        assert assign(connection, "ACME-1", BEN, None, BEN, NOON) == NotAssigned(ANA)
        assert _assigned_to(connection) == ANA
        assert len(_activities(connection)) == 1


def test_what_is_so_already_is_not_noted_again(database: Database) -> None:
    with writing(database) as connection:
        for _press in range(2):
            assert assign(connection, "ACME-1", ANA, None, ANA, NOON) == Assigned(ANA)
        assert len(_activities(connection)) == 1


def test_a_case_is_assigned_to_nobody_who_may_not_sign_in(database: Database) -> None:
    with writing(database) as connection:
        connection.execute(update(users).where(users.c.email == BEN).values(disabled_at=NOON))
        for nobody in (BEN, "eve@example.com", ""):
            with pytest.raises(AssigneeError):
                assign(connection, "ACME-1", nobody, None, ANA, NOON)
        assert _assigned_to(connection) is None


def _activities(connection: Connection) -> list[Any]:
    return list(connection.execute(select(activities).order_by(activities.c.id)))


def _assigned_to(connection: Connection) -> str | None:
    assigned_to: str | None = connection.execute(select(cases.c.assigned_to)).scalar_one()
    return assigned_to
