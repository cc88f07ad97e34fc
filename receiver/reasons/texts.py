"""What may be said to customers of a reason: in versions, written by one person and approved by a second."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from receiver.activity import Kind, note
from receiver.models import reason_texts, record
from receiver.reasons.entering import entered

MOST_VERSIONS = 500  # of one reason, that are read: people wrote them, so this is far beyond what there is


class OwnTextError(ValueError):
    """Who wrote a text can't approve it."""


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

    def is_by(self, person: str) -> bool:
        return self.written_by.casefold() == person.casefold()


def approved_texts(connection: Connection, code: str) -> Mapping[str, str]:
    """By language, the one that was approved last."""
    approved = (
        select(reason_texts.c.language, reason_texts.c.text)
        .where(reason_texts.c.code == code, reason_texts.c.approved_at.is_not(None))
        .order_by(reason_texts.c.approved_at, reason_texts.c.id)
    )
    return {row.language: row.text for row in connection.execute(approved)}


def all_texts(connection: Connection, code: str) -> list[TextVersion]:
    """Every version in every language, the newest first."""
    versions = select(reason_texts).where(reason_texts.c.code == code).order_by(reason_texts.c.id.desc())
    return [record(TextVersion, row) for row in connection.execute(versions.limit(MOST_VERSIONS))]


def newest_texts(connection: Connection, code: str) -> list[TextVersion]:
    """The newest version in each language, approved or not."""
    newest = {version.language: version for version in reversed(all_texts(connection, code))}
    return [newest[language] for language in sorted(newest)]


def write_text(connection: Connection, code: str, text: WrittenText, now: datetime) -> int:
    """Append a version, which is not yet approved; returns its id. What the newest one says already, as after
    a double click, is not written again. Raises ValueError on what can be no code."""
    entered(connection, code, text.written_by, now)
    newest = _newest(connection, code, text.language)
    return newest.id if newest and newest.text == text.text else _append(connection, code, text, now)


def replace_text(
    connection: Connection, code: str, text: WrittenText, seen: int | None, now: datetime
) -> bool:
    """Append a version after the one that its writer saw as the newest; False, and nothing, where another one
    has been written in between. Raises ValueError on what can be no code."""
    entered(connection, code, text.written_by, now)
    newest = _newest(connection, code, text.language)
    if newest and newest.text == text.text:
        return True
    if (newest and newest.id) != seen:
        return False
    _append(connection, code, text, now)
    return True


def _newest(connection: Connection, code: str, language: str) -> TextVersion | None:
    versions = select(reason_texts).where(reason_texts.c.code == code, reason_texts.c.language == language)
    row = connection.execute(versions.order_by(reason_texts.c.id.desc()).limit(1)).one_or_none()
    return record(TextVersion, row) if row else None


def _append(connection: Connection, code: str, text: WrittenText, now: datetime) -> int:
    written = insert(reason_texts).values(
        code=code, language=text.language, text=text.text, written_at=now, written_by=text.written_by
    )
    text_id: int = connection.execute(written.returning(reason_texts.c.id)).scalar_one()
    note(connection, Kind.TEXT_WRITTEN, text.written_by, now, subject=code, detail=text.language)
    return text_id


def approve_text(
    connection: Connection, text_id: int, by: str, now: datetime, code: str | None = None
) -> bool:
    """From now on it is what customers read; False where it was approved before, a newer one has been
    written, or there is none such, or none of this `code`.

    Raises OwnTextError where it is whoever wrote it that asks.
    """
    written = select(reason_texts).where(reason_texts.c.id == text_id)
    row = connection.execute(written).one_or_none()
    if row is None or row.approved_at is not None or code not in {None, row.code}:
        return False
    newest = _newest(connection, row.code, row.language)
    if newest is None or newest.id != text_id:
        return False
    if record(TextVersion, row).is_by(by):
        raise OwnTextError(f"{by} has written this text: a second person has to approve it")
    approved = update(reason_texts).where(reason_texts.c.id == text_id, reason_texts.c.approved_at.is_(None))
    if connection.execute(approved.values(approved_at=now, approved_by=by)).rowcount != 1:
        return False
    note(connection, Kind.TEXT_APPROVED, by, now, subject=row.code, detail=row.language)
    return True
