"""One more attempt, on a person's word."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select, update

from receiver import activity
from receiver.activity import Kind
from receiver.database import raise_revision
from receiver.models import RunState, StartedBy, handlers, runs
from receiver.runs.failures import CLOSING
from receiver.runs.turns import bring_forward


@dataclass(frozen=True)
class Reprocessed:
    """One more attempt is queued, due now."""

    run_id: int


@dataclass(frozen=True)
class NotReprocessed:
    """What has happened since the page was shown; `state` is None where there is no such run."""

    run_id: int
    state: RunState | None
    tries: int
    gone: bool = False  # its handler was renamed or taken away: nobody could do it


def reprocess(
    connection: Connection, run_id: int, tries: int, by: str, now: datetime
) -> Reprocessed | NotReprocessed:
    """Queue one more attempt, due now, on the word of `by`, who saw a page that showed `tries`.

    One conditional UPDATE: of a double click, or of two people, one wins. The other learns what has happened.
    """
    answer = reprocess_quietly(connection, run_id, tries, by, now)
    if isinstance(answer, Reprocessed):
        activity.note_on_run(connection, Kind.REPROCESSED, by, now, run_id)
    return answer


def reprocess_quietly(
    connection: Connection, run_id: int, tries: int, by: str, now: datetime
) -> Reprocessed | NotReprocessed:
    """Without an activity of its own: its batch has one."""
    open_to_it = runs.c.state.in_([RunState.RETRYING, RunState.FAILED, RunState.CLOSED, RunState.SUCCEEDED])
    repeat = runs.c.state == RunState.SUCCEEDED
    is_gone = runs.c.handler.in_(select(handlers.c.name).where(handlers.c.removed_at.is_not(None)))
    queued = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.tries == tries, open_to_it, ~is_gone)
        .values(
            state=RunState.QUEUED,
            due_at=now,
            lost=0,
            repeats=case((repeat, runs.c.repeats + 1), else_=runs.c.repeats),
            started_by=StartedBy.PERSON,
            requested_by=by,
            requested_at=now,
            **dict.fromkeys(CLOSING),
        )
        .returning(runs.c.ref_key, runs.c.handler)
    ).one_or_none()
    if queued:
        bring_forward(connection, [(queued.ref_key, queued.handler)], now)
        raise_revision(connection)
        return Reprocessed(run_id)
    now_is = select(runs.c.state, runs.c.tries, is_gone.label("gone")).where(runs.c.id == run_id)
    run = connection.execute(now_is).one_or_none()
    return (
        NotReprocessed(run_id, RunState(run.state), run.tries, run.gone)
        if run
        else NotReprocessed(run_id, None, 0)
    )
