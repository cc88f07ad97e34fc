"""Is everybody there, does it come in, what does the sender still try, and is there room?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from litestar import Response, get

from dashboard.aliases import AnyRequest, Reader
from dashboard.layout import SEEN_OF_LATE
from dashboard.queries.health import (
    Outage,
    Refusals,
    find_hours,
    find_last_accepted,
    find_outages,
    find_processes,
    find_refusals,
    find_signs,
    find_waiting,
    lasting,
)
from dashboard.queries.pauses import find_paused
from dashboard.queries.storage import find_storage
from dashboard.render import render
from dashboard.sender import SCHEDULES, Failing, merged, outlook, still_matters
from dashboard.week import week_of
from dashboard.worries import worries
from receiver.models import Verdict

ROLES = ("receiver", "worker", "dashboard")
TRIED_AGAIN = 2  # Svix sends again after 5 s: a single refused delivery is somebody's test


@get("/health")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    now = datetime.now(UTC)
    signs, refusals = await find_signs(reader), await find_refusals(reader)
    away = lasting(signs, now, SEEN_OF_LATE)
    outages = [*away, *await find_outages(reader)]
    failing = _failing(outages, refusals, now)
    waiting, storage = await find_waiting(reader), await find_storage(reader)
    hours, paused = await find_hours(reader, now), await find_paused(reader)
    return await render(
        request,
        reader,
        "health/index.html",
        "health/_health.html",
        worries=worries(
            away, [r for r in ROLES if r not in signs], failing, waiting, bool(paused), storage, now
        ),
        roles=ROLES,
        processes=await find_processes(reader),
        signs=signs,
        seen_of_late=SEEN_OF_LATE,
        outages=outages,
        week=week_of(now, ROLES, signs, outages),
        hours=hours,
        came={verdict: sum(hour.counts.get(verdict, 0) for hour in hours) for verdict in Verdict},
        last_accepted=await find_last_accepted(reader),
        waiting=waiting,
        refusals=refusals,
        failing=[(time, [outlook(time, schedule) for schedule in SCHEDULES]) for time in failing],
        storage=storage,
        our_version=_our_version(),
    )


def _failing(outages: Sequence[Outage], refusals: Refusals | None, now: datetime) -> list[Failing]:
    """The times in which nothing was taken, of which something is still to come; the last one first."""
    times = [
        Failing(outage.began_at, outage.ended_at or now, lasts=outage.ended_at is None)
        for outage in outages
        if outage.role == "receiver"
    ]
    if refusals and refusals.count >= TRIED_AGAIN:
        times.append(Failing(refusals.first_at, now, lasts=True, refused=True))
    return [time for time in reversed(merged(times)) if still_matters(time, now)]


def _our_version() -> str:
    try:
        return version("kybdesk")
    except PackageNotFoundError:  # from a checkout that was never installed
        return "unknown"


routes = [show]
