"""Which runs of a batch can be taken as they stand, and why the others are skipped."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from receiver.models import RunState, attempts, cases, events, handlers, pauses, runs
from receiver.runs.brake import ALL
from receiver.runs.closing import CAN_BE_CLOSED
from receiver.runs.conditions import has_moved_on
from receiver.runs.repeats import NOBODY_KNOWS

UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


class Action(StrEnum):
    """What a batch does to each of its runs."""

    REPROCESS = "reprocess"
    CLOSE = "close"


class Result(StrEnum):
    """What became of a run in its batch: it was taken, or skipped, and why."""

    TAKEN = "taken"  # asked for once more, or closed
    DONE = "done"  # it has succeeded
    CLOSED = "closed"
    UNDER_WAY = "under way"
    TRIED = "tried"  # since it was shown
    MOVED_ON = "moved on"  # its case, to another status
    UNCERTAIN = "uncertain"  # the order of its case's status changes
    GONE = "gone"  # its handler
    PAUSED = "paused"
    IN_DOUBT = "in doubt"  # it may have been done already, and can't be taken back


@dataclass(frozen=True, slots=True)
class Judged:
    """`why_not` is None where it can be taken. `status` is its event's."""

    run_id: int
    tries: int
    handler: str
    status: str
    why_not: Result | None


def judge(connection: Connection, action: Action, run_ids: Collection[int]) -> dict[int, Judged]:
    query = (
        select(
            runs.c.id,
            runs.c.tries,
            runs.c.handler,
            runs.c.state,
            events.c.status,
            handlers.c.removed_at.is_not(None).label("is_gone"),
            cases.c.uncertain,
            has_moved_on().label("has_moved_on"),
            _is_paused().label("is_paused"),
            _may_have_been_done().label("may_have_been_done"),
        )
        .join(events, events.c.id == runs.c.event_id)
        .outerjoin(handlers, handlers.c.name == runs.c.handler)
        .outerjoin(cases, and_(cases.c.ref_key == events.c.ref_key, events.c.place.is_not(None)))
        .where(runs.c.id.in_(run_ids))
    )
    why_not = {Action.REPROCESS: _why_not_reprocessed, Action.CLOSE: _why_not_closed}[action]
    return {
        run.id: Judged(run.id, run.tries, run.handler, run.status, why_not(run))
        for run in connection.execute(query)
    }


def _is_paused() -> ColumnElement[bool]:
    return select(pauses.c.handler).where(pauses.c.handler.in_([runs.c.handler, ALL])).exists()


def _may_have_been_done() -> ColumnElement[bool]:
    in_doubt = attempts.c.run_id == runs.c.id, attempts.c.outcome.in_(NOBODY_KNOWS)
    unfinished = runs.c.state != RunState.SUCCEEDED
    return and_(runs.c.once, unfinished, select(attempts.c.id).where(*in_doubt).exists())


def _why_not_reprocessed(run: Any) -> Result | None:
    """What stands in the way for good comes before what a person may overrule."""
    reasons = (
        (Result.UNDER_WAY, run.state in UNDER_WAY),
        (Result.CLOSED, run.state == RunState.CLOSED),
        (Result.GONE, run.is_gone),
        (Result.MOVED_ON, run.has_moved_on),
        (Result.UNCERTAIN, run.uncertain),
        (Result.IN_DOUBT, run.may_have_been_done),
        (Result.PAUSED, run.is_paused),
        (Result.DONE, run.state == RunState.SUCCEEDED),
    )
    return next((result for result, holds in reasons if holds), None)


def _why_not_closed(run: Any) -> Result | None:
    if run.state in CAN_BE_CLOSED:
        return None
    if run.state in UNDER_WAY:
        return Result.UNDER_WAY
    return Result.DONE if run.state == RunState.SUCCEEDED else Result.CLOSED
