"""Engines, pragmas and journal mode, transactions, migration: SQLite by default, PostgreSQL by URL."""

import logging
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from receiver.models import revision

log = logging.getLogger(__name__)

BUSY_TIMEOUT = 2.0  # seconds a writer waits for another: well within the 9 that a delivery has
HIDDEN: dict[str, Any] = {"hide_parameters": True}  # what people wrote stays out of errors, and so of logs
REST = 0.05  # seconds: who waits for SQLite looks every 0.1 at the latest
JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024  # bytes: a log that grew under a long reader shrinks again


class DatabaseError(Exception):
    """The database can't be used as it is; the message says what to do."""


@dataclass(frozen=True)
class Database:
    """Where the ledger is, and how to open it.

    `journal_mode` ("wal" or "delete") is chosen by the version of SQLite unless a test names one.
    """

    url: URL
    journal_mode: str | None = None

    @property
    def path(self) -> Path | None:
        """The file, or none on PostgreSQL."""
        if self.url.get_backend_name() != "sqlite" or self.url.database is None:
            return None
        return Path(self.url.database).absolute()

    def writer(self) -> Engine:
        """Synchronous connections that write: for the ledger and for the worker."""
        # `format` gives PostgreSQL statements that take plain tuples, as SQLite's do: see ledger.py.
        paramstyle = {} if self.path else {"paramstyle": "format"}
        return self._tuned(
            create_engine(self._url("sqlite"), **HIDDEN, **self._connect_args("rw"), **paramstyle), "writer"
        )

    def page_readers(self) -> AsyncEngine:
        """Connections that can't write, for the pages."""
        engine = create_async_engine(self._url("sqlite+aiosqlite"), **HIDDEN, **self._connect_args("ro"))
        self._tuned(engine.sync_engine, "reader")
        return engine

    def page_writer(self) -> AsyncEngine:
        """What a person does on a page: sign in, re-process."""
        engine = create_async_engine(self._url("sqlite+aiosqlite"), **HIDDEN, **self._connect_args("rw"))
        self._tuned(engine.sync_engine, "writer")
        return engine

    def migrate(self) -> None:
        """Bring the schema up to date, creating an SQLite file that is not there; all of it or nothing.

        Raises DatabaseError where the file can't be made, SQLAlchemyError where the database says no.
        """
        if self.path is not None:
            _create_file(self.path)
        engine = self.writer()
        try:
            with engine.begin() as connection:
                config = _alembic()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            engine.dispose()

    def check_schema(self) -> None:
        """Raise DatabaseError unless the schema is the one that this code was written for."""
        if self.path is not None and not self.path.exists():
            raise DatabaseError(f"There is no database at {self.path}: run `kybdesk migrate`")
        engine = self.writer()
        try:
            with engine.connect() as connection:
                found = set(MigrationContext.configure(connection).get_current_heads())
        finally:
            engine.dispose()
        if found != set(ScriptDirectory.from_config(_alembic()).get_heads()):
            raise DatabaseError("The database's schema is not this version's: run `kybdesk migrate`")

    def _url(self, sqlite_driver: str) -> URL:
        if self.path is None:
            return self.url.set(drivername="postgresql+psycopg")
        # Never mode=rwc: SQLite happily creates an empty file where yours was deleted.
        return URL.create(sqlite_driver, database=self.path.as_uri(), query={"mode": "rw", "uri": "true"})

    def _connect_args(self, access: str) -> dict[str, Any]:
        if self.path is not None:
            return {"connect_args": {"isolation_level": None, "timeout": BUSY_TIMEOUT}}
        options = f"-c lock_timeout={BUSY_TIMEOUT:.0f}s -c idle_in_transaction_session_timeout=60s"
        if access == "ro":
            options += " -c default_transaction_read_only=on -c statement_timeout=10s"
        return {"connect_args": {"options": options, "connect_timeout": 3}, "pool_pre_ping": True}

    def _tuned(self, engine: Engine, use: str) -> Engine:
        """Transactions by hand: the drivers' own modes lose updates and leave half a migration."""
        if use == "writer":
            _write_revision_last(engine)
        if self.path is None:
            return engine
        path, mode = self.path, self.journal_mode or _journal_mode(sqlite3.sqlite_version_info)
        pragmas = _reader_pragmas() if use == "reader" else _writer_pragmas(mode)

        @event.listens_for(engine, "connect")
        def set_pragmas(connection: Any, record: Any) -> None:
            record.info["file"] = file_identity(path)
            cursor = connection.cursor()
            if use == "writer":
                _set_journal_mode(cursor, mode)
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            if connection.info["file"] != file_identity(path):
                connection.invalidate()
                gone = sqlite3.OperationalError("the database file is no longer the one that was opened")
                raise OperationalError("BEGIN", None, gone)
            connection.exec_driver_sql("BEGIN" if use == "reader" else "BEGIN IMMEDIATE")

        return engine


def upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what to do on a conflict: each database has its own, and both read alike."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(table)


def lock(connection: Connection, table: Table) -> None:
    """Until the transaction ends nobody else writes this small table; SQLite's writers wait anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def raise_revision(connection: Connection) -> None:
    """So that open pages look again. It is written at the transaction's end."""
    connection.info["raise_revision"] = True


def _write_revision_last(engine: Engine) -> None:
    """Everybody writes this row. On PostgreSQL, who held it and waited for another one would be in a deadlock
    with who holds that one and waits for this."""

    @event.listens_for(engine, "commit")
    def write_revision(connection: Connection) -> None:
        if connection.info.pop("raise_revision", False):
            connection.execute(update(revision).where(true()).values(n=revision.c.n + 1))

    @event.listens_for(engine, "rollback")
    def forget(connection: Connection) -> None:
        if not connection.invalidated:  # then it is gone with the connection
            connection.info.pop("raise_revision", None)


def rest_after(began: float) -> float:
    """Seconds to wait before the next of many transactions, where this one `began` then (monotonic).

    SQLite has no queue: who waits looks again now and then, and between transactions that follow each other
    at once the receiver found its way in five times in two seconds, and gave up.
    """
    return max(REST, time.monotonic() - began)


def file_identity(path: Path) -> tuple[int, int] | None:
    """What a file is, whatever its name: SQLite goes on working in one that was deleted or replaced."""
    try:
        status = os.stat(path)  # noqa: PTH116  # on every transaction: Path.stat costs as much again
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _set_journal_mode(cursor: Any, mode: str) -> None:
    """It stays with the file. Of two connections that change it at once, as when roles start together on a
    new one, SQLite refuses the second without its usual wait."""
    until = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute(f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _writer_pragmas(mode: str) -> list[str]:
    return [
        f"synchronous={'FULL' if mode == 'wal' else 'EXTRA'}",
        f"journal_size_limit={JOURNAL_SIZE_LIMIT}",
        "foreign_keys=ON",
        "trusted_schema=OFF",
    ]


def _reader_pragmas() -> list[str]:
    return ["query_only=ON", "trusted_schema=OFF"]


def _journal_mode(version: tuple[int, ...]) -> str:
    """WAL only where SQLite's WAL-reset bug is mended: 3.51.3 and up, 3.50.7 and up, 3.44.6 and up."""
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if not mended:
        log.warning(
            "SQLite %s can corrupt a write-ahead log; using a rollback journal, which is slower",
            ".".join(map(str, version)),
        )
    return "wal" if mended else "delete"


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(f"The database {path} can't be created: {error.strerror}") from None


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
