"""What the company says of a rejection's reason: its label, and what may be said to the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.handlers import Reason
from receiver.models import reason_texts, reasons

LONGEST_CODE = 200  # characters: VOVE's are some twenty; a longer one is a text, which nobody can name


@dataclass(frozen=True)
class WrittenText:
    """What may be said to the customer, in one language; it counts once a person has approved it."""

    language: str
    text: str
    written_by: str


def find_reason(connection: Connection, code: str | None) -> Reason | None:
    """None where there is no reason; of one that nobody has described, its code."""
    if code is None:
        return None
    row = connection.execute(select(reasons).where(reasons.c.code == code[:LONGEST_CODE])).one_or_none()
    if row is None:
        return Reason(code)
    return Reason(code, row.label, row.never_tell, _approved_texts(connection, code))


def _approved_texts(connection: Connection, code: str) -> Mapping[str, str]:
    """By language, the newest that was approved."""
    approved = (
        select(reason_texts.c.language, reason_texts.c.text)
        .where(reason_texts.c.code == code, reason_texts.c.approved_at.is_not(None))
        .order_by(reason_texts.c.id)
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
    """Set what is given; a reason that was not known is entered."""
    upsert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    entered = {"code": code, "never_tell": False, "updated_at": now, "updated_by": by}
    connection.execute(upsert(reasons).values(entered).on_conflict_do_nothing())
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
