"""How long a case may be in a status, and since when one that is over its limit must have been there.

Calendar days are 24 hours each: where clocks change in between, the limit ends an hour earlier or later by
what clocks show. Working days are those of the company's zone, from midnight to midnight: a case that entered
its status ten hours into a day is over ten hours into the last one. A later case is never over earlier,
whatever clocks do, so that one comparison with an indexed column finds all that are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select

from receiver.activity import Kind, note
from receiver.database import lock, upsert
from receiver.event import MAX_STATUS, UNSTORABLE
from receiver.models import MICROSECOND, record, status_limits

MOST_DAYS = 3650  # ten years: more is no limit
DAY = timedelta(days=1)
WORKING = 5  # days of a week, from Monday


class LimitError(ValueError):
    """A limit that can't be. The message says what to write instead."""


@dataclass(frozen=True)
class Limit:
    """`working_days`: Saturdays and Sundays don't count."""

    status: str
    days: int
    working_days: bool

    def deadline(self, since: datetime, zone: ZoneInfo) -> datetime:
        """When a case that entered the status then is over. What begins at a weekend begins on Monday."""
        if not self.working_days:
            return since.astimezone(UTC) + self.days * DAY
        day = _day(since, zone)
        elapsed = since - _midnight(day, zone) if _is_working(day) else timedelta(0)
        last = _later(day, self.days)
        return min(_midnight(last, zone) + elapsed, _midnight(last + DAY, zone))

    def cutoff(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Over are the cases whose `status_since` is this or earlier: those whose deadline has come."""
        if not self.working_days:
            return now.astimezone(UTC) - self.days * DAY
        day = _day(now, zone)
        first = _earlier(day, self.days)
        its_end = _midnight(first + DAY, zone) - MICROSECOND
        if not _is_working(day):
            return its_end
        return min(_midnight(first, zone) + (now - _midnight(day, zone)), its_end)

    def left(self, since: datetime, now: datetime, zone: ZoneInfo) -> timedelta:
        """Negative, or nothing: it is over."""
        return self.deadline(since, zone) - now


def working_days(since: datetime, until: datetime, zone: ZoneInfo) -> int:
    """How many have passed in between: the longest limit in working days that a case would be over."""
    days = _place(_day(until, zone)) - _place(_day(since, zone))
    while days > 0 and Limit("", days, working_days=True).deadline(since, zone) > until:
        days -= 1
    return days


def _place(day: date) -> int:
    """Among all working days; a weekend has that of the Monday after it."""
    return (day.toordinal() - 1) // 7 * WORKING + min(day.weekday(), WORKING)


def _day(at: datetime, zone: ZoneInfo) -> date:
    """Whose midnight was the last one: by the clock a day can come back, where it is turned past midnight."""
    day = at.astimezone(zone).date()
    while _midnight(day, zone) > at:
        day -= DAY
    while _midnight(day + DAY, zone) <= at:
        day += DAY
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins: where it has two midnights the first, where it has none the first moment after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _is_working(day: date) -> bool:
    return day.weekday() < WORKING


def _later(day: date, working_days: int) -> date:
    """So many working days after this one; after the next Monday, where it is none itself."""
    monday = day - day.weekday() * DAY
    weeks, rest = divmod(min(day.weekday(), WORKING) + working_days, WORKING)
    return monday + weeks * 7 * DAY + rest * DAY


def _earlier(day: date, working_days: int) -> date:
    """So many working days before this one; before the last Friday, where it is none itself."""
    monday = day - day.weekday() * DAY
    weeks, rest = divmod(min(day.weekday(), WORKING - 1) - working_days, WORKING)
    return monday + weeks * 7 * DAY + rest * DAY


def find_limits(connection: Connection) -> dict[str, Limit]:
    """By status; one that has none may last as long as it takes."""
    query = select(status_limits).order_by(status_limits.c.status)
    return {row.status: record(Limit, row) for row in connection.execute(query)}


def cutoffs(limits: Mapping[str, Limit], now: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """By status, since when a case that is over its limit must have been there."""
    return {status: limit.cutoff(now, zone) for status, limit in limits.items()}


def set_limit(
    connection: Connection, status: str, days: int | None, working_days: bool, by: str, now: datetime
) -> bool:
    """No days: no limit. False where it is so already. Raises LimitError."""
    chosen = checked(status, days, working_days)
    if find_limits(connection).get(status) == chosen:
        return False
    if chosen is None:
        connection.execute(delete(status_limits).where(status_limits.c.status == status))
    else:
        values = {"days": chosen.days, "working_days": working_days, "updated_at": now, "updated_by": by}
        entered = upsert(connection, status_limits).values(status=status, **values)
        connection.execute(entered.on_conflict_do_update(index_elements=["status"], set_=values))
    note(connection, Kind.SET, by, now, subject=f"limit {status}", detail=in_words(chosen))
    return True


def replace_limits(
    connection: Connection,
    shown: Mapping[str, Limit | None],
    chosen: Mapping[str, Limit | None],
    by: str,
    now: datetime,
) -> bool:
    """What is chosen in the place of what was shown. False, and nothing: somebody set another meanwhile."""
    lock(connection, status_limits)
    present = find_limits(connection)
    changed = {status: limit for status, limit in chosen.items() if limit != shown[status]}
    if any(present.get(status) not in {shown[status], limit} for status, limit in changed.items()):
        return False
    for status, limit in changed.items():
        days, working_days = (limit.days, limit.working_days) if limit else (None, False)
        set_limit(connection, status, days, working_days, by, now)
    return True


def checked(status: str, days: int | None, working_days: bool) -> Limit | None:
    """Raises LimitError."""
    if not status or len(status) > MAX_STATUS or UNSTORABLE.search(status):
        raise LimitError("There is no such status")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise LimitError(f"Give a whole number of days from 1 to {MOST_DAYS:,}, or nothing for no limit")
    return None if days is None else Limit(status, days, working_days)


def in_words(limit: Limit | None) -> str:
    """`5 working days`, `1 day`, `no limit`."""
    if limit is None:
        return "no limit"
    return f"{limit.days} {'working ' * limit.working_days}day{'s' * (limit.days != 1)}"
