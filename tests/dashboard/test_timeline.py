"""One case's facts, merged and sorted."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from dashboard.queries.acts import Act
from dashboard.queries.events import EventRow
from dashboard.timeline import (
    PAGE,
    Doing,
    Entry,
    EntryKind,
    Timeline,
    kinds_from,
    kinds_in_address,
    merged,
    read_timeline,
)
from dashboard.timeline.order import BEGINNING, END, Border, Fact, borders, key_of
from receiver.activity import Kind, note
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
    newest, late = _events(_timeline(any_database))
    assert (newest.event.status, late.event.status) == ("REJECTED", "IN_REVIEW")
    assert newest.delay is None
    assert late.delay == 2 * HOUR


def test_a_gap_says_what_is_missing(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", "IN_PROGRESS", previous_status="NOT_STARTED", place=0)
        add_event(connection, "ACME-1", "REJECTED", place=1, link=Link.GAP, previous_status="IN_REVIEW")
    after, before = _events(_timeline(any_database))
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
    (entry,) = _events(_timeline(any_database))
    assert [delivery.id for delivery in entry.deliveries] == [accepted, repeat]
    (task,) = entry.tasks
    assert task.run.id == run
    assert [attempt.number for attempt in task.attempts] == [1, 2]
    assert task.may_have_been_done


def test_a_result_of_another_check_stands_by_its_time() -> None:
    moves = [_event(1, place=0, at=NOON), _event(2, place=1, at=NOON + HOUR)]
    others = [_event(5, at=NOON + 2 * HOUR), _event(4, at=NOON + MINUTE), _event(3, at=NOON - MINUTE)]
    assert [fact.id for fact in merged(moves, others)] == [3, 1, 4, 2, 5]


def test_at_the_same_moment_the_status_change_comes_first_then_the_check_then_what_people_did() -> None:
    moves = [_event(1, place=0, at=NOON), _event(2, place=1, at=NOON)]
    others: list[Fact] = [_act(1, NOON), _event(4, at=NOON), _event(3, at=NOON)]
    assert [(type(fact).__name__, fact.id) for fact in merged(moves, others)] == [
        ("EventRow", 1),
        ("EventRow", 2),
        ("EventRow", 3),
        ("EventRow", 4),
        ("Act", 1),
    ]


def test_an_undated_status_change_pulls_nothing_before_what_follows_it() -> None:
    """It was sent again months after it was made: what people did in between still stands after the rest."""
    moves = [
        _event(1, place=0, at=NOON),
        _event(2, place=1, at=NOON + 90 * DAY, dated=False),
        _event(3, place=2, at=NOON + HOUR),
    ]
    assert [fact.id for fact in merged(moves, [_act(9, NOON + DAY)])] == [1, 2, 3, 9]


def test_where_no_status_change_is_dated_the_first_attempts_tell() -> None:
    moves = [_event(n, place=n, at=NOON + n * HOUR, dated=False) for n in range(3)]
    assert [fact.id for fact in merged(moves, [_act(9, NOON + HOUR + MINUTE)])] == [0, 1, 9, 2]


def test_another_check_is_no_step_of_the_case(any_database: Database) -> None:
    with writing(any_database) as connection:
        first = add_event(connection, "ACME-1", place=0, at=NOON)
        add_event(connection, "ACME-1", family="aml", place=None, link=None, at=NOON + MINUTE)
        add_event(connection, "ACME-1", place=1, at=NOON + HOUR, link=Link.GAP)
    _, aml, second = _events(_timeline(any_database, newest_first=False))
    assert not aml.moves_the_case
    assert second.before is not None
    assert second.before.id == first


def test_a_long_case_is_paged_without_loss_and_without_repetition(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_long_case(connection, random.Random(7))
    whole = None
    for newest_first in (True, False):
        pages = _walk(any_database, newest_first)
        seen = [entry.anchor for page in pages for entry in _entries(page)]
        assert len(seen) == len(set(seen)) == 2 * PAGE + 170
        assert whole in (None, seen[::-1])
        whole = seen
        back = _timeline(any_database, at=pages[-1].previous, newest_first=newest_first)
        assert _anchors(back) == _anchors(pages[-2])
        assert _timeline(any_database, at=pages[1].previous, newest_first=newest_first).previous is None


def _add_long_case(connection: Any, chance: random.Random) -> None:
    """With undated events out of time order, and many facts at the same moment."""
    for place in range(2 * PAGE + 5):
        undated = chance.random() < 0.2
        at = NOON + place * MINUTE + (chance.randint(0, 300) * MINUTE if undated else 0 * MINUTE)
        dated: dict[str, Any] = {"message_at": None, "first_attempt_at": at} if undated else {}
        add_event(connection, "ACME-1", place=place, at=at, **dated)
    for n in range(65):
        add_event(connection, "ACME-1", family="aml", place=None, link=None, at=NOON + (n // 3) * 9 * MINUTE)
    for n in range(100):
        at = NOON + (n // 30) * 40 * MINUTE
        note(connection, Kind.NOTED, "ana@example.com", at, ref_id="ACME-1", detail=f"Note {n}")


def test_what_people_did_alone_is_paged_too(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", at=NOON)
        for n in range(2 * PAGE + 1):
            note(connection, Kind.NOTED, "ana@example.com", NOON + DAY, ref_id="ACME-1", detail=f"{n}")
    pages = _walk(any_database, newest_first=True)
    assert [len(_entries(page)) for page in pages] == [PAGE, PAGE, 2]
    assert _entries(pages[-1])[-1].part == "cases/_change.html"
    assert _anchors(_timeline(any_database, at=pages[1].previous)) == _anchors(pages[0])


def test_what_comes_between_two_pages_is_repeated_on_neither(any_database: Database) -> None:
    with writing(any_database) as connection:
        for place in range(PAGE + 20):
            add_event(connection, "ACME-1", place=place, at=NOON + place * MINUTE)
    first = _timeline(any_database)
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", place=PAGE + 20, at=NOON + DAY)
    second = _timeline(any_database, at=first.next)
    assert len(_entries(second)) == 20
    assert not set(_anchors(first)) & set(_anchors(second))


def test_a_gap_at_the_border_of_a_page_is_told_as_anywhere(any_database: Database) -> None:
    with writing(any_database) as connection:
        for place in range(PAGE + 1):
            add_event(connection, "ACME-1", "IN_REVIEW", place=place, at=NOON + place * MINUTE)
        add_event(
            connection,
            "ACME-1",
            "REJECTED",
            place=PAGE + 1,
            at=NOON + DAY,
            link=Link.GAP,
            previous_status="X",
        )
        for place in range(PAGE + 2, 2 * PAGE + 1):
            add_event(connection, "ACME-1", place=place, at=NOON + DAY + place * MINUTE)
    newest_first = _timeline(any_database)
    assert "from “In review” to “X”" in str(_events(newest_first)[-1].missing)
    second = _timeline(any_database, at=newest_first.next)
    back = _timeline(any_database, at=second.previous)
    assert "from “In review” to “X”" in str(_events(back)[-1].missing)


def test_any_page_border_parts_what_there_is(any_database: Database) -> None:
    """A border that was cut through any world has each fact on one side."""
    chance = random.Random(11)
    for _world in range(300):
        moves = [
            _event(n, place=n, at=NOON + chance.randint(0, 9) * HOUR, dated=chance.random() < 0.7)
            for n in range(chance.randint(0, 8))
        ]
        others: list[Fact] = [
            _act(n, NOON + chance.randint(0, 9) * HOUR)
            if chance.random() < 0.5
            else _event(50 + n, at=NOON + chance.randint(0, 9) * HOUR)
            for n in range(chance.randint(0, 8))
        ]
        whole = merged(moves, others)
        assert [fact.id for fact in whole if fact in moves] == [move.id for move in moves]
        assert [fact for fact in whole if fact not in moves] == sorted(others, key=key_of)
        cut = chance.randint(0, len(whole))
        for border in (borders(whole[cut:], END, False)[0], borders(whole[:cut], BEGINNING, True)[1]):
            assert [_is_beyond(fact, border) for fact in whole] == [n >= cut for n in range(len(whole))]


def _is_beyond(fact: Fact, border: Border) -> bool:
    if isinstance(fact, EventRow) and fact.place is not None:
        return fact.place >= border.place
    return key_of(fact) >= border.key


def test_kinds_can_be_hidden(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1")
        add_run(connection, event)
        add_event(connection, "ACME-1", "CLEARED", family="aml", place=None, link=None)
        note(connection, Kind.NOTED, "ana@example.com", NOON, ref_id="ACME-1", detail="Called")
        note(connection, Kind.EDITED, "ana@example.com", NOON, ref_id="ACME-1", detail="name")
    kinds = {
        EntryKind.CHANGES: ["IN_REVIEW"],
        EntryKind.CHECKS: ["CLEARED"],
        EntryKind.NOTES: [Kind.NOTED],
        EntryKind.DOINGS: [Kind.EDITED],
        EntryKind.TASKS: [],
    }
    for kind, said in kinds.items():
        shown = _entries(_timeline(any_database, kinds=frozenset({kind})))
        assert [each.act.kind if isinstance(each, Doing) else each.event.status for each in shown] == said
    both = _timeline(any_database, kinds=frozenset({EntryKind.CHANGES, EntryKind.TASKS}))
    assert len(_events(both)[0].tasks) == 1
    assert _events(_timeline(any_database, kinds=frozenset({EntryKind.CHANGES})))[0].tasks == []


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ([], None),
        (["nonsense"], None),
        ([*EntryKind], None),
        (["notes", "changes"], "changes,notes"),
        (["changes,notes"], "changes,notes"),
        (["notes,x"], "notes"),
    ],
)
def test_kinds_stand_in_the_address(given: list[str], address: str | None) -> None:
    assert kinds_in_address(kinds_from(given)) == address


@pytest.mark.parametrize(
    ("kind", "subject", "sentence"),
    [
        (Kind.ASSIGNED, "ben@example.com", "assigned the case to ben@example.com"),
        (Kind.ASSIGNED, "ana@example.com", "took the case"),
        (Kind.ASSIGNED, None, "took the assignment away: the case is nobody's"),
        (Kind.REPROCESSED, "notify_customer", "re-processed “Notify customer”"),
        (Kind.CLOSED, "notify_customer", "closed “Notify customer” without retrying"),
        (Kind.ADOPTED, "COMPLETED", "took over what VOVE says: Completed"),
        (Kind.EDITED, None, "edited the business"),
    ],
)
def test_what_people_did_is_said_in_words(
    database: Database, kind: Kind, subject: str | None, sentence: str
) -> None:
    with writing(database) as connection:
        note(connection, kind, "ana@example.com", NOON, ref_id="ACME-1", subject=subject)
    (doing,) = _entries(_timeline(database))
    assert isinstance(doing, Doing)
    assert doing.sentence == sentence


def test_a_case_that_only_another_check_knows_is_told_too(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None, previous_status=None)
    assert _statuses(_timeline(any_database)) == ["NO_MATCH"]


def test_nothing_is_told_of_a_stranger(database: Database) -> None:
    assert _timeline(database).is_empty


def _timeline(database: Database, **options: Any) -> Timeline:
    return read(database, lambda reader: read_timeline(reader, ref_key("ACME-1"), **options))


def _walk(database: Database, newest_first: bool) -> list[Timeline]:
    pages = [_timeline(database, newest_first=newest_first)]
    while pages[-1].next:
        pages.append(_timeline(database, at=pages[-1].next, newest_first=newest_first))
    return pages


def _entries(timeline: Timeline) -> Sequence[Entry | Doing]:
    return [entry for day in timeline.days for entry in day.entries]


def _events(timeline: Timeline) -> Sequence[Entry]:
    return [entry for entry in _entries(timeline) if isinstance(entry, Entry)]


def _anchors(timeline: Timeline) -> list[str]:
    return [entry.anchor for entry in _entries(timeline)]


def _statuses(timeline: Timeline) -> list[str]:
    return [entry.event.status for entry in _events(timeline)]


def _act(number: int, at: datetime) -> Act:
    return Act(number, at, "ana@example.com", Kind.NOTED, None, None, "Called", None)


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
