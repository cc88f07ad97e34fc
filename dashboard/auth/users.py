"""Who there is, with which role. What becomes of them is in people.py."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from dashboard.auth import passwords
from receiver.directory.domains import in_ascii
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

    @property
    def may_manage_users(self) -> bool:
        """Who may sign in, and with which role."""
        return self.role == Role.ADMIN


def check_new(connection: Connection, email: str) -> None:
    """Before a password is asked for. Raises UserError."""
    email = _checked_email(email)
    if connection.scalar(select(users.c.id).where(users.c.email == email)) is not None:
        raise _there_is(email)


def add_user(connection: Connection, email: str, role: str, password: str | None = None) -> int:
    """Returns the user's number. Without a password they can't sign in yet. Raises UserError."""
    new = {
        "email": _checked_email(email),
        "role": checked_role(role),
        "password_hash": passwords.hashed(checked_password(password)) if password is not None else "",
        "created_at": datetime.now(UTC),
    }
    try:
        user_id: int = connection.execute(insert(users).values(new).returning(users.c.id)).scalar_one()
    except IntegrityError:
        raise _there_is(new["email"]) from None
    return user_id


def _there_is(email: object) -> UserError:
    return UserError(f"There is already a user {email}")


def end_sessions(connection: Connection, user_id: int) -> None:
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


def normal_email(email: str) -> str | None:
    """As it stands in the table, or None where it is no address at all."""
    email = email.strip().lower()
    name, _, host = email.partition("@")
    plain = email.isprintable() and not any(map(str.isspace, email))
    return email if plain and name and host and "@" not in host and len(email) <= MAX_EMAIL else None


def checked_role(role: str) -> Role:
    """Raises UserError."""
    try:
        return Role(role)
    except ValueError:
        raise UserError(f"There is no role {role!r}: choose one of {', '.join(Role)}") from None


def checked_password(password: str) -> str:
    """Raises UserError."""
    if len(password) < MIN_PASSWORD:
        raise UserError(f"A password needs at least {MIN_PASSWORD} characters")
    if len(password) > MAX_PASSWORD:
        raise UserError(f"A password has at most {MAX_PASSWORD} characters")
    return password


def _checked_email(email: str) -> str:
    normal = normal_email(email)
    if normal is None or in_ascii(normal.rpartition("@")[2]) is None:
        raise UserError(f"{email!r} is no e-mail address")
    return normal
