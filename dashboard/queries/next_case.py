"""The case that nobody sees to and that has waited longest."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.cases import count_cases
from dashboard.rounds import FINAL
from receiver.limits import Limit
from receiver.models import cases

WALKED = 5_000  # cases of one status, the longest in it first: those that are assigned are walked past


async def find_next_unassigned(
    connection: AsyncConnection, limits: Mapping[str, Limit], zone: ZoneInfo
) -> str | None:
    """Its refId. Where statuses have a limit, the one whose limit ends first; else, of those that are in no
    final status, the one of which nothing has been heard longest. None: there is none."""
    return await _by_limit(connection, limits, zone) or await _by_change(connection)


async def _by_limit(connection: AsyncConnection, limits: Mapping[str, Limit], zone: ZoneInfo) -> str | None:
    firsts = [(await _first(connection, status, cases.c.status_since), limits[status]) for status in limits]
    waiting = [(limit.deadline(first[0], zone), first[1]) for first, limit in firsts if first]
    return min(waiting)[1] if waiting else None


async def _by_change(connection: AsyncConnection) -> str | None:
    statuses = sorted((await count_cases(connection)).keys() - FINAL)
    firsts = [await _first(connection, status, cases.c.changed_at) for status in statuses]
    waiting = [first for first in firsts if first]
    return min(waiting)[1] if waiting else None


async def _first(
    connection: AsyncConnection, status: str, since: ColumnElement[datetime]
) -> tuple[datetime, str] | None:
    """Of one status, by the index in this order: since when, and its refId."""
    walked = (
        select(cases.c.ref_id, since.label("at"), cases.c.assigned_to)
        .where(cases.c.status == status)
        .order_by(since, cases.c.id)
        .limit(WALKED)
        .subquery()
    )
    nobodys = select(walked.c.at, walked.c.ref_id).where(walked.c.assigned_to.is_(None))
    row = (await connection.execute(nobodys.order_by(walked.c.at).limit(1))).one_or_none()
    return (row.at, row.ref_id) if row else None
