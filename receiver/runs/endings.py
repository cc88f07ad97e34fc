"""An attempt is appended and its run moves on; what a dead worker left is rescued."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from receiver.executor import Ended
from receiver.models import Outcome, RunState, StartedBy, attempts, runs
from receiver.runs.claims import Claimed, as_claimed, update_claimed
from receiver.runs.conditions import IS_RUNNING, raise_revision

MAX_LOST_RETRIES = 3  # a call that keeps killing its worker is parked
LOST_DELAY = timedelta(seconds=5)
JITTER = 0.1  # of a delay, either way: what failed together need not come back together


def finish(
    connection: Connection, claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime
) -> bool:
    """Append the attempt and move the run on; False, and nothing, where the fence has moved since.

    `delays` are seconds before each automatic retry.
    """
    if not update_claimed(connection, claimed, _next(claimed, ended, delays, now)):
        return False
    connection.execute(
        insert(attempts).values(
            run_id=claimed.run_id,
            number=claimed.number,
            started_by=claimed.started_by,
            requested_by=claimed.requested_by,
            started_at=claimed.started_at,
            finished_at=now,
            outcome=ended.outcome,
            result=ended.result,
            error=ended.error,
            traceback=ended.traceback,
            output=ended.output,
        )
    )
    raise_revision(connection)
    return True


def _next(claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime) -> dict[str, Any]:
    """What becomes of the run."""
    ending = {"finished_at": now, "lease_until": None, "summary": ended.error or ended.result}
    lost = claimed.lost + 1 if ended.outcome is Outcome.LOST else 0
    due_at = _retry_at(claimed, ended, delays, lost, now)
    if ended.outcome is Outcome.SUCCEEDED:
        return ending | {"state": RunState.SUCCEEDED, "lost": 0}
    if due_at is None:
        return ending | {"state": RunState.FAILED, "lost": lost}
    retry = {"started_by": StartedBy.RETRY, "requested_by": None, "requested_at": None}
    return ending | retry | {"state": RunState.RETRYING, "due_at": due_at, "lost": lost}


def _retry_at(
    claimed: Claimed, ended: Ended, delays: Sequence[float], lost: int, now: datetime
) -> datetime | None:
    """When to try again; None where a person is needed."""
    nobody_knows = ended.outcome in {Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED}
    if ended.no_retry or (claimed.once and nobody_knows):
        return None
    if ended.outcome is Outcome.LOST:
        return now + LOST_DELAY if lost <= MAX_LOST_RETRIES else None
    if claimed.number > len(delays):
        return None
    if ended.retry_at is not None:
        return max(ended.retry_at, now)
    delay = delays[claimed.number - 1]
    return now + timedelta(seconds=delay * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def rescue(connection: Connection, now: datetime) -> int:
    """Record as lost the attempts whose lease ran out: their worker has died. Returns how many."""
    abandoned = connection.execute(
        select(runs)
        .where(IS_RUNNING, runs.c.lease_until < now)
        .order_by(runs.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(finish(connection, as_claimed(connection, run), lost(run.once), (), now) for run in abandoned)


def lost(once: bool, why: str = "The worker died during this try") -> Ended:
    """An attempt of which nobody knows how far it came."""
    doubt = ": what it does may have been done" if once else ""
    return Ended(Outcome.LOST, result=None, error=why + doubt, traceback=None, output=None)
