"""The list of cases."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.aliases import AnyRequest
from dashboard.case_filters import PARAMETERS, CaseFilters
from dashboard.exports.files import Row
from dashboard.exports.streaming import SIZE, OpenList
from dashboard.left_out import refuse_left_out
from dashboard.needs import NEEDS, Need, needs_of
from dashboard.queries.case_list import CaseRow, find_cases
from dashboard.queries.handlers import find_effects_set_up
from dashboard.queries.limits import find_limits
from dashboard.queries.paging import Page
from dashboard.queries.reasons import find_labels
from dashboard.queries.search import read_search
from receiver.limits import cutoffs

COLUMNS = (
    "ref_id",
    "name",
    "status",
    "status_in_words",
    "reason",
    "reason_in_words",
    "in_status_since",
    "last_change",
    "limit_ends",
    "over_limit",
    "needs",
    "assigned_to",
)


async def open_list(request: AnyRequest, reader: AsyncConnection) -> OpenList:
    refuse_left_out(request.query_params, PARAMETERS)
    filters = CaseFilters.read(request.query_params)
    now, zone = datetime.now(UTC), request.app.state.settings.timezone
    limits = await find_limits(reader)
    over = cutoffs(limits, now, zone)
    search = await read_search(reader, filters.q)
    selection = filters.selection(search, request.user.email, over, now)
    effects = await find_effects_set_up(reader)

    async def read(connection: AsyncConnection, cursor: str | None) -> Page[Row]:
        page = await find_cases(connection, selection, cursor, SIZE)
        labels = await find_labels(connection, [row.reason for row in page.rows])
        return Page([row_of(case, labels) for case in page.rows], page.next or page.further)

    def row_of(case: CaseRow, labels: Mapping[str, str]) -> Row:
        limit = limits.get(case.status)
        is_over = limit is not None and case.status_since <= over[case.status]
        needs = [NEEDS[Need.LIMIT]] * is_over + list(needs_of(case, effects, now))
        return {
            "ref_id": case.ref_id,
            "name": case.name,
            "status": case.status,
            "status_in_words": words.status(case.status).text,
            "reason": case.reason,
            "reason_in_words": words.reason(case.reason, labels) if case.reason else None,
            "in_status_since": case.status_since,
            "last_change": case.changed_at,
            "limit_ends": limit.deadline(case.status_since, zone) if limit else None,
            "over_limit": is_over,
            "needs": "; ".join(need.text for need in needs),
            "assigned_to": case.assigned_to,
        }

    return OpenList(COLUMNS, read)
