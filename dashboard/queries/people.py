"""Who a case can be assigned to."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import users

PEOPLE = 500  # to choose from, the first by their addresses


async def find_assignees(connection: AsyncConnection) -> Sequence[str]:
    """Who may sign in."""
    active = select(users.c.email).where(users.c.disabled_at.is_(None)).order_by(users.c.email)
    return (await connection.execute(active.limit(PEOPLE))).scalars().all()
