"""What is kept of a business, and which values it may have. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from receiver.directory.domains import in_ascii
from receiver.event import MAX_STATUS, UNSTORABLE

MAX_NAME = 300  # characters
MAX_EMAIL = 254  # characters, as SMTP has it
MAX_NOTES = 10_000  # characters
EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")  # BCP 47, in lower case: de, pt-br


class AccountStatus(StrEnum):
    """Of the account that the business has with the company; none: never enabled, as far as we know."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Business:
    """A business as the directory knows it. All times are aware, in UTC."""

    ref_id: str
    name: str | None = None
    email: str | None = None  # where its mails go
    language: str | None = None  # of its mails, such as "de" or "pt-br"
    account_status: str | None = None  # see AccountStatus
    verified_at: datetime | None = None  # since when VOVE's approval holds; none: it does not
    access_granted: bool = False
    review_status: str | None = None  # the last step of the review that was recorded
    review_since: datetime | None = None
    notes: str | None = None


class FieldError(ValueError):
    """A value that the directory does not take. The message says which, and what to write instead."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a business with their new values, as the directory keeps them.

    Texts are trimmed, and an empty one is none. Raises FieldError on an unknown field or an impossible value.
    """
    return {name: _check(name)(name, value) for name, value in changes.items()}


def _check(name: str) -> Callable[[str, Any], Any]:
    try:
        return _CHECKS[name]
    except KeyError:
        raise FieldError(name, f"there is no such field; there are {', '.join(_CHECKS)}") from None


def _text(most: int, lines: bool = False) -> Callable[[str, Any], str | None]:
    def check(name: str, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FieldError(name, f"must be a text, not {type(value).__name__}")
        value = value.strip()
        if UNSTORABLE.search(value):
            raise FieldError(name, "holds a character that can't be stored")
        if len(value) > most:
            raise FieldError(name, f"is longer than {most:,} characters: it has {len(value):,}")
        if not lines and len(value.splitlines()) > 1:  # it may come to stand in a mail's subject
            raise FieldError(name, "must be one line")
        return value or None

    return check


def _email(name: str, value: Any) -> str | None:
    email = _text(MAX_EMAIL)(name, value)
    if email is not None and not (EMAIL.fullmatch(email) and email.isprintable()):
        raise FieldError(name, f"{email!r} is no e-mail address")
    if email is not None and in_ascii(email.rpartition("@")[2]) is None:
        raise FieldError(name, f"{email!r} is no e-mail address: there can be no such domain")
    return email


def _language(name: str, value: Any) -> str | None:
    language = _text(35)(name, value)
    language = language and language.lower().replace("_", "-")
    if language is not None and not LANGUAGE.fullmatch(language):
        raise FieldError(name, f"{language!r} is no language code, such as en or pt-br")
    return language


def _account_status(name: str, value: Any) -> str | None:
    status = _text(MAX_STATUS)(name, value)
    status = status and status.lower()
    if status is not None and status not in set(AccountStatus):
        raise FieldError(name, f"{status!r} is none of {', '.join(AccountStatus)}")
    return status


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldError(name, "must be true or false")
    return value


def _moment(name: str, value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise FieldError(name, "must be an aware datetime, such as datetime.now(UTC)")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise FieldError(name, "is beyond the years 1 to 9999 of UTC") from None


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "name": _text(MAX_NAME),
    "email": _email,
    "language": _language,
    "account_status": _account_status,
    "verified_at": _moment,
    "access_granted": _truth,
    "review_status": _text(MAX_STATUS),
    "review_since": _moment,
    "notes": _text(MAX_NOTES, lines=True),
}
FIELDS = tuple(_CHECKS)
MOMENTS = frozenset({"verified_at", "review_since"})


def to_json(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Checked changes as values that JSON knows."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
    }


def from_json(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """The other way, checked again. Raises FieldError, TypeError or ValueError."""
    return checked(
        {
            name: datetime.fromisoformat(value) if name in MOMENTS and value is not None else value
            for name, value in dict(said or {}).items()
        }
    )
