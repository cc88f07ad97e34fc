"""Of events that say the same, a handler learns that it was called for another, on each database."""

from collections.abc import Iterator
from typing import Any

import pytest

from receiver.database import Database
from receiver.executor import Ended
from receiver.models import Outcome, runs
from tests.receiver.workbench import Workbench, emptied, failed, handler

SAME: dict[str, Any] = {"status": "REJECTED", "previousStatus": "IN_REVIEW", "reason": "DOCUMENT_MISMATCH"}

REOPENED: dict[str, Any] = {"status": "IN_REVIEW"}


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        yield Workbench(engine, handler(once=True))


def said_before(bench: Workbench, ended: Ended | None = None) -> bool:
    """Of the run whose turn it is, which then ends so."""
    bench.dispatch()
    claimed = bench.claimed()
    bench.finish(claimed, ended)
    return claimed.call.said_before


def test_of_two_messages_that_say_the_same_the_second_was_said_before(bench: Workbench) -> None:
    for minute in (0, 1):
        bench.arrive(minute=minute, **SAME)
    assert [said_before(bench), said_before(bench)] == [False, True]


def test_what_was_said_last_time_and_has_changed_since_is_new(bench: Workbench) -> None:
    for minute, fields in enumerate((SAME, REOPENED, SAME, SAME | {"reason": "OTHER"})):
        bench.arrive(minute=minute, **fields)
        assert not said_before(bench)


def test_a_message_that_comes_late_was_said_by_its_repeat(bench: Workbench) -> None:
    bench.arrive(minute=5, **SAME)
    assert not said_before(bench)
    bench.arrive(minute=1, **SAME)
    assert said_before(bench)


def test_other_cases_and_handlers_have_said_nothing(bench: Workbench) -> None:
    bench.handlers = (handler("tell"), handler("ring"))
    for ref_id in ("acme", "bolt"):
        bench.arrive(ref_id, **SAME)
    assert not any(said_before(bench) for _ in range(4))


@pytest.mark.parametrize(
    ("first", "counts"), [(failed(no_retry=True), False), (Ended(Outcome.IN_DOUBT, error="silent"), True)]
)
def test_what_failed_for_certain_is_left_to_the_repeat_and_what_is_in_doubt_is_not(
    bench: Workbench, first: Ended, counts: bool
) -> None:
    bench.arrive(minute=0, **SAME)
    assert not said_before(bench, first)
    bench.arrive(minute=1, **SAME)
    assert said_before(bench) == counts


def test_what_a_person_repeats_was_not_said_before(bench: Workbench) -> None:
    for minute in (0, 1):
        bench.arrive(minute=minute, **SAME)
        said_before(bench)
    bench.reprocess(bench.rows(runs)[0].id)
    assert not said_before(bench)
