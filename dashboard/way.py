"""The way of a case through the statuses in one round: where it has been, where it is, where it could go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.queries.events import Step

MAIN = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")
ENDS = ("COMPLETED", "REJECTED")


class Place(StrEnum):
    BEEN = "been"
    NOW = "now"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Station:
    status: str
    place: Place
    at: datetime | None  # when it was last reached, as far as we know


@dataclass(frozen=True, slots=True)
class Way:
    """`unknown` are statuses that KYB Desk does not know: they stand between the way and its ends."""

    main: Sequence[Station]
    unknown: Sequence[Station]
    ends: Sequence[Station]


def way_of(steps: Sequence[Step], now: str | None, since: datetime | None = None) -> Way:
    """Of the status changes of one round. `now`: the case's status since then; none in a round that is over.

    What a round after the first one left is the end of the round before it: that is none of its stations.
    """
    reached = {step.status: step.at for step in steps if not step.is_repeat}
    left = {step.previous_status for step in steps[1:]} | {
        step.previous_status for step in steps[:1] if step.previous_status not in ENDS
    }
    been = left | reached.keys()
    unknown = [status for status in reached if status not in (*MAIN, *ENDS)]

    def station(status: str) -> Station:
        if status == now:
            return Station(status, Place.NOW, since)
        return Station(status, Place.BEEN if status in been else Place.AHEAD, reached.get(status))

    return Way(*([station(status) for status in part] for part in (MAIN, unknown, ENDS)))
