"""The last weeks and months, as they began and ended where the reader is. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

SHOWN = 12  # weeks, or months
WEEK = timedelta(days=7)


class By(StrEnum):
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` on, before `end`, both UTC; `first` is its first day in the zone."""

    by: By
    first: date
    start: datetime
    end: datetime

    @property
    def short(self) -> str:
        return f"{self.first:%-d %b}" if self.by is By.WEEK else f"{self.first:%b}"

    @property
    def name(self) -> str:
        return f"week of {self.first:%-d %b %Y}" if self.by is By.WEEK else f"{self.first:%B %Y}"


def last_periods(by: By, now: datetime, zone: tzinfo, count: int = SHOWN) -> list[Period]:
    """The oldest first; the last one is the one that has begun, and is not over."""
    today = now.astimezone(zone).date()
    firsts = _mondays(today, count) if by is By.WEEK else _firsts_of_months(today, count)
    return [Period(by, first, _start(first, zone), _start(after, zone)) for first, after in pairwise(firsts)]


def _mondays(today: date, count: int) -> list[date]:
    monday = today - timedelta(days=today.weekday())
    return [monday + number * WEEK for number in range(1 - count, 2)]


def _firsts_of_months(today: date, count: int) -> list[date]:
    this = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(this + 1 - count, this + 2)]


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
