from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from receiver.database import Database


@pytest.fixture
def engine(any_database: Database) -> Iterator[Engine]:
    """Writes into a database of its own, of each kind."""
    engine = any_database.writer()
    yield engine
    engine.dispose()
