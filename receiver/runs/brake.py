"""A person stops one handler, or all: its runs wait. What is under way ends."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from receiver.database import raise_revision
from receiver.models import pauses, record

ALL = "*"  # in the place of a handler's name


@dataclass(frozen=True)
class Pause:
    handler: str  # ALL: every one
    reason: str
    paused_at: datetime
    paused_by: str


def pause(connection: Connection, handler: str, reason: str, by: str, now: datetime) -> bool:
    """From now on no run of this handler (ALL: of any) begins. False where it is paused already."""
    upsert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    paused = upsert(pauses).values(handler=handler, reason=reason, paused_at=now, paused_by=by)
    if connection.execute(paused.on_conflict_do_nothing()).rowcount != 1:
        return False
    raise_revision(connection)
    return True


def resume(connection: Connection, handler: str) -> bool:
    """False where it was not paused. A handler stays paused while ALL are."""
    if not connection.execute(delete(pauses).where(pauses.c.handler == handler)).rowcount:
        return False
    raise_revision(connection)
    return True


def find_pauses(connection: Connection) -> dict[str, Pause]:
    return {row.handler: record(Pause, row) for row in connection.execute(select(pauses))}
