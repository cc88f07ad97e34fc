"""Which lists can be had as a file: of each its columns, and its pages by the filters of an address.

Beside the column of a code stands one that says it in words, as the pages do.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest
from dashboard.exports.lists import activity, cases, deliveries, differences, rejections, runs
from dashboard.exports.streaming import OpenList

LISTS: dict[str, Callable[[AnyRequest, AsyncConnection], Awaitable[OpenList]]] = {
    "cases": cases.open_list,
    "deliveries": deliveries.open_list,
    "runs": runs.open_list,
    "activity": activity.open_list,
    "rejections": rejections.open_list,
    "differences": differences.open_list,
}
