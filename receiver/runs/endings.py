"""An attempt is appended, with all that it brought, and its run moves on; what nobody can do is ended."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select, update

from receiver.database import raise_revision
from receiver.executor import Ended
from receiver.models import (
    Outcome,
    RunState,
    StartedBy,
    attempts,
    handlers,
    runs,
)
from receiver.runs import effects, failures
from receiver.runs.claims import Claimed, as_claimed, update_claimed
from receiver.runs.conditions import IS_DUE, IS_RUNNING
from receiver.runs.turns import is_waited_for

MAX_LOST_RETRIES = 3  # a call that keeps killing its worker is parked
LOST_DELAY = timedelta(seconds=5)
RETIRE_BATCH = 100  # runs in one transaction: the receiver waits for it
GONE = (
    "The handler “{handler}” is no longer set up: it was renamed or taken away. Put it back and re-process, "
    "or do by hand what it would have done"
)
JITTER = 0.1  # of a delay, either way: what failed together need not come back together


def finish(
    connection: Connection, claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime
) -> bool:
    """Append the attempt and move the run on; False, and nothing, where the fence has moved since.

    `delays` are seconds before each automatic retry.
    """
    failure = failures.fingerprint(claimed.handler, ended)
    becomes = _next(connection, claimed, ended, delays, now) | {"fingerprint": failure}
    if not update_claimed(connection, claimed, becomes):
        return False
    changes = effects.change_directory(connection, claimed, ended, now)
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
            changes=changes,
        )
    )
    effects.keep_messages(connection, claimed, ended, now)
    effects.note_telling(connection, claimed, ended, now)
    effects.count(connection, claimed, ended, now)
    if failure is not None:
        failures.note_failure(connection, claimed.handler, ended, now)
        if becomes["state"] == RunState.FAILED:
            failures.reopen(connection, claimed, failure, now)
    raise_revision(connection)
    return True


def _next(
    connection: Connection, claimed: Claimed, ended: Ended, delays: Sequence[float], now: datetime
) -> dict[str, Any]:
    """What becomes of the run."""
    ending = {"finished_at": now, "lease_until": None, "summary": ended.error or ended.result}
    lost = claimed.lost + 1 if ended.outcome is Outcome.LOST else 0
    due_at = retry_at(ended, claimed.once, claimed.number, delays, now, lost)
    if ended.outcome is Outcome.SUCCEEDED:
        return ending | {"state": RunState.SUCCEEDED, "lost": 0}
    if due_at is None:
        return ending | {"state": RunState.FAILED, "lost": lost}
    if not lost and is_waited_for(connection, claimed.handler, claimed.ref_key, claimed.started_at):
        due_at = now
    retry = {"started_by": StartedBy.RETRY, "requested_by": None, "requested_at": None}
    return ending | retry | {"state": RunState.RETRYING, "due_at": due_at, "lost": lost}


def retry_at(
    ended: Ended, once: bool, number: int, delays: Sequence[float], now: datetime, lost: int = 0
) -> datetime | None:
    """When to try again after the attempt of this number; None where a person is needed."""
    nobody_knows = ended.outcome in {Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.IN_DOUBT}
    if ended.no_retry or (once and nobody_knows):
        return None
    if ended.outcome is Outcome.LOST:
        return now + LOST_DELAY if lost <= MAX_LOST_RETRIES else None
    if number > len(delays):
        return None
    if ended.retry_at is not None:
        return max(ended.retry_at, now)
    delay = delays[number - 1]
    return now + timedelta(seconds=delay * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def rescue(connection: Connection, now: datetime) -> int:
    """Record as lost the attempts whose lease ran out: their worker has died. Returns how many."""
    abandoned = connection.execute(
        select(runs)
        .where(IS_RUNNING, runs.c.lease_until < now)
        .order_by(runs.c.handler, runs.c.id)  # so that two who rescue never wait for each other crosswise
        .with_for_update(skip_locked=True)
    ).all()
    return sum(finish(connection, as_claimed(connection, run), lost(run.once), (), now) for run in abandoned)


def retire(connection: Connection, now: datetime) -> int:
    """Runs that wait for a handler that was renamed or taken away need a person. Returns how many."""
    gone = select(handlers.c.name).where(handlers.c.removed_at.is_not(None)).order_by(handlers.c.name)
    names = connection.execute(gone).scalars().all()
    waiting = (run_id for name in names for run_id in _waiting_for(connection, name))
    return sum(_retire(connection, run_id, now) for run_id in islice(waiting, RETIRE_BATCH))


def _waiting_for(connection: Connection, handler: str) -> Sequence[int]:
    """One handler at a time: so the index that claim reads serves here too."""
    waiting = select(runs.c.id).where(IS_DUE, runs.c.handler == handler).order_by(runs.c.due_at, runs.c.id)
    return connection.execute(waiting.limit(RETIRE_BATCH).with_for_update(skip_locked=True)).scalars().all()


def _retire(connection: Connection, run_id: int, now: datetime) -> bool:
    begun = {
        "state": RunState.RUNNING,
        "started_at": now,
        "fence": runs.c.fence + 1,
        "tries": runs.c.tries + 1,
    }
    row = connection.execute(
        update(runs).where(runs.c.id == run_id, IS_DUE).values(begun).returning(*runs.c)
    ).one()
    error = GONE.format(handler=row.handler)
    ended = Ended(Outcome.FAILED, error=error, kind=failures.GONE, no_retry=True)
    return finish(connection, as_claimed(connection, row), ended, (), now)


def lost(once: bool, why: str = "The worker died during this try") -> Ended:
    """An attempt of which nobody knows how far it came."""
    doubt = ": what it does may have been done" if once else ""
    return Ended(Outcome.LOST, result=None, error=why + doubt, traceback=None, output=None)
