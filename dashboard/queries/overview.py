"""What can be wrong at present, and how much there is of everything: from kept counts and short walks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.needs import Need
from dashboard.queries.case_selection import is_wrong
from dashboard.queries.events import EVENT_TIME
from dashboard.queries.runs import COUNTED
from dashboard.rounds import FINAL
from receiver.handlers import title_of
from receiver.models import (
    RunState,
    businesses,
    cases,
    events,
    handlers,
    record,
    runs,
)

NOT_DONE = (RunState.RETRYING, RunState.QUEUED, RunState.RUNNING)  # and no person is asked for
LATEST_MOVES = 1_000  # of these it is told how long cases stay in a status
SHOWN_OVER = 8  # cases over their limit, beside their number


@dataclass(frozen=True, slots=True)
class OldestRun:
    id: int
    title: str
    ref_id: str
    name: str | None  # the business's
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseOver:
    """A case over the limit of its status."""

    ref_id: str
    name: str | None
    status: str
    status_since: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """How long cases were in a status, of the latest that left it: the median."""

    status: str
    days: float
    cases: int


async def find_oldest_run(connection: AsyncConnection) -> OldestRun | None:
    """Of those that are not done, the one that was owed first."""
    firsts = [
        await connection.scalar(select(func.min(runs.c.id)).where(runs.c.state == state))
        for state in NOT_DONE
    ]
    oldest = min(filter(None, firsts), default=None)
    query = (
        select(
            runs.c.id, runs.c.state, runs.c.created_at, runs.c.handler, handlers.c.title,
            events.c.ref_id, businesses.c.name,
        )
        .join_from(runs, events, events.c.id == runs.c.event_id)
        .outerjoin(handlers, handlers.c.name == runs.c.handler)
        .outerjoin(businesses, businesses.c.ref_key == events.c.ref_key)
        .where(runs.c.id == oldest)
    )  # fmt: skip
    row = (await connection.execute(query)).one_or_none() if oldest else None
    return record(OldestRun, row, title=row.title or title_of(row.handler)) if row else None


async def count_needing(connection: AsyncConnection, need: Need, settled: datetime) -> int:
    """As many as the list of cases by this need shows; at most COUNTED."""
    some = select(cases.c.id).where(*is_wrong(need, cases.c, settled)).limit(COUNTED).subquery()
    return await connection.scalar(select(func.count()).select_from(some)) or 0


async def count_over(connection: AsyncConnection, cutoffs: Mapping[str, datetime]) -> int:
    """Cases that have been in a status since before its cutoff; at most COUNTED."""
    found = 0
    for status, cutoff in cutoffs.items():
        over = select(cases.c.id).where(cases.c.status == status, cases.c.status_since <= cutoff)
        some = over.limit(COUNTED - found).subquery()
        found += await connection.scalar(select(func.count()).select_from(some)) or 0
    return found


async def find_over(connection: AsyncConnection, cutoffs: Mapping[str, datetime]) -> list[CaseOver]:
    """A few of each status, the longest first."""
    found: list[CaseOver] = []
    for status, cutoff in cutoffs.items():
        query = (
            select(cases.c.ref_id, businesses.c.name, cases.c.status, cases.c.status_since)
            .outerjoin_from(cases, businesses, businesses.c.ref_key == cases.c.ref_key)
            .where(cases.c.status == status, cases.c.status_since <= cutoff)
            .order_by(cases.c.status_since, cases.c.id)
            .limit(SHOWN_OVER)
        )
        found += [record(CaseOver, row) for row in await connection.execute(query)]
    return found


async def find_stays(connection: AsyncConnection) -> Sequence[Stay]:
    """Of the latest status changes, how long the case had been in the status that it left. Few leave a final
    one, and these say nothing of those that stay."""
    latest = (
        select(events.c.ref_key, events.c.place, EVENT_TIME.label("at"))
        .where(events.c.place > 0)
        .order_by(events.c.id.desc())
        .limit(LATEST_MOVES)
        .subquery()
    )
    before = events.alias("before")
    began = func.coalesce(
        before.c.message_at, before.c.first_attempt_at, type_=before.c.message_at.type
    ).label("began")
    query = (
        select(before.c.status, began, latest.c.at)
        .join_from(
            latest,
            before,
            (before.c.ref_key == latest.c.ref_key) & (before.c.place == latest.c.place - 1),
        )
        .where(before.c.status.not_in(FINAL))
    )
    days: dict[str, list[float]] = defaultdict(list)
    for row in await connection.execute(query):
        days[row.status].append(max(0.0, (row.at - row.began) / timedelta(days=1)))
    return [Stay(status, median(spans), len(spans)) for status, spans in days.items()]
