"""The overview's bars and columns."""

from datetime import UTC, datetime, timedelta

from dashboard.pictures import FRAME, FULL, delivery_days, status_bars, stay_bars
from dashboard.queries.health import Hour
from dashboard.queries.overview import Stay
from tests.factories import DAY, HOUR, NOON


def test_statuses_stand_in_their_order_and_unknown_ones_after_them() -> None:
    bars = status_bars({"REJECTED": 5, "ON_HOLD": 1, "IN_REVIEW": 10, "COMPLETED": 0})
    assert [bar.text for bar in bars] == ["In review", "Rejected", "ON_HOLD"]
    assert [bar.length for bar in bars] == [FULL, 50.0, 10.0]
    assert bars[0].href == "/cases?status=IN_REVIEW"


def test_what_is_there_has_a_bar_however_little() -> None:
    bars = status_bars({"COMPLETED": 1_000_000, "REJECTED": 1})
    assert bars[1].length > 0
    assert bars[0].number == "1,000,000"


def test_nothing_is_no_picture() -> None:
    assert status_bars({}) == []
    assert stay_bars([]) == []
    assert delivery_days([], NOON, 14) == []


def test_stays_are_told_in_the_unit_that_says_something() -> None:
    stays = [Stay("IN_PROGRESS", 2.25, 40), Stay("IN_REVIEW", 0.25, 40), Stay("NOT_STARTED", 0.01, 3)]
    stays += [Stay("ON_HOLD", 7 / 86400, 1)]
    assert [bar.number for bar in stay_bars(stays)] == ["14 min", "2.2 d", "6.0 h", "7 s"]


def test_days_on_which_nothing_came_are_there_too() -> None:
    hours = [
        Hour(NOON - 90 * DAY, {"accepted": 9}),
        Hour(NOON - 2 * DAY, {"accepted": 1}),
        Hour(NOON, {"accepted": 3}),
        Hour(NOON + HOUR, {"refused": 3}),
    ]
    days = delivery_days(hours, NOON, 3)
    assert [(day.taken.value, day.not_taken.value) for day in days] == [(1, 0), (0, 0), (3, 3)]
    assert days[2].taken.height + days[2].not_taken.height == FRAME.height
    assert days[2].at == NOON.date()


def test_a_column_is_never_higher_than_the_picture() -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    (day,) = delivery_days([Hour(at, {"accepted": 1_000_000, "refused": 1})], at + timedelta(hours=1), 1)
    assert day.taken.height + day.not_taken.height == FRAME.height
    assert day.not_taken.height > 0
