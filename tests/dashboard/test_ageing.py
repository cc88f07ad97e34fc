"""What is left of a limit, in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ageing import ageing
from receiver.limits import Limit, working_days
from tests.factories import DAY, HOUR, MINUTE

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=BERLIN)
LIMIT = Limit("IN_REVIEW", 10, working_days=False)


@pytest.mark.parametrize(
    ("past", "text", "tone"),
    [
        (timedelta(0), "10 d left", "quiet"),
        (90 * MINUTE, "10 d left", "quiet"),
        (5 * DAY, "5 d left", "quiet"),
        (8 * DAY, "2 d left", "quiet"),
        (8 * DAY + MINUTE, "2 d left", "review"),
        (9 * DAY + HOUR, "23 h left", "review"),
        (9 * DAY + 23 * HOUR, "today", "review"),
        (10 * DAY, "less than 1 h over", "person"),
        (10 * DAY + 5 * HOUR, "5 h over", "person"),
        (12 * DAY + HOUR, "2 d over", "person"),
        (3010 * DAY, "3,000 d over", "person"),
    ],
)
def test_it_says_what_is_left_or_over_and_turns_urgent(past: timedelta, text: str, tone: str) -> None:
    word = ageing(MONDAY, LIMIT, MONDAY + past, BERLIN)
    assert word is not None
    assert (word.text, word.tone) == (text, tone)


@pytest.mark.parametrize(
    ("limit", "past", "text"),
    [
        (5, timedelta(0), "5 working days left"),
        (5, HOUR, "5 working days left"),
        (5, 2 * DAY, "3 working days left"),
        (5, 5 * DAY, "1 working day left"),  # Saturday
        (5, 6 * DAY + HOUR, "23 h left"),
        (4, 4 * DAY + 2 * HOUR, "2 h over"),
        (4, 5 * DAY + HOUR, "less than 1 working day over"),  # Saturday
        (4, 7 * DAY, "1 working day over"),
        (3, 7 * DAY, "2 working days over"),  # due on Thursday, now Monday
        (3, 707 * DAY, "502 working days over"),
    ],
)
def test_working_days_are_counted_where_the_limit_is_in_them(limit: int, past: timedelta, text: str) -> None:
    word = ageing(MONDAY, Limit("IN_REVIEW", limit, working_days=True), MONDAY + past, BERLIN)
    assert word is not None
    assert word.text == text


@given(st.integers(0, 600_000), st.integers(0, 300_000))
def test_as_many_working_days_have_passed_as_the_longest_limit_has_that_is_over(
    start: int, passed: int
) -> None:
    since = MONDAY.astimezone(UTC) + start * MINUTE
    until = since + passed * MINUTE
    days = working_days(since, until, BERLIN)
    assert days == 0 or Limit("", days, working_days=True).deadline(since, BERLIN) <= until
    assert Limit("", days + 1, working_days=True).deadline(since, BERLIN) > until


def test_it_says_the_limit_and_its_end_on_hover() -> None:
    word = ageing(MONDAY, Limit("IN_REVIEW", 5, working_days=True), MONDAY, BERLIN)
    assert word is not None
    assert word.meaning == (
        "The limit of this status is 5 working days: until Mon 9 Nov 2026, 10:00 CET. "
        "Saturdays and Sundays don't count."
    )


def test_a_status_without_a_limit_says_nothing() -> None:
    assert ageing(MONDAY, None, MONDAY + 1000 * DAY, BERLIN) is None
