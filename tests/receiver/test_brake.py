"""A person stops a handler, its pace bounds it, and one that was taken away leaves nothing stuck."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from receiver import runs as runs_room
from receiver.database import Database
from receiver.models import attempts, handlers, runs
from receiver.runs import ALL, endings
from tests.receiver.workbench import MINUTE, Workbench, emptied, handler


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        bench = Workbench(engine, handler("tell"), handler("enable"))
        bench.register()
        yield bench


def waiting(bench: Workbench, cases: int = 1) -> None:
    for n in range(cases):
        bench.arrive(f"case {n}")
    while bench.dispatch():
        pass


def claimed_names(bench: Workbench, pace: float = 0) -> list[str]:
    """Of all that may begin now."""
    names = []
    while (claimed := bench.claim(pace)) is not None:
        names.append(claimed.handler)
    return sorted(names)


@pytest.mark.parametrize("pace", [0, 10])
def test_the_runs_of_a_paused_handler_wait_and_the_others_go_on(bench: Workbench, pace: float) -> None:
    waiting(bench)
    assert bench.pause("tell")
    assert claimed_names(bench, pace) == ["enable"]
    assert bench.resume("tell")
    assert claimed_names(bench, pace) == ["tell"]


@pytest.mark.parametrize("pace", [0, 10])
def test_a_pause_of_all_stops_all(bench: Workbench, pace: float) -> None:
    waiting(bench)
    bench.pause(ALL)
    assert claimed_names(bench, pace) == []
    bench.resume(ALL)
    assert claimed_names(bench, pace) == ["enable", "tell"]


def test_a_handler_that_was_paused_stays_so_when_all_may_go_on(bench: Workbench) -> None:
    waiting(bench)
    bench.pause("tell")
    bench.pause(ALL)
    bench.resume(ALL)
    assert claimed_names(bench) == ["enable"]


def test_what_is_under_way_when_a_pause_comes_ends_and_its_retry_waits(bench: Workbench) -> None:
    waiting(bench)
    claimed = bench.claimed()
    bench.pause(ALL)
    assert bench.finish(claimed)
    assert bench.run(claimed.run_id).state == "succeeded"


def test_events_are_dispatched_while_all_are_paused(bench: Workbench) -> None:
    bench.pause(ALL)
    waiting(bench)
    assert [run.state for run in bench.rows(runs)] == ["queued", "queued"]


def test_a_pause_of_a_name_that_nobody_knows_stops_nobody(bench: Workbench) -> None:
    waiting(bench)
    assert bench.pause("no_such")
    assert claimed_names(bench) == ["enable", "tell"]


def test_a_second_pause_leaves_the_first_ones_reason(bench: Workbench) -> None:
    bench.pause("tell")
    with bench.engine.begin() as connection:
        assert not runs_room.pause(connection, "tell", "another reason", "ben@example.com", bench.now)
        (kept,) = runs_room.find_pauses(connection).values()
    assert (kept.reason, kept.paused_by) == ("looking into it", "ana@example.com")
    assert bench.resume("tell")
    assert not bench.resume("tell")


# Pace


@pytest.mark.parametrize("pace", [3, 0.5])
def test_a_long_queue_is_worked_off_at_its_pace(bench: Workbench, pace: float) -> None:
    bench.handlers = (handler("tell"),)
    waiting(bench, cases=int(30 * pace) + 10)
    begun = []
    for _ in range(300):  # half a minute
        begun += claimed_names(bench, pace)
        bench.now += timedelta(seconds=0.1)
    assert 30 * pace <= len(begun) <= 30 * pace + max(pace, 1)


def test_a_seconds_worth_may_begin_at_once_also_after_a_long_rest(bench: Workbench) -> None:
    waiting(bench, cases=8)
    assert Counter(claimed_names(bench, 3)) == {"tell": 3, "enable": 3}
    bench.now += MINUTE
    assert Counter(claimed_names(bench, 3)) == {"tell": 3, "enable": 3}


def test_one_handlers_pace_holds_up_no_other(bench: Workbench) -> None:
    waiting(bench, cases=3)
    bench.pause("enable")
    assert claimed_names(bench, 2) == ["tell", "tell"]
    bench.resume("enable")
    assert claimed_names(bench, 2) == ["enable", "enable"]


def test_without_a_pace_as_many_begin_as_there_are(bench: Workbench) -> None:
    waiting(bench, cases=20)
    assert len(claimed_names(bench, 0)) == 40


# Handlers that were taken away


def taken_away(bench: Workbench) -> None:
    bench.handlers = (handler("enable"),)
    bench.register()


def test_what_waits_for_a_handler_that_is_gone_needs_a_person_who_is_told_why(bench: Workbench) -> None:
    waiting(bench)
    taken_away(bench)
    assert bench.retire() == 1
    assert bench.retire() == 0
    run = bench.run_of("STATUS_0")
    assert (run.state, run.tries) == ("failed", 1)
    assert run.summary.startswith("The handler “tell” is no longer set up: it was renamed or taken away.")
    (attempt,) = bench.rows(attempts)
    assert (attempt.run_id, attempt.number, attempt.outcome, attempt.error) == (
        run.id,
        1,
        "failed",
        run.summary,
    )
    assert bench.work_off() == ["STATUS_0"]


def test_a_handler_that_was_put_back_does_what_a_person_asks_for(bench: Workbench) -> None:
    waiting(bench)
    taken_away(bench)
    bench.retire()
    bench.handlers = (handler("tell"),)
    bench.register()
    assert bench.retire() == 1  # now "enable" is gone
    bench.reprocess(bench.run_of("STATUS_0").id)
    assert bench.retire() == 0
    assert bench.work_off() == ["STATUS_0"]


def test_what_is_under_way_for_a_handler_that_is_gone_is_left_to_its_worker(bench: Workbench) -> None:
    waiting(bench)
    bench.pause("enable")
    claimed = bench.claimed()
    taken_away(bench)
    assert bench.retire() == 0
    assert bench.finish(claimed)
    assert bench.run_of("STATUS_0").state == "succeeded"


def test_many_waiting_runs_are_retired_in_batches(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "RETIRE_BATCH", 10)
    waiting(bench, cases=12)
    bench.handlers = (handler("another"),)
    bench.register()
    assert [bench.retire() for _ in range(4)] == [10, 10, 4, 0]
    assert {run.state for run in bench.rows(runs)} == {"failed"}


def test_a_handler_that_is_gone_is_kept_and_marked_until_it_is_back(
    bench: Workbench,
) -> None:
    taken_away(bench)
    removed_at = {each.name: each.removed_at for each in bench.rows(handlers)}
    assert removed_at == {"tell": bench.now, "enable": None}
    bench.handlers = (handler("tell"), handler("enable"))
    bench.register()
    assert {each.removed_at for each in bench.rows(handlers)} == {None}
