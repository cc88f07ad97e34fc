"""What stands above a case's timeline, from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard import words
from dashboard.ageing import ageing
from dashboard.queries.businesses import Business
from dashboard.queries.cases import Case
from dashboard.queries.limits import find_limits
from dashboard.queries.people import find_assignees
from dashboard.queries.runs import count_failed_of_case
from dashboard.queries.telling import Telling, find_telling
from dashboard.strip.reading import Seen, read_strip
from dashboard.strip.statements import can_be_settled
from dashboard.strip.todo import Standing, Todo, what_to_do
from dashboard.words import Word
from receiver import desk_settings
from receiver.models import RunState
from receiver.vove.views import Comparison

VOVE_BOX = "#vove"  # of the case's page


@dataclass(frozen=True, slots=True)
class Links:
    """Where the case is found elsewhere; none where no template is set, or VOVE's id of it is not known."""

    vove: str | None
    crm: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """`limit`: what is left of the time that the case may be in its status; `settles`: a person may say that
    the customer was told, or must not be."""

    seen: Seen
    todo: Todo
    limit: Word | None
    telling: Telling | None
    assignees: Sequence[str]
    settles: bool
    earlier: int  # tasks of earlier statuses that need a person


async def read_links(connection: AsyncConnection, ref_id: str, vove_id: str | None) -> Links:
    settings = await connection.run_sync(desk_settings.find_settings)
    names = ("vove_link", "crm_link")
    return Links(*(_web(desk_settings.link(settings.get(name), ref_id, vove_id)) for name in names))


def _web(link: str | None) -> str | None:
    """Whatever was written into the table: no page links to a script."""
    return link if link and link.lower().startswith(("https://", "http://")) else None


async def read_header(
    connection: AsyncConnection,
    case: Case,
    business: Business | None,
    compared: Comparison | None,
    vove: str | None,
    now: datetime,
    zone: ZoneInfo,
) -> Header:
    """`vove`: where VOVE is asked."""
    seen = await read_strip(connection, case, business)
    telling = await find_telling(connection, case.reason)
    limit = (await find_limits(connection)).get(case.status)
    left = ageing(case.status_since, limit, now, zone)
    failed_here = sum(run.state == RunState.FAILED for run in seen.tasks)
    earlier = await count_failed_of_case(connection, case.ref_key) - failed_here
    asked_since = compared is not None and not compared.moved_since
    standing = Standing(
        status=case.status,
        strip=seen.strip,
        tasks=seen.tasks,
        earlier=earlier,
        reason=telling.reason if telling else None,
        uncertain=case.uncertain,
        gap=case.gap,
        agrees=compared is not None and asked_since and not compared.differs_in_status,
        differs=compared is not None and asked_since and compared.differs_in_status,
        over=left.text
        if left and limit and limit.left(case.status_since, now, zone).total_seconds() <= 0
        else None,
        undone=bool(seen.not_called and seen.present.adopted_by and seen.present.dispatched),
        is_known=case.status in words.STATUSES,
        vove=vove,
    )
    people = await find_assignees(connection)
    settles = seen.present.dispatched and can_be_settled(case.status, seen.strip.customer)
    return Header(seen, what_to_do(standing), left, telling, people, settles, earlier)
