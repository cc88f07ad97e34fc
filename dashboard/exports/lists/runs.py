"""The list of runs."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest
from dashboard.exports.files import Row
from dashboard.exports.streaming import SIZE, OpenList
from dashboard.left_out import refuse_left_out
from dashboard.pages.runs import PARAMETERS, TABS, Wanted
from dashboard.queries.paging import Page
from dashboard.queries.runs import RunRow, find_runs
from receiver.models import RunState

COLUMNS = (
    "id",
    "handler",
    "task",
    "state",
    "state_in_words",
    "ref_id",
    "name",
    "status",
    "tries",
    "created_at",
    "last_try",
    "next_try",
    "result",
)


async def open_list(request: AnyRequest, _reader: AsyncConnection) -> OpenList:
    """Also of what the page shows in groups: one row for each run."""
    refuse_left_out(request.query_params, PARAMETERS)
    wanted = Wanted.of(request.query_params)

    async def read(connection: AsyncConnection, cursor: str | None) -> Page[Row]:
        page = await find_runs(
            connection,
            TABS[wanted.tab],
            cursor,
            failure=wanted.failure or None,
            handler=wanted.handler or None,
            ref_id=wanted.case or None,
            size=SIZE,
        )
        return page.of(row_of)

    def row_of(row: RunRow) -> Row:
        run = row.run
        return {
            "id": run.id,
            "handler": run.handler,
            "task": run.title,
            "state": run.state,
            "state_in_words": words.run_state(run.state).text,
            "ref_id": row.ref_id,
            "name": row.name,
            "status": row.status,
            "tries": run.tries,
            "created_at": run.created_at,
            "last_try": run.finished_at,
            "next_try": run.due_at if run.state == RunState.RETRYING else None,
            "result": run.summary,
        }

    return OpenList(COLUMNS, read)
