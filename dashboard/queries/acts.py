"""What people did about one case, by time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, literal, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.activity import Kind
from receiver.handlers import title_of
from receiver.models import activities, handlers, record

OF_RUNS = (Kind.REPROCESSED, Kind.CLOSED, Kind.REOPENED)  # their subject is a handler


@dataclass(frozen=True, slots=True)
class Act:
    id: int
    at: datetime
    by: str
    kind: str
    run_id: int | None
    subject: str | None
    detail: str | None
    title: str | None  # of the handler that the subject names


async def find_acts(
    connection: AsyncConnection,
    key: bytes,
    kinds: Collection[Kind],
    bound: tuple[int, int, int],
    rank: int,
    limit: int,
    upwards: bool,
) -> list[Act]:
    """Those of these kinds: the first from this bound on, or the last before it. The bound is a time, a rank
    among what stands at the same moment, and an id."""
    key_of = tuple_(type_coerce(activities.c.at, BigInteger), literal(rank, BigInteger), activities.c.id)
    wanted = tuple_(*(literal(part, BigInteger) for part in bound))
    query = (
        select(activities, handlers.c.title)
        .outerjoin_from(activities, handlers, handlers.c.name == activities.c.subject)
        .where(activities.c.ref_key == key, activities.c.kind.in_(kinds))
        .where(key_of >= wanted if upwards else key_of < wanted)
        .order_by(*((c if upwards else c.desc()) for c in (activities.c.at, activities.c.id)))
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    found = [record(Act, row, title=_title(row.kind, row.subject, row.title)) for row in rows]
    return found if upwards else found[::-1]


def _title(kind: str, subject: str | None, title: str | None) -> str | None:
    return (title or title_of(subject)) if subject and kind in OF_RUNS else None
