"""A person closes a run without retrying. The same failure for the same case opens it again: see failures."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, tuple_, update

from receiver import activity
from receiver.activity import Kind
from receiver.database import raise_revision
from receiver.event import UNSTORABLE
from receiver.handlers import Effect
from receiver.models import RunState, cases, events, handlers, runs
from receiver.runs.conditions import has_moved_on

MAX_NOTE = 1000  # characters
CAN_BE_CLOSED = (RunState.FAILED, RunState.RETRYING)


class CloseReason(StrEnum):
    BY_HAND = "by hand"  # a person did what it would have done
    NOT_NEEDED = "not needed"
    NOT_TOLD = "not told"  # the customer must not be told
    DUPLICATE = "duplicate"
    OTHER = "other"  # the note says why


SETTLING = (CloseReason.BY_HAND, CloseReason.NOT_TOLD)  # nobody has to see any more that a customer is told


class CloseError(ValueError):
    """It can't be closed with this reason and note. The message says what to write instead."""


@dataclass(frozen=True)
class Closed:
    run_id: int


@dataclass(frozen=True)
class NotClosed:
    """What has happened since the page was shown; `state` is None where there is no such run."""

    run_id: int
    state: RunState | None


@dataclass(frozen=True)
class Closing:
    """Why, by whom, when. Raises CloseError."""

    reason: str
    note: str | None
    by: str
    now: datetime

    def __post_init__(self) -> None:
        note = (self.note or "").strip()
        if self.reason not in set(CloseReason):
            raise CloseError("Choose why it is closed")
        if self.reason == CloseReason.OTHER and not note:
            raise CloseError("Write a note: “other” says nothing to who reads it later")
        if len(note) > MAX_NOTE:
            raise CloseError(f"The note may have {MAX_NOTE:,} characters, not {len(note):,}")
        if UNSTORABLE.search(note):
            raise CloseError("The note holds a character that can't be stored")
        object.__setattr__(self, "note", note or None)


def close(connection: Connection, run_id: int, tries: int, closing: Closing) -> Closed | NotClosed:
    """On the word of one who saw a page that showed `tries`: as it was shown, or not at all."""
    if not close_quietly(connection, {run_id: tries}, closing):
        state = connection.execute(select(runs.c.state).where(runs.c.id == run_id)).scalar_one_or_none()
        return NotClosed(run_id, RunState(state) if state else None)
    settle_telling(connection, [run_id], closing)
    detail = f"{closing.reason}: {closing.note}" if closing.note else closing.reason
    activity.note_on_run(connection, Kind.CLOSED, closing.by, closing.now, run_id, detail)
    return Closed(run_id)


def close_quietly(connection: Connection, as_shown: Mapping[int, int], closing: Closing) -> set[int]:
    """Those of these runs that have the tries which were shown. Without activities: a batch has one of its
    own, and settles the telling.

    Locked in one order, so that no two who close many wait for each other crosswise.
    """
    unchanged = tuple_(runs.c.id, runs.c.tries).in_(list(as_shown.items()))
    those = runs.c.id.in_(list(as_shown)), unchanged, runs.c.state.in_(CAN_BE_CLOSED)
    ids = connection.scalars(select(runs.c.id).where(*those).order_by(runs.c.id).with_for_update()).all()
    if ids:
        closed = {
            "state": RunState.CLOSED,
            "closed_at": closing.now,
            "closed_by": closing.by,
            "close_reason": closing.reason,
            "close_note": closing.note,
        }
        connection.execute(update(runs).where(runs.c.id.in_(ids)).values(closed))
        raise_revision(connection)
    return set(ids)


def settle_telling(connection: Connection, run_ids: Collection[int], closing: Closing) -> None:
    """Of closed runs that were to tell a customer: told by hand, or not to be told, is no longer untold.

    The cases are locked in the order that the ledger has, so that neither waits for the other crosswise; and
    first, for what a receiver makes of one meanwhile is seen only by a statement that begins after.
    """
    if closing.reason not in SETTLING or not run_ids:
        return
    telling = (
        select(events.c.ref_key)
        .join_from(runs, events, events.c.id == runs.c.event_id)
        .join(handlers, handlers.c.name == runs.c.handler)
        .where(runs.c.id.in_(run_ids), handlers.c.effect == Effect.CUSTOMER, events.c.place.is_not(None))
    )
    their_cases = cases.c.ref_key.in_(connection.scalars(telling).all())
    connection.execute(select(cases.c.id).where(their_cases).order_by(cases.c.ref_key).with_for_update())
    keys = connection.scalars(telling.where(~has_moved_on())).all()
    connection.execute(update(cases).where(cases.c.ref_key.in_(keys)).values(told_at=closing.now))
