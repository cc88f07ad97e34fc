"""What the sender still tries, until when, and when it may give up: as it claims, not as we know.

Two schedules are published and they differ, so both are told. A time without deliveries taken is a `Failing`;
while it lasts, its end is the present moment. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

TOLD_FOR = timedelta(days=7)
DISABLED_AFTER = timedelta(days=5)  # of failures, as Svix's documentation has it


@dataclass(frozen=True, slots=True)
class Schedule:
    """`delays`: from each try to the next one; none known but the last moment: `within`."""

    name: str
    claim: str
    within: timedelta
    delays: Sequence[timedelta] = ()

    @property
    def tries(self) -> list[timedelta]:
        """Since the first one, which is among them."""
        return list(accumulate(self.delays, initial=timedelta(0)))


SVIX_DELAYS = [timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 36000)]
SVIX = Schedule(
    "Svix's documentation",
    "again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, 27 h 35 min in all; after any answer that "
    "is not 2xx",
    sum(SVIX_DELAYS, timedelta(0)),
    SVIX_DELAYS,
)
VOVE = Schedule(
    "VOVE's page",
    "5 tries over 24 h, at growing distances; none after an answer of 4xx, such as our 401 to an "
    "unverified one",
    timedelta(hours=24),
)
SCHEDULES = (SVIX, VOVE)


@dataclass(frozen=True, slots=True)
class Failing:
    """A time in which nothing was taken. `refused`: everything was answered 401; else nobody was there."""

    began_at: datetime
    ended_at: datetime
    lasts: bool = False
    refused: bool = False

    @property
    def disabled_from(self) -> datetime | None:
        """When the sender may disable us, or may have; none where it ended before."""
        may_be = self.began_at + DISABLED_AFTER
        return may_be if self.lasts or self.ended_at >= may_be else None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of one time of failing, by one schedule.

    `first_until`: a message first sent as it began is tried until then. `lost_before`: those first sent
    before then get no more tries; none: all do. `through_by`: by then the last of the others has been tried
    again; none while it lasts.
    """

    schedule: Schedule
    first_until: datetime
    lost_before: datetime | None
    through_by: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Nothing more is to come, and nothing was lost."""
        return self.lost_before is None and self.through_by is not None and self.through_by <= now


def outlook(failing: Failing, schedule: Schedule) -> Outlook:
    if failing.refused and schedule is VOVE:
        return Outlook(
            schedule, failing.began_at, failing.ended_at, None if failing.lasts else failing.ended_at
        )
    lost_before = failing.ended_at - schedule.within
    return Outlook(
        schedule,
        first_until=failing.began_at + schedule.within,
        lost_before=lost_before if lost_before > failing.began_at else None,
        through_by=None if failing.lasts else failing.ended_at + _longest_wait(failing, schedule),
    )


def _longest_wait(failing: Failing, schedule: Schedule) -> timedelta:
    """After its end, for a message that was first sent while it lasted: whose try failed just before the end
    waits a whole delay."""
    lasted = failing.ended_at - failing.began_at
    if not schedule.delays:
        return schedule.within
    just_missed = [
        delay for tried, delay in zip(schedule.tries, schedule.delays, strict=False) if tried <= lasted
    ]
    return max(just_missed, default=timedelta(0))


def merged(times: Sequence[Failing]) -> list[Failing]:
    """Times that touch are one to the sender, whatever the reason; oldest first."""
    found: list[Failing] = []
    for time in sorted(times, key=lambda time: time.began_at):
        if found and time.began_at <= found[-1].ended_at:
            last = found.pop()
            time = Failing(
                last.began_at,
                max(last.ended_at, time.ended_at),
                last.lasts or time.lasts,
                last.refused and time.refused,
            )
        found.append(time)
    return found


def still_matters(failing: Failing, now: datetime) -> bool:
    """Something is still to come, or was lost of late: what nobody resent within a week is no news."""
    if now - failing.ended_at > TOLD_FOR:
        return False
    return any(not outlook(failing, schedule).is_over(now) for schedule in SCHEDULES)
