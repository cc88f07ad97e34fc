"""How long a case may be in each status."""

from sqlalchemy.ext.asyncio import AsyncConnection

from receiver import limits
from receiver.limits import Limit


async def find_limits(connection: AsyncConnection) -> dict[str, Limit]:
    """By status; one that has none may last as long as it takes."""
    return await connection.run_sync(limits.find_limits)
