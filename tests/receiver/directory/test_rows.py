"""The directory in SQL, on each database."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select

from receiver.database import Database
from receiver.directory.fields import FieldError
from receiver.directory.rows import Change, change, edit, find
from receiver.handlers import Business
from receiver.models import activities, businesses, revision
from tests.receiver.workbench import HOUR, emptied

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.fixture
def connection(lasting_database: Database) -> Iterator[Connection]:
    with emptied(lasting_database) as engine, engine.begin() as connection:
        yield connection


def test_a_business_that_nobody_knows_is_not_found(connection: Connection) -> None:
    assert find(connection, "acme") is None


def test_a_change_enters_a_business_and_tells_what_is_different(connection: Connection) -> None:
    changes = change(connection, "acme", {"name": " ACME Ltd ", "email": ""}, "ana@example.com", NOON)
    assert changes == [Change("name", None, "ACME Ltd")]
    assert find(connection, "acme") == Business("acme", name="ACME Ltd")


def test_what_is_not_named_stays_and_what_is_so_already_is_no_change(connection: Connection) -> None:
    change(connection, "acme", {"name": "ACME Ltd", "access_granted": True}, "ana@example.com", NOON)
    later = NOON + HOUR
    assert change(connection, "acme", {"name": "ACME Ltd"}, "tell", later) == []
    assert change(connection, "acme", {"verified_at": NOON}, "enable", later) == [
        Change("verified_at", None, NOON)
    ]
    assert find(connection, "acme") == Business("acme", "ACME Ltd", verified_at=NOON, access_granted=True)
    row = connection.execute(businesses.select()).one()
    assert (row.updated_by, row.updated_at) == ("enable", later)


def test_of_a_change_with_one_impossible_value_nothing_is_written(connection: Connection) -> None:
    with pytest.raises(FieldError):
        change(connection, "acme", {"name": "ACME Ltd", "email": "nobody"}, "ana@example.com", NOON)
    assert find(connection, "acme") is None


@pytest.mark.parametrize("ref_id", ["a/b?c d", "ä" * 5000, "' OR 1=1 --"])
def test_a_reference_may_be_anything(connection: Connection, ref_id: str) -> None:
    change(connection, ref_id, {"name": "ACME Ltd"}, "ana@example.com", NOON)
    assert find(connection, ref_id) == Business(ref_id, name="ACME Ltd")
    assert find(connection, ref_id + " ") is None


def test_a_change_makes_open_pages_look_again_and_no_change_does_not(lasting_database: Database) -> None:
    with emptied(lasting_database) as engine:
        seen = []
        for name in ("ACME Ltd", "ACME Ltd", "ACME Limited"):
            with engine.begin() as connection:
                change(connection, "acme", {"name": name}, "ana@example.com", NOON)
            with engine.begin() as connection:
                seen.append(connection.execute(revision.select()).one().n)
    assert seen == [seen[0], seen[0], seen[0] + 1]


def test_a_person_s_edit_is_noted_once_with_what_it_changed(connection: Connection) -> None:
    typed = {"name": "ACME Ltd", "account_status": "active", "notes": ""}
    for _press in range(2):
        assert edit(connection, "acme", typed, None, "ana@example.com", NOON)
    (noted,) = connection.execute(select(activities))
    assert (noted.kind, noted.by, noted.ref_id) == ("edited", "ana@example.com", "acme")
    assert noted.detail == "name: none → ACME Ltd; account status: none → active"


def test_what_a_handler_changes_is_no_edit_of_a_person_s(connection: Connection) -> None:
    change(connection, "acme", {"name": "ACME Ltd"}, "tell", NOON)
    assert connection.execute(select(activities)).all() == []
