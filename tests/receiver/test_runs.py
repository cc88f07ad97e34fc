"""A run's life in SQL, on each database."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from receiver import runs
from receiver.database import Database
from receiver.executor import Ended
from receiver.handlers import Registered
from receiver.ledger.group import Group
from receiver.models import Outcome, RunState, StartedBy, attempts, events
from receiver.models import runs as runs_table
from receiver.runs import Claimed, NotReprocessed, Reprocessed
from tests.receiver.factories import NOON, delivery, message_id

TIMEOUT = timedelta(seconds=30)
DELAYS = (5.0, 60.0)


@pytest.fixture
def engine(any_database: Database) -> Iterator[Engine]:
    engine = any_database.writer()
    yield engine
    engine.dispose()


def handler(name: str = "tell", *statuses: str, once: bool = False) -> Registered:
    return Registered(name=name, title=name, statuses=statuses, once=once, module="acme")


def receive(engine: Engine, n: int = 0, **fields: Any) -> None:
    at = NOON + timedelta(minutes=n)
    with engine.begin() as connection:
        Group(connection, [delivery(svix_id=message_id(at, n), at=at, **fields)]).write()


def dispatch(engine: Engine, *handlers: Registered) -> int:
    with engine.begin() as connection:
        return runs.dispatch(connection, handlers, NOON)


def claim(engine: Engine, now: datetime = NOON) -> Claimed | None:
    with engine.begin() as connection:
        names = set(connection.execute(select(runs_table.c.handler)).scalars())
        return runs.claim(connection, names, TIMEOUT, now)


def claimed_run(engine: Engine, **options: Any) -> Claimed:
    """A run under way."""
    receive(engine)
    dispatch(engine, handler(**options))
    claimed = claim(engine)
    assert claimed is not None
    return claimed


def finish(engine: Engine, claimed: Claimed, ended: Ended, now: datetime = NOON) -> bool:
    with engine.begin() as connection:
        return runs.finish(connection, claimed, ended, DELAYS, now)


def ended(outcome: Outcome = Outcome.SUCCEEDED, error: str | None = None, **fields: Any) -> Ended:
    return Ended(outcome, result=None, error=error, traceback=None, output=None, **fields)


def reprocess(
    engine: Engine, run_id: int, tries: int, by: str = "ana@example.com"
) -> Reprocessed | NotReprocessed:
    with engine.begin() as connection:
        return runs.reprocess(connection, run_id, tries, by, NOON)


def all_rows(engine: Engine, table: Any) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def the_run(engine: Engine) -> Any:
    (row,) = all_rows(engine, runs_table)
    return row


def test_an_event_becomes_one_queued_run_for_each_handler_of_its_status(engine: Engine) -> None:
    receive(engine, status="REJECTED", previousStatus="IN_REVIEW")
    dispatch(engine, handler("tell", "REJECTED"), handler("enable", "COMPLETED"), handler("note"))
    assert [(run.handler, run.state, run.tries) for run in all_rows(engine, runs_table)] == [
        ("tell", "queued", 0),
        ("note", "queued", 0),
    ]


def test_dispatching_again_adds_nothing(engine: Engine) -> None:
    receive(engine)
    assert dispatch(engine, handler()) == 1
    assert dispatch(engine, handler()) == 0
    assert len(all_rows(engine, runs_table)) == 1
    assert all_rows(engine, events)[0].dispatched_at == NOON


def test_a_result_of_another_family_runs_only_the_handlers_of_every_event(engine: Engine) -> None:
    receive(engine, content=b'{"refId": "acme", "status": "REJECTED"}')
    dispatch(engine, handler("tell", "REJECTED"), handler("note"))
    assert [run.handler for run in all_rows(engine, runs_table)] == ["note"]


def test_a_claimed_run_knows_its_event_its_case_and_its_key(engine: Engine) -> None:
    claimed = claimed_run(engine)
    call = claimed.call
    assert (call.event.ref_id, call.event.status, call.try_number) == ("acme", "IN_PROGRESS", 1)
    assert call.case is not None
    assert call.case.status == "IN_PROGRESS"
    assert len(call.idempotency_key) == 32
    assert not call.case_moved_on


def test_a_handler_is_told_when_the_case_has_moved_on(engine: Engine) -> None:
    receive(engine)
    dispatch(engine, handler())
    receive(engine, 1, status="IN_REVIEW", previousStatus="IN_PROGRESS")
    claimed = claim(engine)
    assert claimed is not None
    assert claimed.call.case_moved_on


def test_a_repeat_of_the_same_move_is_no_moving_on(engine: Engine) -> None:
    receive(engine)
    dispatch(engine, handler())
    receive(engine, 1)
    claimed = claim(engine)
    assert claimed is not None
    assert not claimed.call.case_moved_on


def test_a_run_is_claimed_once(engine: Engine) -> None:
    claimed_run(engine)
    assert claim(engine) is None
    run = the_run(engine)
    assert (run.state, run.tries, run.fence) == ("running", 1, 1)
    assert run.lease_until == NOON + TIMEOUT + runs.LEASE_MARGIN


def test_many_workers_claim_every_run_exactly_once(any_database: Database) -> None:
    engine = any_database.writer()
    for n in range(20):
        receive(engine, n, ref_id=f"case {n}")
    dispatch(engine, handler())
    claimed: list[int] = []

    def work() -> None:
        own = any_database.writer()
        while (run := claim(own)) is not None:
            claimed.append(run.run_id)
        own.dispose()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 20


def test_a_success_is_an_attempt_and_a_succeeded_run(engine: Engine) -> None:
    claimed = claimed_run(engine)
    assert finish(engine, claimed, Ended(Outcome.SUCCEEDED, "mail sent", None, None, "a line"))
    (attempt,) = all_rows(engine, attempts)
    assert (attempt.number, attempt.outcome, attempt.result, attempt.output) == (
        1,
        "succeeded",
        "mail sent",
        "a line",
    )
    assert (the_run(engine).state, the_run(engine).summary) == ("succeeded", "mail sent")


def test_a_failure_is_retried_by_the_schedule_and_then_needs_a_person(engine: Engine) -> None:
    claimed = claimed_run(engine)
    now = NOON
    for delay in DELAYS:
        finish(engine, claimed, ended(Outcome.FAILED, "no"), now)
        run = the_run(engine)
        assert run.state == "retrying"
        assert abs((run.due_at - now).total_seconds() - delay) <= delay * runs.JITTER
        assert claim(engine, run.due_at - timedelta(microseconds=1)) is None
        now = run.due_at
        again = claim(engine, now)
        assert again is not None
        assert again.started_by is StartedBy.RETRY
        assert again.call.idempotency_key == claimed.call.idempotency_key
        claimed = again
    finish(engine, claimed, ended(Outcome.FAILED, "no"), now)
    assert the_run(engine).state == "failed"
    assert [attempt.number for attempt in all_rows(engine, attempts)] == [1, 2, 3]


def test_a_handler_says_when_to_retry(engine: Engine) -> None:
    claimed = claimed_run(engine)
    later = NOON + timedelta(hours=7)
    finish(engine, claimed, ended(Outcome.FAILED, "busy", retry_at=later))
    assert (the_run(engine).state, the_run(engine).due_at) == ("retrying", later)


def test_a_handler_that_always_asks_for_a_later_time_ends_with_a_person(engine: Engine) -> None:
    claimed = claimed_run(engine)
    for n in range(3):
        finish(engine, claimed, ended(Outcome.FAILED, "busy", retry_at=NOON))
        again = claim(engine)
        assert (again is None) == (n == 2)
        claimed = again or claimed
    assert the_run(engine).state == "failed"


def test_where_no_retry_helps_a_person_is_asked_at_once(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended(Outcome.FAILED, "no address", no_retry=True))
    assert (the_run(engine).state, the_run(engine).summary) == ("failed", "no address")


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED])
def test_what_may_have_been_done_and_must_be_done_once_is_not_tried_again(
    engine: Engine, outcome: Outcome
) -> None:
    claimed = claimed_run(engine, once=True)
    finish(engine, claimed, ended(outcome, "who knows"))
    assert the_run(engine).state == "failed"


def test_what_a_once_handler_says_has_failed_is_retried(engine: Engine) -> None:
    claimed = claimed_run(engine, once=True)
    finish(engine, claimed, ended(Outcome.FAILED, "connection refused"))
    assert the_run(engine).state == "retrying"


def test_a_result_from_behind_the_fence_does_not_count(engine: Engine) -> None:
    slow = claimed_run(engine)
    after_the_lease = NOON + TIMEOUT + runs.LEASE_MARGIN + timedelta(seconds=1)
    with engine.begin() as connection:
        assert runs.rescue(connection, after_the_lease) == 1
    quick = claim(engine, after_the_lease + timedelta(hours=1))
    assert quick is not None
    assert not finish(engine, slow, ended())
    assert finish(engine, quick, ended())
    assert [(attempt.number, attempt.outcome) for attempt in all_rows(engine, attempts)] == [
        (1, "lost"),
        (2, "succeeded"),
    ]


def test_a_lease_that_holds_is_not_rescued_and_can_be_renewed(engine: Engine) -> None:
    claimed = claimed_run(engine)
    until = NOON + timedelta(hours=1)
    with engine.begin() as connection:
        assert runs.renew(connection, claimed, until)
        assert runs.rescue(connection, until - timedelta(seconds=1)) == 0
        assert runs.rescue(connection, until + timedelta(seconds=1)) == 1
        assert not runs.renew(connection, claimed, until)


def test_a_call_that_keeps_killing_its_worker_is_parked(engine: Engine) -> None:
    claimed_run(engine)
    now, lives = NOON, 0
    while the_run(engine).state == "running":
        lives += 1
        now += timedelta(hours=1)
        with engine.begin() as connection:
            runs.rescue(connection, now)
        now += timedelta(hours=1)
        claim(engine, now)
    assert lives == 1 + runs.MAX_LOST_RETRIES
    assert the_run(engine).state == "failed"
    assert {attempt.outcome for attempt in all_rows(engine, attempts)} == {"lost"}


def test_a_lost_once_run_says_that_it_may_have_been_done(engine: Engine) -> None:
    claimed_run(engine, once=True)
    with engine.begin() as connection:
        runs.rescue(connection, NOON + timedelta(hours=1))
    assert the_run(engine).state == "failed"
    assert "may have been done" in the_run(engine).summary


def test_a_person_has_a_failed_run_tried_once_more(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended(Outcome.FAILED, "no address", no_retry=True))
    assert reprocess(engine, claimed.run_id, 1) == Reprocessed(claimed.run_id)
    again = claim(engine)
    assert again is not None
    assert again.call.idempotency_key == claimed.call.idempotency_key
    finish(engine, again, ended())
    last = all_rows(engine, attempts)[-1]
    assert (last.started_by, last.requested_by, last.outcome) == ("person", "ana@example.com", "succeeded")
    assert the_run(engine).state == "succeeded"


def test_of_a_double_click_one_counts(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended(Outcome.FAILED, no_retry=True))
    assert isinstance(reprocess(engine, claimed.run_id, 1), Reprocessed)
    assert reprocess(engine, claimed.run_id, 1) == NotReprocessed(claimed.run_id, RunState.QUEUED, 1)
    claim(engine)
    assert reprocess(engine, claimed.run_id, 1) == NotReprocessed(claimed.run_id, RunState.RUNNING, 2)


def test_who_saw_an_old_page_is_told_what_happened_since(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended(Outcome.FAILED, no_retry=True))
    reprocess(engine, claimed.run_id, 1, "ben@example.com")
    again = claim(engine)
    assert again is not None
    finish(engine, again, ended())
    assert reprocess(engine, claimed.run_id, 1) == NotReprocessed(claimed.run_id, RunState.SUCCEEDED, 2)


def test_nobody_waits_twelve_hours_for_a_retry(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended(Outcome.FAILED, retry_at=NOON + timedelta(hours=12)))
    assert isinstance(reprocess(engine, claimed.run_id, 1), Reprocessed)
    assert claim(engine) is not None


def test_a_deliberate_repeat_of_a_success_has_a_key_of_its_own(engine: Engine) -> None:
    claimed = claimed_run(engine)
    finish(engine, claimed, ended())
    reprocess(engine, claimed.run_id, 1)
    again = claim(engine)
    assert again is not None
    assert again.call.idempotency_key != claimed.call.idempotency_key


def test_there_is_nothing_to_reprocess_without_a_run(engine: Engine) -> None:
    assert reprocess(engine, 4711, 0) == NotReprocessed(4711, None, 0)


def test_every_change_of_a_run_raises_the_revision(engine: Engine) -> None:
    def revision(connection: Connection) -> int:
        return int(connection.exec_driver_sql("SELECT n FROM revision").scalar_one())

    seen = []
    receive(engine)
    for step in (
        lambda: dispatch(engine, handler()),
        lambda: claim(engine),
        lambda: None,
    ):
        with engine.begin() as connection:
            seen.append(revision(connection))
        step()
    assert seen == sorted(set(seen))
