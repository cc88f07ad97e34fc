"""The overview's pictures: bars that are rows of a table, each with its number and a link. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboard import words
from dashboard.charts import Bar as ChartBar
from dashboard.charts import Frame, Stack, stacks
from dashboard.filters import address, plural
from dashboard.queries.health import Hour
from dashboard.queries.overview import Stay
from dashboard.queries.rejections import ReasonCount, Rejections
from dashboard.zones import in_zone
from receiver.models import Verdict

FULL = 100  # of a bar, in its own units
LEAST = 1.0  # of one that stands for something, however little
TAKEN = (Verdict.ACCEPTED, Verdict.DUPLICATE)  # in the order in which they are stacked, from the ground
NOT_TAKEN = (Verdict.CONFLICT, Verdict.QUARANTINED, Verdict.REFUSED)
FRAME = Frame(height=80, bar=20, gap=6)  # of the picture of deliveries


@dataclass(frozen=True, slots=True)
class Bar:
    """`sign` and `tone` as those of a Word; `length` of FULL."""

    text: str
    number: str
    length: float
    href: str
    sign: str | None = None
    tone: str = "quiet"
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class DayOfDeliveries:
    """By verdict, how many came on a day of the reader's zone; its column, not taken upon taken."""

    at: date
    counts: Mapping[str, int]
    column: Stack

    @property
    def taken(self) -> ChartBar:
        return self.column.bars[0]

    @property
    def not_taken(self) -> ChartBar:
        return self.column.bars[1]


def status_bars(counts: Mapping[str, int]) -> list[Bar]:
    """The known statuses in their order, then what else there is."""
    present = [(status, counts[status]) for status in _in_order(counts) if counts[status]]
    most = max((n for _, n in present), default=0)
    return [_status_bar(status, f"{n:,}", _length(n, most)) for status, n in present]


def stay_bars(stays: Iterable[Stay]) -> list[Bar]:
    """How many days cases stay in a status that they leave again."""
    by_status = {stay.status: stay for stay in stays}
    most = max((stay.days for stay in by_status.values()), default=0)
    return [
        _status_bar(status, _days(by_status[status].days), _length(by_status[status].days, most))
        for status in _in_order(by_status)
    ]


def delivery_days(hours: Iterable[Hour], now: datetime, days: int) -> list[DayOfDeliveries]:
    """Of the last days, the oldest first, also those on which nothing came; empty where none has anything."""
    today = in_zone(now).date()
    counts: dict[date, Counter[str]] = {today - timedelta(days=back): Counter() for back in range(days)}
    for hour in hours:
        if (day := in_zone(hour.at).date()) in counts:
            counts[day].update(hour.counts)
    if not any(counts.values()):
        return []
    days_in_order = sorted(counts)
    columns = stacks([_taken_and_not(counts[at]) for at in days_in_order], FRAME)
    return [
        DayOfDeliveries(at, counts[at], column) for at, column in zip(days_in_order, columns, strict=True)
    ]


def _taken_and_not(counts: Counter[str]) -> tuple[int, int]:
    return sum(counts[verdict] for verdict in TAKEN), sum(counts[verdict] for verdict in NOT_TAKEN)


def reason_bars(found: Rejections, labels: Mapping[str, str]) -> list[Bar]:
    """The most frequent reasons, and all others as one."""
    shown = [(reason, *_called(reason, labels)) for reason in found.top]
    if found.others.total:
        shown.append((found.others, plural(found.other_reasons, "other"), "/rejections"))
    most = max((reason.total for reason, *_ in shown), default=0)
    return [
        Bar(text, f"{reason.total:,}", _length(reason.total, most), href, tone="rejected")
        for reason, text, href in shown
    ]


def _called(reason: ReasonCount, labels: Mapping[str, str]) -> tuple[str, str]:
    if reason.code is None:
        return words.reason(None), "/rejections"
    return labels.get(reason.code) or words.reason(reason.code), address(
        "/rejections/reason", code=reason.code
    )


def _in_order(statuses: Collection[str]) -> list[str]:
    """The known ones as a case goes through them, then the others."""
    known = [status for status in words.STATUSES if status in statuses]
    return known + sorted(set(statuses) - set(known))


def _status_bar(status: str, number: str, length: float) -> Bar:
    word = words.status(status)
    href = address("/cases", status=status)
    return Bar(word.text, number, length, href, word.sign, word.tone, word.meaning)


def _length(n: float, most: float) -> float:
    return max(LEAST, round(n * FULL / most, 1)) if n and most else 0.0


def _days(days: float) -> str:
    if days >= 1:
        return f"{days:.1f} d"
    if days * 24 >= 1:
        return f"{days * 24:.1f} h"
    return f"{days * 1440:.0f} min" if days * 1440 >= 1 else f"{days * 86400:.0f} s"
