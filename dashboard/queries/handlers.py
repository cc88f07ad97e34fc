"""The company's handlers as the worker registered them: what they do, and how that goes."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.pauses import Paused, find_paused
from dashboard.queries.runs import COUNTED
from dashboard.tally import DAYS, Day, Tally
from receiver.handlers import Registered
from receiver.models import Outcome, RunState, attempt_counts, day_of, events, handlers, record, runs
from receiver.runs.conditions import IS_DUE

LOOKED_AT = 1000  # of the latest runs: what is older is told by its day, from the counts


@dataclass(frozen=True, slots=True)
class LastDone:
    run_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenRun:
    """One that needs a person."""

    id: int
    ref_id: str


@dataclass(frozen=True, slots=True)
class HandlerOnPage:
    """`failed` need a person, `open_runs` are the latest of them; `waiting` is at most COUNTED."""

    registered: Registered
    registered_at: datetime
    removed_at: datetime | None
    last_failed_at: datetime | None
    last_failed_run_id: int | None
    waiting: int
    failed: int
    tally: Tally
    last_done: LastDone | None
    open_runs: Sequence[OpenRun]
    pause: Paused | None


async def find_registered(connection: AsyncConnection) -> list[Registered]:
    """Those that the worker knows, without those that were taken away."""
    query = select(handlers).where(handlers.c.removed_at.is_(None)).order_by(handlers.c.name)
    return [_registered(row) for row in await connection.execute(query)]


def _registered(row: Row[Any]) -> Registered:
    lists = {name: tuple(json.loads(getattr(row, name))) for name in ("statuses", "leaving")}
    return record(Registered, row, **lists)


async def find_effects(connection: AsyncConnection, names: Collection[str]) -> dict[str, str]:
    """Of these handlers those that have one, also where they were taken away."""
    query = select(handlers.c.name, handlers.c.effect).where(
        handlers.c.name.in_(names), handlers.c.effect.is_not(None)
    )
    return {row.name: row.effect for row in await connection.execute(query)} if names else {}


async def find_effects_set_up(connection: AsyncConnection) -> Collection[str]:
    """What the handlers that the worker knows see to."""
    return {each.effect for each in await find_registered(connection) if each.effect}


async def is_there(connection: AsyncConnection, name: str) -> bool:
    """Whether a handler of this name was ever registered."""
    return await connection.scalar(select(handlers.c.name).where(handlers.c.name == name)) is not None


async def find_handlers(connection: AsyncConnection, now: datetime) -> list[HandlerOnPage]:
    """By title; those that were taken away last."""
    query = select(handlers, _waiting().label("waiting")).order_by(
        handlers.c.removed_at.is_not(None), func.lower(handlers.c.title), handlers.c.name
    )
    rows = (await connection.execute(query)).all()
    days = await _find_days(connection, now)
    done = await _find_last_done(connection)
    failed = await _count_failed(connection)
    open_runs = await _find_open_runs(connection)
    paused = {each.handler: each for each in await find_paused(connection)}
    return [
        record(
            HandlerOnPage,
            row,
            registered=_registered(row),
            tally=Tally(day_of(now), days[row.name]),
            failed=failed.get(row.name, 0),
            last_done=done.get(row.name),
            open_runs=open_runs[row.name],
            pause=paused.get(row.name),
        )
        for row in rows
    ]


def _waiting() -> ScalarSelect[int]:
    """At most COUNTED."""
    some = select(runs.c.id).where(runs.c.handler == handlers.c.name, IS_DUE).limit(COUNTED)
    return select(func.count()).select_from(some.correlate(handlers).subquery()).scalar_subquery()


async def _find_days(connection: AsyncConnection, now: datetime) -> Mapping[str, Mapping[int, Day]]:
    """Of each handler the days on which it was tried, as far back as pages tell."""
    query = select(attempt_counts).where(attempt_counts.c.day > day_of(now) - DAYS)
    found: dict[str, dict[int, Day]] = defaultdict(dict)
    for row in await connection.execute(query):
        day = found[row.handler].get(row.day, Day())
        found[row.handler][row.day] = day.counting(
            row.outcome == Outcome.SUCCEEDED, row.n, row.took, row.longest
        )
    return found


async def _find_last_done(connection: AsyncConnection) -> dict[str, LastDone]:
    latest = _latest(RunState.SUCCEEDED).subquery()
    query = select(latest).order_by(latest.c.finished_at)
    return {row.handler: LastDone(row.id, row.finished_at) for row in await connection.execute(query)}


async def _count_failed(connection: AsyncConnection) -> dict[str, int]:
    """Of all, not of the latest: an old one may be the only one that its handler owes."""
    query = (
        select(runs.c.handler, func.count()).where(runs.c.state == RunState.FAILED).group_by(runs.c.handler)
    )
    return {handler: min(count, COUNTED) for handler, count in await connection.execute(query)}


async def _find_open_runs(connection: AsyncConnection) -> Mapping[str, Sequence[OpenRun]]:
    found: dict[str, list[OpenRun]] = defaultdict(list)
    latest = _latest(RunState.FAILED).subquery()
    query = (
        select(latest.c.id, latest.c.handler, events.c.ref_id)
        .join(events, events.c.id == latest.c.event_id)
        .order_by(latest.c.id.desc())
    )
    for row in await connection.execute(query):
        found[row.handler].append(OpenRun(row.id, row.ref_id))
    return found


def _latest(state: RunState) -> Select[Any]:
    return (
        select(runs.c.id, runs.c.handler, runs.c.event_id, runs.c.finished_at)
        .where(runs.c.state == state)
        .order_by(runs.c.id.desc())
        .limit(LOOKED_AT)
    )


def concerning(
    registered: Iterable[Registered], family: str, status: str, left: Sequence[str | None]
) -> list[Registered]:
    """Those that are called for such an event."""
    return [each for each in registered if each.concerns(family, status, left)]
