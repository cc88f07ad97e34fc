"""Databases to look at every page with: much, little, nothing, and what strangers could send in every field.

Each fills a database and returns what the pages' addresses name: `{"case": "ACME-1", "run": "7", …}`.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Connection, insert, update

from dashboard.auth.links import make_link
from dashboard.auth.users import Role
from receiver.activity import Kind, note
from receiver.event import ref_key
from receiver.models import (
    Outcome,
    RunState,
    Verdict,
    batch_items,
    batches,
    cases,
    desk_settings,
    events,
    failures,
    pauses,
    seen_reasons,
    status_limits,
    users,
    vove_views,
    workers,
)
from receiver.runs.judging import Result
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    WAY,
    add_attempt,
    add_business,
    add_case,
    add_delivery,
    add_event,
    add_handler,
    add_message,
    add_reason,
    add_run,
    count_delivery,
)

Ids = dict[str, str]
NOW = datetime.now(UTC)
ANA = "ana@example.com"
CODE = "DOCUMENT_MISMATCH"
STATUSES = ("IN_PROGRESS", "IN_REVIEW", "COMPLETED", "REJECTED")
# Mark-up, template syntax whose result is seen nowhere else, text that turns the line, combining marks, and
# no space to break at for ten thousand characters.
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)><evil-mark>'\"--></textarea></title>{{ 31337*3 }}"
    "{% raw %}${31337*3}\u202egnp.exe\u2066\u0007\u200b" + "Z" + "\u0301\u0489" * 40
)
LONG = EVIL + "x" * 10_000


def empty(connection: Connection) -> Ids:
    return {}


def little(connection: Connection) -> Ids:
    """One of each, and all of it well."""
    event = add_case(connection, "ACME-1", WAY[:3], at=NOW - HOUR)[-1]
    add_handler(connection)
    delivery = add_delivery(connection, Verdict.REFUSED, cause="no_match", body=b"{}", received_at=NOW - DAY)
    run = add_run(connection, event, RunState.SUCCEEDED, summary="Sent")
    add_attempt(connection, run, Outcome.SUCCEEDED)
    ids = {"case": "ACME-1", "run": str(run), "delivery": str(delivery), "code": CODE, "business": "ACME-1"}
    return ids | _add_people(connection, ["bea@example.com"])


def much(connection: Connection) -> Ids:
    for name, title in (("notify_customer", "Tell the customer"), ("enable_account", "Enable the account")):
        add_handler(connection, name, title, effect="e-mail" if name == "notify_customer" else None)
    add_reason(connection, CODE, en="The documents do not show the same name.", de="Die Namen weichen ab.")
    add_reason(connection, "SANCTIONED", never_tell=True)
    _set_limits(connection)
    for n in range(60):
        _add_one_of_many(connection, n)
    for hour in range(24 * 40):
        count_delivery(connection, NOW - hour * HOUR, Verdict.ACCEPTED)
        if hour % 17 == 0:
            count_delivery(connection, NOW - hour * HOUR, Verdict.REFUSED)
    for n, cause in enumerate(("no_match", "too_old", "missing_header", "too_large")):
        delivery = add_delivery(
            connection, Verdict.REFUSED, cause=cause, body=b'{"refId": "ACME-1"}', received_at=NOW - n * HOUR
        )
    for verdict in (Verdict.QUARANTINED, Verdict.CONFLICT, Verdict.DUPLICATE):
        add_delivery(connection, verdict, cause="not_json", received_at=NOW - DAY, body=b"{")
    ids = _add_case_with_all(
        connection, "ACME-1", "ACME Trading GmbH", "The mail server said no", "DOCUMENT_MISMATCH"
    )
    connection.execute(
        insert(pauses).values(
            handler="enable_account", reason="The account service moves", paused_at=NOW - HOUR, paused_by=ANA
        )
    )
    return (
        ids
        | {"delivery": str(delivery)}
        | _add_people(connection, [f"person{n}@example.com" for n in range(20)])
    )


def hostile(connection: Connection) -> Ids:
    add_handler(connection, "notify_customer", EVIL)
    add_handler(connection, "h" * 200, "W" * 200)
    add_reason(connection, EVIL[:60], en=EVIL, de=LONG[:5000])
    connection.execute(
        insert(seen_reasons).values(code=EVIL[:200], first_at=NOW, last_at=NOW, ref_id=LONG[:3000])
    )
    connection.execute(insert(desk_settings).values(name="evil", value=EVIL, updated_at=NOW, updated_by=EVIL))
    _set_limits(connection)
    add_case(connection, "L" * 10_000, at=NOW - DAY, reason=LONG)
    add_case(connection, "S-1", (*WAY[:3], EVIL[:150]), at=NOW - DAY)
    ids = _add_case_with_all(connection, EVIL, EVIL[:150], LONG, LONG)
    delivery = add_delivery(
        connection,
        Verdict.REFUSED,
        cause="no_match",
        body=LONG.encode(),
        content_type=EVIL,
        user_agent=LONG[:1000],
        header_names="x" * 3000 + " " + EVIL,
        svix_id="m" * 255,
        client=EVIL,
        received_at=NOW,
    )
    connection.execute(insert(pauses).values(handler="*", reason=EVIL, paused_at=NOW, paused_by=EVIL))
    connection.execute(update(workers).where(workers.c.role == "worker").values(error=LONG))
    people = _add_people(connection, [EVIL[:250] + "@x", "e" * 240 + "@x", "c" + "\u0301" * 240 + "@x"])
    return ids | people | {"delivery": str(delivery), "code": quote(EVIL[:60], safe="")}


def _add_people(connection: Connection, emails: Sequence[str]) -> Ids:
    """Of every role, and some that may not sign in; the last one has a link, and no password yet."""
    for n, email in enumerate(emails):
        row = {
            "email": email,
            "role": [*Role, "king"][n % 5],
            "password_hash": "" if n == len(emails) - 1 else "$argon2id$",
            "created_at": NOW - n * DAY,
            "disabled_at": NOW - DAY if n % 3 == 2 and n < len(emails) - 1 else None,
            "seen_at": NOW - n * HOUR if n % 2 else None,
        }
        person = connection.execute(insert(users).values(row).returning(users.c.id)).scalar_one()
    connection.execute(update(cases).where(cases.c.status == "COMPLETED").values(assigned_to=emails[0]))
    return {"person": str(person), "link": make_link(connection, person, emails[0], NOW)}


def _set_limits(connection: Connection) -> None:
    for status, days in (("IN_PROGRESS", 14), ("IN_REVIEW", 3)):
        limit = {"days": days, "working_days": status == "IN_REVIEW", "updated_at": NOW, "updated_by": ANA}
        connection.execute(insert(status_limits).values(status=status, **limit))


def _add_one_of_many(connection: Connection, n: int) -> None:
    ref_id, at = f"BUS-{n:05}", NOW - n * DAY / 3
    way = WAY[: 2 + n % 3] if n % 4 else (*WAY[:3], "COMPLETED")
    event = add_case(connection, ref_id, way, at=at, reason="SANCTIONED" if len(way) == 4 else None)[-1]
    if n % 3:
        add_business(connection, ref_id, name=f"Business {n} of a name of middling length Ltd")
    if n % 5 == 0:
        state = list(RunState)[n // 5 % len(RunState)]
        run = add_run(connection, event, state, at=at, summary="The mail server said no")
        add_attempt(connection, run, started_at=at)


def _add_case_with_all(connection: Connection, ref_id: str, name: str, words: str, reason: str) -> Ids:
    """One case with everything that a timeline can hold, each text of it `words`."""
    add_business(connection, ref_id, name=name, email=ANA, notes=words[:2000])
    *_, before, event = add_case(connection, ref_id, at=NOW - 2 * DAY, step=DAY, reason=reason, gap=True)
    add_event(connection, ref_id, "suspected", family="aml", place=None, at=NOW - DAY, reason=reason)
    add_delivery(connection, Verdict.DUPLICATE, event_id=event, received_at=NOW - DAY)
    connection.execute(
        update(cases).where(cases.c.ref_key == ref_key(ref_id)).values(assigned_to=ANA, uncertain=True)
    )
    connection.execute(update(events).where(events.c.id == before).values(adopted_by=words[:200]))
    _add_failure(connection, words)
    failed = add_run(
        connection, event, at=NOW - DAY, summary=words, fingerprint="f" * 32, requested_by=words[:200]
    )
    add_attempt(connection, failed, error=words, traceback=words, output=words, requested_by=words[:200])
    done = add_run(connection, before, RunState.SUCCEEDED, at=NOW - DAY, summary=words)
    add_attempt(connection, done, Outcome.SUCCEEDED, result=words, output=words)
    add_message(
        connection,
        done,
        subject=words,
        text=words,
        sent_at=NOW - DAY,
        recipient=words[:200],
        channel=words[:50],
    )
    _add_activities(connection, ref_id, failed, words)
    connection.execute(
        insert(vove_views).values(
            ref_id=ref_id,
            ref_key=ref_key(ref_id),
            status="COMPLETED",
            name=words[:300],
            vove_id=words[:100],
            checked_at=NOW,
            checked_by=words[:100],
            differs=True,
        )
    )
    encoded = quote(ref_id, safe="")
    return {
        "case": encoded,
        "business": encoded,
        "run": str(failed),
        "code": CODE,
        "failure": "f" * 32,
        "adoption": str(before),
        "text": "1",
        **_add_batches(connection, failed, words),
    }


def _add_failure(connection: Connection, words: str) -> None:
    connection.execute(
        insert(failures).values(
            fingerprint="f" * 32,
            handler="notify_customer",
            kind=words[:200],
            place=words[:200],
            error=words,
            first_at=NOW - DAY,
            last_at=NOW - MINUTE,
        )
    )


def _add_activities(connection: Connection, ref_id: str, run_id: int, words: str) -> None:
    for n, kind in enumerate(Kind):
        on_run = run_id if kind in {Kind.REPROCESSED, Kind.CLOSED, Kind.REOPENED} else None
        subject = "1" if kind in {Kind.BATCH_STARTED, Kind.BATCH_STOPPED} else words[:300]
        note(
            connection, kind, ANA if n % 2 else words[:200], NOW - n * MINUTE, ref_id=ref_id, run_id=on_run,
            subject=subject, detail=words[:3000],
        )  # fmt: skip


def _add_batches(connection: Connection, run_id: int, words: str) -> Ids:
    """One that waits for its number, one under way, one that is done."""
    parts = [(None, 1), (Result.MOVED_ON, 2)]
    preview = json.dumps([["notify_customer", "REJECTED", why_not, n] for why_not, n in parts])
    begun = {"confirmed_at": NOW - HOUR, "confirmed_by": words[:200]}
    ended = begun | {"finished_at": NOW - 50 * MINUTE}
    ids = {}
    for name, given in (("draft", {}), ("under_way", begun), ("batch", ended)):
        row = {
            "created_at": NOW - HOUR,
            "created_by": words[:200],
            "action": "reprocess",
            "what": words[:2000],
            "back": "/runs",
            "repeat_done": False,
            "reason": words[:300],
            "total": 3,
            "cut": False,
            "preview": preview,
        }
        new = insert(batches).values(row | given).returning(batches.c.id)
        ids[name] = str(connection.execute(new).scalar_one())
        done = {"result": Result.TAKEN, "done_at": NOW} if name == "batch" else {}
        connection.execute(insert(batch_items).values(batch_id=ids[name], run_id=run_id, tries=1, **done))
    return ids


WORLDS = {"much": much, "little": little, "empty": empty, "hostile": hostile}
