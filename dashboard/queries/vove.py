"""Where we differ from VOVE, as far as it was asked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.paging import Page, cursor_from, read_page
from dashboard.queries.runs import COUNTED
from receiver.models import events, reconciliations, record, vove_views
from receiver.vove import views
from receiver.vove.views import Comparison

PAGE = 50


@dataclass(frozen=True, slots=True)
class Reconciliation:
    started_at: datetime
    started_by: str
    seen: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Adoption:
    """A status that was taken over from VOVE, with what VOVE said."""

    event_id: int
    ref_id: str
    status: str
    adopted_by: str
    adopted_at: datetime
    body: bytes


async def find_comparison(connection: AsyncConnection, ref_id: str) -> Comparison | None:
    """None where VOVE was never asked."""
    return await connection.run_sync(views.compare, ref_id)


async def find_differences(
    connection: AsyncConnection, cursor: str | None = None, size: int = PAGE
) -> Page[Comparison]:
    """Those found last come first."""
    page = await read_page(
        connection,
        [views.differing()],
        keys=(vove_views.c.id,),
        key_of=lambda row: (row.id,),
        cursor=cursor_from(cursor, 1),
        size=size,
    )
    return page.of(lambda row: record(Comparison, row))


async def count_differences(connection: AsyncConnection) -> int:
    """At most COUNTED, so that no page counts further."""
    found = views.differing().with_only_columns(vove_views.c.id).limit(COUNTED).subquery()
    return await connection.scalar(select(func.count()).select_from(found)) or 0


async def find_last_reconciliation(connection: AsyncConnection) -> Reconciliation | None:
    last = select(reconciliations).order_by(reconciliations.c.id.desc()).limit(1)
    row = (await connection.execute(last)).one_or_none()
    return record(Reconciliation, row) if row else None


async def find_adoption(connection: AsyncConnection, event_id: int) -> Adoption | None:
    adopted = select(events).where(events.c.id == event_id, events.c.adopted_by.is_not(None))
    row = (await connection.execute(adopted)).one_or_none()
    if row is None:
        return None
    return record(Adoption, row, event_id=row.id, adopted_at=row.received_at, body=bytes(row.body))
