"""The migrations build the tables that models describes, on each database."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select

from receiver.database import Database, _alembic
from receiver.models import EPOCH, handlers, metadata, runs
from receiver.runs import retire
from tests.receiver.factories import NOON


@pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection", "ignore:autogenerate skipping"
)  # of expressions
def test_the_migrations_build_what_the_models_describe(any_database: Database) -> None:
    any_database.check_schema()
    engine = any_database.writer()
    with engine.connect() as connection:
        described = {"include_name": lambda name, kind, _within: not is_trigrams(name, kind)}
        differences = compare_metadata(MigrationContext.configure(connection, opts=described), metadata)
    engine.dispose()
    assert differences == []


def is_trigrams(name: str | None, kind: str) -> bool:
    """Each database has an index of its own, which no model describes: see search.py."""
    return kind in {"table", "index"} and (name or "").startswith(
        ("findables_trigrams", "findables_by_trigram")
    )


def test_migrating_twice_changes_nothing(any_database: Database) -> None:
    any_database.migrate()
    any_database.check_schema()


def test_runs_of_an_older_version_get_their_case_and_those_without_a_handler_one_that_is_gone(
    any_database: Database,
) -> None:
    engine = any_database.writer()
    with engine.begin() as connection:
        go_back_to(connection, "0003")
        kinds = ("bytea", "''") if any_database.path is None else ("blob", "x''")
        for statement in AN_OLDER_WORLD:
            connection.exec_driver_sql(statement.format(bytes=kinds[0], empty=kinds[1]))
    any_database.migrate()
    with engine.begin() as connection:
        kept = {run.handler: bytes(run.ref_key) for run in connection.execute(select(runs))}
        assert kept == {"tell": b"key of acme", "forgotten": b"key of bolt"}
        handlers_kept = {row.name: row for row in connection.execute(select(handlers))}
        assert retire(connection, NOON) == 1
        states = {run.handler: run.state for run in connection.execute(select(runs))}
    engine.dispose()
    assert (handlers_kept["tell"].title, handlers_kept["tell"].leaving) == ("Tell the customer", "[]")
    assert handlers_kept["tell"].removed_at is None
    assert handlers_kept["forgotten"].removed_at == EPOCH
    assert states == {"tell": "queued", "forgotten": "failed"}


def go_back_to(connection: Connection, version: str) -> None:
    """As the tables were: made anew by the migrations up to there."""
    metadata.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE IF EXISTS findables_trigrams")
    connection.exec_driver_sql("DROP TABLE alembic_version")
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


AN_OLDER_WORLD = (
    *(
        "INSERT INTO events (id, svix_id, family, ref_id, ref_key, status, first_attempt_at, received_at, "
        f"late, body, body_sha256, delivery_count) VALUES ({n}, 'msg_{n}', 'kyb', '{ref_id}', "
        f"CAST('key of {ref_id}' AS {{bytes}}), 'REJECTED', 0, 0, false, {{empty}}, {{empty}}, 1)"
        for n, ref_id in ((1, "acme"), (2, "bolt"))
    ),
    "INSERT INTO handlers (name, title, statuses, once, module, registered_at) "
    "VALUES ('tell', 'Tell the customer', '[]', false, 'acme', 0)",
    *(
        "INSERT INTO runs (event_id, handler, once, state, created_at, due_at, fence, tries, lost, repeats, "
        f"started_by) VALUES ({n}, '{handler}', false, 'queued', 0, 0, 0, 0, 0, 0, 'event')"
        for n, handler in ((1, "tell"), (2, "forgotten"))
    ),
)
