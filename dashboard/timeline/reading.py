"""One page of a case's timeline, from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import filters
from dashboard.queries.acts import Act, find_acts
from dashboard.queries.attempts import find_attempts_of
from dashboard.queries.events import (
    EventRow,
    find_event_deliveries,
    find_moves,
    find_others,
    find_reached,
)
from dashboard.queries.paging import Cursor, Way, cursor_from
from dashboard.queries.runs import find_runs_of
from dashboard.timeline.entries import Doing, Entry, Task
from dashboard.timeline.kinds import ALL, EntryKind, people_did
from dashboard.timeline.order import ACT, BEGINNING, CHECK, END, Border, Fact, borders, merged

PAGE = 50


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    entries: Sequence[Entry | Doing]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`next` and `previous` are cursors, or None where it ends."""

    days: Sequence[Day]
    newest_first: bool
    kinds: frozenset[EntryKind]
    next: str | None
    previous: str | None

    @property
    def is_empty(self) -> bool:
        return not self.days

    @property
    def reasons(self) -> list[str | None]:
        """All that are named in it."""
        entries = [entry for day in self.days for entry in day.entries]
        return [entry.event.reason for entry in entries if isinstance(entry, Entry)]


async def read_timeline(
    connection: AsyncConnection,
    key: bytes,
    at: str | None = None,
    newest_first: bool = True,
    kinds: frozenset[EntryKind] = ALL,
    rounds: Mapping[int, str] | None = None,
) -> Timeline:
    """`rounds`: what each that begins with an event is called, by that event's id."""
    cursor = cursor_from(at, len(BEGINNING.parts))
    upwards = newest_first is (cursor is not None and cursor.way is Way.PREVIOUS)
    asked = Border.of(cursor.key) if cursor else BEGINNING if upwards else END
    facts = await _find(connection, key, asked, upwards, kinds)
    more, shown = len(facts) > PAGE, facts[:PAGE] if upwards else facts[-PAGE:]
    before = await _before(connection, key, facts, shown)
    entries = await _entries(connection, shown, before, kinds, rounds or {})
    first, last = borders(shown, asked, upwards)
    older = Cursor(Way.NEXT if newest_first else Way.PREVIOUS, first.parts)
    newer = Cursor(Way.PREVIOUS if newest_first else Way.NEXT, last.parts)
    has_older, has_newer = (cursor is not None, more) if upwards else (more, cursor is not None)
    ways = str(older) if shown and has_older else None, str(newer) if shown and has_newer else None
    if newest_first:
        entries.reverse()
        return Timeline(_days(entries), newest_first, kinds, *ways)
    return Timeline(_days(entries), newest_first, kinds, *ways[::-1])


async def _find(
    connection: AsyncConnection, key: bytes, asked: Border, upwards: bool, kinds: frozenset[EntryKind]
) -> list[Fact]:
    """Oldest first, one more than a page holds; of a page upwards the last, else the first is too many."""
    size = PAGE + 1
    moves: list[EventRow] = []
    others: list[Fact] = []
    if EntryKind.CHANGES in kinds:
        moves = await find_moves(connection, key, asked.place, size, upwards)
    if EntryKind.CHECKS in kinds:
        others += await find_others(connection, key, asked.key, CHECK, size, upwards)
    if doings := people_did(kinds):
        others += await find_acts(connection, key, doings, asked.key, ACT, size, upwards)
    reached = await find_reached(connection, key, moves[0].place or 0) if moves and others else None
    found = merged(moves, others, reached)
    return found[:size] if upwards else found[-size:]


async def _before(
    connection: AsyncConnection, key: bytes, facts: Sequence[Fact], shown: Sequence[Fact]
) -> EventRow | None:
    """The status change before the first that is shown."""
    places = [fact.place for fact in shown if isinstance(fact, EventRow) and fact.place is not None]
    if not places or places[0] == 0:
        return None
    known = [fact for fact in facts if isinstance(fact, EventRow) and fact.place == places[0] - 1]
    found = known or await find_moves(connection, key, places[0], 1)
    return found[0] if found else None


async def _entries(
    connection: AsyncConnection,
    shown: Sequence[Fact],
    before: EventRow | None,
    kinds: frozenset[EntryKind],
    rounds: Mapping[int, str],
) -> list[Entry | Doing]:
    """With what hangs under them."""
    ids = [fact.id for fact in shown if isinstance(fact, EventRow)]
    deliveries = await find_event_deliveries(connection, ids)
    runs = await find_runs_of(connection, ids if EntryKind.TASKS in kinds else [])
    attempts = await find_attempts_of(connection, [run.id for owed in runs.values() for run in owed])
    entries: list[Entry | Doing] = []
    for fact in shown:
        if isinstance(fact, Act):
            entries.append(Doing(fact))
            continue
        tasks = [Task(run, attempts[run.id]) for run in runs.get(fact.id, ())]
        moves = fact.place is not None
        its_before = before if moves else None
        entries.append(Entry(fact, its_before, deliveries[fact.id], tasks, rounds.get(fact.id)))
        before = fact if moves else before
    return entries


def _days(entries: Sequence[Entry | Doing]) -> list[Day]:
    return [Day(name, list(group)) for name, group in groupby(entries, lambda entry: filters.day(entry.at))]
