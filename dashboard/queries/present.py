"""What was done, and is to be done, about the status that a case has at present."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.runs import Run, find_runs_of
from receiver.activity import Kind
from receiver.cases import Link
from receiver.models import activities, attempts, cases, events, record, runs

LAST_EVENTS = 50  # a status that was repeated more often has long been told by its last ones
EVENTS_SEARCHED = 200  # for what last changed the account


@dataclass(frozen=True, slots=True)
class Present:
    """The events that say the case's status: the last one, and those that it repeats."""

    event_ids: Sequence[int]
    left: Sequence[str | None]  # the statuses that it may have come from
    dispatched: bool
    adopted_by: str | None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The last try that changed the account's status in the directory. What it was changed to is not told:
    only where the directory still says the same does it matter."""

    run_id: int
    at: datetime
    changes: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A person said that the customer was told, or must not be: `subject` is a CloseReason, `detail` how or
    why."""

    at: datetime
    by: str
    subject: str
    detail: str


async def find_settled(connection: AsyncConnection, key: bytes) -> Settled | None:
    """Where nothing has told them since, and the case has not moved on."""
    query = (
        select(activities)
        .join(cases, cases.c.ref_key == activities.c.ref_key)
        .where(activities.c.ref_key == key, activities.c.at == cases.c.told_at)
        .where(activities.c.kind == Kind.TOLD)
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return record(Settled, row) if row else None


async def find_present(connection: AsyncConnection, key: bytes) -> Present:
    query = (
        select(
            events.c.id,
            events.c.status,
            events.c.previous_status,
            events.c.link,
            events.c.dispatched_at,
            events.c.adopted_by,
        )
        .where(events.c.ref_key == key, events.c.place.is_not(None))
        .order_by(events.c.place.desc())
        .limit(LAST_EVENTS)
    )
    last = (await connection.execute(query)).all()
    saying = _closing_repeats(last)
    before = last[len(saying)].status if len(saying) < len(last) else None
    return Present(
        event_ids=[event.id for event in saying],
        left=[*dict.fromkeys(event.previous_status for event in saying), before],
        dispatched=all(event.dispatched_at for event in saying),
        adopted_by=saying[0].adopted_by if saying else None,
    )


def _closing_repeats(last: Sequence[Any]) -> Sequence[Any]:
    """Newest first: up to the one that is no repeat of another."""
    repeats = 0
    while repeats < len(last) - 1 and last[repeats].link == Link.REPEAT:
        repeats += 1
    return last[: repeats + 1]


async def find_present_runs(connection: AsyncConnection, present: Present) -> list[Run]:
    """Oldest first."""
    found = await find_runs_of(connection, present.event_ids)
    return sorted((run for owed in found.values() for run in owed), key=lambda run: run.id)


async def find_account_change(connection: AsyncConnection, key: bytes) -> AccountChange | None:
    latest = (
        select(events.c.id)
        .where(events.c.ref_key == key, events.c.place.is_not(None))
        .order_by(events.c.place.desc())
        .limit(EVENTS_SEARCHED)
    )
    query = (
        select(attempts.c.run_id, attempts.c.finished_at.label("at"), attempts.c.changes)
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(runs.c.event_id.in_(latest), attempts.c.changes.contains('"account_status"', autoescape=True))
        .order_by(attempts.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return AccountChange(**row._mapping) if row else None
