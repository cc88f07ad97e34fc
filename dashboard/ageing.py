"""How much of its status's limit a case has left, in two words and a tone. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.words import Word
from receiver.limits import Limit, in_words

SOON = 5  # the part of a limit that is its last: a fifth
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def ageing(since: datetime, limit: Limit | None, now: datetime, zone: ZoneInfo) -> Word | None:
    """`3 d left`, `today`, `2 d over`; none where the status has no limit."""
    if limit is None:
        return None
    deadline = limit.deadline(since, zone)
    until = f"{deadline.astimezone(zone):%a %-d %b %Y, %H:%M %Z}"
    meaning = f"The limit of this status is {in_words(limit)}: until {until}."
    if now >= deadline:
        return Word(f"{_span(now - deadline)} over", "warning", "person", meaning)
    soon = (deadline - now) * SOON < deadline - since
    return Word(_left(deadline, now, zone), "clock", "review" if soon else "quiet", meaning)


def _left(deadline: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today`: in the company's zone, as its limits are."""
    if deadline.astimezone(zone).date() == now.astimezone(zone).date():
        return "today"
    return f"{_span(deadline - now)} left"


def _span(span: timedelta) -> str:
    """In whole days, or hours where there is none: what has begun doesn't count."""
    if span >= DAY:
        return f"{span // DAY:,} d"
    return f"{span // HOUR} h" if span >= HOUR else "less than 1 h"
