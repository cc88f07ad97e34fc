"""From when to when a delivery came, as a span of ids.

No index stands on the time: ids grow with it, so a search by halves finds where a time begins. Not exactly:
several receivers write side by side, and clocks are set right. So the span is widened, and whoever reads it
looks at the times as well.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, text
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import deliveries, to_microseconds

SET_RIGHT = timedelta(hours=6)  # by half as much a clock may have been wrong without a loss here
WIDEST = 20_000  # rows looked at in vain, where very many come in that time

BY_HALVES = text(
    """
    WITH RECURSIVE span(lowest, beyond) AS (
        SELECT CAST(0 AS BIGINT), COALESCE(MAX(id), 0) + 1 FROM deliveries
        UNION ALL
        SELECT
            CASE WHEN middle.received_at < :at THEN (lowest + beyond) / 2 + 1 ELSE lowest END,
            CASE WHEN middle.received_at < :at THEN beyond ELSE (lowest + beyond) / 2 END
        FROM span JOIN deliveries AS middle
            ON middle.id = (SELECT MIN(id) FROM deliveries WHERE id >= (lowest + beyond) / 2)
        WHERE lowest < beyond
    )
    SELECT lowest FROM span WHERE lowest >= beyond
    """
)


async def came_between(
    connection: AsyncConnection, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """What a delivery of that time fulfils; `until` no longer belongs to it."""
    conditions: list[ColumnElement[Any]] = []
    if since is not None:
        first = max(
            await _first_id(connection, since - SET_RIGHT), await _first_id(connection, since) - WIDEST
        )
        conditions += [deliveries.c.id >= first, deliveries.c.received_at >= since]
    if until is not None:
        beyond = min(
            await _first_id(connection, until + SET_RIGHT), await _first_id(connection, until) + WIDEST
        )
        conditions += [deliveries.c.id < beyond, deliveries.c.received_at < until]
    return conditions


async def _first_id(connection: AsyncConnection, at: datetime) -> int:
    return await connection.scalar(BY_HALVES, {"at": to_microseconds(at)}) or 0
