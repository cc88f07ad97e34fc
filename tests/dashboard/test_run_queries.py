"""The lists of runs find what they show by an index, however much there is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.batches import Batch, count_progress, find_batches, find_items
from dashboard.queries.failures import find_groups
from dashboard.queries.runs import count_runs, find_runs
from receiver.database import Database
from receiver.models import RunState
from tests.factories import NOON

FAILED, DONE = [RunState.FAILED], [RunState.SUCCEEDED, RunState.CLOSED]
BATCH = Batch(
    1, NOON, "ana", "reprocess", "x", "/", False, None, None, 1, False, (), NOON, "ana", None, None, None
)
Query = Callable[[AsyncConnection], Awaitable[Any]]


def plan_of(database: Database, query: Query) -> list[str]:
    """What SQLite says it will do."""
    asked: list[tuple[str, Any]] = []

    async def explain() -> list[str]:
        readers = database.page_readers()

        @event.listens_for(readers.sync_engine, "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            asked.append((statement, parameters))

        async with readers.begin() as reader:
            await query(reader)
            selects = [each for each in asked if each[0].startswith("SELECT")]
            plans = [
                await reader.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                for statement, parameters in selects
            ]
            steps = [str(row[-1]) for plan in plans for row in plan]
        await readers.dispose()
        return steps

    return asyncio.run(explain())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda reader: find_groups(reader, RunState.FAILED), "runs_failed"),
        (lambda reader: find_groups(reader, RunState.RETRYING), "runs_retrying"),
        (lambda reader: find_runs(reader, FAILED), "runs_by_state"),
        (lambda reader: find_runs(reader, FAILED, failure="x"), "runs_failed"),
        (lambda reader: find_runs(reader, [RunState.RETRYING], failure="x"), "runs_retrying"),
        (lambda reader: find_runs(reader, FAILED, handler="x"), "runs_by_handler"),
        (lambda reader: find_runs(reader, DONE, handler="x"), "runs_by_handler"),
        (lambda reader: find_runs(reader, DONE, ref_id="x"), "events_by_case"),
        (lambda reader: count_runs(reader, FAILED), "runs_by_state"),
        (lambda reader: count_runs(reader, FAILED, handler="x"), "runs_by_handler"),
        (lambda reader: count_runs(reader, FAILED, ref_id="x"), "events_by_case"),
        (lambda reader: count_progress(reader, BATCH), "batch_items"),
        (lambda reader: find_items(reader, 1, result="moved on"), "batch_items"),
        (find_batches, "batches"),
    ],
)
def test_no_list_of_runs_reads_a_whole_table(database: Database, query: Query, index: str) -> None:
    steps = plan_of(database, query)
    assert any(index in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN") and "USING" not in step]
    assert [step for step in scans if not step.startswith(("SCAN anon", "SCAN batches"))] == []
