"""What runs fail with, so that a hundred of the same are one thing to look at."""

import hashlib
import re
from datetime import datetime

from sqlalchemy import Connection, case, select, update

from receiver import activity
from receiver.activity import Kind
from receiver.database import upsert
from receiver.executor import Ended
from receiver.models import Outcome, RunState, failures, runs
from receiver.runs.claims import Claimed
from receiver.runs.conditions import IS_CLOSED

GONE = "gone"  # its handler was renamed or taken away
CLOSING = ("closed_at", "closed_by", "close_reason", "close_note")  # of a run that is no longer closed
LONGEST_ERROR = 300  # characters: the run has all of it
DESK = "KYB Desk"
ADDRESS = re.compile(r"[^\s<>()\"“”:;,]+@[^\s<>()\"“”:;,]+[^\s<>()\"“”:;,.]")  # of an e-mail


def kind_of(ended: Ended) -> str:
    """The exception's type; where none was raised, what else it was."""
    return ended.kind or ended.outcome


def fingerprint_of(handler: str, kind: str, place: str | None, cause: str | None = None) -> str:
    """Of what says its cause itself, the place does not matter."""
    told_apart_by = "\n".join([handler, kind, *(["", cause] if cause else [place or ""])])
    return hashlib.blake2b(told_apart_by.encode(), digest_size=8).hexdigest()


def fingerprint(handler: str, ended: Ended) -> str | None:
    if ended.outcome is Outcome.SUCCEEDED:
        return None
    return fingerprint_of(handler, kind_of(ended), ended.place, ended.cause)


def note_failure(connection: Connection, handler: str, ended: Ended, now: datetime) -> None:
    """In the transaction that records the attempt: its run has this fingerprint."""
    seen = upsert(connection, failures).values(
        fingerprint=fingerprint(handler, ended),
        handler=handler,
        kind=kind_of(ended),
        place=ended.place,
        error=_of_all(ended.error or kind_of(ended)),
        first_at=now,
        last_at=now,
    )
    newer, older = seen.excluded.last_at > failures.c.last_at, seen.excluded.first_at < failures.c.first_at
    again = {
        "error": seen.excluded.error,
        "last_at": case((newer, seen.excluded.last_at), else_=failures.c.last_at),
        "first_at": case((older, seen.excluded.first_at), else_=failures.c.first_at),
    }
    connection.execute(seen.on_conflict_do_update(index_elements=["fingerprint"], set_=again))


def _of_all(error: str) -> str:
    """As it stands above runs of many cases: no address of one of them is in it."""
    return ADDRESS.sub("…", error[: 2 * LONGEST_ERROR])[:LONGEST_ERROR]


def reopen(connection: Connection, claimed: Claimed, failure: str, now: datetime) -> None:
    """What a person closed without retrying needs one again: the same failure has come back for its case.

    It is due now, so that no list that was counted before holds it.
    """
    same = runs.c.ref_key == claimed.ref_key, runs.c.handler == claimed.handler
    closed = select(runs.c.id).where(IS_CLOSED, *same, runs.c.fingerprint == failure)
    opened = {"state": RunState.FAILED, "due_at": now} | dict.fromkeys(CLOSING)
    back = update(runs).where(runs.c.id.in_(closed.with_for_update(skip_locked=True)), IS_CLOSED)
    for run_id in connection.execute(back.values(opened).returning(runs.c.id)).scalars().all():
        its_case = {"ref_id": claimed.call.event.ref_id, "run_id": run_id, "subject": claimed.handler}
        activity.note(connection, Kind.REOPENED, DESK, now, **its_case)
