"""What the directory knows of one business."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.event import ref_key
from receiver.models import businesses, handlers, record


@dataclass(frozen=True, slots=True)
class Business:
    ref_id: str
    name: str | None
    email: str | None
    language: str | None
    account_status: str | None
    verified_at: datetime | None
    review_status: str | None
    review_since: datetime | None
    notes: str | None
    updated_at: datetime
    updated_by: str
    title: str | None  # of the handler that this was

    @property
    def changed_by(self) -> str:
        """A person's address and a command as they are; a handler in words."""
        return f"“{self.title}”" if self.title else self.updated_by


async def find_business(connection: AsyncConnection, ref_id: str) -> Business | None:
    query = (
        select(businesses, handlers.c.title)
        .outerjoin_from(businesses, handlers, handlers.c.name == businesses.c.updated_by)
        .where(businesses.c.ref_key == ref_key(ref_id))
    )
    row = (await connection.execute(query)).one_or_none()
    return record(Business, row) if row else None
