"""The cases that nobody sees to, in the order in which to take them: the first, or the one after another.

Those of a status with a limit come first, by when it ends; then those under way in another status, by when
something was last heard of them. Each is found by an index of its status.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.cases import Case, count_cases
from dashboard.rounds import FINAL
from receiver.limits import Limit
from receiver.models import MICROSECOND, cases

WALKED = 5_000  # cases of one status, the longest in it first: those that are assigned are walked past


async def find_next_unassigned(
    connection: AsyncConnection, limits: Mapping[str, Limit], zone: ZoneInfo, after: Case | None = None
) -> str | None:
    """Its refId. `after` this case, and after the last one again the first. None: there is no other."""
    if after is None:
        return await _by_limit(connection, limits, zone) or await _by_change(connection, limits)
    found = None
    if after.status in limits:
        found = await _by_limit(connection, limits, zone, after) or await _by_change(connection, limits)
    elif after.status not in FINAL:
        found = await _by_change(connection, limits, after)
    found = found or await find_next_unassigned(connection, limits, zone)
    return found if found != after.ref_id else None


async def _by_limit(
    connection: AsyncConnection, limits: Mapping[str, Limit], zone: ZoneInfo, after: Case | None = None
) -> str | None:
    """Where two end at the same moment, the statuses' names decide."""
    since, waiting = cases.c.status_since, []
    for status, limit in limits.items():
        beyond = _later(limit, limits[after.status], zone, after) if after else []
        first = await _first(connection, status, since, beyond)
        waiting += [(limit.deadline(first[0], zone), status, first[2])] if first else []
    return min(waiting)[2] if waiting else None


def _later(limit: Limit, its_limit: Limit, zone: ZoneInfo, after: Case) -> list[ColumnElement[bool]]:
    """Of a status with this limit: those whose limit ends after that of the case."""
    since = cases.c.status_since
    if limit.status == after.status:
        return [_beyond(since, after.status_since, after.id)]
    end = its_limit.deadline(after.status_since, zone)
    return [since > limit.cutoff(end if limit.status < after.status else end - MICROSECOND, zone)]


async def _by_change(
    connection: AsyncConnection, limits: Mapping[str, Limit], after: Case | None = None
) -> str | None:
    statuses = sorted((await count_cases(connection)).keys() - FINAL - limits.keys())
    at = cases.c.changed_at
    beyond = [_beyond(at, after.changed_at, after.id)] if after else []
    firsts = [await _first(connection, status, at, beyond) for status in statuses]
    waiting = [first for first in firsts if first]
    return min(waiting)[2] if waiting else None


def _beyond(at: ColumnElement[Any], moment: datetime, number: int) -> ColumnElement[bool]:
    return and_(at >= moment, or_(at > moment, cases.c.id > number))


async def _first(
    connection: AsyncConnection,
    status: str,
    since: ColumnElement[datetime],
    beyond: Sequence[ColumnElement[bool]],
) -> tuple[datetime, int, str] | None:
    """Of one status, by the index in this order: since when, its id, and its refId."""
    walked = (
        select(cases.c.id, cases.c.ref_id, since.label("at"), cases.c.assigned_to)
        .where(cases.c.status == status, *beyond)
        .order_by(since, cases.c.id)
        .limit(WALKED)
        .subquery()
    )
    nobodys = select(walked.c.at, walked.c.id, walked.c.ref_id).where(walked.c.assigned_to.is_(None))
    row = (await connection.execute(nobodys.order_by(walked.c.at, walked.c.id).limit(1))).one_or_none()
    return (row.at, row.id, row.ref_id) if row else None
