"""The worker's loop, with real calls in real processes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver import runs as runs_room
from receiver import worker as worker_room
from receiver.database import Database
from receiver.executor import Call, Executor
from receiver.ledger.group import Group
from receiver.models import attempts, businesses, events, handlers, runs, workers
from receiver.runs import Claimed, pause, resume
from receiver.settings import Settings
from receiver.worker import Worker
from tests.dashboard.reading import read
from tests.desk import eventually
from tests.receiver.factories import NOON, delivery, message_id

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
        self._received = 0

    def receive(self, status: str, ref_id: str = "acme") -> None:
        self._received += 1
        given = delivery(status=status, ref_id=ref_id, svix_id=message_id(NOON, self._received))
        self.write(lambda connection: Group(connection, [given]).write())

    def write(self, change: Callable[[Any], object]) -> None:
        engine = self.database.writer()
        with engine.begin() as connection:
            change(connection)
        engine.dispose()

    def rows(self, table: Any) -> list[Any]:
        """Read without the writers' lock, which on a busy machine others hold for long."""

        async def found(connection: AsyncConnection) -> list[Any]:
            return list(await connection.execute(select(table).order_by(table.c[0])))

        return read(self.database, found)

    @contextmanager
    def working(self, modules: tuple[str, ...] = ("acme",), **settings: Any) -> Iterator[None]:
        self.worker = Worker(Settings(handler_modules=modules, handler_timeout=60, **settings), self.database)
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


def test_after_each_of_its_transactions_others_find_a_gap(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(Worker, "_rest", lambda _worker: order.append("rest"))
    bench.receive("IN_PROGRESS")
    with bench.working():
        assert bench.worker is not None
        event.listen(bench.worker._engine, "begin", lambda _connection: order.append("begin"))
        eventually(lambda: bench.rows(attempts))
    told = order[order.index("rest", order.index("begin")) :]  # it may have registered its handlers before
    assert (set(told[0::2]), set(told[1::2])) == ({"rest"}, {"begin"})


def test_what_is_claimed_starts_before_the_worker_rests(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a worker that dies then leaves calls of which nobody knows that they never began."""
    order: list[str] = []
    claim, start, rest = runs_room.claim, Executor.start, Worker._rest

    def claimed(*given: Any, **named: Any) -> Claimed | None:
        found = claim(*given, **named)
        order.extend(["claim"] * (found is not None))
        return found

    def started(executor: Executor, run_id: int, call: Call) -> None:
        order.append("start")
        start(executor, run_id, call)

    def rested(worker: Worker) -> None:
        order.append("rest")
        rest(worker)

    monkeypatch.setattr(runs_room, "claim", claimed)
    monkeypatch.setattr(Executor, "start", started)
    monkeypatch.setattr(Worker, "_rest", rested)
    for ref_id in ("acme", "bolt"):
        bench.receive("IN_PROGRESS", ref_id)
    with bench.working():
        eventually(lambda: len(bench.rows(attempts)) == 2)
    assert order.count("start") == 2
    assert "claim rest" not in " ".join(order)


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
            assert paused.wait(30)
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


MANY = """
import time
from pathlib import Path
from receiver.handlers import Done, handles

@handles("COMPLETED")
def meet(event, context):
    Path(f"{event.ref_id}.here").touch()
    until = time.monotonic() + 30
    while len(list(Path().glob("*.here"))) < 8:
        if time.monotonic() > until:
            raise TimeoutError("the others did not come")
        time.sleep(0.01)

@handles("REJECTED")
def note(event, context):
    return Done("noted", {"notes": event.ref_id})
"""


def test_the_cases_of_many_are_worked_on_side_by_side(bench: Bench) -> None:
    (bench.directory / "acme.py").write_text(MANY)
    for n in range(8):
        bench.receive("COMPLETED", f"case {n}")
        bench.receive("IN_REVIEW", f"case {n}")
    with bench.working():
        eventually(lambda: len(bench.rows(attempts)) == 8)
    assert {attempt.outcome for attempt in bench.rows(attempts)} == {"succeeded"}


def test_a_pause_holds_new_runs_until_somebody_lets_them_go_on(bench: Bench) -> None:
    bench.write(lambda connection: pause(connection, "quick", "why", "ana@example.com", NOON))
    bench.receive("IN_PROGRESS")
    bench.receive("IN_REVIEW")
    with bench.working():
        eventually(lambda: [attempt.result for attempt in bench.rows(attempts)] == ["done at last"])
        bench.write(lambda connection: resume(connection, "quick", "ana@example.com", NOON))
        eventually(lambda: len(bench.rows(attempts)) == 2)


def test_what_waits_for_a_handler_that_was_taken_away_needs_a_person(bench: Bench) -> None:
    bench.receive("IN_PROGRESS")
    bench.write(lambda connection: pause(connection, "quick", "why", "ana@example.com", NOON))
    with bench.working():
        eventually(lambda: bench.rows(runs))
    (bench.directory / "acme.py").write_text(MANY)
    with bench.working():
        eventually(lambda: bench.rows(runs)[0].state == "failed")
    assert "“quick” is no longer set up" in bench.rows(runs)[0].summary


def test_a_result_that_the_database_refuses_fails_and_holds_up_no_other(bench: Bench) -> None:
    (bench.directory / "acme.py").write_text(MANY)
    bench.write(
        lambda connection: connection.exec_driver_sql(
            "CREATE TRIGGER picky BEFORE UPDATE ON businesses WHEN new.notes = 'bolt' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    )
    bench.receive("REJECTED", "bolt")
    bench.receive("REJECTED", "acme")
    with bench.working():
        eventually(lambda: len(bench.rows(attempts)) == 2)
    refused, noted = sorted(bench.rows(attempts), key=lambda attempt: str(attempt.outcome))
    assert (noted.outcome, noted.result) == ("succeeded", "noted")
    assert (refused.outcome, refused.error) == (
        "failed",
        "what it gave back can't be recorded (IntegrityError)",
    )
    assert sorted(run.state for run in bench.rows(runs)) == ["failed", "succeeded"]
    assert [business.ref_id for business in bench.rows(businesses)] == ["acme"]
