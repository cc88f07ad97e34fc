"""Many runs taken on one word: what was asked, how far that is, what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.paging import LARGEST, Page, cursor_from, read_page
from dashboard.queries.runs import RunRow, run_of, select_runs
from receiver.models import batch_items, batches, businesses, events, handlers, record, runs
from receiver.runs import Action, Part, Result, number_of, parts_of

PAGE = 50
RECENT = 50  # batches in their list


@dataclass(frozen=True, slots=True)
class Batch:
    id: int
    created_at: datetime
    created_by: str
    action: str
    what: str
    back: str
    repeat_done: bool
    reason: str | None
    note: str | None
    total: int
    cut: bool
    parts: Sequence[Part]
    confirmed_at: datetime | None
    confirmed_by: str | None
    stopped_at: datetime | None
    stopped_by: str | None
    finished_at: datetime | None

    @property
    def state(self) -> str:
        """It names the part of the page that tells it."""
        if self.confirmed_at is None:
            return "draft" if self.parts else "empty"
        if self.stopped_at is not None:
            return "stopped"
        return "finished" if self.finished_at is not None else "under_way"

    @property
    def closes(self) -> bool:
        return self.action == Action.CLOSE

    @property
    def number(self) -> int:
        """How many it takes, as far as its preview can tell."""
        return number_of(self.parts, self.repeat_done)

    @property
    def number_with_done(self) -> int:
        """How many it would take with those that are done already."""
        return number_of(self.parts, repeat_done=True)

    @property
    def done_before(self) -> int:
        return sum(part.n for part in self.parts if part.why_not == Result.DONE)

    @property
    def skipped(self) -> dict[str, int]:
        """Those of the preview, by why."""
        found: dict[str, int] = {}
        for part in self.parts:
            if part.why_not is not None:
                found[part.why_not] = found.get(part.why_not, 0) + part.n
        return found


@dataclass(frozen=True, slots=True)
class Called:
    """A handler as a preview names it."""

    title: str
    effect: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """`results` by why they were skipped, or that they were taken; `states` are those of the runs taken."""

    results: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, int] = field(default_factory=dict)
    to_come: int = 0

    @property
    def taken(self) -> int:
        return self.results.get(Result.TAKEN, 0)

    @property
    def skipped(self) -> dict[str, int]:
        return {result: n for result, n in self.results.items() if result != Result.TAKEN}


@dataclass(frozen=True, slots=True)
class Item:
    """One run of a batch. `result` None: it was not come to yet."""

    row: RunRow
    result: str | None
    tries: int  # as they were shown

    @property
    def outcome(self) -> str:
        """What became of it: why it was skipped, or the state that its run has now."""
        if self.result == Result.TAKEN:
            return self.row.run.state
        return self.result or "to come"


async def find_batch(connection: AsyncConnection, batch_id: int) -> Batch | None:
    if batch_id > LARGEST:
        return None
    row = (await connection.execute(select(batches).where(batches.c.id == batch_id))).one_or_none()
    return _batch(row) if row else None


async def find_batches(connection: AsyncConnection) -> list[Batch]:
    """The latest that were confirmed, newest first."""
    query = select(batches).where(batches.c.confirmed_at.is_not(None)).order_by(batches.c.id.desc())
    return [_batch(row) for row in await connection.execute(query.limit(RECENT))]


def _batch(row: Row[Any]) -> Batch:
    return record(Batch, row, parts=parts_of(row.preview) if row.preview else ())


async def find_called(connection: AsyncConnection, names: set[str]) -> dict[str, Called]:
    query = select(handlers.c.name, handlers.c.title, handlers.c.effect).where(handlers.c.name.in_(names))
    return {row.name: Called(row.title, row.effect) for row in await connection.execute(query)}


async def count_progress(connection: AsyncConnection, batch: Batch) -> Progress:
    """Counted anew: a batch is bounded, and its runs go on after it."""
    of_batch = batch_items.c.batch_id == batch.id
    by_result = select(batch_items.c.result, func.count()).where(of_batch).group_by(batch_items.c.result)
    results = {row[0]: row[1] for row in await connection.execute(by_result)}
    by_state = (
        select(runs.c.state, func.count())
        .join_from(batch_items, runs, runs.c.id == batch_items.c.run_id)
        .where(of_batch, batch_items.c.result == Result.TAKEN)
        .group_by(runs.c.state)
    )
    states = {row[0]: row[1] for row in await connection.execute(by_state)}
    return Progress(
        {result: n for result, n in results.items() if result is not None}, states, results.get(None, 0)
    )


async def find_items(
    connection: AsyncConnection, batch_id: int, cursor: str | None = None, result: str | None = None
) -> Page[Item]:
    """In the order in which they are taken."""
    query = (
        select_runs(
            events.c.ref_id,
            businesses.c.name,
            events.c.status,
            batch_items.c.result,
            batch_items.c.tries.label("shown_tries"),
        )
        .join(batch_items, batch_items.c.run_id == runs.c.id)
        .outerjoin(businesses, businesses.c.ref_key == events.c.ref_key)
        .where(batch_items.c.batch_id == batch_id)
    )
    if result:
        query = query.where(batch_items.c.result == result)
    page = await read_page(
        connection,
        [query],
        keys=(batch_items.c.run_id,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=PAGE,
        descending=False,
    )
    return page.of(_item)


def _item(row: Row[Any]) -> Item:
    return Item(RunRow(run_of(row), row.ref_id, row.name, row.status), row.result, row.shown_tries)
