"""An e-mail address and a password to a session."""

from dataclasses import dataclass, field

from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboard.auth import passwords, sessions
from dashboard.auth.users import MAX_PASSWORD, normal_email
from receiver.models import users


@dataclass(frozen=True)
class Account:
    id: int
    password_hash: str = field(repr=False)


async def sign_in(
    readers: AsyncEngine, writer: AsyncEngine, email: str, password: str, old_token: str | None
) -> str | None:
    """The new session's token, or None where the two don't belong together. The old session ends.

    No transaction is open while the password is hashed: the receiver would have to wait for it.
    """
    password = password[: MAX_PASSWORD + 1]  # a longer one is nobody's; a MiB of accents would take minutes
    account = await _account(readers, email)
    if not await passwords.matches(password, account.password_hash if account else None) or account is None:
        return None
    newer = await passwords.rehashed(password) if passwords.outdated(account.password_hash) else None
    async with writer.begin() as connection:
        if not await _still_so(connection, account):
            return None
        if newer:
            await connection.execute(_with_hash(account.id, newer))
        await sessions.end(connection, old_token)
        return await sessions.begin(connection, account.id)


async def nobody_can_sign_in(readers: AsyncEngine) -> bool:
    async with readers.connect() as connection:
        return await connection.scalar(select(users.c.id).limit(1)) is None


async def _account(readers: AsyncEngine, email: str) -> Account | None:
    normal = normal_email(email)
    if normal is None:
        return None
    statement = select(users.c.id, users.c.password_hash).where(users.c.email == normal)
    async with readers.connect() as connection:
        found = (await connection.execute(statement)).one_or_none()
    return Account(*found) if found else None


async def _still_so(connection: AsyncConnection, account: Account) -> bool:
    """Whoever changes or disables a user ends the sessions there are: this one must not slip in after."""
    unchanged = select(users.c.id).where(
        users.c.id == account.id,
        users.c.password_hash == account.password_hash,
        users.c.disabled_at.is_(None),
    )
    return await connection.scalar(unchanged.with_for_update()) is not None


def _with_hash(user_id: int, password_hash: str) -> Update:
    return update(users).where(users.c.id == user_id).values(password_hash=password_hash)
