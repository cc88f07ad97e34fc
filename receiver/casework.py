"""What people do about a case: they write notes, and one of them sees to it.

Every function takes a connection inside a transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from receiver.activity import Kind, note
from receiver.event import UNSTORABLE, ref_key
from receiver.models import activities, cases, users

MAX_NOTE = 5000  # characters: two pages; more is a document, which belongs elsewhere
TWICE = timedelta(minutes=1)  # the same note by the same person within this is a double click


class NoteError(ValueError):
    """A note that can't be. The message says what to write instead."""


class NoCaseError(LookupError):
    """Nothing has come from VOVE for this reference."""


@dataclass(frozen=True)
class Assigned:
    to: str | None


@dataclass(frozen=True)
class NotAssigned:
    """Somebody was faster: since the page was shown it was assigned `to` this person, or nobody."""

    to: str | None


class AssigneeError(ValueError):
    """No user, or one who may no longer sign in."""


def write_note(connection: Connection, ref_id: str, text: str, by: str, now: datetime) -> int:
    """Returns its number; pressed twice, it stands there once. Raises NoteError and NoCaseError."""
    text = checked(text)
    _lock(connection, ref_id)
    written = _written(connection, ref_id, text, by, now - TWICE)
    if written is None:
        note(connection, Kind.NOTED, by, now, ref_id=ref_id, detail=text)
        written = _written(connection, ref_id, text, by, now)
    assert written is not None
    return written


def checked(text: str) -> str:
    """Raises NoteError."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise NoteError("Write something first")
    if len(text) > MAX_NOTE:
        raise NoteError(f"A note has at most {MAX_NOTE:,} characters; this one has {len(text):,}")
    if UNSTORABLE.search(text):
        raise NoteError("It holds a character that can't be kept; type it anew instead of pasting it")
    return text


def _lock(connection: Connection, ref_id: str) -> None:
    """Of two presses at the same moment the second one sees what the first has written."""
    case = select(cases.c.id).where(cases.c.ref_key == ref_key(ref_id)).with_for_update()
    if connection.execute(case).one_or_none() is None:
        raise NoCaseError(ref_id)


def _written(connection: Connection, ref_id: str, text: str, by: str, since: datetime) -> int | None:
    same = (
        activities.c.ref_key == ref_key(ref_id),
        activities.c.kind == Kind.NOTED,
        activities.c.by == by,
        activities.c.at >= since,
        activities.c.detail == text,
    )
    query = select(activities.c.id).where(*same).order_by(activities.c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def assign(
    connection: Connection, ref_id: str, to: str | None, seen: str | None, by: str, now: datetime
) -> Assigned | NotAssigned:
    """Have `to` see to it, or nobody, on the word of `by`, who saw a page on which `seen` did.

    One conditional UPDATE: of two people who take it at once, one has it, and the other learns who. Raises
    AssigneeError and NoCaseError.
    """
    if to is not None and not _is_active(connection, to):
        raise AssigneeError(to)
    its_case = cases.c.ref_key == ref_key(ref_id)
    as_seen = cases.c.assigned_to.is_not_distinct_from(seen), cases.c.assigned_to.is_distinct_from(to)
    if connection.execute(update(cases).where(its_case, *as_seen).values(assigned_to=to)).rowcount:
        note(connection, Kind.ASSIGNED, by, now, ref_id=ref_id, subject=to)
        return Assigned(to)
    row = connection.execute(select(cases.c.assigned_to).where(its_case)).one_or_none()
    if row is None:
        raise NoCaseError(ref_id)
    return Assigned(to) if row.assigned_to == to else NotAssigned(row.assigned_to)


def _is_active(connection: Connection, email: str) -> bool:
    user = select(users.c.id).where(users.c.email == email, users.c.disabled_at.is_(None))
    return connection.execute(user).one_or_none() is not None
