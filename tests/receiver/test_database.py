import asyncio
import shutil
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from alembic import op
from sqlalchemy import Engine, inspect, make_url, select, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from receiver.database import BUSY_TIMEOUT, Database, DatabaseError, _journal_mode
from receiver.models import metadata, revision
from tests.receiver.ledgers import rows


class PullPlugError(Exception):
    pass


def at(path: Path, journal_mode: str | None = None) -> Database:
    return Database(make_url(f"sqlite+aiosqlite:///{path}"), journal_mode)


def pragma(connection: Any, name: str) -> Any:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.fixture(params=["wal", "delete"])
def sqlite_database(request: pytest.FixtureRequest, database: Database) -> Database:
    return Database(database.url, request.param)


@pytest.fixture
def writer(any_database: Database) -> Iterator[Engine]:
    engine = any_database.writer()
    yield engine
    engine.dispose()


# What SQLite is told


def test_the_sqlite_that_is_used_is_the_bundled_one_where_there_is_one() -> None:
    bundled = pytest.importorskip("pysqlite3")

    assert sys.modules["sqlite3"] is bundled
    assert sqlite3.sqlite_version_info >= (3, 51, 3)


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 52, 0), (4, 0, 0), (3, 50, 7), (3, 50, 9), (3, 44, 6)])
def test_a_mended_sqlite_writes_ahead(version: tuple[int, ...], caplog: pytest.LogCaptureFixture) -> None:
    assert _journal_mode(version) == "wal"
    assert not caplog.messages


@pytest.mark.parametrize(
    "version", [(3, 51, 2), (3, 51, 0), (3, 50, 6), (3, 49, 9), (3, 45, 0), (3, 44, 5), (3, 40, 1), (3, 7, 0)]
)
def test_a_sqlite_that_can_corrupt_its_log_keeps_a_rollback_journal_and_says_so(
    version: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    assert _journal_mode(version) == "delete"
    assert ".".join(map(str, version)) in caplog.text


def test_the_journal_mode_is_the_versions_where_none_is_named(database: Database) -> None:
    engine = database.writer()
    with engine.connect() as connection:
        assert pragma(connection, "journal_mode") == _journal_mode(sqlite3.sqlite_version_info)
    engine.dispose()


def test_who_changes_the_journal_mode_waits_for_who_writes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = Database(database.url, "delete").writer(), Database(database.url, "wal").writer()
    with before.connect() as writing, writing.begin() as transaction:
        monkeypatch.setattr(time, "sleep", lambda _seconds: transaction.rollback())
        with after.connect() as connection:
            assert pragma(connection, "journal_mode") == "wal"
    before.dispose()
    after.dispose()


def test_who_changes_the_journal_mode_does_not_wait_forever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.database.BUSY_TIMEOUT", 0.05)
    before, after = Database(database.url, "delete").writer(), Database(database.url, "wal").writer()
    with before.connect() as writing, writing.begin(), pytest.raises(OperationalError, match="locked"):
        after.connect()
    before.dispose()


def test_what_is_committed_is_on_the_disk(sqlite_database: Database) -> None:
    engine = sqlite_database.writer()
    with engine.connect() as connection:
        full, extra = 2, 3
        assert pragma(connection, "journal_mode") == sqlite_database.journal_mode
        assert pragma(connection, "synchronous") == (full if sqlite_database.journal_mode == "wal" else extra)
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "trusted_schema") == 0
        assert pragma(connection, "journal_size_limit") == 64 * 1024 * 1024
        assert pragma(connection, "busy_timeout") == BUSY_TIMEOUT * 1000
    engine.dispose()


def test_what_a_page_writes_is_on_the_disk_too(sqlite_database: Database) -> None:
    async def read_back() -> Any:
        engine = sqlite_database.page_writer()
        async with engine.connect() as connection:
            found = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
        await engine.dispose()
        return found

    assert asyncio.run(read_back()) == (2 if sqlite_database.journal_mode == "wal" else 3)


@pytest.mark.parametrize("name", ["kyb desk.db", "kyb?mode=memory.db", "kyb#desk%20.db", "k\N{EURO SIGN}.db"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    database = Database(make_url("sqlite+aiosqlite://").set(database=str(tmp_path / name)))
    database.migrate()
    database.check_schema()

    assert (tmp_path / name).stat().st_size > 0


# Never an empty database where yours was


@pytest.mark.parametrize("open_it", [Database.writer, Database.page_readers, Database.page_writer])
def test_a_file_that_is_not_there_is_not_created(tmp_path: Path, open_it: Any) -> None:
    async def connect() -> None:
        engine = open_it(at(tmp_path / "gone.db"))
        try:
            if isinstance(engine, Engine):
                engine.connect()
            else:
                await engine.connect()
        finally:
            await ended(engine)

    with pytest.raises(OperationalError, match="unable to open database file"):
        asyncio.run(connect())
    assert list(tmp_path.iterdir()) == []


async def ended(engine: Any) -> None:
    """aiosqlite's thread tells a loop of its end, that must not be over by then."""
    if isinstance(engine, Engine):
        engine.dispose()
    else:
        await engine.dispose()
    while any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def test_without_a_file_the_schema_is_missed_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"There is no database at .*gone\.db: run `kybdesk migrate`"):
        at(tmp_path / "gone.db").check_schema()


def test_an_older_schema_is_told(any_database: Database, writer: Engine) -> None:
    with writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    with pytest.raises(DatabaseError, match="not this version's: run `kybdesk migrate`"):
        any_database.check_schema()


# Migration


def test_migrating_makes_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "kybdesk.db"
    at(path).migrate()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    at(path).check_schema()


def test_a_file_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseError, match=r"kybdesk\.db can't be created: File exists"):
        at(tmp_path / "file" / "kybdesk.db").migrate()


@pytest.mark.parametrize("survived", range(0, 16, 3))
def test_a_migration_that_fails_half_way_leaves_nothing(
    any_database: Database, writer: Engine, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    with writer.begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS findables_trigrams")
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with monkeypatch.context() as patch:
        fail_after(patch, survived)
        with pytest.raises(PullPlugError):
            any_database.migrate()

    assert tables(writer) == []
    any_database.migrate()
    any_database.check_schema()


def fail_after(patch: pytest.MonkeyPatch, calls: int) -> None:
    done: list[Any] = []
    for name in ("create_table", "create_index", "execute"):
        operation = getattr(op, name)

        def counted(*arguments: Any, operation: Any = operation, **options: Any) -> None:
            if len(done) == calls:
                raise PullPlugError
            done.append(operation(*arguments, **options))

        patch.setattr(op, name, counted)


def tables(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return inspect(connection).get_table_names()


# Transactions


def test_what_fails_half_way_leaves_nothing(writer: Engine) -> None:
    with suppress(PullPlugError), writer.begin() as connection:
        connection.execute(update(revision).values(n=7))
        raise PullPlugError

    assert rows(writer, revision)[0].n == 0


def test_a_reader_cannot_write(any_database: Database, writer: Engine) -> None:
    async def write() -> None:
        engine = any_database.page_readers()
        try:
            async with engine.begin() as connection:
                await connection.execute(update(revision).values(n=7))
        finally:
            await engine.dispose()

    with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        asyncio.run(write())
    assert rows(writer, revision)[0].n == 0


def test_a_reader_sees_one_moment(sqlite_database: Database) -> None:
    async def look_twice() -> list[int]:
        readers, writer = sqlite_database.page_readers(), sqlite_database.page_writer()
        async with writer.connect():  # which sets the journal mode, while it has the file for itself
            pass
        async with readers.begin() as reading:
            seen = [(await reading.execute(select(revision.c.n))).scalar_one()]
            if sqlite_database.journal_mode == "wal":  # else the reader keeps writers out
                async with writer.begin() as writing:
                    await writing.execute(update(revision).values(n=7))
            seen.append((await reading.execute(select(revision.c.n))).scalar_one())
        await readers.dispose()
        await writer.dispose()
        return seen

    assert asyncio.run(look_twice()) == [0, 0]


def test_a_file_that_was_replaced_is_not_worked_on_and_the_new_one_is(sqlite_database: Database) -> None:
    """SQLite would go on in the deleted one: pages would show, and workers do, what nobody finds again."""
    path = sqlite_database.path
    assert path is not None

    async def read_and_write() -> None:
        reader, page_writer = sqlite_database.page_readers(), sqlite_database.page_writer()
        worker = sqlite_database.writer()
        await _use(reader, page_writer, worker)
        kept = path.with_name("kept.db")
        shutil.copyfile(path, kept)
        path.unlink()
        with pytest.raises(OperationalError):
            await _use(reader)
        with pytest.raises(OperationalError):
            await _use(page_writer)
        with pytest.raises(OperationalError):
            await _use(worker)
        for name in ("kybdesk.db-wal", "kybdesk.db-shm"):
            path.with_name(name).unlink(missing_ok=True)
        kept.rename(path)
        await _use(reader, page_writer, worker)
        await reader.dispose()
        await page_writer.dispose()
        worker.dispose()

    asyncio.run(read_and_write())


async def _use(*engines: Engine | AsyncEngine) -> None:
    for engine in engines:
        if isinstance(engine, AsyncEngine):
            async with engine.begin() as connection:
                await connection.execute(select(revision.c.n))
        else:
            with engine.begin() as connection_in_thread:
                connection_in_thread.execute(select(revision.c.n))


def test_increments_at_once_lose_nothing(sqlite_database: Database) -> None:
    """Read, then write: in aiosqlite's own mode five of them gave one."""

    async def increment(engine: Any) -> None:
        async with engine.begin() as connection:
            seen = (await connection.execute(select(revision.c.n))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(update(revision).values(n=seen + 1))

    async def all_at_once() -> None:
        engine = sqlite_database.page_writer()
        await asyncio.gather(*(increment(engine) for _ in range(10)))
        await engine.dispose()

    asyncio.run(all_at_once())

    writer = sqlite_database.writer()
    assert rows(writer, revision)[0].n == 10
    writer.dispose()
