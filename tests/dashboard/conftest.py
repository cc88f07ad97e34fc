"""A dashboard served for each test that asks for one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from dashboard.app import create_app
from dashboard.auth import passwords
from receiver.database import Database
from receiver.settings import Settings
from tests.dashboard.desk import Desk, client_of, served

OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk() -> Iterator[OpenDesk]:
    """Serves a dashboard for a database, with other settings: `open_desk(database, dashboard_url=…)`."""
    with ExitStack() as stack:

        def opened(database: Database, **chosen: object) -> Desk:
            settings = replace(Settings(), **chosen)  # type: ignore[arg-type]
            app = create_app(settings, database)
            url = stack.enter_context(served(app, settings))
            return Desk(app, database, stack.enter_context(client_of(url)))

        yield opened


@pytest.fixture
def desk(open_desk: OpenDesk, database: Database) -> Desk:
    return open_desk(database)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is slow on purpose; only the tests of passwords need it so."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
