"""What is left of a limit, in words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.ageing import ageing
from receiver.limits import Limit
from tests.factories import DAY, HOUR, MINUTE

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=BERLIN)
LIMIT = Limit("IN_REVIEW", 10, working_days=False)


@pytest.mark.parametrize(
    ("past", "text", "tone"),
    [
        (timedelta(0), "10 d left", "quiet"),
        (5 * DAY, "5 d left", "quiet"),
        (8 * DAY, "2 d left", "quiet"),
        (8 * DAY + MINUTE, "1 d left", "review"),
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


def test_it_says_the_limit_and_its_end_on_hover() -> None:
    word = ageing(MONDAY, Limit("IN_REVIEW", 5, working_days=True), MONDAY, BERLIN)
    assert word is not None
    assert word.meaning == "The limit of this status is 5 working days: until Mon 9 Nov 2026, 10:00 CET."


def test_a_status_without_a_limit_says_nothing() -> None:
    assert ageing(MONDAY, None, MONDAY + 1000 * DAY, BERLIN) is None
