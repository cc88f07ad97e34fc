"""Who may sign in, who may not, and who was here when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.auth.links import HOLDS
from dashboard.people import Standing
from dashboard.queries.runs import COUNTED
from receiver.models import cases, password_links, record, users

PEOPLE = 500  # shown: those who may sign in first, then by their addresses


@dataclass(frozen=True, slots=True)
class Person:
    """`assigned`: cases, at most COUNTED. `link_at`, `link_by`: the newest link that nobody has used."""

    id: int
    email: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None
    has_password: bool
    link_at: datetime | None
    link_by: str | None
    assigned: int

    @property
    def standing(self) -> Standing:
        if self.disabled_at is not None:
            return Standing.DISABLED
        return Standing.ACTIVE if self.has_password else Standing.INVITED

    @property
    def link_until(self) -> datetime | None:
        return self.link_at + HOLDS if self.link_at else None


async def find_people(connection: AsyncConnection) -> Sequence[Person]:
    """One more than are shown, where there are."""
    ordered = _people().order_by(users.c.disabled_at.is_not(None), users.c.email).limit(PEOPLE + 1)
    return [record(Person, row) for row in await connection.execute(ordered)]


async def find_person(connection: AsyncConnection, user_id: int) -> Person | None:
    row = (await connection.execute(_people().where(users.c.id == user_id))).one_or_none()
    return record(Person, row) if row else None


def _people() -> Select[Any]:
    own = [users.c[name] for name in ("id", "email", "role", "created_at", "disabled_at", "seen_at")]
    return select(
        *own,
        (users.c.password_hash != "").label("has_password"),
        password_links.c.made_at.label("link_at"),
        password_links.c.made_by.label("link_by"),
        _assigned().label("assigned"),
    ).outerjoin_from(users, password_links)


def _assigned() -> ColumnElement[int]:
    theirs = cases.c.assigned_to == users.c.email, cases.c.assigned_to.is_not(None)
    some = select(cases.c.id).where(*theirs).limit(COUNTED).correlate(users).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
