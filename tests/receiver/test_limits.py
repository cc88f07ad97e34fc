"""How long a case may be in a status: deadlines and cut-offs, over zones and moments; and the table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from receiver.database import Database
from receiver.limits import MOST_DAYS, Limit, LimitError, find_limits, in_words, set_limit
from receiver.models import EPOCH, activities, from_microseconds
from tests.receiver.factories import NOON
from tests.receiver.workbench import emptied

BERLIN = ZoneInfo("Europe/Berlin")
ANA = "ana@example.com"
FRIDAY_OF_25_HOURS = datetime(2019, 10, 25, 21, 30, tzinfo=UTC)  # half an hour before it ends in Amman

limits = st.builds(Limit, st.just("IN_REVIEW"), st.integers(1, 40), st.booleans())
zones = st.timezone_keys(allow_prefix=False).map(ZoneInfo)
quarters = st.integers(0, 2_333_333).map(lambda number: EPOCH + number * timedelta(minutes=15))
moments = st.one_of(quarters, st.integers(0, 2_100_000_000_000_000).map(from_microseconds))


def at(day: int, hour: int = 10, minute: int = 0, month: int = 11) -> datetime:
    """In Berlin, 2026: the 2nd, 9th, 16th, 23rd and 30th of November are Mondays."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def working(days: int) -> Limit:
    return Limit("IN_REVIEW", days, working_days=True)


def test_calendar_days_are_24_hours_each_through_a_weekend() -> None:
    assert Limit("IN_REVIEW", 3, working_days=False).deadline(at(6), BERLIN) == at(9)


def test_a_calendar_day_stays_24_hours_where_the_clocks_change() -> None:
    before = at(24, 12, month=10)
    assert Limit("IN_REVIEW", 1, working_days=False).deadline(before, BERLIN) == at(25, 11, month=10)


@pytest.mark.parametrize(
    ("since", "days", "deadline"),
    [
        (at(2), 1, at(3)),
        (at(2), 5, at(9)),
        (at(6), 1, at(9)),
        (at(6), 6, at(16)),
        (at(3), 10, at(17)),
        (at(7), 1, at(10, 0)),
        (at(8, 23, 59), 1, at(10, 0)),
        (at(7), 5, at(16, 0)),
        (at(23, 10, month=10), 1, at(26, 10, month=10)),
    ],
    ids=[
        "Monday to Tuesday",
        "a week",
        "over a weekend",
        "over two weekends",
        "ten days",
        "Saturday begins on Monday",
        "so does Sunday's last minute",
        "Saturday, five days",
        "the same hour although the clocks changed on Sunday",
    ],
)
def test_working_days_leave_out_weekends(since: datetime, days: int, deadline: datetime) -> None:
    assert working(days).deadline(since, BERLIN) == deadline


def test_weekends_are_those_of_the_companys_zone() -> None:
    since = datetime(2026, 11, 6, 20, 0, tzinfo=UTC)  # Friday evening, and Saturday morning in Auckland
    assert working(1).deadline(since, ZoneInfo("UTC")) == datetime(2026, 11, 9, 20, 0, tzinfo=UTC)
    assert working(1).deadline(since, ZoneInfo("Pacific/Auckland")) == datetime(
        2026, 11, 9, 11, 0, tzinfo=UTC
    )


@given(limits, moments, st.timedeltas(timedelta(-60), timedelta(60)), zones)
@example(working(1), datetime(2011, 12, 30, 9, 0, tzinfo=UTC), timedelta(1), ZoneInfo("Pacific/Apia"))
@example(working(1), datetime(2006, 10, 29, 2, 30, tzinfo=UTC), timedelta(1), ZoneInfo("America/St_Johns"))
@example(working(1), datetime(2026, 10, 31, 0, 0, tzinfo=UTC), timedelta(hours=1), ZoneInfo("UTC"))
def test_over_are_those_whose_deadline_is_not_after_now(
    limit: Limit, since: datetime, later: timedelta, zone: ZoneInfo
) -> None:
    now = since + later
    assert (limit.deadline(since, zone) <= now) == (since <= limit.cutoff(now, zone))


@given(limits, moments, zones)
def test_the_cutoff_is_exact_to_the_microsecond_at_the_deadline(
    limit: Limit, since: datetime, zone: ZoneInfo
) -> None:
    deadline = limit.deadline(since, zone)
    assert since <= limit.cutoff(deadline, zone)
    assert since > limit.cutoff(deadline - timedelta(microseconds=1), zone)


@given(limits, moments, moments, zones)
@example(working(1), FRIDAY_OF_25_HOURS, FRIDAY_OF_25_HOURS + timedelta(hours=1), ZoneInfo("Asia/Amman"))
def test_who_came_later_is_over_no_earlier(
    limit: Limit, one: datetime, other: datetime, zone: ZoneInfo
) -> None:
    first, second = sorted([one, other])
    assert limit.deadline(first, zone) <= limit.deadline(second, zone)


@given(limits, moments, zones)
def test_a_deadline_is_never_before_the_days_are_over(limit: Limit, since: datetime, zone: ZoneInfo) -> None:
    slack = timedelta(days=2)  # days that zones leave out, or hours
    assert limit.deadline(since, zone) >= since + limit.days * timedelta(days=1) - slack


@given(limits, moments, st.timedeltas(timedelta(-60), timedelta(60)), zones)
def test_what_is_left_is_negative_only_after_the_deadline(
    limit: Limit, since: datetime, later: timedelta, zone: ZoneInfo
) -> None:
    left = limit.left(since, since + later, zone)
    assert (left < timedelta(0)) == (limit.deadline(since, zone) < since + later)


@pytest.fixture
def connection(lasting_database: Database) -> Iterator[Connection]:
    with emptied(lasting_database) as engine, engine.begin() as connection:
        yield connection


def test_a_limit_is_set_changed_and_taken_away_and_each_is_noted(connection: Connection) -> None:
    assert find_limits(connection) == {}
    assert set_limit(connection, "IN_REVIEW", 5, True, ANA, NOON)
    assert find_limits(connection) == {"IN_REVIEW": Limit("IN_REVIEW", 5, True)}
    assert set_limit(connection, "IN_REVIEW", 1, False, ANA, NOON)
    assert find_limits(connection) == {"IN_REVIEW": Limit("IN_REVIEW", 1, False)}
    assert set_limit(connection, "IN_REVIEW", None, False, ANA, NOON)
    assert find_limits(connection) == {}
    noted = connection.execute(select(activities).order_by(activities.c.id)).all()
    assert [(row.kind, row.by, row.subject, row.detail) for row in noted] == [
        ("set", ANA, "limit IN_REVIEW", "5 working days"),
        ("set", ANA, "limit IN_REVIEW", "1 day"),
        ("set", ANA, "limit IN_REVIEW", "no limit"),
    ]


def test_the_same_limit_again_is_no_change(connection: Connection) -> None:
    assert set_limit(connection, "IN_REVIEW", 5, True, ANA, NOON)
    assert not set_limit(connection, "IN_REVIEW", 5, True, "ben@example.com", NOON)
    assert not set_limit(connection, "NOT_STARTED", None, True, ANA, NOON)
    assert len(connection.execute(select(activities)).all()) == 1


@pytest.mark.parametrize("status", ["", "x" * 201, "a\0b", "\ud800"])
def test_what_can_be_no_status_has_no_limit(connection: Connection, status: str) -> None:
    with pytest.raises(LimitError):
        set_limit(connection, status, 5, True, ANA, NOON)


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1, 10**30])
def test_a_number_of_days_is_within_bounds(connection: Connection, days: int) -> None:
    with pytest.raises(LimitError, match="from 1 to 3,650"):
        set_limit(connection, "IN_REVIEW", days, True, ANA, NOON)


def test_a_limit_in_words() -> None:
    assert [in_words(working(1)), in_words(Limit("X", 3, False)), in_words(None)] == [
        "1 working day",
        "3 days",
        "no limit",
    ]
