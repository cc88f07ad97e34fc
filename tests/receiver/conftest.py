from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from uuid import uuid4

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url

from receiver.database import Database
from tests.conftest import TEMPLATE
from tests.receiver.ledgers import empty
from tests.receiver.serving import Serving, serving


@pytest.fixture
def receiver(database: Database) -> Iterator[Serving]:
    """A receiver with two secrets, whose clock stands at noon."""
    with serving(database) as running:
        yield running


@pytest.fixture
def engine(lasting_database: Database) -> Iterator[Engine]:
    """Writes into an empty ledger, on each database that the product runs on."""
    engine = lasting_database.writer()
    empty(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session", params=["wal", "delete", "postgresql"])
def lasting_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Database:
    """One for all tests that only write into it: to make one for each would take most of their time."""
    if request.param == "postgresql":
        return _postgresql_database(request.getfixturevalue("postgresql_server"))
    path = tmp_path_factory.mktemp("lasting") / "kybdesk.db"
    copyfile(migrated_file, path)
    return Database(make_url(f"sqlite+aiosqlite:///{path}"), request.param)


def _postgresql_database(server: URL) -> Database:
    name = f"kybdesk_lasting_{uuid4().hex}"  # tests may come in an order in which it is made twice
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    engine.dispose()
    return Database(server.set(database=name))
