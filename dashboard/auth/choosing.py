"""People choose their passwords themselves: by a link, or with the one that they have.

No transaction is open while a password is hashed: the receiver would have to wait for it. UserError says why
a password can't be.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboard.auth import passwords, sessions
from dashboard.auth.links import Link, find_link, use_up, void_link
from dashboard.auth.users import MAX_PASSWORD, User, UserError, checked_password, end_sessions
from receiver.activity import Kind, note
from receiver.models import users


async def choose_by_link(
    readers: AsyncEngine, writer: AsyncEngine, token: str, password: str, old_token: str | None
) -> str | None:
    """The new session's token, or None where the link does not hold. Other sessions of theirs end."""
    checked_password(password)
    async with readers.connect() as reader:
        link = await find_link(reader, token)
    if link is None:
        return None
    password_hash = await passwords.rehashed(password)
    async with writer.begin() as connection:
        if not await connection.run_sync(_choose, link, token, password_hash):
            return None
        await sessions.end(connection, old_token)
        return await sessions.begin(connection, link.user_id)


async def change_own(readers: AsyncEngine, writer: AsyncEngine, user: User, old: str, new: str) -> str | None:
    """The new session's token, or None where the old password is wrong. All sessions of before end: a copy
    of this one's cookie may be elsewhere."""
    checked_password(new)
    async with readers.connect() as reader:
        old_hash = await reader.scalar(select(users.c.password_hash).where(users.c.id == user.id)) or ""
    if not await passwords.matches(old[: MAX_PASSWORD + 1], old_hash):
        return None
    if passwords.alike(old, new):
        raise UserError("Choose another one than the present")
    new_hash = await passwords.rehashed(new)
    async with writer.begin() as connection:
        if not await connection.run_sync(_change, user, old_hash, new_hash):
            return None
        return await sessions.begin(connection, user.id)


def _choose(connection: Connection, link: Link, token: str, password_hash: str) -> bool:
    """Whoever disables a user voids the link and ends the sessions there are: this must not slip in after."""
    if not _lock(connection, link.user_id) or not use_up(connection, token):
        return False
    _set(connection, link.user_id, password_hash)
    end_sessions(connection, link.user_id)
    note(connection, Kind.PASSWORD_CHOSEN, link.email, datetime.now(UTC))
    return True


def _change(connection: Connection, user: User, old_hash: str, new_hash: str) -> bool:
    if not _lock(connection, user.id, users.c.password_hash == old_hash):
        return False
    _set(connection, user.id, new_hash)
    end_sessions(connection, user.id)
    void_link(connection, user.id)
    note(connection, Kind.PASSWORD_CHANGED, user.email, datetime.now(UTC))
    return True


def _lock(connection: Connection, user_id: int, *still_so: ColumnElement[bool]) -> bool:
    user = select(users.c.id).where(users.c.id == user_id, users.c.disabled_at.is_(None), *still_so)
    return connection.scalar(user.with_for_update()) is not None


def _set(connection: Connection, user_id: int, password_hash: str) -> None:
    connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))
