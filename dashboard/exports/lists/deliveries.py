"""The list of deliveries."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest
from dashboard.causes import cause
from dashboard.exports.files import Row
from dashboard.exports.streaming import SIZE, OpenList
from dashboard.left_out import refuse_left_out
from dashboard.pages.deliveries import PARAMETERS, wanted_from
from dashboard.queries.deliveries import DeliveryRow, find_deliveries
from dashboard.queries.paging import Page
from dashboard.spans import span_from

COLUMNS = (
    "id",
    "received_at",
    "verdict",
    "verdict_in_words",
    "cause",
    "cause_in_words",
    "answer",
    "took_ms",
    "svix_id",
    "ref_id",
    "name",
    "family",
    "previous_status",
    "status",
)


async def open_list(request: AnyRequest, _reader: AsyncConnection) -> OpenList:
    refuse_left_out(request.query_params, PARAMETERS)
    asked = dict(request.query_params)
    wanted = wanted_from(asked, span_from(asked.get("from", ""), asked.get("to", "")))

    async def read(connection: AsyncConnection, cursor: str | None) -> Page[Row]:
        return (await find_deliveries(connection, wanted, cursor, SIZE)).of(row_of)

    def row_of(delivery: DeliveryRow) -> Row:
        return {
            "id": delivery.id,
            "received_at": delivery.received_at,
            "verdict": delivery.verdict,
            "verdict_in_words": words.verdict(delivery.verdict).text,
            "cause": delivery.cause,
            "cause_in_words": cause(delivery.cause).short if delivery.cause else None,
            "answer": delivery.http_status,
            "took_ms": delivery.took / 1000,
            "svix_id": delivery.svix_id,
            "ref_id": delivery.ref_id,
            "name": delivery.name,
            "family": delivery.family,
            "previous_status": delivery.previous_status,
            "status": delivery.status,
        }

    return OpenList(COLUMNS, read)
