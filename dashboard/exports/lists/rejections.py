"""Rejections by reason."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest
from dashboard.exports.files import Row
from dashboard.exports.streaming import OpenList
from dashboard.left_out import refuse_left_out
from dashboard.pages.rejections import PARAMETERS
from dashboard.periods import By, last_periods
from dashboard.queries.paging import Page
from dashboard.queries.reasons import find_labels
from dashboard.queries.rejections import count_rejections
from dashboard.zones import readers_zone


async def open_list(request: AnyRequest, _reader: AsyncConnection) -> OpenList:
    """One row for a reason, one column for a week or a month."""
    refuse_left_out(request.query_params, PARAMETERS)
    by = By.MONTH if request.query_params.get("by") == By.MONTH else By.WEEK
    periods = last_periods(by, datetime.now(UTC), readers_zone())
    names = [period.first.isoformat() for period in periods]

    async def read(connection: AsyncConnection, _cursor: str | None) -> Page[Row]:
        found = await count_rejections(connection, periods, top=10_000)
        labels = await find_labels(connection, [reason.code for reason in found.top])
        return Page(
            [
                {
                    "reason": reason.code,
                    "reason_in_words": words.reason(reason.code, labels),
                    "rejections": reason.total,
                    **dict(zip(names, reason.counts, strict=True)),
                }
                for reason in found.top
            ]
        )

    return OpenList(("reason", "reason_in_words", "rejections", *names), read)
