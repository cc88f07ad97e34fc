"""How the entries of a timeline stand, and how a page of it is cut. Pure: the rule stands in `__init__`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TypeVar

from dashboard.queries.acts import Act
from dashboard.queries.events import EventRow
from dashboard.queries.paging import LARGEST
from receiver.models import EPOCH, to_microseconds

CHECK, ACT = 1, 2  # ranks of what stands at the same moment; a status change comes before both

Fact = EventRow | Act
Key = tuple[int, int, int]
T = TypeVar("T")


def key_of(other: Fact) -> Key:
    """Of what has no place."""
    return to_microseconds(other.at), ACT if isinstance(other, Act) else CHECK, other.id


@dataclass(frozen=True, slots=True)
class Border:
    """Between two entries. Beyond it stand the status changes from this place on, and of what has no place
    all from this key on: whatever comes to the case, each entry is on one side of it and never on both."""

    place: int
    key: Key

    @property
    def parts(self) -> tuple[int, ...]:
        return self.place, *self.key

    @classmethod
    def of(cls, parts: Sequence[int]) -> "Border":
        place, at, rank, number = parts
        return cls(place, (at, rank, number))


BEGINNING = Border(0, (-LARGEST, 0, 0))
END = Border(2**31 - 1, (LARGEST, 0, 0))


def merged(moves: Sequence[EventRow], others: Iterable[Fact], reached: datetime | None = None) -> list[Fact]:
    """Oldest first. The moves come in the order of their places; `reached`: what those before them had."""
    waiting = sorted(others, key=key_of)
    return list(_merged(zip(moves, _reached(moves, reached), strict=True), waiting))


def _merged(moves: Iterable[tuple[EventRow, datetime]], waiting: list[Fact]) -> Iterator[Fact]:
    next_one = 0
    for move, reached in moves:
        while next_one < len(waiting) and waiting[next_one].at < reached:
            yield waiting[next_one]
            next_one += 1
        yield move
    yield from waiting[next_one:]


def _reached(moves: Sequence[EventRow], reached: datetime | None) -> list[datetime]:
    """How far the case had come with each: the youngest time up to there."""
    times = [move.at for move in moves]
    following: datetime | None = None
    for n in reversed(range(len(moves))):
        if moves[n].dated:
            following = times[n]
        elif following:  # it was made before the one that follows
            times[n] = min(times[n], following)
    return list(accumulate(times, max, initial=reached or EPOCH))[1:]


def borders(shown: Sequence[Fact], asked: Border, upwards: bool) -> tuple[Border, Border]:
    """Before the first and after the last of these, which were asked for from one of the two."""
    places = [fact.place for fact in shown if isinstance(fact, EventRow) and fact.place is not None]
    keys = [key_of(fact) for fact in shown if not (isinstance(fact, EventRow) and fact.place is not None)]
    if upwards:
        last_time, rank, number = keys[-1] if keys else asked.key
        after = (last_time, rank, number + 1) if keys else asked.key
        return asked, Border(places[-1] + 1 if places else asked.place, after)
    return Border(places[0] if places else asked.place, keys[0] if keys else asked.key), asked
