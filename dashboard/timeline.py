"""One case's facts, merged and sorted in one place.

Status changes stand in the order of their places, which the ledger keeps. Results of other checks have
no place and stand by time: each before the first status change that is younger, so that at the same moment
the status change comes first. Deliveries, tasks and tries hang under their event, in the order of their ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import filters, words
from dashboard.queries.attempts import Attempt, find_attempts_of, may_have_been_done
from dashboard.queries.events import (
    OTHERS,
    EventDelivery,
    EventRow,
    find_event_deliveries,
    find_moves,
    find_others,
    window_of,
)
from dashboard.queries.runs import Run, find_runs_of
from receiver.cases import Link

LATE = timedelta(minutes=1)  # Svix's first attempts follow within seconds


@dataclass(frozen=True, slots=True)
class Task:
    run: Run
    attempts: Sequence[Attempt]

    @property
    def may_have_been_done(self) -> bool:
        return may_have_been_done(self.run, self.attempts)


@dataclass(frozen=True, slots=True)
class Entry:
    event: EventRow
    before: EventRow | None
    deliveries: Sequence[EventDelivery] = ()
    tasks: Sequence[Task] = ()

    @property
    def moves_the_case(self) -> bool:
        return self.event.place is not None

    @property
    def delay(self) -> timedelta | None:
        """How much later than it was made it came, where that is worth a word."""
        delay = self.event.received_at - self.event.at
        return delay if self.event.dated and delay >= LATE else None

    @property
    def is_adopted(self) -> bool:
        """A person took it over from VOVE's API: it was never delivered."""
        return self.event.adopted_by is not None

    @property
    def is_first_known(self) -> bool:
        return self.event.link == Link.BEGAN_BEFORE

    @property
    def is_repeat(self) -> bool:
        return self.event.link == Link.REPEAT

    @property
    def missing(self) -> str | None:
        """The sentence for the gap before this entry."""
        if self.event.link != Link.GAP:
            return None
        came_to = words.status(self.event.previous_status).text
        if self.before is None or self.before.status == self.event.previous_status:
            way = f"to “{came_to}”"
        else:
            way = f"from “{words.status(self.before.status).text}” to “{came_to}”"
        return f"A status change is missing here: how the case came {way} never reached us."


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Timeline:
    days: Sequence[Day]
    newest_first: bool
    next: str | None
    previous: str | None
    cut: bool  # more results of other checks than one page shows

    @property
    def is_empty(self) -> bool:
        return not self.days


async def read_timeline(
    connection: AsyncConnection, key: bytes, cursor: str | None = None, newest_first: bool = True
) -> Timeline:
    page = await find_moves(connection, key, cursor, newest_first)
    moves = sorted(page.rows, key=lambda move: move.place or 0)
    others = await find_others(connection, key, await window_of(connection, key, moves))
    entries = await _with_what_hangs_under(connection, list(merge(moves, others)))
    if newest_first:
        entries.reverse()
    return Timeline(_days(entries), newest_first, page.next, page.previous, cut=len(others) == OTHERS)


def merge(moves: Sequence[EventRow], others: Sequence[EventRow]) -> Iterator[Entry]:
    """Oldest first, whatever order the others come in."""
    waiting = sorted(others, key=lambda other: (other.at, other.id))
    before: EventRow | None = None
    for move in moves:
        while waiting and waiting[0].at < move.at:
            yield Entry(waiting.pop(0), before=None)
        yield Entry(move, before)
        before = move
    yield from (Entry(other, before=None) for other in waiting)


async def _with_what_hangs_under(connection: AsyncConnection, entries: Sequence[Entry]) -> list[Entry]:
    ids = [entry.event.id for entry in entries]
    deliveries = await find_event_deliveries(connection, ids)
    runs = await find_runs_of(connection, ids)
    attempts = await find_attempts_of(connection, [run.id for owed in runs.values() for run in owed])
    return [
        replace(
            entry,
            deliveries=deliveries[entry.event.id],
            tasks=[Task(run, attempts[run.id]) for run in runs[entry.event.id]],
        )
        for entry in entries
    ]


def _days(entries: Sequence[Entry]) -> list[Day]:
    return [
        Day(name, list(group)) for name, group in groupby(entries, lambda entry: filters.day(entry.event.at))
    ]
