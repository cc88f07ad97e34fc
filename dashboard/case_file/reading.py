"""A case from the database. The first transaction reads all of a usual one, at one moment; of a larger one
the rest is read in more of them, each short, while what was read before is on its way."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboard.case_file import facts
from dashboard.case_file.facts import Facts, Hanging
from dashboard.queries import case_files
from dashboard.queries.businesses import find_business
from dashboard.queries.case_files import ACTIVITIES, EVENTS, Stamp, position_of
from dashboard.queries.cases import find_case
from dashboard.queries.events import EventRow, find_steps
from dashboard.queries.reasons import find_labels
from dashboard.queries.runs import find_runs_of
from dashboard.queries.vove import find_comparison
from dashboard.rounds import rounds_of
from receiver.event import ref_key


@dataclass(frozen=True, slots=True)
class Part:
    """Of a list; `beyond` is where the next one begins, or None where it ends."""

    rows: Sequence[Facts]
    beyond: Any = None


Read = Callable[[AsyncConnection, bytes, Any], Awaitable[Part]]


@dataclass(frozen=True)
class OpenFile:
    """`members`: of the case, by name; its lists are iterators that read on, once each."""

    ref_id: str
    size: int  # status changes
    members: Mapping[str, Any]
    _stamp: Stamp | None  # None: all of it was read at one moment
    _readers: AsyncEngine

    async def has_moved(self) -> bool:
        """Whether anything came to the case since it was opened, which may then be in its file or not."""
        if self._stamp is None:
            return False
        async with self._readers.begin() as connection:
            return await case_files.find_stamp(connection, ref_key(self.ref_id)) != self._stamp


async def open_file(readers: AsyncEngine, ref_id: str) -> OpenFile:
    key = ref_key(ref_id)
    async with readers.begin() as connection:
        await case_files.read_at_one_moment(connection)
        head = await _head(connection, ref_id)
        first = {name: await read(connection, key, None) for name, read in LISTS.items()}
        is_whole = all(part.beyond is None for part in first.values())
        stamp = None if is_whole else await case_files.find_stamp(connection, key)
    lists = {name: _all(readers, key, LISTS[name], part) for name, part in first.items()}
    size = head["case"]["status_changes"] if head["case"] else 0
    return OpenFile(ref_id, size, head | lists, stamp, readers)


async def _head(connection: AsyncConnection, ref_id: str) -> Facts:
    case, business = await find_case(connection, ref_id), await find_business(connection, ref_id)
    compared = await find_comparison(connection, ref_id)
    rounds = rounds_of(await find_steps(connection, case.ref_key)) if case else None
    labels = await find_labels(connection, [case.reason if case else None])
    return {
        "ref_id": ref_id,
        "case": facts.case_facts(case, rounds, labels) if case and rounds else None,
        "business": facts.business_facts(business) if business else None,
        "vove": facts.vove_facts(compared) if compared else None,
    }


async def _all(readers: AsyncEngine, key: bytes, read: Read, part: Part) -> AsyncIterator[Facts]:
    while True:
        for row in part.rows:
            yield row
        if part.beyond is None:
            return
        async with readers.begin() as connection:
            part = await read(connection, key, part.beyond)


async def _changes(connection: AsyncConnection, key: bytes, beyond: EventRow | None) -> Part:
    place = -1 if beyond is None or beyond.place is None else beyond.place
    rows = await case_files.find_changes(connection, key, place)
    befores = [beyond, *map(facts.event_row, rows)]
    return Part(await _events(connection, rows, befores), befores[-1] if len(rows) == EVENTS else None)


async def _checks(connection: AsyncConnection, key: bytes, beyond: int | None) -> Part:
    rows = await case_files.find_checks(connection, key, beyond or 0)
    told = await _events(connection, rows, [None] * (len(rows) + 1))
    return Part(told, rows[-1].id if len(rows) == EVENTS else None)


async def _activities(connection: AsyncConnection, key: bytes, beyond: Any) -> Part:
    rows = await case_files.find_activities(connection, key, beyond)
    told = [facts.activity_facts(row) for row in rows]
    return Part(told, position_of(rows[-1]) if len(rows) == ACTIVITIES else None)


LISTS: dict[str, Read] = {"status_changes": _changes, "other_checks": _checks, "activities": _activities}


async def _events(
    connection: AsyncConnection, rows: Sequence[Any], befores: Sequence[EventRow | None]
) -> list[Facts]:
    labels = await find_labels(connection, [row.reason for row in rows])
    hanging = await _hanging(connection, [row.id for row in rows])
    return [
        facts.event_facts(row, before, hanging, labels)
        for row, before in zip(rows, befores[: len(rows)], strict=True)
    ]


async def _hanging(connection: AsyncConnection, event_ids: Sequence[int]) -> Hanging:
    runs = await find_runs_of(connection, event_ids)
    run_ids = sorted(run.id for owed in runs.values() for run in owed)
    return Hanging(
        _by("event_id", await case_files.find_deliveries_of(connection, event_ids)),
        runs,
        _by("run_id", await case_files.find_attempts_of(connection, run_ids)),
        _by("run_id", await case_files.find_messages_of(connection, run_ids)),
    )


def _by(name: str, rows: Sequence[Any]) -> dict[int, list[Any]]:
    column = attrgetter(name)
    return {key: list(some) for key, some in groupby(sorted(rows, key=column), key=column)}
