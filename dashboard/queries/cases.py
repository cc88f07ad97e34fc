"""How many cases there are, one case, and the way it went. For the list see case_list.py."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.event import ref_key
from receiver.models import case_counts, cases


@dataclass(frozen=True, slots=True)
class Case:
    id: int
    ref_id: str
    ref_key: bytes
    status: str
    reason: str | None
    status_since: datetime
    gap: bool
    uncertain: bool
    began_before: bool
    event_count: int
    last_event_id: int
    changed_at: datetime
    assigned_to: str | None


async def count_cases(connection: AsyncConnection) -> dict[str, int]:
    counts = await connection.execute(select(case_counts).where(case_counts.c.n > 0))
    return {row.status: row.n for row in counts}


async def find_case(connection: AsyncConnection, ref_id: str) -> Case | None:
    query = select(*(cases.c[name] for name in Case.__dataclass_fields__))
    row = (await connection.execute(query.where(cases.c.ref_key == ref_key(ref_id)))).one_or_none()
    return Case(**row._mapping) if row else None
