"""Worlds, straight into the tables: what the receiver and the worker would have left there."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

from sqlalchemy import Connection, insert, select, update

from receiver import search
from receiver.cases import Link
from receiver.database import Database, upsert
from receiver.directory.fields import AccountStatus
from receiver.directory.rows import change, find
from receiver.event import ref_key
from receiver.executor import Ended
from receiver.models import (
    EPOCH,
    Outcome,
    RunState,
    StartedBy,
    Verdict,
    attempts,
    case_counts,
    cases,
    deliveries,
    delivery_counts,
    events,
    handlers,
    messages,
    revision,
    role_signs,
    runs,
    workers,
)
from receiver.reasons import WrittenText, approve_text, describe_reason, write_text
from receiver.runs.failures import fingerprint_of, note_failure

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAY = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW", "REJECTED")
# What strangers could send: mark-up, quotes, text that turns the line, no spaces to break at.
HOSTILE = "<script>alert(1)</script>'\"><b>&amp;\u202egnp.exe\u0007{{ 7*7 }}"

_numbers = count(1)


@contextmanager
def writing(database: Database) -> Iterator[Connection]:
    """One transaction that writes, and tells open pages to look again."""
    engine = database.writer()
    with engine.begin() as connection:
        yield connection
        connection.execute(update(revision).values(n=revision.c.n + 1))
    engine.dispose()


def add_event(connection: Connection, ref_id: str, status: str = "IN_REVIEW", **given: Any) -> int:
    """A status change, as the first of its case; `place=None` and `family="aml"` for another check."""
    at = given.pop("at", NOON)
    body = json.dumps({"refId": ref_id, "status": status}).encode()
    values = {
        "svix_id": f"msg_{next(_numbers)}",
        "family": "kyb",
        "ref_id": ref_id,
        "ref_key": ref_key(ref_id),
        "status": status,
        "previous_status": "IN_PROGRESS",
        "message_at": at,
        "first_attempt_at": at,
        "received_at": at + SECOND,
        "place": 0,
        "link": Link.START,
        "late": False,
        "dispatched_at": at + SECOND,
        "body": body,
        "body_sha256": hashlib.sha256(body).digest(),
        "delivery_count": 1,
    }
    event_id = _add(connection, events, values | given)
    if (values | given)["dispatched_at"]:
        search.note_events(connection, connection.execute(select(events).where(events.c.id == event_id)))
    return event_id


def add_delivery(connection: Connection, verdict: str = Verdict.ACCEPTED, **given: Any) -> int:
    body = given.get("body")
    values = {
        "received_at": NOON,
        "verdict": verdict,
        "http_status": 401 if verdict == Verdict.REFUSED else 200,
        "took": 2_300,
        "svix_id": f"msg_{next(_numbers)}",
        "svix_timestamp": int(given.get("received_at", NOON).timestamp()),
        "body_size": len(body) if body is not None else 71,
        "body_sha256": hashlib.sha256(body or b"").digest(),
        "content_type": "application/json",
        "user_agent": "Svix-Webhooks/1.62",
        "header_names": "host content-type user-agent content-length svix-id svix-timestamp svix-signature",
        "client": "203.0.113.7",
    }
    return _add(connection, deliveries, values | given)


def add_case(
    connection: Connection,
    ref_id: str = "ACME-1",
    way: Sequence[str] = WAY,
    at: datetime = NOON,
    step: timedelta = HOUR,
    reason: str | None = None,
    **given: Any,
) -> list[int]:
    """A case that went this way, its last step at `at`; returns the ids of its events, oldest first."""
    last = len(way) - 2
    ids = []
    for place, (before, status) in enumerate(pairwise(way)):
        moment = at - step * (last - place)
        moved = {
            "previous_status": before,
            "place": place,
            "at": moment,
            "reason": reason if place == last else None,
        }
        link = Link.FOLLOWS if place else Link.START if before == "NOT_STARTED" else Link.BEGAN_BEFORE
        ids.append(add_event(connection, ref_id, status, **moved, link=link))
        add_delivery(connection, event_id=ids[-1], received_at=moment + SECOND)
    add_case_row(connection, ref_id, way[-1], ids, status_since=at, reason=reason, **given)
    return ids


def add_case_row(
    connection: Connection, ref_id: str, status: str, event_ids: Sequence[int], **given: Any
) -> int:
    since = given.get("status_since", NOON)
    values = {
        "ref_id": ref_id,
        "ref_key": ref_key(ref_id),
        "status": status,
        "reason": None,
        "status_since": since,
        "gap": False,
        "uncertain": False,
        "began_before": False,
        "event_count": len(event_ids),
        "undated_count": 0,
        "last_event_id": event_ids[-1],
        "newest_message_at": since,
        "changed_at": since + SECOND,
        "account_active": _is_active(connection, ref_id),
    }
    _count_up(connection, case_counts, {"status": status})
    return _add(connection, cases, values | given)


def _is_active(connection: Connection, ref_id: str) -> bool:
    business = find(connection, ref_id)
    return business is not None and business.account_status == AccountStatus.ACTIVE


def add_run(connection: Connection, event_id: int, state: str = RunState.FAILED, **given: Any) -> int:
    """A run, without attempts: see add_attempt."""
    at = given.pop("at", NOON)
    key = connection.execute(select(events.c.ref_key).where(events.c.id == event_id)).scalar_one()
    values = {
        "event_id": event_id,
        "ref_key": key,
        "handler": "notify_customer",
        "once": False,
        "state": state,
        "created_at": at,
        "due_at": at,
        "started_at": at if state != RunState.QUEUED else None,
        "finished_at": at + SECOND if state not in {RunState.QUEUED, RunState.RUNNING} else None,
        "lease_until": at + MINUTE if state == RunState.RUNNING else None,
        "fence": 1,
        "tries": 0 if state == RunState.QUEUED else 1,
        "lost": 0,
        "repeats": 0,
        "started_by": StartedBy.EVENT,
        "summary": "The mail server said no" if state in {RunState.FAILED, RunState.RETRYING} else None,
    }
    values |= given
    if state in {RunState.FAILED, RunState.RETRYING, RunState.CLOSED} and "fingerprint" not in given:
        values["fingerprint"] = add_failure(connection, values["handler"], error=values["summary"], at=at)
    return _add(connection, runs, values)


def add_failure(connection: Connection, handler: str = "notify_customer", **given: Any) -> str:
    """What runs of a handler fail with, once however often it is named; returns its fingerprint."""
    at = given.get("at", NOON)
    ended = Ended(
        Outcome.FAILED,
        error=given.get("error") or "The mail server said no",
        kind=given.get("kind", "smtplib.SMTPRecipientsRefused"),
        place=given.get("place", "acme.handlers.notify_customer"),
        cause=given.get("cause"),
    )
    note_failure(connection, handler, ended, at)
    return fingerprint_of(handler, ended.kind or "", ended.place, ended.cause)


def add_attempt(connection: Connection, run_id: int, outcome: str = Outcome.FAILED, **given: Any) -> int:
    started_at = given.get("started_at", NOON)
    values = {
        "run_id": run_id,
        "number": 1,
        "started_by": StartedBy.EVENT,
        "started_at": started_at,
        "finished_at": started_at + timedelta(milliseconds=840),
        "outcome": outcome,
        "error": None if outcome == Outcome.SUCCEEDED else "The mail server said no",
    }
    return _add(connection, attempts, values | given)


def add_handler(
    connection: Connection, name: str = "notify_customer", title: str = "Notify customer", **given: Any
) -> None:
    values = {
        "name": name,
        "title": title,
        "statuses": json.dumps(given.pop("statuses", ["COMPLETED", "REJECTED"])),
        "once": False,
        "module": "acme.handlers",
        "registered_at": NOON,
    }
    connection.execute(insert(handlers).values(values | given))


def add_business(connection: Connection, ref_id: str = "ACME-1", **given: Any) -> None:
    """What the directory knows of a business: `name`, `email`, `account_status`, …"""
    change(connection, ref_id, given, by="ana@example.com", now=NOON)


def add_message(connection: Connection, run_id: int, **given: Any) -> None:
    """A mail that an attempt of this run sent."""
    run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    values = {
        "run_id": run_id,
        "number": run.tries,
        "ref_key": run.ref_key,
        "channel": "e-mail",
        "recipient": "owner@acme.example",
        "subject": "Your verification",
        "text": "We could not verify your business.",
        "language": "en",
        "sent_at": NOON,
    }
    connection.execute(insert(messages).values(values | given))
    told = update(cases).where(cases.c.ref_key == run.ref_key)
    connection.execute(told.values(told_at=(values | given)["sent_at"]))


def add_reason(
    connection: Connection, code: str = "DOCUMENT_MISMATCH", never_tell: bool = False, **texts: str
) -> None:
    """A reason with its approved customer texts: `add_reason(connection, "X", en="…", de="…")`."""
    describe_reason(connection, code, "ana@example.com", NOON, never_tell=never_tell)
    for language, text in texts.items():
        written = WrittenText(language, text, "ana@example.com")
        approve_text(connection, write_text(connection, code, written, NOON), "ben@example.com", NOON)


def add_worker(connection: Connection, role: str = "worker", **given: Any) -> None:
    now = datetime.now(UTC)
    values = {"role": role, "host": "desk-1", "pid": 4711, "started_at": now - HOUR, "seen_at": now}
    connection.execute(insert(workers).values(values | given))
    sign = upsert(connection, role_signs).values(role=role, first_at=now - 30 * DAY, seen_at=now)
    connection.execute(sign.on_conflict_do_nothing())


def count_delivery(connection: Connection, at: datetime, verdict: str) -> None:
    _count_up(connection, delivery_counts, {"hour": (at - EPOCH) // HOUR, "verdict": verdict})


def _count_up(connection: Connection, table: Any, key: dict[str, Any]) -> None:
    here = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*here).values(n=table.c.n + 1)).rowcount:
        connection.execute(insert(table).values(key | {"n": 1}))


def _add(connection: Connection, table: Any, values: dict[str, Any]) -> int:
    key: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    return key


def count_rows(connection: Connection, table: Any) -> int:
    return len(connection.execute(select(table.c.id)).all())
