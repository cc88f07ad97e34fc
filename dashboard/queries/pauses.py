"""Which handlers people have stopped."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import handlers, pauses, record
from receiver.runs import ALL


@dataclass(frozen=True, slots=True)
class Paused:
    """What a person has stopped; `title` is None where that is all handlers."""

    handler: str
    title: str | None
    reason: str
    paused_at: datetime
    paused_by: str


async def find_paused(connection: AsyncConnection) -> list[Paused]:
    """All handlers first, then by name."""
    query = (
        select(*pauses.c, handlers.c.title)
        .outerjoin_from(pauses, handlers, handlers.c.name == pauses.c.handler)
        .order_by(pauses.c.handler != ALL, pauses.c.handler)
    )
    return [record(Paused, row) for row in await connection.execute(query)]
