"""Who there is, with which role. Called by the `kybdesk user` command, synchronously."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Update, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.auth import passwords
from receiver.models import sessions, users

MAX_EMAIL = 254  # characters, as SMTP has it
MIN_PASSWORD = 12  # characters: long beats complicated
MAX_PASSWORD = 1024  # characters: hashing takes them all


class Role(StrEnum):
    """A viewer sees everything and changes nothing; the others may re-process too."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    LEAD = "lead"
    ADMIN = "admin"


class UserError(Exception):
    """A user can't be as asked; the message says why, in words."""


@dataclass(frozen=True)
class User:
    id: int
    email: str
    role: str

    @property
    def may_reprocess(self) -> bool:
        return self.role in {Role.OPERATOR, Role.LEAD, Role.ADMIN}

    @property
    def may_pause(self) -> bool:
        return self.role in {Role.OPERATOR, Role.LEAD, Role.ADMIN}

    @property
    def may_edit(self) -> bool:
        """What people enter: the business directory, what is said of reasons."""
        return self.role in {Role.OPERATOR, Role.LEAD, Role.ADMIN}

    @property
    def may_approve(self) -> bool:
        """What customers read, once another person has written it."""
        return self.role in {Role.LEAD, Role.ADMIN}

    @property
    def may_set(self) -> bool:
        """What holds for everybody: limits and links."""
        return self.role in {Role.LEAD, Role.ADMIN}


def add_user(connection: Connection, email: str, role: str, password: str) -> None:
    """Raises UserError."""
    new = {
        "email": _checked_email(email),
        "role": _checked_role(role),
        "password_hash": passwords.hashed(_checked_password(password)),
        "created_at": datetime.now(UTC),
    }
    try:
        connection.execute(insert(users).values(new))
    except IntegrityError:
        raise UserError(f"There is already a user {new['email']}") from None


def change_password(connection: Connection, email: str, password: str) -> None:
    """Ends the user's sessions. Raises UserError."""
    _change(connection, email, password_hash=passwords.hashed(_checked_password(password)))


def change_role(connection: Connection, email: str, role: str) -> None:
    """Ends the user's sessions. Raises UserError."""
    _change(connection, email, role=_checked_role(role))


def disable_user(connection: Connection, email: str) -> None:
    """Ends the user's sessions. Raises UserError."""
    _change(connection, email, disabled_at=datetime.now(UTC))


def normal_email(email: str) -> str | None:
    """As it stands in the table, or None where it is no address at all."""
    email = email.strip().lower()
    name, _, host = email.partition("@")
    plain = email.isprintable() and not any(map(str.isspace, email))
    return email if plain and name and host and "@" not in host and len(email) <= MAX_EMAIL else None


def _change(connection: Connection, email: str, **values: Any) -> None:
    this_user = users.c.email == normal_email(email)
    statement: Update = update(users).where(this_user).values(values)
    if connection.execute(statement).rowcount == 0:
        raise UserError(f"There is no user {email}")
    its_id = select(users.c.id).where(this_user).scalar_subquery()
    connection.execute(delete(sessions).where(sessions.c.user_id == its_id))


def _checked_email(email: str) -> str:
    normal = normal_email(email)
    if normal is None:
        raise UserError(f"{email!r} is no e-mail address")
    return normal


def _checked_role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise UserError(f"There is no role {role!r}: choose one of {', '.join(Role)}") from None


def _checked_password(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise UserError(f"A password needs at least {MIN_PASSWORD} characters")
    if len(password) > MAX_PASSWORD:
        raise UserError(f"A password has at most {MAX_PASSWORD} characters")
    return password
