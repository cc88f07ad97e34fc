"""What the company's handlers owe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.events import EVENT_TIME
from dashboard.queries.paging import LARGEST, Page, cursor_from, read_page
from receiver.handlers import title_of
from receiver.models import (
    RunState,
    businesses,
    cases,
    events,
    handlers,
    pauses,
    record,
    runs,
)
from receiver.runs import ALL, CAN_BE_CLOSED, SETTLING, Selection
from receiver.runs.conditions import has_moved_on

PAGE = 50
COUNTED = 1000  # pages say "999+" from here on, so that none counts the whole table
SUMMARY_SHOWN = 300  # characters of the first line of an error


@dataclass(frozen=True, slots=True)
class Run:
    """What one handler owes one event; `title` says it in words."""

    id: int
    event_id: int
    handler: str
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
    is_gone: bool  # its handler was renamed or taken away
    paused_by: str | None
    pause_reason: str | None
    effect: str | None = None  # its handler's, see handlers.Effect
    became: str = ""  # the status of its event
    fingerprint: str | None = None  # of the failure that its last try ended with
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None
    close_note: str | None = None

    @property
    def is_under_way(self) -> bool:
        return self.state in {RunState.QUEUED, RunState.RUNNING}

    @property
    def is_held(self) -> bool:
        """It waits until its handler is resumed."""
        return self.paused_by is not None and self.state in {RunState.QUEUED, RunState.RETRYING}

    @property
    def can_be_reprocessed(self) -> bool:
        return not self.is_under_way and not self.is_gone

    @property
    def can_be_closed(self) -> bool:
        return self.state in CAN_BE_CLOSED

    @property
    def situation(self) -> str:
        """Its state, or what says more than that: it names the part of the page that tells it."""
        if self.is_gone and (self.can_be_closed or self.state == RunState.QUEUED):
            return "gone"
        if self.is_held:
            return "held"
        return "asked" if self.state == RunState.QUEUED and self.asked_by else self.state

    @property
    def is_done(self) -> bool:
        return self.state == RunState.SUCCEEDED

    @property
    def is_settled(self) -> bool:
        """A person closed it in a way that leaves nothing to do: by hand, or because it must not be."""
        return self.state == RunState.CLOSED and self.close_reason in SETTLING

    @property
    def asked_by(self) -> str | None:
        """Who asked for the attempt that is still to come."""
        return self.requested_by if self.is_under_way and self.started_by == "person" else None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list, with the status change that it belongs to."""

    run: Run
    ref_id: str
    name: str | None  # the business's, where the directory knows it
    status: str


@dataclass(frozen=True, slots=True)
class RunOnPage:
    """A run on its own page: `case_*` are None where another check than KYB started it."""

    run: Run
    ref_id: str
    name: str | None  # the business's
    family: str
    status: str
    previous_status: str | None
    at: datetime
    case_status: str | None
    case_since: datetime | None
    case_uncertain: bool | None
    has_moved_on: bool


async def find_runs(
    connection: AsyncConnection,
    states: Sequence[RunState],
    cursor: str | None = None,
    failure: str | None = None,
    handler: str | None = None,
    ref_id: str | None = None,
    size: int = PAGE,
) -> Page[RunRow]:
    """Newest first. `failure` is a fingerprint, `ref_id` that of a case."""
    selection = Selection(states, failure, handler, ref_id)
    query = select_runs(events.c.ref_id, businesses.c.name, events.c.status).outerjoin(
        businesses, businesses.c.ref_key == events.c.ref_key
    )
    # A case's are found by its events, and sorted: by their ids SQLite would walk all runs there are.
    order = runs.c.id if ref_id is None else runs.c.id + 0
    page = await read_page(
        connection,
        [query.where(*selection.in_state(state)) for state in states],
        keys=(order,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=size,
    )
    return page.of(lambda row: RunRow(run_of(row), row.ref_id, row.name, row.status))


async def count_runs(
    connection: AsyncConnection,
    states: Sequence[RunState],
    handler: str | None = None,
    ref_id: str | None = None,
) -> int:
    """At most COUNTED. `ref_id` is that of a case."""
    selection = Selection(states, handler=handler, ref_id=ref_id)
    asked = [select(runs.c.id).where(*selection.in_state(state)) for state in states]
    return min(COUNTED, sum([await _count(connection, each) for each in asked]))


async def find_run(connection: AsyncConnection, run_id: int) -> RunOnPage | None:
    if run_id > LARGEST:
        return None
    query = (
        select_runs(
            events.c.ref_id,
            businesses.c.name,
            events.c.family,
            events.c.status,
            events.c.previous_status,
            EVENT_TIME.label("at"),
            cases.c.status.label("case_status"),
            cases.c.status_since.label("case_since"),
            cases.c.uncertain.label("case_uncertain"),
            has_moved_on().label("has_moved_on"),
        )
        .outerjoin(cases, cases.c.ref_key == events.c.ref_key)
        .outerjoin(businesses, businesses.c.ref_key == events.c.ref_key)
        .where(runs.c.id == run_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return record(RunOnPage, row, run=run_of(row)) if row else None


async def find_runs_of(connection: AsyncConnection, event_ids: Sequence[int]) -> dict[int, list[Run]]:
    """What is owed for each of these events, in the order of dispatch."""
    found: dict[int, list[Run]] = {event_id: [] for event_id in event_ids}
    query = select_runs().where(runs.c.event_id.in_(event_ids)).order_by(runs.c.id)
    for row in await connection.execute(query) if event_ids else ():
        found[row.event_id].append(run_of(row))
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


def select_runs(*others: ColumnElement[Any]) -> Select[Any]:
    """What `Run` is made of, and `others`; `events` are joined."""
    own = [runs.c[name] for name in Run.__dataclass_fields__ if name in runs.c and name != "summary"]
    summary = func.substr(runs.c.summary, 1, SUMMARY_SHOWN).label("summary")
    of_handler, became = (handlers.c.title, handlers.c.effect), events.c.status.label("became")
    is_gone = handlers.c.removed_at.is_not(None).label("is_gone")
    all_of_them, its_own = pauses.alias("all_of_them"), pauses.alias("its_own")
    paused_by = func.coalesce(all_of_them.c.paused_by, its_own.c.paused_by).label("paused_by")
    pause_reason = func.coalesce(all_of_them.c.reason, its_own.c.reason).label("pause_reason")
    return (
        select(*own, summary, *of_handler, became, is_gone, paused_by, pause_reason, *others)
        .join_from(runs, events, events.c.id == runs.c.event_id)
        .outerjoin(handlers, handlers.c.name == runs.c.handler)
        .outerjoin(all_of_them, all_of_them.c.handler == ALL)
        .outerjoin(its_own, its_own.c.handler == runs.c.handler)
    )


def run_of(row: Row[Any]) -> Run:
    return record(Run, row, title=row.title or title_of(row.handler))
