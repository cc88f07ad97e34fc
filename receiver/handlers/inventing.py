"""An event that never happened, such as VOVE would send: for tests, try-outs and the demo."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from ksuid import KsuidMs

from receiver.event import Family
from receiver.handlers import Case, Event

USUALLY_BEFORE = {
    "IN_PROGRESS": "NOT_STARTED",
    "IN_REVIEW": "IN_PROGRESS",
    "COMPLETED": "IN_REVIEW",
    "REJECTED": "IN_REVIEW",
}
ON_ITS_WAY = timedelta(milliseconds=400)  # from VOVE to us


def new_message_id(at: datetime | None = None) -> str:
    """An id as Svix makes them, which holds the time at which the message was made."""
    return f"msg_{KsuidMs(datetime=at)}"


def payload(ref_id: str, status: str, previous_status: str | None = None, reason: str | None = None) -> bytes:
    """The body of a KYB event; without a previous status, the one that usually stands before."""
    return _body(ref_id, status, previous_status or _usually_before(status), reason)


def _usually_before(status: str) -> str:
    return USUALLY_BEFORE.get(status, "IN_REVIEW")


def _body(ref_id: str, status: str, previous_status: str | None, reason: str | None) -> bytes:
    fields = {"refId": ref_id, "status": status, "previousStatus": previous_status, "reason": reason}
    return json.dumps({name: text for name, text in fields.items() if text is not None}).encode()


def invented_event(
    ref_id: str,
    status: str,
    previous_status: str | None = None,
    reason: str | None = None,
    family: str = Family.KYB,
    **given: Any,
) -> Event:
    """An event that has just come in. `given`: other fields of it, such as `svix_id` or `body`."""
    made_at = datetime.now(UTC) - ON_ITS_WAY
    if family == Family.KYB:  # the other families' name none
        previous_status = previous_status or _usually_before(status)
    values: dict[str, Any] = {
        "svix_id": new_message_id(made_at),
        "family": family,
        "ref_id": ref_id,
        "status": status,
        "previous_status": previous_status,
        "reason": reason,
        "message_at": made_at,
        "received_at": made_at + ON_ITS_WAY,
        "body": _body(ref_id, status, previous_status, reason),
    }
    return Event(**values | given)


def case_of(event: Event, status: str | None = None, gap: bool = False, uncertain: bool = False) -> Case:
    """The case that this event has moved; it has moved on where another `status` is given."""
    since = event.message_at or event.received_at
    reason = event.reason if status in {None, event.status} else None
    return Case(event.ref_id, status or event.status, reason, since, gap, uncertain, began_before=False)
