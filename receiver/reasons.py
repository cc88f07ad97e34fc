"""What the company says of a rejection's reason: its label, and what may be said to the customer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from receiver.database import upsert
from receiver.handlers import Reason
from receiver.models import reason_texts, reasons, record

LONGEST_CODE = 200  # characters: VOVE's are some twenty; a longer one is a text, which nobody can name


@dataclass(frozen=True)
class WrittenText:
    """What may be said to the customer, in one language; it counts once a person has approved it."""

    language: str
    text: str
    written_by: str


@dataclass(frozen=True)
class TextVersion:
    """One of the texts that were written for a reason in a language; the later id is the newer one."""

    id: int
    language: str
    text: str
    written_at: datetime
    written_by: str
    approved_at: datetime | None
    approved_by: str | None


def find_reason(connection: Connection, code: str | None) -> Reason | None:
    """None where there is no reason; of one that nobody has described, its code."""
    if code is None:
        return None
    never_tell = _must_not_be_told(connection, code)
    row = connection.execute(select(reasons).where(reasons.c.code == code)).one_or_none()
    if row is None:
        return Reason(code, never_tell=never_tell)
    return Reason(code, row.label, never_tell, _approved_texts(connection, code))


def _must_not_be_told(connection: Connection, code: str) -> bool:
    """Also where it was typed in other letters, or with other spaces: nobody must be tipped off by a slip."""
    secret = connection.execute(select(reasons.c.code).where(reasons.c.never_tell)).scalars()
    return _loosely(code) in map(_loosely, secret)


def _loosely(code: str) -> str:
    return "".join(re.findall(r"\w", code.casefold())).replace("_", "")


def _approved_texts(connection: Connection, code: str) -> Mapping[str, str]:
    """By language, the one that was approved last."""
    approved = (
        select(reason_texts.c.language, reason_texts.c.text)
        .where(reason_texts.c.code == code, reason_texts.c.approved_at.is_not(None))
        .order_by(reason_texts.c.approved_at, reason_texts.c.id)
    )
    return {row.language: row.text for row in connection.execute(approved)}


def describe_reason(
    connection: Connection,
    code: str,
    by: str,
    now: datetime,
    label: str | None = None,
    never_tell: bool | None = None,
) -> None:
    """Set what is given; a reason that was not known is entered. Raises ValueError on what can be no code."""
    if not code or len(code) > LONGEST_CODE:
        raise ValueError(f"a reason's code has 1 to {LONGEST_CODE} characters")
    entered = {"code": code, "never_tell": False, "updated_at": now, "updated_by": by}
    connection.execute(upsert(connection, reasons).values(entered).on_conflict_do_nothing())
    given = {"label": label, "never_tell": never_tell}
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen:
        connection.execute(
            update(reasons).where(reasons.c.code == code).values(**chosen, updated_at=now, updated_by=by)
        )


def write_text(connection: Connection, code: str, text: WrittenText, now: datetime) -> int:
    """Append a version, which is not yet approved; returns its id."""
    describe_reason(connection, code, text.written_by, now)
    written = insert(reason_texts).values(
        code=code, language=text.language, text=text.text, written_at=now, written_by=text.written_by
    )
    text_id: int = connection.execute(written.returning(reason_texts.c.id)).scalar_one()
    return text_id


def approve_text(connection: Connection, text_id: int, by: str, now: datetime) -> bool:
    """From now on it is what customers read; False where it was approved before."""
    approved = update(reason_texts).where(reason_texts.c.id == text_id, reason_texts.c.approved_at.is_(None))
    return connection.execute(approved.values(approved_at=now, approved_by=by)).rowcount == 1


def all_codes(connection: Connection) -> list[str]:
    """Of the reasons that somebody has described, or written a text for."""
    return list(connection.execute(select(reasons.c.code).order_by(reasons.c.code)).scalars())


def newest_texts(connection: Connection, code: str) -> list[TextVersion]:
    """The newest version in each language, approved or not."""
    versions = select(reason_texts).where(reason_texts.c.code == code).order_by(reason_texts.c.id)
    newest = {row.language: record(TextVersion, row) for row in connection.execute(versions)}
    return [newest[language] for language in sorted(newest)]
