"""The front door: what can be wrong comes first, then how much there is of everything."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.ageing import ageing
from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.users import User
from dashboard.concerns import Figures, concerns
from dashboard.needs import UNDER_WAY, Need
from dashboard.pictures import Bar, delivery_days, reason_bars, status_bars, stay_bars
from dashboard.queries import overview
from dashboard.queries.cases import count_cases
from dashboard.queries.deliveries import count_deliveries
from dashboard.queries.handlers import find_effects_set_up
from dashboard.queries.health import find_hours, find_last_accepted
from dashboard.queries.limits import find_limits
from dashboard.queries.overview import SHOWN_OVER, CaseOver
from dashboard.queries.reasons import find_labels, find_waiting_texts
from dashboard.queries.rejections import count_new_reasons, find_top_reasons
from dashboard.queries.runs import count_runs
from dashboard.queries.vove import count_differences
from dashboard.render import render
from dashboard.words import Word
from receiver.limits import Limit, cutoffs
from receiver.models import RunState, Verdict

DAYS = 14  # of the picture of deliveries


@get("/")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    now, zone = datetime.now(UTC), request.app.state.settings.timezone
    limits = await find_limits(reader)
    over = cutoffs(limits, now, zone)
    figures = await _figures(reader, request.user, now, over)
    return await render(
        request,
        reader,
        "overview/index.html",
        "overview/_overview.html",
        concerns=concerns(figures, now),
        figures=figures,
        over=_most_over(await overview.find_over(reader, over), limits, now, zone),
        status_bars=status_bars(await count_cases(reader)),
        days=delivery_days(await find_hours(reader, now, 24 * (DAYS + 1)), now, DAYS),
        stay_bars=stay_bars(await overview.find_stays(reader)),
        reason_bars=await _reason_bars(reader, now),
    )


def _most_over(
    cases: Iterable[CaseOver], limits: Mapping[str, Limit], now: datetime, zone: ZoneInfo
) -> list[tuple[CaseOver, Word | None]]:
    """Each with how long it is over, those first that have been for longest."""
    first = sorted(cases, key=lambda case: limits[case.status].deadline(case.status_since, zone))
    return [(case, ageing(case.status_since, limits[case.status], now, zone)) for case in first[:SHOWN_OVER]]


async def _reason_bars(reader: AsyncConnection, now: datetime) -> list[Bar]:
    found = await find_top_reasons(reader, now)
    return reason_bars(found, await find_labels(reader, [reason.code for reason in found.top]))


async def _count_waiting_texts(reader: AsyncConnection, user: User) -> int:
    """That the reader may approve."""
    waiting = await find_waiting_texts(reader) if user.may_approve else []
    return sum(text.may_be_approved_by(user.email) for text in waiting)


async def _figures(
    reader: AsyncConnection, user: User, now: datetime, over: Mapping[str, datetime]
) -> Figures:
    settled = now - UNDER_WAY
    last_day, accepted = await count_deliveries(reader, now), await find_last_accepted(reader)
    return Figures(
        failed_runs=await count_runs(reader, [RunState.FAILED]),
        oldest_run=await overview.find_oldest_run(reader),
        not_enabled=await overview.count_needing(reader, Need.NOT_ENABLED, settled),
        still_enabled=await overview.count_needing(reader, Need.STILL_ENABLED, settled),
        not_told=await overview.count_needing(reader, Need.NOT_TOLD, settled),
        over_limit=await overview.count_over(reader, over),
        new_reasons=await count_new_reasons(reader),
        waiting_texts=await _count_waiting_texts(reader, user),
        differing=await count_differences(reader),
        unverified=last_day.get(Verdict.REFUSED, 0),
        unreadable=last_day.get(Verdict.QUARANTINED, 0),
        in_conflict=last_day.get(Verdict.CONFLICT, 0),
        last_accepted=accepted and accepted[1],
        effects=await find_effects_set_up(reader),
    )


routes = [show]
