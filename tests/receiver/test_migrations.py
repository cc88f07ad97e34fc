"""The migrations build the tables that models.py describes, on each database."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from receiver.database import Database
from receiver.models import metadata


def test_the_migrations_build_what_the_models_describe(any_database: Database) -> None:
    any_database.check_schema()
    engine = any_database.writer()
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(any_database: Database) -> None:
    any_database.migrate()
    any_database.check_schema()
