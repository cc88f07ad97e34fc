"""What people have set for everybody, and which statuses there are to set a limit for."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver import desk_settings
from receiver.models import case_counts

UNKNOWN = 50  # statuses that we don't know: more nobody sets a limit for


async def find_settings(connection: AsyncConnection) -> dict[str, str]:
    """By name; what nobody has set is not there."""
    return await connection.run_sync(desk_settings.find_settings)


async def find_statuses(connection: AsyncConnection) -> list[str]:
    """In which there are cases at present, those with most of them first."""
    query = select(case_counts.c.status).where(case_counts.c.n > 0).order_by(case_counts.c.n.desc())
    return list((await connection.execute(query.limit(UNKNOWN))).scalars())
