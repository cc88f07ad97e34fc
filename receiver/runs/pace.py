"""How many runs of one handler may begin in a second."""

import math
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from receiver.models import handlers

BURST = timedelta(seconds=1)  # of runs may begin at once, which is what comes on a usual day


def ahead_of_pace(connection: Connection, now: datetime) -> set[str]:
    """The handlers of which none may begin now."""
    ahead = select(handlers.c.name).where(handlers.c.next_at >= now + BURST)
    return set(connection.execute(ahead).scalars())


def note_begun(connection: Connection, handler: str, now: datetime, pace: float) -> None:
    interval = timedelta(microseconds=math.ceil(1_000_000 / pace))
    this = handlers.c.name == handler
    next_at = connection.execute(select(handlers.c.next_at).where(this).with_for_update()).scalar()
    connection.execute(update(handlers).where(this).values(next_at=max(next_at or now, now) + interval))
