"""What the pages ask of the database, on each database that the product runs on."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from dashboard.queries.attempts import find_attempts, may_have_been_done
from dashboard.queries.case_list import PAGE, find_cases
from dashboard.queries.case_selection import Selection
from dashboard.queries.cases import count_cases, find_case
from dashboard.queries.deliveries import (
    Wanted,
    count_deliveries,
    find_deliveries,
    find_delivery,
    find_siblings,
)
from dashboard.queries.paging import Cursor, Page, Way, cursor_from
from dashboard.queries.runs import (
    COUNTED,
    count_failed_of_case,
    count_runs,
    find_run,
    find_runs,
    find_runs_of,
)
from receiver.cases import Link
from receiver.database import Database
from receiver.event import ref_key
from receiver.models import Outcome, RunState, Verdict
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    MINUTE,
    NOON,
    WAY,
    add_attempt,
    add_case,
    add_delivery,
    add_event,
    add_handler,
    add_run,
    count_delivery,
    writing,
)


def test_cases_stand_in_the_order_of_their_last_change(any_database: Database) -> None:
    with writing(any_database) as connection:
        for number in (2, 1, 3):
            add_case(connection, f"case-{number}", at=NOON + number * MINUTE)
    found = read(any_database, find_cases)
    assert [case.ref_id for case in found.rows] == ["case-3", "case-2", "case-1"]


def test_a_list_is_walked_to_its_end_and_back_without_a_loss(any_database: Database) -> None:
    with writing(any_database) as connection:  # all at one moment: then the id decides
        for number in range(2 * PAGE + 3):
            add_case(connection, f"case-{number:03}", WAY[:2])
    pages = list(_walk(any_database, lambda reader, cursor: find_cases(reader, at=cursor), "next"))
    names = [case.ref_id for page in pages for case in page.rows]
    assert names == [f"case-{number:03}" for number in reversed(range(2 * PAGE + 3))]
    assert [len(page.rows) for page in pages] == [PAGE, PAGE, 3]
    back = read(any_database, lambda reader: find_cases(reader, at=pages[2].previous))
    assert back.rows == pages[1].rows
    assert read(any_database, lambda reader: find_cases(reader, at=back.previous)).previous is None
    assert pages[0].previous is None


def test_cases_are_filtered_by_status(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "turned-down")
        add_case(connection, "looked-at", WAY[:3])
    found = read(any_database, lambda reader: find_cases(reader, Selection(status="IN_REVIEW")))
    assert [case.ref_id for case in found.rows] == ["looked-at"]
    assert read(any_database, count_cases) == {"REJECTED": 1, "IN_REVIEW": 1}


def test_a_case_with_a_failed_run_needs_a_person(any_database: Database) -> None:
    with writing(any_database) as connection:
        first, *_ = add_case(connection, "broken")
        add_run(connection, first, RunState.FAILED)
        *_, last = add_case(connection, "fine", at=NOON - HOUR)
        add_run(connection, last, RunState.SUCCEEDED)
    rows = read(any_database, find_cases).rows
    assert [(case.ref_id, case.needs_person) for case in rows] == [("broken", True), ("fine", False)]
    assert read(any_database, lambda reader: count_failed_of_case(reader, ref_key("broken"))) == 1


def test_a_case_is_found_by_its_exact_reference(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "a/b")
        add_case(connection, HOSTILE)
        add_case(connection, "x" * 10_000)
    for ref_id in ("a/b", HOSTILE, "x" * 10_000):
        case = read(any_database, lambda reader, ref_id=ref_id: find_case(reader, ref_id))  # type: ignore[misc]
        assert case is not None
        assert case.ref_id == ref_id
    assert read(any_database, lambda reader: find_case(reader, "A/B")) is None


def test_deliveries_are_listed_newest_first_with_what_they_said(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", WAY[:2])
        add_delivery(connection, Verdict.REFUSED, cause="no_match")
    refused, accepted = read(any_database, find_deliveries).rows
    assert (refused.verdict, refused.cause, refused.ref_id) == ("refused", "no_match", None)
    assert (accepted.ref_id, accepted.previous_status, accepted.status) == (
        "ACME-1",
        "NOT_STARTED",
        "IN_PROGRESS",
    )
    only = read(any_database, lambda reader: find_deliveries(reader, Wanted("refused")))
    assert [row.id for row in only.rows] == [refused.id]


def test_deliveries_of_the_last_day_are_counted_by_verdict(any_database: Database) -> None:
    with writing(any_database) as connection:
        for at in (NOON, NOON - 23 * HOUR, NOON - 2 * DAY):
            count_delivery(connection, at, "accepted")
        count_delivery(connection, NOON, "refused")
    assert read(any_database, lambda reader: count_deliveries(reader, NOON)) == {"accepted": 2, "refused": 1}


def test_a_delivery_without_bytes_of_its_own_shows_those_of_its_event(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1")
        first = add_delivery(connection, event_id=event)
        conflict = add_delivery(connection, Verdict.CONFLICT, event_id=event, body=b"\xffother")
    shown = read(any_database, lambda reader: find_delivery(reader, first))
    other = read(any_database, lambda reader: find_delivery(reader, conflict))
    assert shown is not None
    assert shown.body == b'{"refId": "ACME-1", "status": "IN_REVIEW"}'
    assert other is not None
    assert other.body == b"\xffother"
    siblings = read(any_database, lambda reader: find_siblings(reader, event))
    assert [sibling.id for sibling in siblings] == [first, conflict]


def test_runs_of_two_states_are_merged_newest_first_and_paged(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1")
        states = [RunState.SUCCEEDED, RunState.CLOSED]
        ids = [add_run(connection, event, states[n % 3 == 0], handler=f"h{n}") for n in range(PAGE + 2)]
        add_run(connection, event, RunState.FAILED)

    def find(reader: Any, cursor: str | None = None) -> Any:
        return find_runs(reader, states, cursor)

    pages = list(_walk(any_database, find, "next"))
    assert [row.run.id for page in pages for row in page.rows] == ids[::-1]
    assert pages[0].rows[0].ref_id == "ACME-1"


def test_counting_runs_ends_at_a_bound(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1")
        for number in range(COUNTED + 1):
            add_run(connection, event, RunState.FAILED, handler=f"h{number}")
    assert read(any_database, lambda reader: count_runs(reader, [RunState.FAILED])) == COUNTED


def test_a_run_is_named_by_its_handler_s_title_and_else_by_its_name(any_database: Database) -> None:
    with writing(any_database) as connection:
        event = add_event(connection, "ACME-1")
        run = add_run(connection, event)
        gone = add_run(connection, event, handler="acme.handlers.open_the_account")
        add_handler(connection)
    titles = [each.title for each in read(any_database, lambda reader: find_runs_of(reader, [event]))[event]]
    assert titles == ["Notify customer", "Open the account"]
    assert run < gone


def test_a_run_knows_whether_its_case_has_moved_on(any_database: Database) -> None:
    with writing(any_database) as connection:
        *_, before, last = add_case(connection, "ACME-1")
        repeat = add_event(connection, "ACME-1", "REJECTED", place=3, link=Link.REPEAT)
        aml = add_event(connection, "ACME-1", "CLEARED", family="aml", place=None, link=None)
        ids = [add_run(connection, event) for event in (before, last, repeat, aml)]
    moved_on = [read(any_database, lambda reader, run=run: find_run(reader, run)) for run in ids]  # type: ignore[misc]
    assert [each is not None and each.has_moved_on for each in moved_on] == [True, False, False, False]


def test_tries_come_newest_first_with_all_that_they_left(any_database: Database) -> None:
    with writing(any_database) as connection:
        run = add_run(connection, add_event(connection, "ACME-1"), once=True)
        add_attempt(connection, run, number=1, traceback="Traceback …", output="sending")
        add_attempt(connection, run, Outcome.LOST, number=2)
    tries = read(any_database, lambda reader: find_attempts(reader, run))
    assert [(attempt.number, attempt.traceback) for attempt in tries] == [(2, None), (1, "Traceback …")]
    owed = read(any_database, lambda reader: find_run(reader, run))
    assert owed is not None
    assert may_have_been_done(owed.run, tries)
    assert not may_have_been_done(owed.run, tries[1:])


@pytest.mark.parametrize(
    "cursor", ["", "x", "bg", "é", "bi54", "bi45OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "=" * 9, None]
)
def test_a_malformed_cursor_is_the_first_page(cursor: str | None) -> None:
    assert cursor_from(cursor, 1) is None


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(Way.PREVIOUS, (1_772_000_000_000_000, 12))
    assert cursor_from(str(cursor), 2) == cursor
    assert cursor_from(str(cursor), 1) is None


def test_lists_walk_an_index_and_sort_nothing(database: Database) -> None:
    with writing(database) as connection:
        for number in range(3):
            event = add_case(connection, f"case-{number}", WAY[:2])[0]
            add_run(connection, event)
        plans = [
            "SELECT id FROM cases WHERE (changed_at, id) < (9, 9) ORDER BY changed_at DESC, id DESC LIMIT 51",
            "SELECT id FROM cases WHERE status = 'x' AND (changed_at, id) < (9, 9) "
            "ORDER BY changed_at DESC, id DESC LIMIT 51",
            "SELECT id FROM deliveries WHERE verdict = 'x' AND (id) < (9) ORDER BY id DESC LIMIT 51",
            "SELECT id FROM runs WHERE state = 'x' AND (id) < (9) ORDER BY id DESC LIMIT 51",
            "SELECT id FROM events WHERE ref_key = x'00' AND place IS NOT NULL AND (place) < (9) "
            "ORDER BY place DESC LIMIT 101",
        ]
        for plan in plans:
            steps = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {plan}"))]
            assert all("USING" in step and "TEMP B-TREE" not in step for step in steps), (plan, steps)


def _walk(database: Database, find: Callable[..., Any], way: str) -> Any:
    cursor = None
    while True:
        page: Page[Any] = read(database, lambda reader, cursor=cursor: find(reader, cursor=cursor))  # type: ignore[misc]
        yield page
        cursor = getattr(page, way)
        if cursor is None:
            return
