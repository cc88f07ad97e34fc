"""The picture of the last seven days: when somebody was there, and when nobody was. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.queries.health import Outage, Sign

DAYS = 7
A_DAY = 100.0  # of the picture's units
WIDTH = DAYS * A_DAY
LEAST = 3.0  # of an outage, however short


@dataclass(frozen=True, slots=True)
class Stretch:
    x: float
    width: float
    outage: Outage


@dataclass(frozen=True, slots=True)
class Line:
    """One role's. `known_x`: of what was before, nothing is known."""

    role: str
    known_x: float
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class Week:
    began_at: datetime
    lines: Sequence[Line]
    days: Sequence[tuple[float, datetime]]  # where each begins, UTC


def week_of(
    now: datetime, roles: Sequence[str], signs: Mapping[str, Sign], outages: Sequence[Outage]
) -> Week:
    began_at = now - timedelta(days=DAYS)
    lines = [
        Line(role, _known(signs.get(role), began_at), list(_stretches(role, outages, began_at, now)))
        for role in roles
    ]
    return Week(began_at, lines, list(_days(began_at, now)))


def _known(sign: Sign | None, began_at: datetime) -> float:
    return WIDTH if sign is None else min(WIDTH, max(0.0, _x(sign.first_at, began_at)))


def _stretches(role: str, outages: Sequence[Outage], began_at: datetime, now: datetime) -> Iterator[Stretch]:
    for outage in outages:
        ended_at = outage.ended_at or now
        if outage.role == role and ended_at > began_at:
            end = _x(ended_at, began_at)
            start = max(0.0, min(_x(outage.began_at, began_at), end - LEAST))
            yield Stretch(round(start, 1), round(max(end - start, LEAST), 1), outage)


def _days(began_at: datetime, now: datetime) -> Iterator[tuple[float, datetime]]:
    day = began_at.replace(hour=0, minute=0, second=0, microsecond=0)
    while (day := day + timedelta(days=1)) <= now:
        yield round(_x(day, began_at), 1), day


def _x(at: datetime, began_at: datetime) -> float:
    return (at - began_at) / timedelta(days=1) * A_DAY
