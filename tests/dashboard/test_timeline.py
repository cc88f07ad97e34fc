"""One case's facts, merged and sorted."""

from collections.abc import Sequence
from typing import Any

from dashboard.queries.events import PAGE, EventRow
from dashboard.timeline import Entry, Timeline, merge, read_timeline
from receiver.cases import Link
from receiver.database import Database
from receiver.event import ref_key
from receiver.models import Outcome, RunState, Verdict
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    add_attempt,
    add_case,
    add_delivery,
    add_event,
    add_run,
    writing,
)


def test_a_case_is_told_newest_first(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", step=DAY)
    timeline = _timeline(any_database)
    assert [day.name for day in timeline.days] == [
        "Thursday, 5 March 2026",
        "Wednesday, 4 March 2026",
        "Tuesday, 3 March 2026",
    ]
    assert _statuses(timeline) == ["REJECTED", "IN_REVIEW", "IN_PROGRESS"]


def test_a_case_is_told_oldest_first_on_demand(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1")
    assert _statuses(_timeline(any_database, newest_first=False)) == ["IN_PROGRESS", "IN_REVIEW", "REJECTED"]


def test_an_event_stands_at_its_place_however_late_it_came(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", "REJECTED", place=1, at=NOON)
        add_event(
            connection, "ACME-1", "IN_REVIEW", place=0, at=NOON - HOUR, received_at=NOON + HOUR, late=True
        )
    newest, late = _entries(_timeline(any_database))
    assert (newest.event.status, late.event.status) == ("REJECTED", "IN_REVIEW")
    assert newest.delay is None
    assert late.delay == 2 * HOUR


def test_a_gap_says_what_is_missing(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", "IN_PROGRESS", previous_status="NOT_STARTED", place=0)
        add_event(connection, "ACME-1", "REJECTED", place=1, link=Link.GAP, previous_status="IN_REVIEW")
    after, before = _entries(_timeline(any_database))
    assert after.missing is not None
    assert "how the case came from “In progress” to “In review” never reached us" in after.missing
    assert before.missing is None


def test_what_belongs_to_an_event_hangs_under_it(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1", delivery_count=2)
        accepted = add_delivery(connection, event_id=event)
        repeat = add_delivery(connection, Verdict.DUPLICATE, event_id=event)
        run = add_run(connection, event, RunState.FAILED, once=True, tries=2)
        add_attempt(connection, run, number=1)
        add_attempt(connection, run, Outcome.TIMED_OUT, number=2)
        add_run(connection, add_event(connection, "another"), RunState.FAILED)
    (entry,) = _entries(_timeline(any_database))
    assert [delivery.id for delivery in entry.deliveries] == [accepted, repeat]
    (task,) = entry.tasks
    assert task.run.id == run
    assert [attempt.number for attempt in task.attempts] == [1, 2]
    assert task.may_have_been_done


def test_a_result_of_another_check_stands_by_its_time() -> None:
    moves = [_event(1, place=0, at=NOON), _event(2, place=1, at=NOON + HOUR)]
    others = [_event(5, at=NOON + 2 * HOUR), _event(4, at=NOON + MINUTE), _event(3, at=NOON - MINUTE)]
    assert [entry.event.id for entry in merge(moves, others)] == [3, 1, 4, 2, 5]


def test_at_the_same_moment_the_status_change_comes_first() -> None:
    moves = [_event(1, place=0, at=NOON), _event(2, place=1, at=NOON)]
    assert [entry.event.id for entry in merge(moves, [_event(4, at=NOON), _event(3, at=NOON)])] == [
        1,
        2,
        3,
        4,
    ]


def test_another_check_is_no_step_of_the_case() -> None:
    (first, aml, second) = merge(
        [_event(1, place=0, at=NOON), _event(3, place=1, at=NOON + HOUR, link=Link.GAP)],
        [_event(2, at=NOON + MINUTE)],
    )
    assert not aml.moves_the_case
    assert second.before == first.event


def test_a_long_case_is_paged_without_loss_and_without_repetition(any_database: Database) -> None:
    with writing(any_database) as connection:
        for place in range(2 * PAGE + 5):
            add_event(connection, "ACME-1", place=place, at=NOON + place * MINUTE)
        for hour in range(5):
            add_event(
                connection, "ACME-1", family="aml", place=None, link=None, at=NOON + hour * HOUR + 30 * SECOND
            )
    for newest_first in (True, False):
        seen, cursor = [], None
        for _page in range(3):
            timeline = _timeline(any_database, cursor=cursor, newest_first=newest_first)
            seen += [entry.event.id for entry in _entries(timeline)]
            cursor = timeline.next
        assert cursor is None
        assert len(seen) == len(set(seen)) == 2 * PAGE + 10


def test_a_case_that_only_another_check_knows_is_told_too(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None, previous_status=None)
    assert _statuses(_timeline(any_database)) == ["NO_MATCH"]


def test_nothing_is_told_of_a_stranger(database: Database) -> None:
    assert _timeline(database).is_empty


def _timeline(database: Database, **options: Any) -> Timeline:
    return read(database, lambda reader: read_timeline(reader, ref_key("ACME-1"), **options))


def _entries(timeline: Timeline) -> Sequence[Entry]:
    return [entry for day in timeline.days for entry in day.entries]


def _statuses(timeline: Timeline) -> list[str]:
    return [entry.event.status for entry in _entries(timeline)]


def _event(number: int, **given: Any) -> EventRow:
    values = {
        "id": number,
        "svix_id": f"msg_{number}",
        "family": "kyb",
        "ref_id": "ACME-1",
        "status": "IN_REVIEW",
        "previous_status": "IN_PROGRESS",
        "reason": None,
        "dated": True,
        "received_at": NOON,
        "place": None,
        "link": None,
        "late": False,
        "delivery_count": 1,
    }
    return EventRow(**{**values, **given})
