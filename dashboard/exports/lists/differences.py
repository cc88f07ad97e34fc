"""Where we differ from VOVE."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest
from dashboard.exports.files import Row
from dashboard.exports.streaming import SIZE, OpenList
from dashboard.queries.paging import Page
from dashboard.queries.vove import find_differences
from receiver.vove.views import Comparison

COLUMNS = (
    "ref_id",
    "status_at_vove",
    "our_status",
    "name_at_vove",
    "our_name",
    "checked_at",
    "checked_by",
)


async def open_list(_request: AnyRequest, _reader: AsyncConnection) -> OpenList:
    async def read(connection: AsyncConnection, cursor: str | None) -> Page[Row]:
        return (await find_differences(connection, cursor, SIZE)).of(row_of)

    def row_of(compared: Comparison) -> Row:
        return {
            "ref_id": compared.ref_id,
            "status_at_vove": compared.status,
            "our_status": compared.our_status,
            "name_at_vove": compared.name,
            "our_name": compared.our_name,
            "checked_at": compared.checked_at,
            "checked_by": compared.checked_by,
        }

    return OpenList(COLUMNS, read)
