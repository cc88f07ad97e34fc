"""What people did."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest
from dashboard.exports.files import Row
from dashboard.exports.streaming import SIZE, OpenList
from dashboard.left_out import refuse_left_out
from dashboard.pages.activity import PARAMETERS, filters_from
from dashboard.queries.activities import Activity, find_activities
from dashboard.queries.paging import Page

WHOLE = 2**31 - 1  # characters of a detail: whatever it has
COLUMNS = (
    "at",
    "by",
    "kind",
    "ref_id",
    "name",
    "run",
    "subject",
    "detail",
)


async def open_list(request: AnyRequest, _reader: AsyncConnection) -> OpenList:
    refuse_left_out(request.query_params, PARAMETERS)
    _, filters = filters_from(request.query_params)

    async def read(connection: AsyncConnection, cursor: str | None) -> Page[Row]:
        return (await find_activities(connection, filters, cursor, SIZE, WHOLE)).of(row_of)

    def row_of(each: Activity) -> Row:
        return {
            "at": each.at,
            "by": each.by,
            "kind": each.kind,
            "ref_id": each.ref_id,
            "name": each.name,
            "run": each.run_id,
            "subject": each.subject,
            "detail": each.detail,
        }

    return OpenList(COLUMNS, read)
