"""How much of its status's limit a case has left, in two words and a tone. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.words import Word
from receiver.limits import Limit, in_words, working_days

SOON = 5  # the part of a limit that is its last: a fifth
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def ageing(since: datetime, limit: Limit | None, now: datetime, zone: ZoneInfo) -> Word | None:
    """`3 d left`, `today`, `2 working days over`, in days as the limit has them; none without a limit."""
    if limit is None:
        return None
    deadline = limit.deadline(since, zone)
    until = f"{deadline.astimezone(zone):%a %-d %b %Y, %H:%M %Z}"
    weekends = " Saturdays and Sundays don't count." if limit.working_days else ""
    meaning = f"The limit of this status is {in_words(limit)}: until {until}.{weekends}"
    if now >= deadline:
        return Word(f"{_over(limit, deadline, now, zone)} over", "warning", "person", meaning)
    soon = (deadline - now) * SOON < deadline - since
    return Word(_left(limit, deadline, now, zone), "clock", "review" if soon else "quiet", meaning)


def _left(limit: Limit, deadline: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today`: in the company's zone, as its limits are. What has begun is still left."""
    if deadline.astimezone(zone).date() == now.astimezone(zone).date():
        return "today"
    left = deadline - now
    if left < DAY:
        return f"{-(-left // HOUR)} h left"
    if not limit.working_days:
        return f"{-(-left // DAY):,} d left"
    days = working_days(now, deadline, zone)
    is_whole = days and replace(limit, days=days).deadline(now, zone) == deadline
    return f"{_working(days if is_whole else days + 1)} left"


def _over(limit: Limit, deadline: datetime, now: datetime, zone: ZoneInfo) -> str:
    """What has begun doesn't count."""
    over = now - deadline
    if over < DAY:
        return f"{over // HOUR} h" if over >= HOUR else "less than 1 h"
    if not limit.working_days:
        return f"{over // DAY:,} d"
    days = working_days(deadline, now, zone)
    return _working(days) if days else "less than 1 working day"


def _working(days: int) -> str:
    return f"{days:,} working day" + "s" * (days != 1)
