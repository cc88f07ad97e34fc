"""Opening a page reads no whole table: SQLite's plan of every statement that every page runs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event

from benchmarks.desk_world import BUSY_CASE, fill
from benchmarks.pages import PAGES
from dashboard.exports.lists import LISTS
from receiver.database import Database
from receiver.models import metadata
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import Desk
from tests.factories import writing

# What grows with the business; all others have a row for each handler, status, role, reason or person.
BIG = {
    "activities",
    "attempts",
    "batch_items",
    "businesses",
    "cases",
    "deliveries",
    "events",
    "findables",
    "messages",
    "runs",
    "sessions",
    "vove_views",
}
# Not measured with the pages: a file of a whole list takes as long as that is.
FILES = (
    *(f"/{name}.csv" for name in LISTS),
    "/cases.csv?status=REJECTED&sort=age",
    "/activity.csv?person=cleo@example.com&kind=paused",
    "/case-file?ref={one}",
    f"/case-file?ref={BUSY_CASE}",
    f"/case-file.json?ref={BUSY_CASE}",
)
PARTIAL = {
    index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if "where" in index.dialect_options["sqlite"] and index.dialect_options["sqlite"]["where"] is not None
}
Statement = tuple[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_file: Any) -> Database:
    """Some hundred cases: without statistics, which nobody gathers, plans are the same for millions."""
    import shutil

    from sqlalchemy import make_url

    path = tmp_path_factory.mktemp("plans") / "kybdesk.db"
    shutil.copyfile(migrated_file, path)
    database = Database(make_url(f"sqlite+aiosqlite:///{path}"))
    fill(database, cases=300, busy=40)
    return database


def test_no_page_reads_a_whole_table(open_desk: OpenDesk, world: Database) -> None:
    desk = open_desk(world).signed_in("admin")
    bad = {
        (page, line, statement)
        for page in (*PAGES, *FILES)
        for statement, parameters in _run(desk, page)
        for line in _full_scans(world, statement, parameters)
    }
    assert not bad, "\n\n".join(f"{page}: {line}\n{statement}" for page, line, statement in sorted(bad))


def test_a_full_scan_would_be_seen(world: Database) -> None:
    assert list(_full_scans(world, "SELECT count(*) FROM cases", ()))
    assert list(_full_scans(world, "SELECT * FROM events AS e WHERE reason = 'x'", ()))
    assert list(_full_scans(world, "SELECT id FROM cases ORDER BY reason LIMIT 5", ()))
    assert not list(_full_scans(world, "SELECT id FROM cases ORDER BY changed_at LIMIT 5", ()))


def _run(desk: Desk, page: str) -> list[Statement]:
    """All statements that opening the page runs."""
    ran: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        ran.append((statement, parameters))

    engine = desk.app.state.readers.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = desk.client.get(page.format(one=_one(desk)))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 200, page
    return ran


def _one(desk: Desk) -> str:
    with writing(desk.database) as connection:
        found = connection.exec_driver_sql("SELECT ref_id FROM cases ORDER BY id LIMIT 1 OFFSET 9")
        return str(found.scalar_one())


def _full_scans(database: Database, statement: str, parameters: Any) -> Iterator[str]:
    """The lines of its plan that walk a big table from end to end."""
    if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
        return
    with writing(database) as connection:
        plan = _plan(connection, statement, parameters)
    named = dict(re.findall(r"(\w+) AS (\w+)", statement))
    tables = {alias: table for table, alias in named.items()} | {table: table for table in BIG}
    sorts = any(line.startswith("USE TEMP B-TREE") for line in plan)
    for line in plan:
        walk = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
        if walk is None or tables.get(walk[1], walk[1]) not in BIG or "VIRTUAL TABLE" in line:
            continue
        ends = "LIMIT" in statement.upper() and not sorts and (walk[2] or "ORDER BY" in statement)
        if not ends and walk[2] not in PARTIAL:
            yield line


def _plan(connection: Connection, statement: str, parameters: Any) -> list[str]:
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
