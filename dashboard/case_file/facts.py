"""What is kept of a case as plain values: text, whole numbers, truths, None; times as text in UTC."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard import words
from dashboard.filters import age
from dashboard.kinds import kind_in_words
from dashboard.queries.businesses import Business
from dashboard.queries.cases import Case
from dashboard.queries.events import EventRow
from dashboard.queries.runs import Run
from dashboard.rounds import Rounds
from dashboard.timeline import Entry
from receiver.models import record
from receiver.vove.views import Comparison

Facts = dict[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs under events, by the event's id; under runs, by the run's."""

    deliveries: Mapping[int, Sequence[Any]]
    runs: Mapping[int, Sequence[Run]]
    attempts: Mapping[int, Sequence[Any]]
    messages: Mapping[int, Sequence[Any]]


def moment(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def case_facts(case: Case, rounds: Rounds, labels: Labels) -> Facts:
    return {
        "status": case.status,
        "status_in_words": words.status(case.status).text,
        "since": moment(case.status_since),
        "reason": case.reason,
        "reason_in_words": words.reason(case.reason, labels) if case.reason else None,
        "last_news_at": moment(case.changed_at),
        "status_changes": case.event_count,
        "assigned_to": case.assigned_to,
        "remarks": list(_remarks_on_case(case)),
        "rounds": [
            {
                "name": rounds.name(each),
                "began_at": moment(each.first.at),
                "status_changes": each.changes,
            }
            for each in rounds.all
        ],
    }


def _remarks_on_case(case: Case) -> list[str]:
    remarks = {
        "A status change is missing: what VOVE said before does not fit what came next.": case.gap,
        "Which status change is the last is not certain: some came without a time of their own.": (
            case.uncertain
        ),
        "The case began before KYB Desk listened: its first steps are not known.": case.began_before,
    }
    return [remark for remark, holds in remarks.items() if holds]


def business_facts(business: Business) -> Facts:
    return {
        "name": business.name,
        "email": business.email,
        "language": business.language,
        "account_status": business.account_status,
        "verified_at": moment(business.verified_at),
        "review_status": business.review_status,
        "review_since": moment(business.review_since),
        "notes": business.notes,
        "updated_at": moment(business.updated_at),
        "updated_by": business.updated_by,
    }


def vove_facts(compared: Comparison) -> Facts:
    return {
        "status": compared.status,
        "status_in_words": words.status(compared.status).text if compared.status else None,
        "name": compared.name,
        "vove_id": compared.vove_id,
        "changed_at": moment(compared.vove_changed_at),
        "checked_at": moment(compared.checked_at),
        "checked_by": compared.checked_by,
        "agrees": not compared.differs,
        "case_moved_since": bool(compared.moved_since),
    }


def event_row(row: Any) -> EventRow:
    at, dated = row.message_at or row.first_attempt_at, row.message_at is not None
    return record(EventRow, row, at=at, dated=dated)


def event_facts(row: Any, before: EventRow | None, hanging: Hanging, labels: Labels) -> Facts:
    entry = Entry(event_row(row), before)
    return {
        "id": row.id,
        "svix_id": row.svix_id,
        "family": row.family,
        "previous_status": row.previous_status,
        "previous_status_in_words": words.status(row.previous_status).text,
        "status": row.status,
        "status_in_words": words.status(row.status).text,
        "reason": row.reason,
        "reason_in_words": words.reason(row.reason, labels) if row.reason else None,
        "made_at": moment(row.message_at),
        "first_attempt_at": moment(row.first_attempt_at),
        "received_at": moment(row.received_at),
        "late": bool(row.late),
        "place": row.place,
        "remarks": list(_remarks_on_event(entry)),
        "adopted_by": row.adopted_by,
        "verified_by": row.verified_by,
        "payload": payload(row.body, row.body_sha256),
        "delivery_count": row.delivery_count,
        "deliveries": [_delivery(each, row) for each in hanging.deliveries.get(row.id, ())],
        "tasks": [_task(run, hanging) for run in hanging.runs.get(row.id, ())],
    }


def _remarks_on_event(entry: Entry) -> list[str]:
    event = entry.event
    remarks = {
        entry.missing or "": entry.missing is not None,
        "It is the first that we know of: the case began before.": entry.is_first_known,
        "VOVE said the same again.": entry.is_repeat,
        f"Taken over from VOVE's API by {event.adopted_by}: it was never delivered.": entry.is_adopted,
        f"It arrived {age(entry.delay) if entry.delay else ''} after it was made.": entry.delay is not None,
        "It came after a newer one, so it did not turn the case back.": event.late,
        "Its id does not tell when VOVE made it: it stands where it fits best.": (
            not event.dated and entry.moves_the_case
        ),
    }
    return [remark for remark, holds in remarks.items() if holds]


def payload(body: bytes, noted: bytes | None) -> Facts:
    """The very bytes: as text, or in base64 where they are no UTF-8. `sha256_noted`: when they came."""
    content = bytes(body)
    try:
        said = {"encoding": "utf-8", "content": content.decode()}
    except UnicodeDecodeError:
        said = {"encoding": "base64", "content": base64.b64encode(content).decode()}
    digest = hashlib.sha256(content).hexdigest()
    return {**said, "bytes": len(content), "sha256": digest, "sha256_noted": _hex(noted)}


def _delivery(row: Any, event: Any) -> Facts:
    return {
        "id": row.id,
        "received_at": moment(row.received_at),
        "verdict": row.verdict,
        "verdict_in_words": words.verdict(row.verdict).text,
        "answer": row.http_status,
        "attempt_at": row.svix_timestamp,  # seconds since 1970, as signed
        "verified_by": row.verified_by,
        "took_microseconds": row.took,
        "client": row.client,
        "user_agent": row.user_agent,
        "content_type": row.content_type,
        "headers": row.header_names.split(),
        "bytes": row.body_size,
        "sha256_noted": _hex(row.body_sha256),
        "same_as_event": _hex(row.body_sha256) == _hex(event.body_sha256),
        "payload": None if row.body is None else payload(row.body, row.body_sha256),
    }


def _task(run: Run, hanging: Hanging) -> Facts:
    return {
        "id": run.id,
        "handler": run.handler,
        "task": run.title,
        "state": run.state,
        "state_in_words": words.run_state(run.state).text,
        "created_at": moment(run.created_at),
        "closed_at": moment(run.closed_at),
        "closed_by": run.closed_by,
        "close_reason": run.close_reason,
        "close_note": run.close_note,
        "tries": [
            _try(each, [sent for sent in hanging.messages.get(run.id, ()) if sent.number == each.number])
            for each in hanging.attempts.get(run.id, ())
        ],
    }


def _try(row: Any, sent: Sequence[Any]) -> Facts:
    return {
        "number": row.number,
        "started_by": row.started_by,
        "requested_by": row.requested_by,
        "started_at": moment(row.started_at),
        "finished_at": moment(row.finished_at),
        "outcome": row.outcome,
        "outcome_in_words": words.outcome(row.outcome).text,
        "result": row.result,
        "error": row.error,
        "traceback": row.traceback,
        "output": row.output,
        "directory_changes": [
            {"field": field, "before": before, "after": after}
            for field, before, after in json.loads(row.changes or "[]")
        ],
        "messages": [_message(each) for each in sent],
    }


def _message(row: Any) -> Facts:
    return {
        "sent_at": moment(row.sent_at),
        "channel": row.channel,
        "recipient": row.recipient,
        "language": row.language,
        "subject": row.subject,
        "text": row.text,
    }


def activity_facts(row: Any) -> Facts:
    return {
        "at": moment(row.at),
        "by": row.by,
        "kind": row.kind,
        "kind_in_words": kind_in_words(row.kind).text,
        "task": row.run_id,
        "subject": row.subject,
        "subject_in_words": row.title,
        "detail": row.detail,
    }


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else bytes(digest).hex()
