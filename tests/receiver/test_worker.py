"""The worker's loop, with real calls in real processes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from receiver import worker as worker_room
from receiver.database import Database
from receiver.ledger.group import Group
from receiver.models import attempts, events, handlers, runs, workers
from receiver.settings import Settings
from receiver.worker import Worker
from tests.desk import eventually
from tests.receiver.factories import delivery

HANDLERS = """
import time
from pathlib import Path
from receiver.handlers import handles

@handles("IN_PROGRESS")
def quick(event, context):
    return "done"

@handles("IN_REVIEW")
def slow(event, context):
    Path("slow.started").touch()
    time.sleep(0.5)
    return "done at last"

@handles("COMPLETED")
def endless(event, context):
    Path("endless.started").touch()
    time.sleep(1000)
"""


class Bench:
    """A worker in a thread, on a database to look into."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory = directory
        self.database = database
        self.worker: Worker | None = None

    def receive(self, status: str) -> None:
        self.write(lambda connection: Group(connection, [delivery(status=status)]).write())

    def write(self, change: Callable[[Any], object]) -> None:
        engine = self.database.writer()
        with engine.begin() as connection:
            change(connection)
        engine.dispose()

    def rows(self, table: Any) -> list[Any]:
        found: list[Any] = []
        self.write(lambda connection: found.extend(connection.execute(select(table).order_by(table.c[0]))))
        return found

    @contextmanager
    def working(self, modules: tuple[str, ...] = ("acme",), **settings: Any) -> Iterator[None]:
        self.worker = Worker(Settings(handler_modules=modules, handler_timeout=5, **settings), self.database)
        thread = threading.Thread(target=self.worker.run)
        thread.start()
        try:
            yield
        finally:
            self.worker.stop()
            thread.join()


@pytest.fixture
def bench(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme.py").write_text(HANDLERS)
    return Bench(tmp_path, database)


def test_an_event_is_handled_and_its_attempt_kept(bench: Bench) -> None:
    with bench.working():
        bench.receive("IN_PROGRESS")
        (attempt,) = eventually(lambda: bench.rows(attempts))
    assert (attempt.outcome, attempt.result) == ("succeeded", "done")
    assert [handler.name for handler in bench.rows(handlers)] == ["endless", "quick", "slow"]


def test_what_came_while_no_worker_was_there_is_handled_later(bench: Bench) -> None:
    bench.receive("IN_PROGRESS")
    with bench.working():
        eventually(lambda: bench.rows(attempts))


def test_without_handlers_events_are_dispatched_to_nobody(bench: Bench) -> None:
    bench.receive("IN_PROGRESS")
    with bench.working(modules=()):
        eventually(lambda: bench.rows(events)[0].dispatched_at)
    assert bench.rows(runs) == []


def test_a_stop_lets_the_call_under_way_end(bench: Bench) -> None:
    bench.receive("IN_REVIEW")
    with bench.working():
        eventually((bench.directory / "slow.started").exists)
    assert [run.state for run in bench.rows(runs)] == ["succeeded"]


def test_a_call_that_outlasts_the_stop_is_recorded_as_lost_and_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_room, "DRAIN", 0.1)
    bench.receive("COMPLETED")
    with bench.working():
        eventually((bench.directory / "endless.started").exists)
    (attempt,) = bench.rows(attempts)
    assert (attempt.outcome, attempt.error) == ("lost", "The worker was stopped during this try")
    assert bench.rows(runs)[0].state == "retrying"


def test_a_locked_database_makes_the_worker_wait_not_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.working():
        eventually(lambda: bench.rows(handlers))
        engine = bench.database.writer()
        with engine.begin() as connection:
            assert bench.worker is not None
            Group(connection, [delivery(status="IN_PROGRESS")]).write()
            paused = threading.Event()
            monkeypatch.setattr(bench.worker, "_pause", lambda _error: paused.set())
            assert paused.wait(10)
        engine.dispose()
        eventually(lambda: bench.rows(attempts))


def test_a_run_that_became_another_workers_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_room, "RENEW", 0.0)
    bench.receive("COMPLETED")
    with bench.working():
        eventually((bench.directory / "endless.started").exists)
        bench.write(lambda connection: connection.exec_driver_sql("UPDATE runs SET fence = fence + 1"))
        assert bench.worker is not None
        eventually(lambda: bench.worker and not bench.worker._claimed)
    assert bench.rows(attempts) == []


def test_a_module_that_cannot_be_imported_is_told_to_the_pages(bench: Bench) -> None:
    (bench.directory / "acme.py").write_text("import nothing_of_that_name\n")
    bench.receive("IN_PROGRESS")
    worker = Worker(Settings(handler_modules=("acme",)), bench.database)
    assert not worker.run()
    (row,) = bench.rows(workers)
    assert "nothing_of_that_name" in row.error
    assert bench.rows(events)[0].dispatched_at is None
