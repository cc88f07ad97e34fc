"""What an attempt brings is written with it: once, in one transaction, and only where its result counts."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, update

from receiver import runs as runs_room
from receiver.database import Database
from receiver.directory.rows import change, find
from receiver.executor import Ended
from receiver.handlers import Business, Message
from receiver.ledger.group import Group
from receiver.models import (
    Outcome,
    attempt_counts,
    attempts,
    businesses,
    cases,
    day_of,
    handlers,
    messages,
    revision,
    runs,
)
from receiver.runs import Claimed, lost
from tests.receiver.factories import NOON, delivery, message_id
from tests.receiver.workbench import (
    DELAYS,
    HOUR,
    MINUTE,
    Workbench,
    emptied,
    failed,
    handler,
    succeeded,
    wait_until_it_waits,
)

MAIL = Message("info@acme.example", "Welcome", "You are verified.", "de")


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        bench = Workbench(engine)
        bench.register()
        yield bench


def under_way(bench: Workbench, minute: int = 0) -> Claimed:
    bench.arrive(minute=minute)
    bench.dispatch()
    return bench.claimed()


def known(bench: Workbench) -> Business | None:
    with bench.engine.begin() as connection:
        return find(connection, "acme")


def test_what_a_handler_changes_is_in_the_directory_and_told_with_the_attempt(bench: Workbench) -> None:
    bench.finish(under_way(bench), succeeded(business={"account_status": "active", "verified_at": bench.now}))
    assert known(bench) == Business("acme", account_status="active", verified_at=bench.now)
    (row,) = bench.rows(businesses)
    assert (row.updated_by, row.updated_at) == ("tell", bench.now)
    (attempt,) = bench.rows(attempts)
    assert json.loads(attempt.changes) == [
        ["account_status", None, "active"],
        ["verified_at", None, str(bench.now)],
    ]


def test_what_is_so_already_is_no_change(bench: Workbench) -> None:
    for minute in (0, 1):
        bench.finish(under_way(bench, minute), succeeded(business={"account_status": "active"}))
        bench.now += HOUR
    assert [attempt.changes is None for attempt in bench.rows(attempts)] == [False, True]
    assert bench.rows(businesses)[0].updated_at == bench.now - 2 * HOUR


def test_a_step_of_the_review_that_the_case_has_left_meanwhile_is_not_kept(bench: Workbench) -> None:
    claimed = under_way(bench)
    bench.arrive(minute=1)
    step = {"review_status": "IN_REVIEW", "review_since": bench.now, "name": "ACME"}
    bench.finish(claimed, succeeded(business=step))
    assert known(bench) == Business("acme", name="ACME")


def test_a_handler_is_given_what_another_has_changed(bench: Workbench) -> None:
    bench.finish(under_way(bench), succeeded(business={"name": "ACME Ltd"}))
    assert under_way(bench, minute=1).call.business == Business("acme", name="ACME Ltd")


def test_what_went_out_is_kept_with_the_attempt_and_its_case(bench: Workbench) -> None:
    claimed = under_way(bench)
    bench.finish(claimed, succeeded(messages=(MAIL, MAIL)))
    kept = bench.rows(messages)
    assert len(kept) == 2
    assert (kept[0].run_id, kept[0].number, kept[0].ref_key, kept[0].sent_at) == (
        claimed.run_id,
        1,
        claimed.ref_key,
        bench.now,
    )
    assert (kept[0].channel, kept[0].recipient, kept[0].subject, kept[0].text, kept[0].language) == (
        "e-mail",
        "info@acme.example",
        "Welcome",
        "You are verified.",
        "de",
    )


def test_a_result_that_lost_its_fence_changes_nothing_and_keeps_nothing(bench: Workbench) -> None:
    claimed = under_way(bench)
    bench.now += HOUR
    bench.rescue()
    assert not bench.finish(claimed, succeeded(business={"name": "ACME Ltd"}, messages=(MAIL,)))
    assert known(bench) is None
    assert bench.rows(messages) == []
    assert [count.outcome for count in bench.rows(attempt_counts)] == ["lost"]


def test_a_result_counts_once_however_often_it_is_handed_in(bench: Workbench) -> None:
    claimed = under_way(bench)
    results = [bench.finish(claimed, succeeded(messages=(MAIL,))) for _ in range(3)]
    assert results == [True, False, False]
    assert len(bench.rows(messages)) == len(bench.rows(attempts)) == 1


def test_where_the_transaction_fails_nothing_of_it_is_there(bench: Workbench) -> None:
    claimed = under_way(bench)
    broken = Message("a", "b", "c")
    object.__setattr__(broken, "text", None)  # as nothing that was checked can be
    with pytest.raises(Exception, match=r"(?i)null"):
        bench.finish(claimed, succeeded(business={"name": "ACME Ltd"}, messages=(broken,)))
    assert known(bench) is None
    assert bench.rows(attempts) == bench.rows(attempt_counts) == []
    assert bench.run(claimed.run_id).state == "running"


# Counts


def counts(bench: Workbench) -> dict[str, tuple[int, int, int, int]]:
    return {each.outcome: (each.day, each.n, each.took, each.longest) for each in bench.rows(attempt_counts)}


def test_attempts_are_counted_by_handler_day_and_outcome_with_their_times(bench: Workbench) -> None:
    for minute, seconds, ended in ((0, 3, succeeded()), (1, 1, succeeded()), (2, 7, failed(no_retry=True))):
        claimed = under_way(bench, minute)
        bench.now += timedelta(seconds=seconds)
        bench.finish(claimed, ended)
    day = day_of(bench.now)
    assert counts(bench) == {
        "succeeded": (day, 2, 4_000_000, 3_000_000),
        "failed": (day, 1, 7_000_000, 7_000_000),
    }


def test_a_clock_that_steps_back_makes_no_negative_time(bench: Workbench) -> None:
    claimed = under_way(bench)
    bench.now -= HOUR
    bench.finish(claimed)
    assert counts(bench)["succeeded"][2:] == (0, 0)


@pytest.mark.parametrize("ended", [failed(), Ended(Outcome.IN_DOUBT, error="who knows")])
def test_a_handlers_last_failure_is_noted_with_its_run(bench: Workbench, ended: Ended) -> None:
    bench.finish(claimed := under_way(bench), ended)
    (row,) = bench.rows(handlers)
    assert (row.last_failed_at, row.last_failed_run_id) == (bench.now, claimed.run_id)


def test_a_success_leaves_the_last_failure_as_it_is(bench: Workbench) -> None:
    bench.finish(under_way(bench))
    assert bench.rows(handlers)[0].last_failed_at is None


# In doubt


@pytest.mark.parametrize(("once", "state"), [(True, "failed"), (False, "retrying")])
def test_what_is_in_doubt_is_tried_again_unless_it_must_be_done_once(
    bench: Workbench, once: bool, state: str
) -> None:
    bench.handlers = (handler("tell", once=once),)
    bench.finish(under_way(bench), Ended(Outcome.IN_DOUBT, error="the mail server fell silent"))
    (run,) = bench.rows(runs)
    assert (run.state, run.summary) == (state, "the mail server fell silent")
    assert bench.rows(attempts)[0].outcome == "in doubt"


# Several workers


def test_two_handlers_that_change_one_business_at_once_lose_nothing(postgresql_database: Database) -> None:
    with emptied(postgresql_database) as engine:
        bench = Workbench(engine, handler("tell"), handler("enable"))
        with engine.begin() as connection:
            change(connection, "acme", {"notes": "known"}, "ana@example.com", bench.now)
        bench.arrive()
        bench.dispatch()
        first, second = bench.claimed(), bench.claimed()
        other = postgresql_database.writer()
        with engine.begin() as connection:
            changed = succeeded(business={"account_status": "active", "notes": "first"})
            assert runs_room.finish(connection, first, changed, DELAYS, bench.now)
            ended = succeeded(business={"name": "ACME Ltd", "notes": "second"})
            thread = threading.Thread(target=bench.finish, args=[second, ended, other])
            thread.start()
            wait_until_it_waits(thread, other)  # for the business
        thread.join()
        other.dispose()
        kept = [json.loads(attempt.changes) for attempt in bench.rows(attempts)]
        assert known(bench) == Business("acme", name="ACME Ltd", account_status="active", notes="second")
    assert ["notes", "first", "second"] in kept[1]


def test_results_that_change_the_directory_and_results_that_do_not_never_wait_crosswise(
    postgresql_database: Database,
) -> None:
    """Both count for one handler, and both raise the revision: who does that first is in the way."""
    with emptied(postgresql_database) as engine:
        bench = Workbench(engine)
        bench.arrive("acme")
        bench.arrive("bolt")
        bench.dispatch()
        first, second = bench.claimed(), bench.claimed()
        other = postgresql_database.writer()
        with engine.begin() as connection:
            runs_room.finish(connection, first, succeeded(business={"name": "ACME Ltd"}), DELAYS, bench.now)
            assert revision_can_be_raised(other)
        other.dispose()
        assert bench.finish(second)


def revision_can_be_raised(engine: Engine) -> bool:
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
        row = connection.execute(revision.select().with_for_update(nowait=True)).one()
    return row is not None


def told_at(bench: Workbench) -> datetime | None:
    (case,) = bench.rows(cases)
    told: datetime | None = case.told_at
    return told


def test_a_case_is_told_by_a_message_for_its_present_status(bench: Workbench) -> None:
    bench.finish(under_way(bench), succeeded(messages=[MAIL]))
    assert told_at(bench) == bench.now
    bench.arrive(minute=5)
    assert told_at(bench) is None


TELLING = handler("tell", effect="customer", once=True)
REJECTED: dict[str, Any] = {"status": "REJECTED", "previousStatus": "IN_REVIEW"}


@pytest.mark.parametrize("tells", [True, False])
def test_a_handler_that_tells_customers_has_told_them_where_it_succeeds(
    bench: Workbench, tells: bool
) -> None:
    """In a way of its own: it may not say what it sent."""
    bench.handlers = (TELLING,) if tells else bench.handlers
    bench.register()
    bench.finish(under_way(bench), succeeded())
    assert told_at(bench) == (bench.now if tells else None)


def test_a_handler_that_fails_has_told_nobody(bench: Workbench) -> None:
    bench.handlers = (TELLING,)
    bench.register()
    bench.finish(under_way(bench), failed())
    assert told_at(bench) is None


@pytest.mark.parametrize("certain", [True, False])
def test_a_repeat_tells_where_what_it_repeats_failed_for_certain(bench: Workbench, certain: bool) -> None:
    """Else its task does nothing, for the first one may have told them."""
    bench.handlers = (TELLING,)
    bench.register()
    for minute in (0, 3):
        bench.arrive(minute=minute, **REJECTED)
    bench.dispatch()
    bench.finish(bench.claimed(), failed(no_retry=True) if certain else lost(once=True))
    bench.finish(bench.claimed(), succeeded())
    assert told_at(bench) == (bench.now if certain else None)


def test_what_comes_late_tells_nobody_where_a_repeat_of_it_may_have(bench: Workbench) -> None:
    bench.handlers = (TELLING,)
    bench.register()
    for minute, ended in ((3, lost(once=True)), (0, succeeded())):
        bench.arrive(minute=minute, **REJECTED)
        bench.dispatch()
        bench.finish(bench.claimed(), ended)
    assert told_at(bench) is None


def test_a_handler_for_another_check_tells_nobody_of_a_rejection(bench: Workbench) -> None:
    bench.handlers = (TELLING,)
    bench.register()
    bench.arrive(**REJECTED)
    bench.dispatch()
    bench.finish(bench.claimed(), failed(no_retry=True))
    bench.arrive_aml()
    bench.dispatch()
    bench.finish(bench.claimed(), succeeded(messages=[MAIL]))
    assert told_at(bench) is None


def test_who_was_told_by_hand_or_must_not_be_is_not_told_when_vove_says_it_again(bench: Workbench) -> None:
    bench.arrive(**REJECTED)
    bench.dispatch()
    bench.handlers = (handler(), handler("write", effect="customer"))
    bench.register()
    with bench.engine.begin() as connection:
        connection.execute(update(cases).values(told_at=bench.now))
    bench.finish(bench.claimed())
    bench.arrive(minute=3, **REJECTED)
    bench.dispatch()
    calls = [bench.claimed().call for _ in range(2)]
    assert {call.handler: call.said_before for call in calls}["write"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_new_rejection_is_not_told_by_what_ended_as_it_came(
    postgresql_database: Database, by_hand: bool
) -> None:
    """What ends waits for the receiver, which had the case first, and sees what it made of it."""
    with emptied(postgresql_database) as engine:
        bench = Workbench(engine, TELLING)
        bench.register()
        bench.arrive(**REJECTED)
        bench.dispatch()
        claimed = bench.claimed()
        if by_hand:
            bench.finish(claimed, failed(no_retry=True))
        closing = runs_room.Closing("by hand", None, "ana@example.com", bench.now)

        def end() -> None:
            with engine.begin() as connection:
                if by_hand:
                    runs_room.close(connection, claimed.run_id, 1, closing)
                else:
                    runs_room.finish(connection, claimed, succeeded(), DELAYS, bench.now)

        ending = threading.Thread(target=end)
        with engine.begin() as receiver:
            for minute, (before, status) in enumerate(pairwise(("REJECTED", "IN_REVIEW", "REJECTED")), 50):
                at, moved = NOON + minute * MINUTE, REJECTED | {"status": status, "previousStatus": before}
                given = delivery(svix_id=message_id(at, minute), at=at, ref_id="acme", **moved)
                Group(receiver, [given]).write()
            ending.start()
            wait_until_it_waits(ending, engine)
        ending.join(timeout=30)
        assert told_at(bench) is None


def test_a_message_for_an_earlier_status_tells_nothing_of_the_present_one(bench: Workbench) -> None:
    claimed = under_way(bench)
    bench.arrive(minute=5)
    bench.finish(claimed, succeeded(messages=[MAIL]))
    assert told_at(bench) is None


def test_vove_s_repeat_of_a_status_leaves_it_told(bench: Workbench) -> None:
    bench.arrive(minute=0, status="REJECTED", previousStatus="IN_REVIEW")
    bench.dispatch()
    bench.finish(bench.claimed(), succeeded(messages=[MAIL]))
    bench.arrive(minute=3, status="REJECTED", previousStatus="IN_REVIEW")
    assert told_at(bench) == bench.now
