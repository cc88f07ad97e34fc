"""A person stops one handler, or all: its runs wait. What is under way ends."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from receiver import activity
from receiver.activity import Kind
from receiver.database import raise_revision, upsert
from receiver.event import UNSTORABLE
from receiver.models import pauses, record

ALL = "*"  # in the place of a handler's name
MAX_REASON = 300  # characters: it stands on every page


class ReasonError(ValueError):
    """A pause without a reason that can be kept. The message says what to write instead."""


@dataclass(frozen=True)
class Pause:
    handler: str  # ALL: every one
    reason: str
    paused_at: datetime
    paused_by: str


def pause(connection: Connection, handler: str, reason: str, by: str, now: datetime) -> bool:
    """From now on no run of this handler (ALL: of any) begins. False where it is paused already.

    Raises ReasonError.
    """
    reason = _checked(reason)
    paused = upsert(connection, pauses).values(handler=handler, reason=reason, paused_at=now, paused_by=by)
    if connection.execute(paused.on_conflict_do_nothing().returning(pauses.c.handler)).first() is None:
        return False  # not by the row count: on PostgreSQL that of an INSERT is not told
    activity.note(connection, Kind.PAUSED, by, now, subject=handler, detail=reason)
    raise_revision(connection)
    return True


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ReasonError("Give a reason: everyone reads it on the pages")
    if len(reason) > MAX_REASON:
        raise ReasonError(f"The reason may have {MAX_REASON} characters, not {len(reason):,}")
    if UNSTORABLE.search(reason):
        raise ReasonError("The reason holds a character that can't be stored")
    return reason


def resume(connection: Connection, handler: str, by: str, now: datetime) -> bool:
    """False where it was not paused. A handler stays paused while ALL are."""
    if not connection.execute(delete(pauses).where(pauses.c.handler == handler)).rowcount:
        return False
    activity.note(connection, Kind.RESUMED, by, now, subject=handler)
    raise_revision(connection)
    return True


def find_pauses(connection: Connection) -> dict[str, Pause]:
    return {row.handler: record(Pause, row) for row in connection.execute(select(pauses))}
