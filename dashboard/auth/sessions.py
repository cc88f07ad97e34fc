"""A session: a random token in a cookie, its SHA-256 in a table of our own."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar.datastructures import Cookie
from sqlalchemy import Update, delete, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyConnection
from dashboard.auth.origins import is_local, is_secure, only_reads
from dashboard.auth.tokens import new_token, sha256
from dashboard.auth.users import User
from dashboard.render import wants_part
from receiver.models import sessions, users

log = logging.getLogger(__name__)

IDLE = timedelta(hours=8)  # a working day
ABSOLUTE = timedelta(days=7)
WRITTEN_EVERY = timedelta(minutes=1)  # a page must not cost a write


async def user_of(connection: AnyConnection) -> User | None:
    """Whose session the request belongs to, if it has a living one. Notes that it was used."""
    token = token_of(connection)
    if not token:
        return None
    async with connection.app.state.readers.connect() as reader:
        session = await _living_session(reader, token)
    if session is None:
        return None
    if _by_a_person(connection) and datetime.now(UTC) - session.used_at > WRITTEN_EVERY:
        await _note_use(connection, session)
    return _user(session)


async def find_user(reader: AsyncConnection, token: str) -> User | None:
    """Whose session that is, and nothing is noted."""
    session = await _living_session(reader, token)
    return _user(session) if session else None


async def begin(writer: AsyncConnection, user_id: int) -> str:
    """Returns the token. The table is swept on the way."""
    now = datetime.now(UTC)
    over = or_(sessions.c.used_at < now - IDLE, sessions.c.created_at < now - ABSOLUTE)
    await writer.execute(delete(sessions).where(over))
    token = new_token()
    new = {"token_sha256": sha256(token), "user_id": user_id, "created_at": now, "used_at": now}
    await writer.execute(insert(sessions).values(new))
    await writer.execute(_seen(user_id, now))
    return token


async def end(writer: AsyncConnection, token: str | None) -> None:
    if token:
        await writer.execute(delete(sessions).where(sessions.c.token_sha256 == sha256(token)))


def token_of(connection: AnyConnection) -> str | None:
    return connection.cookies.get(_cookie_name(connection))


def may_have_cookie(connection: AnyConnection) -> bool:
    """A browser keeps a secure cookie on https; a plain one is safe only where nothing leaves the machine."""
    return is_secure(connection) or is_local(connection)


def cookie(connection: AnyConnection, token: str | None) -> Cookie:
    """For the session of that token; without one, a cookie that ends the last."""
    return Cookie(
        key=_cookie_name(connection),
        value=token,
        max_age=int(ABSOLUTE.total_seconds()) if token else 0,
        secure=is_secure(connection),
        httponly=True,
        samesite="lax",
    )


async def _living_session(reader: AsyncConnection, token: str) -> Any:
    now = datetime.now(UTC)
    statement = (
        select(sessions.c.id, sessions.c.used_at, sessions.c.user_id, users.c.email, users.c.role)
        .join_from(sessions, users)
        .where(sessions.c.token_sha256 == sha256(token), users.c.disabled_at.is_(None))
        .where(sessions.c.used_at >= now - IDLE, sessions.c.created_at >= now - ABSOLUTE)
    )
    return (await reader.execute(statement)).one_or_none()


def _user(session: Any) -> User:
    return User(session.user_id, session.email, session.role)


def _by_a_person(connection: AnyConnection) -> bool:
    """Parts are fetched by open pages of themselves, all night long."""
    return not only_reads(connection) or not wants_part(connection)


async def _note_use(connection: AnyConnection, session: Any) -> None:
    """The user first: whoever disables one locks them in the same order."""
    now = datetime.now(UTC)
    try:
        async with connection.app.state.writer.begin() as writer:
            await writer.execute(_seen(session.user_id, now))
            await writer.execute(update(sessions).where(sessions.c.id == session.id).values(used_at=now))
    except DBAPIError as error:  # whoever reads need not wait until the database can be written again
        log.warning("The last use of a session was not written: %s", type(error.orig).__name__)


def _seen(user_id: int, now: datetime) -> Update:
    return update(users).where(users.c.id == user_id).values(seen_at=now)


def _cookie_name(connection: AnyConnection) -> str:
    return "__Host-kybdesk" if is_secure(connection) else "kybdesk"
