"""What the layout shows around every page: is everything running, does anything need a person?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import RunState, revision, runs, workers

MOST_COUNTED = 999  # failed runs: beyond it the number says nothing more, and counting costs
SEEN_OF_LATE = timedelta(seconds=30)  # roles say every five that they are there

NOTHING_KNOWN: dict[str, Any] = {
    "revision": None,
    "failed_runs": "",
    "worker_down": None,
    "handlers_error": None,
    "receiver_down": None,
}


async def layout(connection: AsyncConnection) -> dict[str, Any]:
    return {
        "revision": await current_revision(connection),
        "failed_runs": await _failed_runs(connection),
        **await _roles(connection),
    }


async def current_revision(connection: AsyncConnection) -> int:
    return await connection.scalar(select(revision.c.n)) or 0


async def _failed_runs(connection: AsyncConnection) -> str:
    failed = select(literal(1)).where(runs.c.state == RunState.FAILED).limit(MOST_COUNTED + 1)
    n = await connection.scalar(select(func.count()).select_from(failed.subquery())) or 0
    return f"{MOST_COUNTED}+" if n > MOST_COUNTED else str(n or "")


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
            "The receiver is not running: no status change can arrive. VOVE sends what we miss again later.",
        ),
        "handlers_error": _waiting_for(next(iter(errors.get("worker", [])), None)),
    }


def _waiting_for(error: str | None) -> str | None:
    return error and f"No task is done until the handlers can be loaded; nothing is lost. {error}"


def _unless(seen: bool, sentence: str) -> str | None:
    return None if seen else sentence
