"""How often VOVE rejected for which reason, on each database."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.periods import By, Period, last_periods
from dashboard.queries import rejections
from dashboard.queries.reasons import find_labels
from dashboard.queries.rejections import (
    ReasonCount,
    Rejections,
    count_new_reasons,
    count_reason,
    count_rejections,
    count_some,
    find_latest,
    find_latest_of_each,
    find_new_reasons,
    find_top_reasons,
)
from receiver.cases import Link
from receiver.database import Database
from receiver.models import seen_reasons
from receiver.reasons import describe_reason, note_seen
from receiver.runs import dispatch
from tests.dashboard.reading import read
from tests.factories import DAY, HOUR, MINUTE, NOON, SECOND, add_business, add_case, add_event, writing

BERLIN = ZoneInfo("Europe/Berlin")
WEEKS = last_periods(By.WEEK, NOON, UTC)


def reject(
    connection: Connection, reason: str | None, at: datetime = NOON, ref: str = "x", **given: object
) -> None:
    add_event(connection, ref, "REJECTED", reason=reason, at=at, **given)


def counted(database: Database, periods: Sequence[Period] = WEEKS) -> Rejections:
    return read(database, lambda reader: count_rejections(reader, periods))


def totals(found: Rejections) -> dict[str | None, int]:
    return {reason.code: reason.total for reason in found.top}


def test_reasons_are_counted_by_week_the_most_frequent_first(any_database: Database) -> None:
    with writing(any_database) as connection:
        for days in (0, 1, 8):
            reject(connection, "PEP_MATCH", NOON - days * DAY)
        reject(connection, "UBO_MISSING", NOON - 7 * DAY)
        for reason in (None, ""):
            reject(connection, reason, NOON - 80 * DAY)
        reject(connection, "BEFORE", NOON - 85 * DAY)
    found = counted(any_database)
    assert totals(found) == {"PEP_MATCH": 3, None: 2, "UBO_MISSING": 1}
    assert found.top[0].counts == (0,) * 10 + (1, 2)
    assert (found.all.total, found.others.total, found.other_reasons) == (6, 0, 0)
    assert found.share(found.top[0]) == 50


def test_a_week_begins_at_midnight_where_the_reader_is_also_when_the_clocks_change(
    any_database: Database,
) -> None:
    # On Sunday 29 March 2026 the clocks of Berlin go forward: that week ends an hour earlier, by UTC.
    weeks = last_periods(By.WEEK, datetime(2026, 4, 1, tzinfo=UTC), BERLIN)
    monday = datetime(2026, 3, 30, tzinfo=BERLIN).astimezone(UTC)
    assert (weeks[-2].start, weeks[-1].start) == (datetime(2026, 3, 22, 23, tzinfo=UTC), monday)
    assert weeks[-2].end - weeks[-2].start == 7 * DAY - HOUR
    with writing(any_database) as connection:
        for moment in (monday, monday - SECOND, monday - 7 * DAY + HOUR, monday - 7 * DAY + HOUR - SECOND):
            reject(connection, "A", moment)
    assert counted(any_database, weeks).all.counts[-3:] == (1, 2, 1)
    utc = last_periods(By.WEEK, datetime(2026, 4, 1, tzinfo=UTC), UTC)
    assert counted(any_database, utc).all.counts[-3:] == (2, 2, 0)


def test_months_are_those_of_the_calendar(any_database: Database) -> None:
    months = last_periods(By.MONTH, datetime(2026, 3, 31, 22, 30, tzinfo=UTC), BERLIN)
    assert [period.name for period in (months[0], months[-1])] == ["May 2025", "April 2026"]
    assert all(before.end == after.start for before, after in pairwise(months))
    with writing(any_database) as connection:
        reject(connection, "A", months[-1].start)
        reject(connection, "A", months[-1].start - SECOND)
        reject(connection, "A", months[0].start)
        reject(connection, "A", months[0].start - SECOND)
    assert counted(any_database, months).all.counts == (1,) + (0,) * 9 + (1, 1)


def test_what_is_no_rejection_of_a_case_is_not_counted(any_database: Database) -> None:
    with writing(any_database) as connection:
        reject(connection, "ONCE")
        reject(connection, "ONCE", NOON + MINUTE, place=1, link=Link.REPEAT)
        reject(connection, "AML", family="aml", place=None, link=None)
        add_event(connection, "y", "IN_REVIEW", reason="NOT_REJECTED", at=NOON)
    assert totals(counted(any_database)) == {"ONCE": 1}


def test_a_rejection_that_came_late_counts_when_it_happened(any_database: Database) -> None:
    with writing(any_database) as connection:
        reject(connection, "LATE", NOON - 7 * DAY, received_at=NOON, first_attempt_at=NOON, late=True)
        reject(connection, "UNDATED", NOON, message_at=None, first_attempt_at=NOON - 14 * DAY)
    found = {reason.code: reason.counts for reason in counted(any_database).top}
    assert found["LATE"][-3:] == (0, 1, 0)
    assert found["UNDATED"][-3:] == (1, 0, 0)


def test_of_thousands_of_texts_the_top_is_listed_and_the_rest_summed_up(any_database: Database) -> None:
    with writing(any_database) as connection:
        for number in range(60):
            reject(connection, f"text {number:02} " + "x" * 300)
        reject(connection, "text 59 " + "x" * 200 + "another end")
    found = counted(any_database)
    assert (len(found.top), found.other_reasons, found.others.total, found.all.total) == (50, 10, 10, 61)
    assert (found.top[0].code, found.top[0].total) == ("text 59 " + "x" * 192, 2)


def test_one_reason_is_counted_by_itself(any_database: Database) -> None:
    long = "y" * 300
    with writing(any_database) as connection:
        for reason in ("A", "B", None, "", long):
            reject(connection, reason)
    for code, total in (("A", 1), (None, 2), ("C", 0), (long[:200], 1)):
        found = read(any_database, lambda reader, code=code: count_reason(reader, code, WEEKS))  # type: ignore[misc]
        assert found == ReasonCount(code, (0,) * 11 + (total,))
    assert read(any_database, lambda reader: count_some(reader, WEEKS, 4)) == 4
    assert read(any_database, lambda reader: count_some(reader, WEEKS, 40)) == 5


def test_the_overviews_reasons_are_those_of_the_last_twelve_weeks(any_database: Database) -> None:
    with writing(any_database) as connection:
        for number, reason in enumerate("AABBBC"):
            reject(connection, reason, NOON - number * DAY)
        reject(connection, "OLD", NOON - 100 * DAY)
    found = read(any_database, lambda reader: find_top_reasons(reader, NOON, 2))
    assert (totals(found), found.other_reasons) == ({"B": 3, "A": 2}, 1)


def test_the_latest_cases_are_those_that_are_rejected_for_it_at_present(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_business(connection, "b", name="Bolt")
        for number, ref in enumerate("abcd"):
            add_case(connection, ref, at=NOON + number * HOUR, reason="A")
        add_case(connection, "moved-on", ["REJECTED", "IN_REVIEW"], at=NOON + DAY, reason="A")
        add_case(connection, "none", at=NOON, reason=None)
        add_case(connection, "long", at=NOON, reason="z" * 300)
    codes = ["A", "z" * 200, "nobody", None]
    each = read(any_database, lambda reader: find_latest_of_each(reader, codes))
    found = {code: [(case.ref_id, case.name) for case in cases] for code, cases in each.items()}
    assert found == {
        "A": [("d", None), ("c", None), ("b", "Bolt")],
        "z" * 200: [("long", None)],
        None: [("none", None)],
    }
    latest = read(any_database, lambda reader: find_latest(reader, "A", 20))
    assert [case.ref_id for case in latest] == ["d", "c", "b", "a"]
    assert read(any_database, lambda reader: find_latest_of_each(reader, [None])) == {None: each[None]}


def test_a_dispatched_rejection_with_an_unknown_reason_is_new_until_it_has_a_label(
    any_database: Database,
) -> None:
    with writing(any_database) as connection:
        for reason, ref in (
            ("OLD", "a"),
            ("NEW", "b"),
            ("OLD", "c"),
            (None, "d"),
            ("", "e"),
            ("n" * 300, "f"),
        ):
            reject(connection, reason, ref=ref, dispatched_at=None)
        reject(connection, "AML", family="aml", place=None, dispatched_at=None)
        add_event(connection, "g", "IN_REVIEW", reason="NO_REJECTION", dispatched_at=None)
        note_seen(connection, [("OLD", "first")], NOON)
        describe_reason(connection, "NEW", "ana@example.com", NOON, explanation="not yet named")
        assert dispatch(connection, [], NOON + HOUR) == 8
        seen = {
            row.code: (row.first_at, row.last_at, row.ref_id)
            for row in connection.execute(select(seen_reasons))
        }
    later = NOON + HOUR
    assert seen == {"OLD": (NOON, later, "first"), "NEW": (later, later, "b"), "n" * 200: (later, later, "f")}
    assert read(any_database, count_new_reasons) == 3
    new = read(any_database, lambda reader: find_new_reasons(reader, 2))
    assert {reason.code for reason in new} == {"NEW", "n" * 200}
    with writing(any_database) as connection:
        describe_reason(connection, "NEW", "ana@example.com", NOON, label="New")
    assert read(any_database, count_new_reasons) == 2


def test_labels_are_found_also_by_a_reason_as_long_as_a_delivery(any_database: Database) -> None:
    with writing(any_database) as connection:
        describe_reason(connection, "A", "ana@example.com", NOON, label="First")
        describe_reason(connection, "l" * 200, "ana@example.com", NOON, label="Long")
        describe_reason(connection, "B", "ana@example.com", NOON, never_tell=True)
    codes = ["A", "B", None, "", "l" * 10_000]
    assert read(any_database, lambda reader: find_labels(reader, codes)) == {"A": "First", "l" * 200: "Long"}
    assert read(any_database, lambda reader: find_labels(reader, [])) == {}


@pytest.mark.parametrize(
    ("query", "by_index"),
    [
        (lambda reader: count_rejections(reader, WEEKS), "events_rejecting"),
        (lambda reader: count_some(reader, WEEKS, 9), "events_rejecting"),
        (lambda reader: count_reason(reader, "A", WEEKS), "events_rejecting"),
        (lambda reader: find_latest(reader, "A", 9), "cases_by_reason"),
        (lambda reader: find_latest(reader, None, 9), "cases_by_status"),
        (lambda reader: find_latest_of_each(reader, ["A", "B"]), "cases_by_reason"),
        (lambda reader: find_new_reasons(reader, 9), "seen_reasons_by_first"),
    ],
)
def test_no_query_walks_a_whole_table_but_by_an_index_in_its_order(
    database: Database, query: Callable[[AsyncConnection], Awaitable[Any]], by_index: str
) -> None:
    async def plans(reader: AsyncConnection) -> list[str]:
        asked: list[tuple[str, Any]] = []
        listen(
            reader.sync_connection,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, parameters, *_: asked.append((statement, parameters)),
        )
        await query(reader)
        steps = [
            await reader.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for statement, parameters in list(asked)
        ]
        return [row.detail for step in steps for row in step]

    with writing(database) as connection:
        add_case(connection, "a", reason="A")
    steps = read(database, plans)
    assert any(by_index in step for step in steps), steps
    tables = ("events", "cases", "reasons", "businesses", "seen_reasons")
    assert not [step for step in steps if step in {f"SCAN {table}" for table in tables}], steps


def test_the_top_can_be_shorter(any_database: Database) -> None:
    assert rejections.TOP == 50
    assert counted(any_database).top == []
    assert counted(any_database).share(ReasonCount(None, (0,))) == 0
    assert timedelta(weeks=12) == WEEKS[-1].end - WEEKS[0].start
