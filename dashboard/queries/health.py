"""Who is there, when nobody was, and what came in of late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.deliveries import VERIFIED
from dashboard.queries.runs import COUNTED
from receiver.models import (
    EPOCH,
    HOUR,
    RunState,
    Shape,
    Verdict,
    deliveries,
    delivery_counts,
    events,
    hour_of,
    outages,
    record,
    role_signs,
    runs,
    workers,
)

HOURS = 24  # of which it is told what came in
LISTED = 50  # outages
MOST_PROCESSES = 50


@dataclass(frozen=True, slots=True)
class Process:
    role: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Sign:
    """When a role was first and last seen, on any host."""

    first_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """`ended_at` None: it lasts."""

    role: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hour:
    """What came in within one hour, by verdict."""

    at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Refusals:
    """Deliveries shaped like Svix's that were refused after the last one that verified; at most COUNTED."""

    count: int
    first_at: datetime
    last_at: datetime
    last_id: int
    last_cause: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest that waits: an event for its runs, a run for the worker."""

    event_since: datetime | None
    run_id: int | None
    run_since: datetime | None


async def find_processes(connection: AsyncConnection) -> list[Process]:
    query = select(workers).order_by(workers.c.role, workers.c.host, workers.c.pid).limit(MOST_PROCESSES)
    return [record(Process, row) for row in await connection.execute(query)]


async def find_signs(connection: AsyncConnection) -> dict[str, Sign]:
    return {row.role: record(Sign, row) for row in await connection.execute(select(role_signs))}


async def find_outages(connection: AsyncConnection) -> list[Outage]:
    """Those that have ended, the last one first."""
    query = select(outages).order_by(outages.c.ended_at.desc(), outages.c.id.desc()).limit(LISTED)
    return [record(Outage, row) for row in await connection.execute(query)]


async def find_hours(connection: AsyncConnection, now: datetime, count: int = HOURS) -> list[Hour]:
    """The last hours, the oldest first, also those in which nothing came."""
    first = hour_of(now) - count + 1
    query = select(delivery_counts).where(delivery_counts.c.hour >= first)
    counts: dict[int, dict[str, int]] = {hour: {} for hour in range(first, first + count)}
    for row in await connection.execute(query):
        counts.setdefault(row.hour, {})[row.verdict] = row.n
    return [Hour(EPOCH + hour * HOUR, counts[hour]) for hour in sorted(counts)]


async def find_last(connection: AsyncConnection, verdicts: Sequence[str]) -> tuple[int, datetime] | None:
    """The id and the time of the last delivery with one of these verdicts."""
    found = []
    for verdict in verdicts:
        last = (
            select(deliveries.c.id, deliveries.c.received_at)
            .where(deliveries.c.verdict == verdict)
            .order_by(deliveries.c.id.desc())
            .limit(1)
        )
        found += [(row.id, row.received_at) for row in await connection.execute(last)]
    return max(found, default=None)


async def find_last_accepted(connection: AsyncConnection) -> tuple[int, datetime] | None:
    return await find_last(connection, [Verdict.ACCEPTED])


async def find_refusals(connection: AsyncConnection) -> Refusals | None:
    """None where the last delivery that looks like Svix's verified."""
    verified = await find_last(connection, VERIFIED)
    after = verified[0] if verified else 0
    query = (
        select(deliveries.c.id, deliveries.c.received_at, deliveries.c.cause)
        .where(deliveries.c.shape == Shape.SVIX, deliveries.c.id > after)
        .limit(COUNTED)
    )
    oldest = (await connection.execute(query.order_by(deliveries.c.id))).all()
    latest = (await connection.execute(query.order_by(deliveries.c.id.desc()).limit(1))).one_or_none()
    if not oldest or latest is None:
        return None
    return Refusals(
        len(oldest), oldest[0].received_at, latest.received_at, latest.id, latest.cause or "no_match"
    )


async def find_waiting(connection: AsyncConnection) -> Waiting:
    event_since = await connection.scalar(
        select(events.c.received_at).where(events.c.dispatched_at.is_(None)).order_by(events.c.id).limit(1)
    )
    first = select(func.min(runs.c.id)).where(runs.c.state == RunState.QUEUED).scalar_subquery()
    run = (await connection.execute(select(runs.c.id, runs.c.due_at).where(runs.c.id == first))).one_or_none()
    return Waiting(event_since, run and run.id, run and run.due_at)


def lasting(signs: Mapping[str, Sign], now: datetime, silence: timedelta) -> list[Outage]:
    """Of the roles that have once been there, those that are not at present."""
    return [Outage(role, sign.seen_at, None) for role, sign in signs.items() if now - sign.seen_at > silence]
