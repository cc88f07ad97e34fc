"""What the company's handlers owe, and their tries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.events import EVENT_TIME
from dashboard.queries.paging import LARGEST, Page, cursor_from, read_page
from receiver.handlers import title_of
from receiver.models import Outcome, RunState, attempts, cases, events, handlers, record, runs
from receiver.runs.conditions import has_moved_on

PAGE = 50
COUNTED = 1000  # pages say "999+" from here on, so that none counts the whole table
ATTEMPTS = 50  # the latest of one run
SUMMARY_SHOWN = 300  # characters of the first line of an error


@dataclass(frozen=True, slots=True)
class Run:
    """What one handler owes one event; `title` says it in words."""

    id: int
    event_id: int
    title: str
    once: bool
    state: str
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    tries: int
    started_by: str
    requested_by: str | None
    requested_at: datetime | None
    summary: str | None

    @property
    def is_under_way(self) -> bool:
        return self.state in {RunState.QUEUED, RunState.RUNNING}

    @property
    def is_done(self) -> bool:
        return self.state == RunState.SUCCEEDED

    @property
    def asked_by(self) -> str | None:
        """Who asked for the attempt that is still to come."""
        return self.requested_by if self.is_under_way and self.started_by == "person" else None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list, with the status change that it belongs to."""

    run: Run
    ref_id: str
    status: str


@dataclass(frozen=True, slots=True)
class RunOnPage:
    """A run on its own page: `case_*` are None where another check than KYB started it."""

    run: Run
    handler: str
    ref_id: str
    family: str
    status: str
    previous_status: str | None
    at: datetime
    case_status: str | None
    case_since: datetime | None
    has_moved_on: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    id: int
    run_id: int
    number: int
    started_by: str
    requested_by: str | None
    started_at: datetime
    finished_at: datetime
    outcome: str
    result: str | None
    error: str | None
    traceback: str | None = None
    output: str | None = None

    @property
    def went_well(self) -> bool:
        return self.outcome == Outcome.SUCCEEDED

    @property
    def nobody_knows(self) -> bool:
        """Its process ended before it could say how far it came."""
        return self.outcome in {Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED}


def may_have_been_done(run: Run, tries: Sequence[Attempt]) -> bool:
    """Its effect can't be taken back, and nobody knows whether it took place."""
    return run.once and not run.is_done and any(attempt.nobody_knows for attempt in tries)


async def find_runs(
    connection: AsyncConnection, states: Sequence[RunState], cursor: str | None = None
) -> Page[RunRow]:
    """Newest first."""
    query = _runs(events.c.ref_id, events.c.status).join(events, events.c.id == runs.c.event_id)
    page = await read_page(
        connection,
        [query.where(runs.c.state == state) for state in states],
        keys=(runs.c.id,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=PAGE,
    )
    return page.of(lambda row: RunRow(_run(row), row.ref_id, row.status))


async def count_runs(connection: AsyncConnection, states: Sequence[RunState]) -> int:
    """At most COUNTED."""
    return await _count(connection, select(runs.c.id).where(runs.c.state.in_(states)))


async def find_run(connection: AsyncConnection, run_id: int) -> RunOnPage | None:
    if run_id > LARGEST:
        return None
    query = (
        _runs(
            events.c.ref_id,
            events.c.family,
            events.c.status,
            events.c.previous_status,
            EVENT_TIME.label("at"),
            cases.c.status.label("case_status"),
            cases.c.status_since.label("case_since"),
            has_moved_on().label("has_moved_on"),
        )
        .join(events, events.c.id == runs.c.event_id)
        .outerjoin(cases, cases.c.ref_key == events.c.ref_key)
        .where(runs.c.id == run_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return record(RunOnPage, row, run=_run(row)) if row else None


async def find_runs_of(connection: AsyncConnection, event_ids: Sequence[int]) -> dict[int, list[Run]]:
    """What is owed for each of these events, in the order of dispatch."""
    found: dict[int, list[Run]] = {event_id: [] for event_id in event_ids}
    query = _runs().where(runs.c.event_id.in_(event_ids)).order_by(runs.c.id)
    for row in await connection.execute(query) if event_ids else ():
        found[row.event_id].append(_run(row))
    return found


async def count_failed_of_case(connection: AsyncConnection, key: bytes) -> int:
    """At most COUNTED."""
    of_case = select(runs.c.id).join(events, events.c.id == runs.c.event_id).where(events.c.ref_key == key)
    return await _count(connection, of_case.where(has_failed()))


async def _count(connection: AsyncConnection, some: Select[Any]) -> int:
    counted = select(func.count()).select_from(some.limit(COUNTED).subquery())
    return (await connection.execute(counted)).scalar_one()


def counted(count: int) -> str:
    """A count of at most COUNTED, as it is shown."""
    return str(count) if count < COUNTED else f"{COUNTED - 1}+"


def has_failed() -> ColumnElement[bool]:
    """Of the runs of given events. Concatenated with nothing, the state offers no index: through that SQLite
    would walk all failed runs there are to find those of one case."""
    return (runs.c.state + "") == RunState.FAILED


async def find_attempts(connection: AsyncConnection, run_id: int) -> list[Attempt]:
    """The latest tries of one run, newest first, with all that they left."""
    query = (
        select(*(attempts.c[name] for name in Attempt.__dataclass_fields__))
        .where(attempts.c.run_id == run_id)
        .order_by(attempts.c.number.desc())
        .limit(ATTEMPTS)
    )
    return [Attempt(**row._mapping) for row in await connection.execute(query)]


async def find_attempts_of(connection: AsyncConnection, run_ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """The tries of several runs, oldest first, without tracebacks and output."""
    long = ("traceback", "output")
    found: dict[int, list[Attempt]] = {run_id: [] for run_id in run_ids}
    query = (
        select(*(attempts.c[name] for name in Attempt.__dataclass_fields__ if name not in long))
        .where(attempts.c.run_id.in_(run_ids))
        .order_by(attempts.c.run_id, attempts.c.number)
    )
    for row in await connection.execute(query) if run_ids else ():
        found[row.run_id].append(Attempt(**row._mapping))
    return found


def _runs(*others: ColumnElement[Any]) -> Select[Any]:
    own = [runs.c[name] for name in Run.__dataclass_fields__ if name in runs.c and name != "summary"]
    summary = func.substr(runs.c.summary, 1, SUMMARY_SHOWN).label("summary")
    return select(*own, summary, runs.c.handler, handlers.c.title, *others).outerjoin_from(
        runs, handlers, handlers.c.name == runs.c.handler
    )


def _run(row: Row[Any]) -> Run:
    return record(Run, row, title=row.title or title_of(row.handler))
