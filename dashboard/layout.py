"""What the layout shows around every page: is everything running, does anything need a person?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.pauses import find_paused
from dashboard.queries.runs import count_runs, counted
from receiver.models import RunState, revision, workers

SEEN_OF_LATE = timedelta(seconds=30)  # roles say every five that they are there

NOTHING_KNOWN: dict[str, Any] = {
    "revision": None,
    "failed_runs": "",
    "worker_down": None,
    "handlers_error": None,
    "receiver_down": None,
    "paused": [],
    "alone": False,  # the notices by themselves, see pages/notices.py
}


async def layout(connection: AsyncConnection) -> dict[str, Any]:
    return {
        "revision": await current_revision(connection),
        "failed_runs": await _failed_runs(connection),
        "paused": await find_paused(connection),
        **await _roles(connection),
    }


async def current_revision(connection: AsyncConnection) -> int:
    return await connection.scalar(select(revision.c.n)) or 0


async def _failed_runs(connection: AsyncConnection) -> str:
    count = await count_runs(connection, [RunState.FAILED])
    return counted(count) if count else ""


async def _roles(connection: AsyncConnection) -> dict[str, str | None]:
    since = datetime.now(UTC) - SEEN_OF_LATE
    seen = await connection.execute(select(workers.c.role, workers.c.error).where(workers.c.seen_at >= since))
    errors: dict[str, list[str]] = {}
    for role, error in seen:
        errors.setdefault(role, []).extend([error] if error else [])
    return {
        "worker_down": _unless("worker" in errors, "The worker is not running: tasks wait until it is back."),
        "receiver_down": _unless(
            "receiver" in errors,
            "The receiver is not running: no status change can arrive. "
            "VOVE sends again later what it can't deliver now.",
        ),
        "handlers_error": _waiting_for(next(iter(errors.get("worker", [])), None)),
    }


def _waiting_for(error: str | None) -> str | None:
    return error and f"No task is done until the handlers can be loaded; nothing is lost. {error}"


def _unless(seen: bool, sentence: str) -> str | None:
    return None if seen else sentence
