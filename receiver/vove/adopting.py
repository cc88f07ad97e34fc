"""A person takes over VOVE's word: an event of its own kind, and the name into the directory.

It stands in the case's order like any other, so rebuilding the case from its events gives the same. Should
the message that was lost still come, the two say the same: the later one is a repeat, see cases.py.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from receiver import search
from receiver.activity import Kind, note
from receiver.cases import Move
from receiver.database import raise_revision
from receiver.directory.rows import change
from receiver.event import Family, ref_key
from receiver.ledger import case_rows
from receiver.ledger.case_rows import CaseRow, NewMove, RacedError
from receiver.models import EPOCH, MICROSECOND, events, runs
from receiver.vove import views
from receiver.vove.views import Comparison

FRESH = timedelta(hours=1)  # VOVE may have moved on since: what is older must be asked for again


class Refusal(StrEnum):
    """Why nothing was taken over."""

    MOVED = "moved"  # our case is no longer what the person saw
    OTHER = "other"  # VOVE's view is no longer what the person saw
    RENAMED = "renamed"  # one of the two names is no longer what the person saw
    OLD = "old"
    AGREES = "agrees"  # there is nothing to take over, or it has been
    UNKNOWN = "unknown"  # VOVE has no such case, or was never asked


@dataclass(frozen=True)
class Seen:
    """What the person saw: the event that gave our status (None: we knew no case), VOVE's status, and the two
    names, VOVE's and ours."""

    last_event_id: int | None
    status: str | None
    name: str | None = None
    our_name: str | None = None


@dataclass(frozen=True)
class Adopted:
    event_id: int | None  # None: the status was the same
    name: bool  # it was taken over too


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def adopt(
    connection: Connection, ref_id: str, seen: Seen, by: str, now: datetime, run_handlers: bool = False
) -> Adopted | Refusal:
    """Take over what VOVE said of this case, once, however often it is asked for.

    On a Refusal nothing was written. Raises RacedError where a receiver has created the case a moment ago:
    all is to be done anew, in another transaction.
    """
    key = ref_key(ref_id)
    views.lock(connection, ref_id)  # first: of two people the second one sees what the first has done
    before = case_rows.locked_rows(connection, [key]).get(key)  # from here on ours stays as it is
    compared = views.compare(connection, ref_id)
    try:
        _check(compared, before, seen, now)
        assert compared is not None
        event_id = _move(connection, compared, before, by, now, run_handlers)
    except _RefusedError as refused:
        return refused.refusal
    name = _take_name(connection, compared, by, now)
    views.note_differences(connection, [key])
    _note(connection, compared, event_id, name, by, now)
    return Adopted(event_id, name)


def _note(
    connection: Connection, compared: Comparison, event_id: int | None, name: bool, by: str, now: datetime
) -> None:
    """A name alone is an edit of the business."""
    if event_id is None:
        note(connection, Kind.EDITED, by, now, ref_id=compared.ref_id, detail="name, as VOVE has it")
        return
    detail = "and its name" if name else None
    note(connection, Kind.ADOPTED, by, now, ref_id=compared.ref_id, subject=compared.status, detail=detail)


def _check(compared: Comparison | None, before: CaseRow | None, seen: Seen, now: datetime) -> None:
    if compared is None or compared.status is None:
        raise _RefusedError(Refusal.UNKNOWN)
    if compared.status != seen.status:
        raise _RefusedError(Refusal.OTHER)
    if not compared.can_be_adopted:
        raise _RefusedError(Refusal.AGREES)
    if compared.moved_since or (before.last_event_id if before else None) != seen.last_event_id:
        raise _RefusedError(Refusal.MOVED)
    if (compared.name, compared.our_name) != (seen.name, seen.our_name):
        raise _RefusedError(Refusal.RENAMED)
    if now - compared.checked_at > FRESH:
        raise _RefusedError(Refusal.OLD)


def _move(
    connection: Connection,
    compared: Comparison,
    before: CaseRow | None,
    by: str,
    now: datetime,
    run_handlers: bool,
) -> int | None:
    if not compared.differs_in_status:
        return None
    assert compared.status is not None
    key, at = ref_key(compared.ref_id), _moment(connection, compared)
    body = _what_vove_said(compared)
    move = Move(
        svix_id=f"adopted_{secrets.token_hex(16)}",
        status=compared.status,
        previous_status=before.status if before else compared.status,
        reason=None,
        first_attempt_at=at,
        message_at=at,
        adopted=True,
    )
    inserted = insert(events).values(
        svix_id=move.svix_id,
        family=Family.KYB,
        ref_id=compared.ref_id,
        ref_key=key,
        status=move.status,
        previous_status=move.previous_status,
        message_at=at,
        first_attempt_at=at,
        received_at=now,
        late=False,
        dispatched_at=None if run_handlers else now,
        adopted_by=by,
        body=body,
        body_sha256=hashlib.sha256(body).digest(),
        delivery_count=0,
    )
    event_id: int = connection.execute(inserted.returning(events.c.id)).scalar_one()
    search.note_references(connection, {key: compared.ref_id})
    case_rows.apply(connection, [NewMove(event_id, compared.ref_id, key, now, move)], stale=[key])
    if before is None and case_rows.locked_rows(connection, [key])[key].event_count > 1:
        raise RacedError  # a webhook has created the case after we had looked
    return event_id


def _moment(connection: Connection, compared: Comparison) -> datetime:
    """When VOVE says that it changed, where that can be; else when it was asked, not now: what moved since
    is newer. In any case after all that we know, for it is what VOVE said in spite of that."""
    times = func.coalesce(events.c.message_at, events.c.first_attempt_at, type_=events.c.message_at.type)
    known = events.c.ref_key == ref_key(compared.ref_id), events.c.family == Family.KYB
    newest = connection.execute(select(func.max(times)).where(*known)).scalar()
    after = newest + MICROSECOND if newest else EPOCH
    changed_at = compared.vove_changed_at
    if changed_at and after <= changed_at <= compared.checked_at:
        return changed_at
    return max(compared.checked_at, after)


def _what_vove_said(compared: Comparison) -> bytes:
    """As far as it is kept: of documents and owners nothing is."""
    said = {
        "refId": compared.ref_id,
        "status": compared.status,
        "id": compared.vove_id,
        "businessName": compared.name,
        "updatedAt": compared.vove_changed_at and compared.vove_changed_at.isoformat(),
    }
    return json.dumps({name: text for name, text in said.items() if text is not None}).encode()


def _take_name(connection: Connection, compared: Comparison, by: str, now: datetime) -> bool:
    if compared.name is None or compared.name == compared.our_name:
        return False
    return bool(change(connection, compared.ref_id, {"name": compared.name}, by, now))


def run_handlers(connection: Connection, event_id: int) -> bool:
    """Have the handlers called for what was taken over without them. False where they were, or will be."""
    waits = update(events).where(
        events.c.id == event_id,
        events.c.adopted_by.is_not(None),
        events.c.dispatched_at.is_not(None),
        ~select(runs.c.id).where(runs.c.event_id == events.c.id).exists(),
    )
    if connection.execute(waits.values(dispatched_at=None)).rowcount != 1:
        return False
    raise_revision(connection)
    return True


def take_new_names(
    connection: Connection, by: str, now: datetime, after: int, limit: int
) -> list[Comparison]:
    """Enter VOVE's names where the directory has none; returns what was looked at, none at the end."""
    found = views.find_new_names(connection, after, limit)
    for compared in found:
        _take_name(connection, compared, by, now)
    return found
