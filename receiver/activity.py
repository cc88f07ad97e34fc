"""Who did what, on what, why: appended in the transaction that does it, never edited."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from receiver.database import raise_revision
from receiver.event import ref_key
from receiver.models import activities, events, runs


class Kind(StrEnum):
    """What people do. `subject` and `detail` hold what is said in brackets."""

    NOTED = "noted"  # a note on a case (detail: its text)
    ASSIGNED = "assigned"  # a case (subject: to whom; none: to nobody)
    REPROCESSED = "reprocessed"  # a run (subject: its handler; detail: why, where one was asked)
    CLOSED = "closed"  # a run, without retrying (subject: its handler; detail: why)
    TOLD = "told"  # a customer, or not to be told (subject: which, as runs.CloseReason; detail: how, or why)
    REOPENED = "reopened"  # a closed run, by the same failure (subject: its handler)
    BATCH_STARTED = "batch started"  # (subject: its number; detail: which runs)
    BATCH_STOPPED = "batch stopped"  # (subject: its number; detail: how far it had come)
    PAUSED = "paused"  # a handler (subject: its name; detail: why)
    RESUMED = "resumed"  # a handler (subject: its name)
    EDITED = "edited"  # a business (detail: which fields)
    IMPORTED = "imported"  # businesses (subject: the file; detail: how many)
    ADOPTED = "adopted"  # a status, from VOVE (subject: the status)
    DESCRIBED = "described"  # a reason (subject: its code; detail: what has changed)
    TEXT_WRITTEN = "text written"  # for a reason (subject: its code; detail: language)
    TEXT_APPROVED = "text approved"  # for a reason (subject: its code; detail: language)
    SET = "set"  # a limit or another setting (subject: which; detail: to what)
    EXPORTED = "exported"  # a list (subject: which; detail: its filters)
    CASE_FILE = "case file"  # given out (subject: its SHA-256; detail: how many cases)
    USER_ADDED = "user added"  # (subject: the e-mail address; detail: the role)
    ROLE_CHANGED = "role changed"  # of a user (subject: the e-mail address; detail: the role)
    USER_DISABLED = "user disabled"  # may not sign in (subject: the e-mail address)
    USER_ENABLED = "user enabled"  # may sign in again (subject: the e-mail address)
    LINK_MADE = "link made"  # to choose a password by (subject: whose; never the link itself)
    PASSWORD_CHOSEN = "password chosen"  # by such a link  # noqa: S105
    PASSWORD_CHANGED = "password changed"  # one's own  # noqa: S105


def note(
    connection: Connection,
    kind: Kind,
    by: str,
    now: datetime,
    *,
    ref_id: str | None = None,
    run_id: int | None = None,
    subject: str | None = None,
    detail: str | None = None,
) -> None:
    """`by`: a person's e-mail address, or what acted by itself. Open pages look again."""
    connection.execute(
        insert(activities).values(
            at=now,
            by=by,
            kind=kind,
            ref_id=ref_id,
            ref_key=None if ref_id is None else ref_key(ref_id),
            run_id=run_id,
            subject=subject,
            detail=detail,
        )
    )
    raise_revision(connection)


def note_on_run(
    connection: Connection, kind: Kind, by: str, now: datetime, run_id: int, detail: str | None = None
) -> None:
    """With its case, and its handler for a subject."""
    of_run = select(runs.c.handler, events.c.ref_id).join(events, events.c.id == runs.c.event_id)
    run = connection.execute(of_run.where(runs.c.id == run_id)).one()
    note(connection, kind, by, now, ref_id=run.ref_id, run_id=run_id, subject=run.handler, detail=detail)
