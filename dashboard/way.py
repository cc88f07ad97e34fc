"""The way of a case through the statuses: where it has been, where it is, where it could go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.queries.cases import Case, Move

MAIN = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")
ENDS = ("COMPLETED", "REJECTED")


class Place(StrEnum):
    BEEN = "been"
    NOW = "now"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Step:
    status: str
    place: Place
    at: datetime | None  # when it was last reached, as far as we know


@dataclass(frozen=True, slots=True)
class Way:
    """`others` are statuses that KYB Desk does not know: they stand between the way and its ends."""

    main: Sequence[Step]
    others: Sequence[Step]
    ends: Sequence[Step]


def way_of(case: Case, moves: Sequence[Move]) -> Way:
    reached = {move.status: move.at for move in moves}
    been = {move.previous_status for move in moves} | reached.keys()
    others = [status for status in reached if status not in (*MAIN, *ENDS)]

    def step(status: str) -> Step:
        if status == case.status:
            return Step(status, Place.NOW, case.status_since)
        return Step(status, Place.BEEN if status in been else Place.AHEAD, reached.get(status))

    return Way([step(s) for s in MAIN], [step(s) for s in others], [step(s) for s in ENDS])
