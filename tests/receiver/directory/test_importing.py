"""Rows of a file into the directory, on each database that the product runs on."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from receiver.database import Database
from receiver.directory import importing
from receiver.directory.csv_file import Row, read
from receiver.directory.importing import Imported, compare, count, import_rows
from receiver.directory.rows import Change, change, edit, find
from receiver.models import businesses, revision
from tests.desk import eventually
from tests.factories import HOSTILE, MINUTE, NOON, add_business, writing

LATER = NOON + MINUTE


def rows(*lines: str) -> Sequence[Row]:
    found = read("\n".join(["refId,name,email,notes", *lines]).encode())
    assert found.problems == []
    return found.rows


def imported(database: Database, *lines: str, at: datetime = LATER) -> Imported:
    with writing(database) as connection:
        return import_rows(connection, rows(*lines), "ben@example.com", at)


@contextmanager
def opened(database: Database) -> Iterator[Engine]:
    engine = database.writer()
    yield engine
    engine.dispose()


def known(database: Database, ref_id: str) -> Any:
    with writing(database) as connection:
        return connection.execute(select(businesses).where(businesses.c.ref_id == ref_id)).one_or_none()


def test_new_businesses_are_entered_and_known_ones_changed(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME", email="a@acme.example", account_status="active")
        add_business(connection, "oak", name="Oak")
    result = imported(any_database, "new,New Ltd,,", "acme,ACME Ltd,b@acme.example,", "oak,Oak,,")
    assert result == Imported(new=1, changed=1, unchanged=1, fields={"name": 1, "email": 1})
    assert known(any_database, "new").name == "New Ltd"
    acme = known(any_database, "acme")
    assert (acme.name, acme.email, acme.account_status) == ("ACME Ltd", "b@acme.example", "active")
    assert (acme.updated_at, acme.updated_by) == (LATER, "ben@example.com")


def test_what_stays_as_it_was_is_not_touched(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME", notes="call back")
    assert imported(any_database, "acme,ACME,,") == Imported(unchanged=1)
    acme = known(any_database, "acme")
    assert (acme.notes, acme.updated_at, acme.updated_by) == ("call back", NOON, "ana@example.com")


def test_open_pages_look_again_where_something_has_changed(any_database: Database) -> None:
    seen = []
    with opened(any_database) as engine:
        for line in ("acme,ACME,,", "acme,ACME,,", "acme,ACME Ltd,,"):
            with engine.begin() as connection:
                import_rows(connection, rows(line), "ben@example.com", LATER)
            with engine.connect() as connection:
                seen.append(connection.execute(select(revision.c.n)).scalar_one())
    assert seen == [1, 1, 2]


def test_any_text_is_kept_as_it_is(any_database: Database) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    imported(any_database, f"{quoted},{quoted},,{quoted}", f"{'x' * 10_000},long,,")
    hostile = known(any_database, HOSTILE)
    assert (hostile.name, hostile.notes) == (HOSTILE, HOSTILE)
    assert known(any_database, "x" * 10_000).name == "long"


def test_what_a_file_would_change_is_told_without_a_write(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME")
    with writing(any_database) as connection:
        found = compare(connection, rows("acme,ACME Ltd,,", "new,New,,x", "acme 2,,,"))
    assert [(each.row.ref_id, each.is_new, each.changes) for each in found] == [
        ("acme", False, [Change("name", "ACME", "ACME Ltd")]),
        ("new", True, [Change("name", None, "New"), Change("notes", None, "x")]),
        ("acme 2", True, []),
    ]
    assert count(found) == Imported(new=2, changed=1, unchanged=0, fields={"name": 1})
    assert known(any_database, "new") is None


def test_more_than_one_question_s_worth_is_imported_whole(any_database: Database) -> None:
    many = [f"ref-{number},Name {number},," for number in range(importing.ASKED_AT_ONCE * 2 + 1)]
    assert imported(any_database, *many).new == len(many)
    renamed = [line.replace("Name", "Other") for line in many]
    assert imported(any_database, *renamed).changed == len(many)
    assert imported(any_database, *renamed).unchanged == len(many)
    assert known(any_database, "ref-1000").name == "Other 1000"


def test_two_imports_at_once_both_count_what_they_did(any_database: Database) -> None:
    """Each either entered a business or found it there; neither fails, and none is entered twice."""
    lines = [f"ref-{number},Name,," for number in range(300)]
    results: list[Imported] = []
    threads = [
        threading.Thread(target=lambda some=some: results.append(imported(any_database, *some)))
        for some in (lines, lines[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [result.new + result.unchanged for result in results] == [300, 300]
    assert sum(result.new for result in results) == 300


def test_nothing_is_half_imported(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME")
    monkeypatch.setattr(importing, "_change", _fail)
    with opened(any_database) as engine, pytest.raises(RuntimeError), engine.begin() as connection:
        import_rows(connection, rows("new,New,,", "acme,ACME Ltd,,"), "ben@example.com", LATER)
    assert known(any_database, "new") is None


def _fail(*_: Any) -> None:
    raise RuntimeError


def test_a_person_s_edit_is_written_where_nothing_has_changed(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME", email="a@acme.example")
        assert edit(connection, "acme", {"name": "ACME Ltd", "email": ""}, NOON, "ben@example.com", LATER)
        found = find(connection, "acme")
    assert found is not None
    assert (found.name, found.email) == ("ACME Ltd", None)
    assert known(any_database, "acme").updated_by == "ben@example.com"


def test_a_person_s_edit_is_refused_where_somebody_was_faster(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME")
        assert edit(connection, "acme", {"name": "Faster"}, NOON, "ben@example.com", LATER)
        assert not edit(connection, "acme", {"name": "Slower"}, NOON, "ana@example.com", LATER + MINUTE)
        assert not edit(connection, "acme", {"name": "Slower"}, None, "ana@example.com", LATER + MINUTE)
    assert (known(any_database, "acme").name, known(any_database, "acme").updated_at) == ("Faster", LATER)


def test_the_same_edit_again_is_none(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "acme", name="ACME")
        for at in (LATER, LATER + MINUTE):
            assert edit(connection, "acme", {"name": "Twice"}, NOON, "ben@example.com", at)
    assert known(any_database, "acme").updated_at == LATER


def test_an_edit_enters_a_business_that_was_not_known(any_database: Database) -> None:
    with writing(any_database) as connection:
        assert edit(connection, "acme", {"name": "ACME"}, None, "ben@example.com", LATER)
        assert edit(connection, "empty", {"name": " "}, None, "ben@example.com", LATER)
        assert not edit(connection, "gone", {"name": "x"}, NOON, "ben@example.com", LATER)
    assert known(any_database, "acme").updated_by == "ben@example.com"
    assert known(any_database, "empty") is None
    assert known(any_database, "gone") is None


def test_what_a_handler_writes_meanwhile_is_not_undone(postgresql_database: Database) -> None:
    """Where writers don't wait for each other from the beginning, as they do on SQLite."""
    with writing(postgresql_database) as connection:
        add_business(connection, "acme", name="ACME")
    with opened(postgresql_database) as engine:
        with engine.begin() as handler:
            change(handler, "acme", {"notes": "from a handler"}, "record_progress", LATER)
            importer = threading.Thread(target=lambda: imported(postgresql_database, "acme,ACME Ltd,,"))
            importer.start()
            eventually(lambda: _is_waited_for(engine))
        importer.join(30)
    acme = known(postgresql_database, "acme")
    assert (acme.name, acme.notes) == ("ACME Ltd", "from a handler")


def _is_waited_for(engine: Engine) -> bool:
    with engine.connect() as connection:
        waiting = (
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE NOT granted AND datname = current_database()"
        )
        return bool(connection.exec_driver_sql(waiting).scalar_one())
