"""A rejected customer was told by a person, or must not be told, and no task is there that could be closed.

What a task is to do is closed with it: see runs/closing.py. The function takes a connection inside a
transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, exists, select, update

from receiver.activity import Kind, note
from receiver.casework import NoteError, checked
from receiver.event import ref_key
from receiver.handlers import Effect
from receiver.models import RunState, activities, cases, events, handlers, runs
from receiver.runs import SETTLING
from receiver.runs.conditions import IS_UNDISPATCHED, has_moved_on

REJECTED = "REJECTED"
TO_BE_DONE = (RunState.QUEUED, RunState.RUNNING, RunState.RETRYING, RunState.FAILED)


@dataclass(frozen=True)
class Report:
    """How, and in which words or why, on whose word. `since` the case is rejected, as the page showed it.
    Raises NoteError."""

    how: str  # a CloseReason of SETTLING
    text: str
    since: datetime | None
    by: str
    now: datetime

    def __post_init__(self) -> None:
        if self.how not in set(SETTLING):
            raise NoteError("Choose whether they were told, or must not be told")
        object.__setattr__(self, "text", checked(self.text))


class NotSettled(StrEnum):
    MOVED_ON = "moved on"  # the case is no longer rejected, or was rejected anew
    NOT_SEEN = "not seen"  # by the worker: a task may still tell them
    TASK = "task"  # there is one that tells them, or waits for a person
    BEFORE = "before"  # somebody else has settled it, or they were written to


def settle(connection: Connection, ref_id: str, report: Report) -> NotSettled | None:
    """From then on nobody has to see any more that the customer is told. One conditional UPDATE, so that
    two who say it are not both written down. None where it is done."""
    key = ref_key(ref_id)
    if _is_undispatched(connection, key):
        return NotSettled.NOT_SEEN
    if _has_task(connection, key):
        return NotSettled.TASK
    this_rejection = cases.c.ref_key == key, cases.c.status == REJECTED, cases.c.status_since == report.since
    untold = update(cases).where(*this_rejection, cases.c.told_at.is_(None)).values(told_at=report.now)
    if not connection.execute(untold).rowcount:
        if _is_pressed_twice(connection, key, report):
            return None
        still_so = connection.execute(select(exists().where(*this_rejection))).scalar()
        return NotSettled.BEFORE if still_so else NotSettled.MOVED_ON
    note(connection, Kind.TOLD, report.by, report.now, ref_id=ref_id, subject=report.how, detail=report.text)
    return None


def _is_undispatched(connection: Connection, key: bytes) -> bool:
    undispatched = select(events.c.id).where(events.c.ref_key == key, IS_UNDISPATCHED)
    return connection.execute(undispatched.limit(1)).first() is not None


def _is_pressed_twice(connection: Connection, key: bytes, report: Report) -> bool:
    said = (
        select(activities.c.id)
        .join(cases, cases.c.ref_key == activities.c.ref_key)
        .where(activities.c.ref_key == key, activities.c.at == cases.c.told_at)
        .where(activities.c.kind == Kind.TOLD, activities.c.by == report.by)
        .where(activities.c.subject == report.how, activities.c.detail == report.text)
    )
    return connection.execute(said).first() is not None


def _has_task(connection: Connection, key: bytes) -> bool:
    query = (
        select(runs.c.id)
        .join_from(events, runs, runs.c.event_id == events.c.id)
        .join(handlers, handlers.c.name == runs.c.handler)
        .where(events.c.ref_key == key, events.c.place.is_not(None), ~has_moved_on())
        .where(handlers.c.effect == Effect.CUSTOMER, runs.c.state.in_(TO_BE_DONE))
    )
    return connection.execute(query.limit(1)).first() is not None
