"""Why cases were rejected: each reason with how often, lately, and its latest cases."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.charts import Frame, bars
from dashboard.filters import address
from dashboard.left_out import left_out, one_of
from dashboard.periods import By, last_periods
from dashboard.queries.reasons import find_labels, find_waiting_texts
from dashboard.queries.rejections import (
    Rejections,
    count_new_reasons,
    count_rejections,
    count_some,
    find_latest_of_each,
    find_new_reasons,
)
from dashboard.render import render, wants_part
from dashboard.zones import readers_zone

AT_ONCE = 5_000  # rejections that are counted while the page is waited for: with more, it comes without them
NEW_SHOWN, NEW_MOST = 5, 200  # reasons that nobody has described
PARAMETERS = {"by": one_of(By, "is neither week nor month")}
TALL = Frame(height=96, bar=40, gap=16)
SMALL = Frame(height=24, bar=7, gap=2)


@get("/rejections")
async def index(
    request: AnyRequest,
    reader: Reader,
    by: FromQuery[str] = "",
    new: FromQuery[str] = "",
    counted: FromQuery[str] = "",
) -> Response[str]:
    """Of a large number the page comes first, and asks for the figures itself, or offers a link to them."""
    chosen = By.MONTH if by == By.MONTH else By.WEEK
    periods = last_periods(chosen, datetime.now(UTC), readers_zone())
    some = await count_some(reader, periods, AT_ONCE + 1)
    later = some > AT_ONCE and not (wants_part(request) or counted)
    return await render(
        request,
        reader,
        "rejections/index.html",
        "rejections/_rejections.html",
        by=chosen,
        periods=periods,
        here=address("/rejections", by=by, new=new),
        later=later,
        many=some > AT_ONCE,
        left_out=left_out(request.query_params, PARAMETERS),
        waiting=await find_waiting_texts(reader),
        **await _new_reasons(reader, NEW_MOST if new else NEW_SHOWN),
        **({} if later else await _figures(reader, await count_rejections(reader, periods))),
    )


async def _new_reasons(reader: AsyncConnection, most: int) -> dict[str, Any]:
    found = await find_new_reasons(reader, most)
    return {"new_reasons": found, "new_count": await count_new_reasons(reader) if found else 0}


async def _figures(reader: AsyncConnection, rejections: Rejections) -> dict[str, Any]:
    codes = [reason.code for reason in rejections.top]
    return {
        "rejections": rejections,
        "labels": await find_labels(reader, codes),
        "latest": await find_latest_of_each(reader, codes),
        "tall": bars(rejections.all.counts, TALL),
        "small": {reason.key: bars(reason.counts, SMALL) for reason in rejections.top},
        "frames": {"tall": TALL, "small": SMALL},
    }


routes = [index]
