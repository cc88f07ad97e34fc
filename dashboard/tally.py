"""How a handler's tries went, by day: rates, times, and the bars that show them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from receiver.models import EPOCH

DAYS = 30  # as far back as pages tell
WEEK = 7
DRAWN = 14  # days of the picture
BAR, GAP, HEIGHT = 10, 4, 32  # of the picture, in its own units
LEAST = 4.0  # of a bar that stands for something, however little: hollow ones need room


@dataclass(frozen=True, slots=True)
class Day:
    """Tries of one day, UTC; times in microseconds."""

    done: int = 0
    not_done: int = 0
    took: int = 0
    longest: int = 0

    @property
    def tried(self) -> int:
        return self.done + self.not_done

    def counting(self, done: bool, n: int, took: int, longest: int) -> "Day":
        return Day(
            self.done + (n if done else 0),
            self.not_done + (0 if done else n),
            self.took + took,
            max(self.longest, longest),
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """What was done stands below, what was not above it."""

    at: date
    day: Day
    x: int
    done_height: float
    not_done_height: float

    @property
    def done_y(self) -> float:
        return HEIGHT - self.done_height

    @property
    def not_done_y(self) -> float:
        return self.done_y - self.not_done_height


@dataclass(frozen=True)
class Tally:
    """`days` by their number since 1970, only those on which something was tried."""

    today: int
    days: Mapping[int, Day] = field(default_factory=dict)

    @property
    def week(self) -> Day:
        return _sum(day for number, day in self.days.items() if number > self.today - WEEK)

    @property
    def month(self) -> Day:
        return _sum(self.days.values())

    @property
    def last_done_day(self) -> date | None:
        done = [number for number, day in self.days.items() if day.done]
        return _date(max(done)) if done else None

    @property
    def bars(self) -> list[Bar]:
        """Of the last days, the oldest first; empty where nothing was tried on any."""
        numbers = range(self.today - DRAWN + 1, self.today + 1)
        most = max((day.tried for number, day in self.days.items() if number in numbers), default=0)
        return list(self._bars(numbers, most)) if most else []

    def _bars(self, numbers: Iterable[int], most: int) -> Iterator[Bar]:
        for place, number in enumerate(numbers):
            day = self.days.get(number, Day())
            done, not_done = _height(day.done, most), _height(day.not_done, most)
            yield Bar(_date(number), day, place * (BAR + GAP), min(done, HEIGHT - not_done), not_done)


def rate(day: Day) -> str:
    """`98.2 %` of the tries; never 100 where one was not done, nor 0 where one was."""
    if not day.tried:
        return "—"
    percent = day.done * 100 / day.tried
    if day.done and day.not_done:
        percent = min(max(percent, 0.1), 99.9)
        return f"{percent:.1f} %".replace(".0 %", " %")
    return f"{percent:.0f} %"


def _sum(days: Iterable[Day]) -> Day:
    total = Day()
    for day in days:
        total = Day(
            total.done + day.done,
            total.not_done + day.not_done,
            total.took + day.took,
            max(total.longest, day.longest),
        )
    return total


def _height(n: int, most: int) -> float:
    return max(LEAST, round(n * HEIGHT / most, 1)) if n else 0.0


def _date(number: int) -> date:
    return (EPOCH + timedelta(days=number)).date()
