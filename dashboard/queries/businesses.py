"""What the directory knows of one business, and who is in it of whom VOVE has said nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.event import ref_key
from receiver.models import businesses, cases, handlers, record

WITHOUT_CASE = 5  # beside the cases that a search finds


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


@dataclass(frozen=True, slots=True)
class Found:
    ref_id: str
    name: str | None


async def find_business(connection: AsyncConnection, ref_id: str) -> Business | None:
    query = (
        select(businesses, handlers.c.title)
        .outerjoin_from(businesses, handlers, handlers.c.name == businesses.c.updated_by)
        .where(businesses.c.ref_key == ref_key(ref_id))
    )
    row = (await connection.execute(query)).one_or_none()
    return record(Business, row) if row else None


async def find_without_case(connection: AsyncConnection, search: str) -> list[Found]:
    """The first few that the search fits and of which VOVE has said nothing. To ask only where few cases fit:
    all that have one are walked past."""
    if not search:
        return []
    its_case = select(cases.c.id).where(cases.c.ref_key == businesses.c.ref_key)
    fits = or_(has_text(businesses.c.ref_id, search), has_text(businesses.c.name, search))
    query = select(businesses.c.ref_id, businesses.c.name).where(fits, ~its_case.exists())
    return [record(Found, row) for row in await connection.execute(query.limit(WITHOUT_CASE))]


def has_text(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """Anywhere in it, small or capital; `%` and `_` mean themselves."""
    return or_(*(column.icontains(spelling, autoescape=True) for spelling in _spellings(search)))


def _spellings(search: str) -> Iterator[str]:
    """So that `ärzte` finds `Ärzte`: SQLite knows the capitals of ASCII only, PostgreSQL its locale's."""
    yield search
    if not search.isascii():
        yield from {search.lower(), search.upper(), search.title()} - {search}
