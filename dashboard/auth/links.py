"""A link by which somebody chooses a password, once. The newest of a person alone holds, for three days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.auth.tokens import new_token, sha256
from receiver.models import password_links, users

HOLDS = timedelta(days=3)  # over a weekend


@dataclass(frozen=True)
class Link:
    user_id: int
    email: str


def make_link(connection: Connection, user_id: int, by: str, now: datetime) -> str:
    """Returns its token, which nobody can find again. The user's row is locked, or new."""
    void_link(connection, user_id)
    token = new_token()
    new = {"user_id": user_id, "token_sha256": sha256(token), "made_at": now, "made_by": by}
    connection.execute(insert(password_links).values(new))
    return token


def link_address(dashboard_url: str, token: str) -> str:
    return f"{dashboard_url.rstrip('/')}/password/{token}"


async def find_link(reader: AsyncConnection, token: str) -> Link | None:
    """None where it never was one, was used, is too old, or is of somebody who may not sign in."""
    statement = (
        select(users.c.id, users.c.email)
        .join_from(password_links, users)
        .where(password_links.c.token_sha256 == sha256(token), users.c.disabled_at.is_(None))
        .where(password_links.c.made_at > datetime.now(UTC) - HOLDS)
    )
    found = (await reader.execute(statement)).one_or_none()
    return Link(*found) if found else None


def use_up(connection: Connection, token: str) -> bool:
    """Of two who use it at once, one does. The user's row is locked."""
    this = password_links.c.token_sha256 == sha256(token)
    return connection.execute(delete(password_links).where(this)).rowcount == 1


def void_link(connection: Connection, user_id: int) -> None:
    connection.execute(delete(password_links).where(password_links.c.user_id == user_id))


def void_links_by(connection: Connection, email: str) -> None:
    """Who is no administrator any more may have kept one for themselves."""
    connection.execute(delete(password_links).where(password_links.c.made_by == email))
