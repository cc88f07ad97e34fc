"""For one case, one handler's runs go one at a time, in the events' order. On each database."""

import itertools
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, event, func, insert, select, update
from sqlalchemy.exc import OperationalError

from receiver import runs as runs_room
from receiver.database import Database
from receiver.event import ref_key
from receiver.handlers import Message
from receiver.models import events, messages, runs
from receiver.runs import Claimed, dispatching
from tests.receiver.factories import NOON
from tests.receiver.workbench import (
    HOUR,
    MINUTE,
    Workbench,
    emptied,
    failed,
    handler,
    succeeded,
    wait_until_it_waits,
)

T = TypeVar("T")


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        yield Workbench(engine)


def test_a_cases_runs_go_in_the_order_of_its_events(bench: Workbench) -> None:
    for minute in (3, 1, 2):
        bench.arrive(minute=minute)
    bench.dispatch()
    assert bench.work_off() == ["STATUS_1", "STATUS_2", "STATUS_3"]


def test_the_order_of_dispatch_is_no_matter(bench: Workbench) -> None:
    for minute in (3, 1, 2):
        bench.arrive(minute=minute)
        bench.dispatch()
        bench.now += MINUTE
    assert bench.work_off() == ["STATUS_1", "STATUS_2", "STATUS_3"]


def test_an_earlier_event_that_is_still_to_be_dispatched_comes_first(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "DISPATCH_BATCH", 1)
    bench.arrive(minute=2)
    bench.arrive(minute=1)
    bench.dispatch()
    assert bench.claim() is None
    bench.dispatch()
    assert bench.work_off() == ["STATUS_1", "STATUS_2"]


def test_they_go_one_at_a_time(bench: Workbench) -> None:
    bench.arrive(minute=1)
    bench.arrive(minute=2)
    bench.dispatch()
    first = bench.claimed()
    assert bench.claim() is None
    bench.finish(first)
    assert bench.claimed().call.event.status == "STATUS_2"


def test_a_late_event_waits_for_what_is_under_way(bench: Workbench) -> None:
    bench.arrive(minute=2)
    bench.dispatch()
    under_way = bench.claimed()
    bench.arrive(minute=1)
    bench.arrive(minute=3)
    bench.dispatch()
    assert bench.claim() is None
    bench.finish(under_way)
    assert bench.work_off() == ["STATUS_1", "STATUS_3"]


def test_other_cases_and_other_handlers_do_not_wait(bench: Workbench) -> None:
    bench.handlers = (handler("tell"), handler("enable"))
    bench.arrive("acme", 1)
    bench.arrive("acme", 2)
    bench.arrive("bolt", 1)
    bench.dispatch()
    claimed = [bench.claimed() for _ in range(4)]
    assert {(each.call.event.ref_id, each.handler) for each in claimed} == set(
        itertools.product(["acme", "bolt"], ["tell", "enable"])
    )
    assert {each.call.event.status for each in claimed} == {"STATUS_1"}
    assert bench.claim() is None


def test_results_of_other_checks_go_one_at_a_time_as_they_came_and_beside_the_moves(bench: Workbench) -> None:
    bench.arrive_aml()
    bench.arrive_aml()
    bench.arrive(minute=1)
    bench.dispatch()
    ids = [each.id for each in bench.rows(events)]
    seen = []
    while (claimed := bench.claim()) is not None:
        assert bench.claim() is None
        seen.append(claimed.event_id)
        bench.finish(claimed)
    assert seen == ids


def test_the_result_of_another_check_that_is_to_be_tried_again_is_tried_before_the_next(
    bench: Workbench,
) -> None:
    bench.arrive_aml()
    bench.arrive_aml()
    bench.dispatch()
    bench.finish(first := bench.claimed(), failed(retry_at=bench.now + HOUR))
    assert bench.claim() is None
    bench.now += HOUR
    assert bench.claimed().run_id == first.run_id


def test_one_that_failed_blocks_nobody(bench: Workbench) -> None:
    bench.arrive(minute=1)
    bench.arrive(minute=2)
    bench.dispatch()
    bench.finish(bench.claimed(), failed(no_retry=True))
    assert bench.work_off() == ["STATUS_2"]


def test_one_that_was_closed_blocks_nobody(bench: Workbench) -> None:
    bench.arrive(minute=1)
    bench.arrive(minute=2)
    bench.dispatch()
    bench.close(bench.run_of("STATUS_1").id)
    assert bench.work_off() == ["STATUS_2"]


def retrying_in_half_a_day(bench: Workbench) -> Claimed:
    bench.arrive(minute=2)
    bench.dispatch()
    claimed = bench.claimed()
    bench.finish(claimed, failed(retry_at=bench.now + 12 * HOUR))
    return claimed


def test_one_that_is_to_be_tried_again_is_tried_before_the_next(bench: Workbench) -> None:
    bench.arrive(minute=1)
    bench.arrive(minute=2)
    bench.dispatch()
    bench.finish(bench.claimed(), failed(retry_at=bench.now + HOUR))
    assert bench.claim() is None
    bench.now += HOUR
    assert bench.work_off() == ["STATUS_1", "STATUS_2"]


def test_a_newer_event_does_not_wait_half_a_day_for_a_retry(bench: Workbench) -> None:
    retrying_in_half_a_day(bench)
    bench.arrive(minute=3)
    bench.dispatch()
    assert bench.claimed().call.case_moved_on
    assert bench.run_of("STATUS_2").state == "running"


def test_an_event_of_another_case_brings_nothing_forward(bench: Workbench) -> None:
    claimed = retrying_in_half_a_day(bench)
    bench.arrive("bolt", 3)
    bench.dispatch()
    assert bench.work_off() == ["STATUS_3"]
    assert bench.run(claimed.run_id).state == "retrying"


def test_what_fails_while_a_newer_run_was_queued_is_tried_again_at_once_and_then_by_the_schedule(
    bench: Workbench,
) -> None:
    bench.arrive(minute=1)
    bench.dispatch()
    claimed = bench.claimed()
    bench.now += MINUTE
    bench.arrive(minute=2)
    bench.dispatch()
    bench.finish(claimed, failed(retry_at=bench.now + 12 * HOUR))
    again = bench.claimed()
    assert (again.run_id, again.call.case_moved_on) == (claimed.run_id, True)
    bench.finish(again, failed(retry_at=bench.now + 12 * HOUR))
    assert bench.claim() is None


def test_a_person_who_has_a_later_run_done_again_does_not_wait_half_a_day_either(bench: Workbench) -> None:
    bench.arrive(minute=3)
    bench.dispatch()
    bench.finish(later := bench.claimed(), failed(no_retry=True))
    retrying_in_half_a_day(bench)
    bench.reprocess(later.run_id)
    assert bench.work_off() == ["STATUS_2", "STATUS_3"]


def test_a_person_has_an_earlier_run_done_again_while_a_later_one_is_under_way(bench: Workbench) -> None:
    bench.arrive(minute=1)
    bench.arrive(minute=2)
    bench.dispatch()
    bench.finish(earlier := bench.claimed(), failed(no_retry=True))
    later = bench.claimed()
    bench.reprocess(earlier.run_id)
    assert bench.claim() is None
    bench.finish(later)
    assert bench.claimed().run_id == earlier.run_id


def test_a_run_that_an_older_version_queued_without_its_case_is_claimed_and_finished(
    bench: Workbench,
) -> None:
    bench.arrive(minute=1)
    bench.dispatch()
    with bench.engine.begin() as connection:
        connection.execute(update(runs).values(ref_key=None))
    assert bench.finish(bench.claimed(), succeeded(messages=[Message("a", "b", "c")]))
    assert [message.ref_key for message in bench.rows(messages)] == [ref_key("acme")]


def test_an_event_whose_place_a_late_one_takes_holds_nobody_up(bench: Workbench) -> None:
    bench.arrive(minute=5)
    bench.dispatch()
    bench.finish(bench.claimed(), failed(retry_at=bench.now + HOUR))
    for minute in (4, 3, 2, 1):
        bench.arrive(minute=minute)
        bench.dispatch()
    assert bench.work_off() == [f"STATUS_{minute}" for minute in range(1, 6)]


# What it costs


def test_a_claim_finds_its_run_by_index_beside_the_many_of_a_paused_handler(bench: Workbench) -> None:
    bench.handlers = (handler("tell"), handler("enable"))
    bench.arrive()
    bench.dispatch()
    add_waiting(bench, 10_000)
    bench.pause("enable")
    plan = plan_of_claim(bench)
    assert "runs_due" in plan
    assert "runs_open" in plan
    assert not re.search(r"Seq Scan|SCAN", plan)


def add_waiting(bench: Workbench, many: int) -> None:
    """Runs of `enable`, each of another case, and as many of `tell` that are done."""
    at = {"first_attempt_at": NOON, "received_at": NOON, "dispatched_at": NOON}
    row = at | {"family": "kyb", "ref_id": "", "status": "", "late": False, "delivery_count": 1, "place": 0}
    row |= {"body": b"", "body_sha256": b"", "link": "start"}
    run = dict.fromkeys(("fence", "tries", "lost", "repeats"), 0) | {"once": False, "started_by": "event"}
    run |= {"created_at": NOON, "due_at": NOON}
    states = {"enable": "queued", "tell": "succeeded"}
    with bench.engine.begin() as connection:
        first = connection.execute(select(func.max(events.c.id))).scalar_one() + 1
        numbers = {first + n: n.to_bytes(16) for n in range(many)}
        connection.execute(
            insert(events),
            [row | {"id": n, "svix_id": f"many_{n}", "ref_key": key} for n, key in numbers.items()],
        )
        connection.execute(
            insert(runs),
            [
                run | {"event_id": n, "ref_key": key, "handler": name, "state": state}
                for n, key in numbers.items()
                for name, state in states.items()
            ],
        )
        if connection.dialect.name == "postgresql":  # does so by itself, but not at once
            connection.exec_driver_sql("ANALYZE")


def plan_of_claim(bench: Workbench) -> str:
    """Of what claim reads of the runs, as the database says; it reads the claimed one by its key."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT runs.due_at"):
            asked.append((statement, parameters))

    event.listen(bench.engine, "before_cursor_execute", listen)
    assert bench.claim() is not None
    event.remove(bench.engine, "before_cursor_execute", listen)
    explain = "EXPLAIN QUERY PLAN" if bench.engine.dialect.name == "sqlite" else "EXPLAIN"
    with bench.engine.begin() as connection:
        rows = [
            row
            for statement, parameters in asked
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)
        ]
    return "\n".join(str(row[-1]) for row in rows)


# Several workers at once


def test_two_workers_never_have_one_cases_runs_although_neither_sees_the_others_claim(
    postgresql_database: Database,
) -> None:
    """A person queues an earlier run anew, and another worker wants it, before the first has committed."""
    with emptied(postgresql_database) as engine:
        bench = Workbench(engine)
        bench.arrive(minute=1)
        bench.arrive(minute=2)
        bench.dispatch()
        bench.finish(earlier := bench.claimed(), failed(no_retry=True))
        other, claimed = postgresql_database.writer(), []
        with engine.begin() as connection:
            first = runs_room.claim(connection, bench.names, MINUTE, bench.now)
            assert first is not None
            bench.reprocess(earlier.run_id, other)
            thread = threading.Thread(target=lambda: claimed.append(bench.claim(engine=other)))
            thread.start()
            wait_until_it_waits(thread, other)
        thread.join()
        other.dispose()
    assert claimed == [None]


def test_workers_side_by_side_keep_the_order(lasting_database: Database) -> None:
    """Some tries fail, people have things done again; whoever claims finds nobody else at that case."""
    with emptied(lasting_database) as engine:
        bench = Workbench(engine, handler("tell"), handler("enable"))
        for ref_id, minute in itertools.product(("acme", "bolt", "cask"), (3, 1, 4, 2)):
            bench.arrive(ref_id, minute)
        crowd = Crowd(bench, lasting_database)
        crowd.work()
        states = [run.state for run in bench.rows(runs)]
    assert crowd.unexpected == []
    assert set(crowd.under_way) == {1}
    assert states == ["succeeded"] * 24


class Crowd:
    """Four workers, each with connections of its own."""

    def __init__(self, bench: Workbench, database: Database) -> None:
        self.bench, self.database = bench, database
        self.under_way: list[int] = []  # of a case and handler, whenever one was claimed
        self.unexpected: list[BaseException] = []

    def work(self) -> None:
        threads = [threading.Thread(target=self._work, args=[random.Random(n)]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, chance: random.Random) -> None:
        engine = self.database.writer()
        until = time.monotonic() + 60
        try:
            while not insisting(lambda: self._is_done(engine)) and time.monotonic() < until:
                self._turn(engine, chance)
        except BaseException as error:
            self.unexpected.append(error)
        engine.dispose()

    def _turn(self, engine: Engine, chance: random.Random) -> None:
        insisting(lambda: self.bench.dispatch(engine))
        if (claimed := insisting(lambda: self.bench.claim(engine=engine))) is None:
            return
        self.under_way.append(insisting(lambda: self._count_under_way(engine, claimed)))
        if claimed.number > 2 or chance.random() < 0.5:
            insisting(lambda: self.bench.finish(claimed, engine=engine))
        elif chance.random() < 0.5:
            insisting(lambda: self.bench.finish(claimed, failed(retry_at=self.bench.now), engine))
        else:
            insisting(lambda: self.bench.finish(claimed, failed(no_retry=True), engine))
            insisting(lambda: self.bench.reprocess(claimed.run_id, engine))

    def _count_under_way(self, engine: Engine, claimed: Claimed) -> int:
        same = runs.c.state == "running", runs.c.ref_key == claimed.ref_key, runs.c.handler == claimed.handler
        with engine.begin() as connection:
            return len(connection.execute(select(runs.c.id).where(*same)).all())

    def _is_done(self, engine: Engine) -> bool:
        new_events = select(events.c.id).where(events.c.dispatched_at.is_(None))
        open_runs = select(runs.c.id).where(runs.c.state != "succeeded")
        with engine.begin() as connection:
            return not any(connection.execute(rest).first() for rest in (new_events, open_runs))


def insisting(do: Callable[[], T]) -> T:
    """Like the worker, who comes back when the database was busy."""
    while True:
        with suppress(OperationalError):
            return do()


# Leaving


def leaving_runs(bench: Workbench) -> list[str]:
    """The statuses of the events for which there is a run, in the order of their dispatch."""
    ids = {each.id: each.status for each in bench.rows(events)}
    return [ids[run.event_id] for run in bench.rows(runs)]


@pytest.fixture
def suspending(bench: Workbench) -> Workbench:
    bench.handlers = (handler("suspend", leaving=("COMPLETED",)),)
    return bench


def test_leaving_a_status_is_told_by_what_the_message_names(suspending: Workbench) -> None:
    suspending.arrive(minute=1, status="REJECTED", previousStatus="COMPLETED")
    suspending.dispatch()
    assert leaving_runs(suspending) == ["REJECTED"]


def test_leaving_a_status_is_told_by_what_stands_before_where_a_message_is_missing(
    suspending: Workbench,
) -> None:
    suspending.arrive(minute=1, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.arrive(minute=2, status="REJECTED", previousStatus="IN_REVIEW")
    suspending.dispatch()
    assert leaving_runs(suspending) == ["REJECTED"]


def test_who_comes_from_elsewhere_or_stays_has_not_left(suspending: Workbench) -> None:
    suspending.arrive(minute=1, status="IN_REVIEW", previousStatus="IN_PROGRESS")
    suspending.arrive(minute=2, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.arrive(minute=3, status="COMPLETED", previousStatus="COMPLETED")
    suspending.dispatch()
    assert leaving_runs(suspending) == []


def test_another_case_that_was_completed_was_not_left(suspending: Workbench) -> None:
    suspending.arrive("bolt", minute=1, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.arrive("acme", minute=2, status="REJECTED", previousStatus="IN_REVIEW")
    suspending.dispatch()
    assert leaving_runs(suspending) == []


def test_a_result_of_another_check_leaves_nothing(suspending: Workbench) -> None:
    suspending.arrive(minute=1, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.arrive_aml()
    suspending.dispatch()
    assert leaving_runs(suspending) == []


def test_a_late_event_between_a_completion_and_what_followed_leaves_it_too_and_is_told_so(
    suspending: Workbench,
) -> None:
    suspending.arrive(minute=1, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.arrive(minute=3, status="IN_REVIEW", previousStatus="REJECTED")
    suspending.dispatch()
    assert not suspending.claimed().call.case_moved_on
    suspending.arrive(minute=2, status="REJECTED", previousStatus="COMPLETED")
    suspending.dispatch()
    assert leaving_runs(suspending) == ["IN_REVIEW", "REJECTED"]
    suspending.now += HOUR
    suspending.rescue()
    assert suspending.claimed().call.case_moved_on


def test_a_completion_that_comes_late_is_told_that_its_case_has_moved_on(suspending: Workbench) -> None:
    """What followed it was judged without it, so nobody is called for leaving: nor may it enable anybody."""
    suspending.handlers = (handler("enable", "COMPLETED", leaving=("COMPLETED",)),)
    suspending.arrive(minute=1, status="IN_REVIEW", previousStatus="IN_PROGRESS")
    suspending.arrive(minute=3, status="REJECTED", previousStatus="IN_REVIEW")
    suspending.dispatch()
    suspending.arrive(minute=2, status="COMPLETED", previousStatus="IN_REVIEW")
    suspending.dispatch()
    assert leaving_runs(suspending) == ["COMPLETED"]
    assert suspending.claimed().call.case_moved_on
