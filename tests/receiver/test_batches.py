"""Many runs on one word: exactly those counted, in small transactions, whatever happens meanwhile. On each
database."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from receiver import runs as runs_room
from receiver.activity import Kind
from receiver.database import Database
from receiver.executor import Ended
from receiver.models import Outcome, RunState, activities, batch_items, batches, cases, runs
from receiver.runs import Action, BatchError, Confirmation, Draft, Result, Selection, carrying_out
from receiver.runs import batches as batches_room
from receiver.runs.closing import close_quietly
from tests.receiver.workbench import (
    HOUR,
    MINUTE,
    Workbench,
    emptied,
    empty,
    failed,
    handler,
    wait_until_it_waits,
)

FAILED = (RunState.FAILED,)
BEN = "ben@example.com"


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        bench = Workbench(engine, handler("tell"), handler("enable"))
        bench.register()
        yield bench


def failing(bench: Workbench, cases: int = 3, ended: Ended | None = None) -> list[int]:
    """One run of each handler for each case, all failed; the ids of those of `tell`."""
    for n in range(cases):
        bench.arrive(f"case {n}")
    while bench.dispatch():
        pass
    while (claimed := bench.claim()) is not None:
        bench.finish(claimed, ended or failed(no_retry=True))
    return [run.id for run in bench.rows(runs) if run.handler == "tell"]


def drafted(
    bench: Workbench,
    ticked: list[tuple[int, int]] | None = None,
    action: Action = Action.REPROCESS,
    states: tuple[RunState, ...] = FAILED,
    **chosen: Any,
) -> int:
    """As the page does it; its number."""
    draft = Draft(action, "what needs a person", "/runs", BEN, bench.now)
    with bench.engine.begin() as connection:
        draft.begin(connection)
    selection = Selection(states, **{"until": bench.now} | chosen)
    for state in states if ticked is None else ():
        after: int | None = 0
        while after is not None:
            with bench.engine.begin() as connection:
                after = draft.take(connection, selection, state, after)
    with bench.engine.begin() as connection:
        draft.take_ticked(connection, ticked or [])
        draft.end(connection)
    return draft.batch_id


def confirm(
    bench: Workbench, batch_id: int, number: int | None, engine: Engine | None = None, **said: Any
) -> bool:
    words: dict[str, Any] = {"repeat_done": False, "reason": "", "note": "", "by": BEN, "now": bench.now}
    with (engine or bench.engine).begin() as connection:
        return runs_room.confirm(connection, batch_id, Confirmation(number=number, **words | said))


def advance(bench: Workbench, engine: Engine | None = None) -> int:
    with (engine or bench.engine).begin() as connection:
        return runs_room.advance(connection, bench.now)


def advance_to_the_end(bench: Workbench) -> None:
    while advance(bench):
        pass


def results(bench: Workbench, batch_id: int) -> list[str | None]:
    return [item.result for item in bench.rows(batch_items) if item.batch_id == batch_id]


def batch(bench: Workbench, batch_id: int) -> Any:
    (found,) = (each for each in bench.rows(batches) if each.id == batch_id)
    return found


def parts(bench: Workbench, batch_id: int) -> Counter[str | None]:
    counted: Counter[str | None] = Counter()
    for part in runs_room.parts_of(batch(bench, batch_id).preview):
        counted[part.why_not] += part.n
    return counted


def states(bench: Workbench) -> list[str]:
    return [run.state for run in bench.rows(runs)]


def test_what_was_counted_is_confirmed_and_carried_out(bench: Workbench) -> None:
    failing(bench)
    batch_id = drafted(bench)
    assert states(bench) == ["failed"] * 6
    assert confirm(bench, batch_id, 6)
    assert states(bench) == ["failed"] * 6
    advance_to_the_end(bench)
    assert states(bench) == ["queued"] * 6
    assert {run.requested_by for run in bench.rows(runs)} == {BEN}
    assert results(bench, batch_id) == [Result.TAKEN] * 6
    assert batch(bench, batch_id).finished_at == bench.now
    (told,) = bench.rows(activities)
    assert (told.kind, told.by, told.subject) == (Kind.BATCH_STARTED, BEN, str(batch_id))


@pytest.mark.parametrize("number", [5, 7, 0, None])
def test_another_number_starts_nothing(bench: Workbench, number: int | None) -> None:
    failing(bench)
    batch_id = drafted(bench)
    with pytest.raises(BatchError):
        confirm(bench, batch_id, number)
    assert advance(bench) == 0
    assert states(bench) == ["failed"] * 6


def test_a_batch_has_only_what_the_filters_leave(bench: Workbench) -> None:
    told = failing(bench)
    ids = {
        drafted(bench, handler="tell"): set(told),
        drafted(bench, ref_id="case 1", handler="tell"): {told[1]},
        drafted(bench, failure=bench.run(told[0]).fingerprint): set(told),
    }
    for batch_id, expected in ids.items():
        assert {item.run_id for item in bench.rows(batch_items) if item.batch_id == batch_id} == expected


def test_what_fails_or_opens_again_after_the_page_was_shown_is_not_in_it(bench: Workbench) -> None:
    first, second, third = failing(bench)
    closing = runs_room.Closing("by hand", "", BEN, bench.now)
    with bench.engine.begin() as connection:
        runs_room.close(connection, second, 1, closing)
    shown = bench.now
    bench.now += MINUTE
    bench.reprocess(first)
    bench.finish(bench.claimed(), failed(no_retry=True))
    bench.arrive("case 1", minute=5)
    bench.dispatch()
    while (claimed := bench.claim()) is not None:
        bench.finish(claimed, failed(no_retry=True))
    assert bench.run(second).state == "failed"
    batch_id = drafted(bench, handler="tell", until=shown)
    assert [item.run_id for item in bench.rows(batch_items) if item.batch_id == batch_id] == [third]


def test_it_is_taken_and_carried_out_in_steps(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_room, "STEP", 2)
    monkeypatch.setattr(carrying_out, "CARRIED_OUT", 4)
    failing(bench, cases=5)
    batch_id = drafted(bench)
    assert parts(bench, batch_id) == {None: 10}
    confirm(bench, batch_id, 10)
    assert [advance(bench), advance(bench), advance(bench)] == [4, 4, 2]
    assert states(bench) == ["queued"] * 10


def test_a_batch_is_bounded_and_says_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_room, "STEP", 2)
    monkeypatch.setattr(batches_room, "MOST", 3)
    failing(bench)
    found = batch(bench, drafted(bench))
    assert (found.total, found.cut) == (3, True)


def test_who_is_skipped_and_why_is_told_before(bench: Workbench) -> None:
    bench.handlers = (handler("tell", once=True), handler("enable"))
    bench.register()
    moved, closed, waiting, done, doubted, good = failing(bench, cases=6)
    bench.arrive("case 0", minute=7)
    with bench.engine.begin() as connection:
        runs_room.close(connection, closed, 1, runs_room.Closing("by hand", "", BEN, bench.now))
    for run_id, ended in ((done, None), (doubted, Ended(Outcome.IN_DOUBT, error="silent"))):
        bench.reprocess(run_id)
        bench.finish(bench.claimed(), ended)
    bench.reprocess(waiting)
    bench.pause("enable")
    ticked = [(run.id, 9 if run.id == good else run.tries) for run in bench.rows(runs)]
    batch_id = drafted(bench, ticked)
    told = {item.run_id: item.result for item in bench.rows(batch_items) if item.batch_id == batch_id}
    assert {told[run_id] for run_id in (moved,)} == {Result.MOVED_ON}
    assert [told[run_id] for run_id in (closed, waiting, done, doubted, good)] == [
        Result.CLOSED,
        Result.UNDER_WAY,
        Result.DONE,
        Result.IN_DOUBT,
        Result.TRIED,
    ]
    assert parts(bench, batch_id)[Result.PAUSED] == 5
    assert None not in parts(bench, batch_id)


def test_what_lost_its_handler_is_skipped(bench: Workbench) -> None:
    failing(bench)
    bench.handlers = (handler("enable"),)
    bench.register()
    assert parts(bench, drafted(bench)) == {None: 3, Result.GONE: 3}


def test_what_is_skipped_in_the_preview_is_never_taken(bench: Workbench) -> None:
    failing(bench)
    bench.pause("tell")
    batch_id = drafted(bench)
    confirm(bench, batch_id, 3)
    bench.resume("tell")
    advance_to_the_end(bench)
    assert Counter(results(bench, batch_id)) == {Result.TAKEN: 3, Result.PAUSED: 3}


def test_what_has_changed_since_the_preview_is_skipped_with_words(bench: Workbench) -> None:
    done, again, moved = failing(bench)
    batch_id = drafted(bench, handler="tell")
    bench.reprocess(done)
    bench.finish(bench.claimed())
    bench.reprocess(again)
    bench.finish(bench.claimed(), failed(no_retry=True))
    bench.arrive("case 2", minute=9)
    confirm(bench, batch_id, 3)
    advance_to_the_end(bench)
    assert results(bench, batch_id) == [Result.DONE, Result.TRIED, Result.MOVED_ON]
    assert [bench.run(run_id).state for run_id in (done, again, moved)] == ["succeeded", "failed", "failed"]


def test_what_is_paused_in_the_middle_waits(bench: Workbench) -> None:
    failing(bench)
    batch_id = drafted(bench, handler="tell")
    confirm(bench, batch_id, 3)
    bench.pause("tell")
    advance_to_the_end(bench)
    assert results(bench, batch_id) == [Result.TAKEN] * 3
    assert bench.claim() is None


def test_what_is_done_is_repeated_only_on_purpose_with_a_reason_and_a_new_key(bench: Workbench) -> None:
    done, other, _ = failing(bench)
    bench.reprocess(done)
    key = bench.claimed()
    bench.finish(key)
    shown = [(done, 2), (other, 1)]
    without, with_done = drafted(bench, shown), drafted(bench, shown)
    confirm(bench, without, 1)
    advance_to_the_end(bench)
    assert bench.run(done).state == "succeeded"
    bench.finish(bench.claimed(), failed(no_retry=True))
    with pytest.raises(BatchError):
        confirm(bench, with_done, 2, repeat_done=True)
    assert confirm(bench, with_done, 2, repeat_done=True, reason="the server swallowed them")
    advance_to_the_end(bench)
    assert results(bench, with_done) == [Result.TAKEN, Result.TRIED]
    assert bench.claimed().call.idempotency_key != key.call.idempotency_key
    assert "the server swallowed them" in bench.rows(activities)[-1].detail


def test_a_second_confirmation_changes_nothing(bench: Workbench) -> None:
    failing(bench)
    batch_id = drafted(bench)
    assert confirm(bench, batch_id, 6)
    assert not confirm(bench, batch_id, 6, by="cid@example.com")
    assert batch(bench, batch_id).confirmed_by == BEN
    assert len(bench.rows(activities)) == 1


def test_a_batch_that_is_still_being_taken_or_is_not_there_can_t_be_confirmed(bench: Workbench) -> None:
    draft = Draft(Action.REPROCESS, "x", "/runs", BEN, bench.now)
    with bench.engine.begin() as connection:
        draft.begin(connection)
    assert not confirm(bench, draft.batch_id, 0)
    assert not confirm(bench, 4711, 0)


def test_two_overlapping_batches_ask_once(bench: Workbench) -> None:
    failing(bench)
    one, other = drafted(bench), drafted(bench)
    confirm(bench, one, 6)
    confirm(bench, other, 6, by="cid@example.com")
    advance_to_the_end(bench)
    assert results(bench, one) == [Result.TAKEN] * 6
    assert results(bench, other) == [Result.UNDER_WAY] * 6
    assert {run.requested_by for run in bench.rows(runs)} == {BEN}


def test_after_a_stop_the_rest_stays_as_it_was(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying_out, "CARRIED_OUT", 2)
    failing(bench)
    batch_id = drafted(bench)
    with bench.engine.begin() as connection:
        assert not runs_room.stop(connection, batch_id, BEN, bench.now)
    confirm(bench, batch_id, 6)
    advance(bench)
    with bench.engine.begin() as connection:
        assert runs_room.stop(connection, batch_id, "cid@example.com", bench.now)
    assert advance(bench) == 0
    assert Counter(states(bench)) == {"queued": 2, "failed": 4}
    assert Counter(results(bench, batch_id)) == {Result.TAKEN: 2, None: 4}
    told = bench.rows(activities)[-1]
    assert (told.kind, told.by, told.detail) == (
        Kind.BATCH_STOPPED,
        "cid@example.com",
        "4 tasks were left as they were",
    )


def test_only_some_wait_at_a_time_so_that_a_stop_stops_the_rest(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying_out, "AHEAD", 2)
    failing(bench)
    batch_id = drafted(bench, handler="tell")
    confirm(bench, batch_id, 3)
    assert [advance(bench), advance(bench)] == [2, 0]
    bench.finish(bench.claimed())
    assert advance(bench) == 1


def test_the_next_ones_are_asked_for_when_there_is_room_for_a_whole_step(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying_out, "AHEAD", 4)
    monkeypatch.setattr(carrying_out, "CARRIED_OUT", 2)
    failing(bench, cases=7)
    confirm(bench, drafted(bench, handler="tell"), 7)
    assert [advance(bench), advance(bench), advance(bench)] == [2, 2, 0]
    bench.finish(bench.claimed())
    assert advance(bench) == 0
    bench.finish(bench.claimed())
    assert [advance(bench), advance(bench)] == [2, 0]
    bench.finish(bench.claimed())
    assert advance(bench) == 1


def test_one_that_waits_holds_up_no_other(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying_out, "AHEAD", 2)
    failing(bench)
    for name in bench.names:
        confirm(bench, drafted(bench, handler=name), 3)
    for _ in bench.names:
        advance(bench)
    assert Counter((run.handler, run.state) for run in bench.rows(runs))["enable", "queued"] == 2


def test_a_draft_that_nobody_confirms_is_gone_after_a_day(bench: Workbench) -> None:
    failing(bench)
    batch_id = drafted(bench)
    bench.now += 23 * HOUR
    assert advance(bench) == 0
    bench.now += 2 * HOUR
    with pytest.raises(BatchError):
        confirm(bench, batch_id, 6)
    advance_to_the_end(bench)
    assert bench.rows(batches) == bench.rows(batch_items) == []


def test_many_are_closed_with_one_reason(bench: Workbench) -> None:
    done, *_ = failing(bench)
    batch_id = drafted(bench, action=Action.CLOSE)
    bench.reprocess(done)
    bench.finish(bench.claimed())
    with pytest.raises(runs_room.CloseError):
        confirm(bench, batch_id, 6)
    assert confirm(bench, batch_id, 6, reason="not needed", note="a test of VOVE's")
    advance_to_the_end(bench)
    assert Counter(states(bench)) == {"closed": 5, "succeeded": 1}
    closed = next(run for run in bench.rows(runs) if run.state == "closed")
    assert (closed.closed_by, closed.close_reason, closed.close_note) == (
        BEN,
        "not needed",
        "a test of VOVE's",
    )


def test_many_more_are_closed_than_asked_for_in_one_step(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying_out, "CARRIED_OUT", 1)
    monkeypatch.setattr(carrying_out, "CLOSED", 4)
    failing(bench)
    confirm(bench, drafted(bench, action=Action.CLOSE), 6, reason="not needed")
    assert [advance(bench), advance(bench)] == [4, 2]
    assert states(bench) == ["closed"] * 6


def test_what_changes_while_many_are_closed_stays_as_it_is(lasting_database: Database) -> None:
    """Of runs that were shown, one was tried since, one has begun and one is closed already."""
    with emptied(lasting_database) as engine:
        bench = Workbench(engine)
        bench.register()
        tried, begun, closed, *_ = failing(bench, cases=5)
        bench.reprocess(tried)
        bench.finish(bench.claimed(), failed(no_retry=True))
        bench.reprocess(begun)
        bench.claimed()
        closing = runs_room.Closing("not needed", "", BEN, bench.now)
        as_shown = {run.id: 1 for run in bench.rows(runs) if run.handler == "tell"}
        with engine.begin() as connection:
            runs_room.close(connection, closed, 1, closing)
            assert close_quietly(connection, as_shown, closing) == as_shown.keys() - {tried, begun, closed}
        assert [bench.run(run_id).state for run_id in (tried, begun)] == ["failed", "running"]


def test_customers_who_were_told_by_hand_together_are_no_longer_untold(bench: Workbench) -> None:
    bench.handlers = (handler("tell", effect="customer"), handler("enable"))
    bench.register()
    done, *_ = failing(bench)
    batch_id = drafted(bench, action=Action.CLOSE)
    bench.reprocess(done)
    bench.finish(bench.claimed())
    bench.now += MINUTE
    confirm(bench, batch_id, 6, reason="by hand")
    advance_to_the_end(bench)
    assert sorted(case.told_at == bench.now for case in bench.rows(cases)) == [False, True, True]


def test_two_workers_carry_it_out_once(lasting_database: Database) -> None:
    with emptied(lasting_database) as engine:
        bench = Workbench(engine)
        bench.register()
        failing(bench, cases=30)
        batch_id = drafted(bench)
        confirm(bench, batch_id, 30)
        engines = [lasting_database.writer() for _ in range(2)]
        threads = [threading.Thread(target=_work, args=[bench, each]) for each in engines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for each in engines:
            each.dispose()
        assert results(bench, batch_id) == [Result.TAKEN] * 30
        assert states(bench) == ["queued"] * 30


def _work(bench: Workbench, engine: Engine) -> None:
    for _ in range(20):
        advance(bench, engine)


def test_two_batches_and_a_person_never_wait_for_each_other_crosswise(postgresql_database: Database) -> None:
    """They close tasks of one case: the worker, which has the case for the first batch, must not come back
    for the run that the person has."""
    with emptied(postgresql_database) as engine:
        telling = [handler(name, effect="customer") for name in ("tell", "write")]
        bench = Workbench(engine, *telling)
        bench.register()
        failing(bench, cases=1)
        first, second = sorted(run.id for run in bench.rows(runs))
        for name in bench.names:
            confirm(bench, drafted(bench, handler=name, action=Action.CLOSE), 1, reason="by hand")
        closing = runs_room.Closing("by hand", None, BEN, bench.now)
        worker = threading.Thread(target=advance_to_the_end, args=[bench])
        with engine.begin() as connection:
            assert close_quietly(connection, {second: 1}, closing)
            worker.start()
            wait_until_it_waits(worker, engine)
            runs_room.closing.settle_telling(connection, [second], closing)
        worker.join(timeout=30)
        assert not worker.is_alive()
        assert [bench.run(run_id).state for run_id in (first, second)] == ["closed", "closed"]


def test_a_confirmation_waits_for_another_and_then_changes_nothing(postgresql_database: Database) -> None:
    with emptied(postgresql_database) as engine:
        bench = Workbench(engine)
        bench.register()
        failing(bench)
        batch_id = drafted(bench)
        other, answers = postgresql_database.writer(), []
        said = Confirmation(3, False, "", "", BEN, bench.now)
        with engine.begin() as connection:
            assert runs_room.confirm(connection, batch_id, said)
            thread = threading.Thread(target=lambda: answers.append(confirm(bench, batch_id, 3, other)))
            thread.start()
            wait_until_it_waits(thread, other)
        thread.join()
        other.dispose()
    assert answers == [False]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reprocess", "close", "work", "fail", "advance", "confirm", "stop"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_beside_it_each_run_is_taken_at_most_once_and_as_it_was_shown(
    migrated_engine: Engine, steps: list[tuple[str, int]]
) -> None:
    """A batch of four beside single re-processes, closes, tries that end well or badly, and a stop."""
    empty_bench = _emptied_bench(migrated_engine)
    ids = failing(empty_bench, cases=4)
    batch_id = drafted(empty_bench)
    shown = dict.fromkeys(ids, 1)
    asked: Counter[int] = Counter()
    for step, n in steps:
        _do(empty_bench, step, ids[n], batch_id, asked)
    items = empty_bench.rows(batch_items)
    confirmed = batch(empty_bench, batch_id).confirmed_at is not None
    assert confirmed or all(item.result is None for item in items)
    for item in items:
        run = empty_bench.run(item.run_id)
        taken = 1 if item.result == Result.TAKEN else 0
        begun = run.tries + (run.state == RunState.QUEUED)
        assert item.tries == shown[item.run_id]
        assert begun == 1 + asked[item.run_id] + taken


def _do(bench: Workbench, step: str, run_id: int, batch_id: int, asked: Counter[int]) -> None:
    if step == "reprocess":
        asked[run_id] += isinstance(bench.reprocess(run_id), runs_room.Reprocessed)
    elif step == "close":
        with bench.engine.begin() as connection:
            closing = runs_room.Closing("by hand", "", BEN, bench.now)
            runs_room.close(connection, run_id, 1, closing)
    elif step in {"work", "fail"}:
        if (claimed := bench.claim()) is not None:
            bench.finish(claimed, None if step == "work" else failed(no_retry=True))
    elif step == "confirm":
        confirm(bench, batch_id, 4)
    elif step == "stop":
        with bench.engine.begin() as connection:
            runs_room.stop(connection, batch_id, BEN, bench.now)
    else:
        advance(bench)


@pytest.fixture
def migrated_engine(database: Database) -> Iterator[Engine]:
    engine = database.writer()
    yield engine
    engine.dispose()


def _emptied_bench(engine: Engine) -> Workbench:
    empty(engine)
    bench = Workbench(engine)
    bench.register()
    return bench


def test_drafts_that_nobody_confirms_hold_nothing_up(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying_out, "AT_A_TIME", 2)
    failing(bench, cases=1)
    for _ in range(3):
        drafted(bench)
    bench.now += HOUR
    confirmed = drafted(bench)
    assert confirm(bench, confirmed, 2)
    advance_to_the_end(bench)
    assert results(bench, confirmed) == [Result.TAKEN] * 2


def test_what_was_done_can_t_be_closed_with_the_rest(bench: Workbench) -> None:
    failing(bench, cases=1)
    batch_id = drafted(bench, action=Action.CLOSE)
    with pytest.raises(BatchError):
        confirm(bench, batch_id, 2, repeat_done=True, reason="by hand")
