"""A desk after two busy years, straight into the tables: what the receiver, the worker and people would have
left there. Deterministic, but for the moment at which it ends."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from receiver.database import Database
from receiver.event import ref_key
from receiver.models import day_of, to_microseconds
from receiver.search import note_everything

SECOND = 1_000_000
DAY = 86_400 * SECOND
SPAN = 730 * DAY
BUSY_CASE = "BUSY-1"  # with as many status changes as a loop at the sender would make
REASONS = (
    "DOCUMENT_MISMATCH", "DOCUMENT_EXPIRED", "UBO_NOT_VERIFIED", "COMPANY_NOT_FOUND", "ADDRESS_MISMATCH",
    "SANCTIONS_HIT", "PEP_HIT", "INCOMPLETE_DATA", "UNREADABLE_DOCUMENT", "DUPLICATE_APPLICATION",
)  # fmt: skip
ERRORS = (
    ("activate_business", "ServiceError", "the account service answered 503"),
    ("activate_business", "TimeoutError", "the account service did not answer within 10 s"),
    ("activate_business", "ServiceError", "the account service answered 422: no such plan"),
    ("notify_customer", "NoAddress", "the directory knows no e-mail address of this business"),
    ("notify_customer", "SMTPRecipientsRefused", "the mail server refused the recipient"),
    ("notify_customer", "NoText", "there is no approved text for this reason"),
)
FIRST = ("Acme", "Bolt", "Cedar", "Delta", "Elm", "Fjord", "Granite", "Harbour", "Iris", "Juniper", "Kestrel")
SECOND_WORD = ("Trading", "Logistics", "Foods", "Textiles", "Energy", "Marine", "Optics", "Paper", "Robotics")
LEGAL = ("Ltd", "GmbH", "SARL", "BV", "Oy", "AB")
PEOPLE = ("ana@example.com", "ben@example.com", "cleo@example.com")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def fill(database: Database, cases: int = 300_000, busy: int = 20_000) -> None:
    """Fill a migrated SQLite file with so many cases, some three and a half times as many deliveries, and one
    case of `busy` status changes."""
    engine = database.writer()
    with engine.begin() as connection:
        _World(connection, random.Random(7)).fill(cases, busy)
        note_everything(connection)
    engine.dispose()


@dataclass
class _World:
    connection: Connection
    chance: random.Random
    now: int = field(default_factory=lambda: to_microseconds(datetime.now(UTC)))
    event_id: int = 0
    run_id: int = 0
    cases: Counter[str] = field(default_factory=Counter)
    hours: Counter[tuple[int, str]] = field(default_factory=Counter)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def fill(self, cases: int, busy: int) -> None:
        self._set_up()
        ways = ("IN_PROGRESS", "IN_REVIEW") * (busy // 2)
        self._case(BUSY_CASE, ways, self.now - SPAN, 1, step=60 * SECOND)
        for number in range(cases):
            began = self.now - SPAN + SPAN * number // cases
            self._case(f"KYB-{number:07d}-{self.chance.getrandbits(32):08x}", self._way(), began, number)
            if number % 2_000 == 0:
                self._flush()
        self._counts()
        self._flush()

    def _way(self) -> tuple[str, ...]:
        end = self.chance.choices(("COMPLETED", "REJECTED", "IN_REVIEW", "IN_PROGRESS"), (60, 20, 12, 8))[0]
        begun = ("IN_PROGRESS", "IN_REVIEW", end)
        return begun[: begun.index(end) + 1]

    def _case(
        self, ref_id: str, way: Sequence[str], began: int, number: int, step: int = 3_600 * SECOND
    ) -> None:
        key, at, before = ref_key(ref_id), began, "NOT_STARTED"
        reason = self._reason() if way[-1] == "REJECTED" else None
        if number % 5:
            self._business(ref_id, key, way[-1], at)
        for place, status in enumerate(way):
            at += self.chance.randrange(step // 2, step * 2)
            last = place == len(way) - 1
            self._event(ref_id, key, status, before, at, place, reason if last else None)
            if status in {"COMPLETED", "REJECTED"}:
                self._runs(key, status, at)
            before = status
        self._case_row(ref_id, key, way, at, reason, number)
        if number % 3 == 0:
            self._activity(ref_id, key, at)

    def _event(
        self, ref_id: str, key: bytes, status: str, before: str, at: int, place: int, reason: str | None
    ) -> None:
        self.event_id += 1
        said = {"refId": ref_id, "status": status, "previousStatus": before}
        body = json.dumps(said | ({"reason": reason} if reason else {})).encode()
        repeats = 1 + (self.event_id % 9 == 0)
        self._add(
            "events", id=self.event_id, svix_id=self._svix_id(), family="kyb", ref_id=ref_id, ref_key=key,
            status=status, previous_status=before, reason=reason, message_at=at, first_attempt_at=at,
            received_at=at + SECOND, place=place, link="follows" if place else "start", late=0,
            dispatched_at=at + SECOND, body=body, body_sha256=hashlib.sha256(body).digest(),
            delivery_count=repeats,
        )  # fmt: skip
        for repeat in range(repeats):
            self._delivery(at + SECOND + repeat * 5 * SECOND, "duplicate" if repeat else "accepted", body)
        if self.event_id % 500 == 0:
            self._refused(at, body)

    def _delivery(self, at: int, verdict: str, body: bytes, **given: Any) -> None:
        self.hours[at // (3_600 * SECOND), verdict] += 1
        self._add("deliveries", **{
            "received_at": at, "verdict": verdict, "cause": None, "http_status": 200, "took": 2_300,
            "svix_id": "msg_x", "svix_timestamp": at // SECOND, "event_id": self.event_id,
            "body_size": len(body), "content_type": "application/json", "user_agent": "Svix-Webhooks/1.62",
            "header_names": "host content-type svix-id svix-timestamp svix-signature", "shape": None,
        } | given)  # fmt: skip

    def _refused(self, at: int, body: bytes) -> None:
        self._delivery(at, "refused", body, cause="no_match", http_status=401, event_id=None, shape="svix")

    def _runs(self, key: bytes, status: str, at: int) -> None:
        for handler in ("activate_business", "notify_customer"):
            if handler == "activate_business" and status == "REJECTED":
                continue
            self.run_id += 1
            failed = self.run_id % 100 == 0
            which = self.chance.choice([n for n, error in enumerate(ERRORS) if error[0] == handler])
            self._add(
                "runs", id=self.run_id, event_id=self.event_id, ref_key=key, handler=handler, once=0,
                state="failed" if failed else "succeeded", created_at=at, due_at=at, started_at=at,
                finished_at=at + SECOND, fence=1, tries=1, lost=0, repeats=0, started_by="event",
                summary=ERRORS[which][2] if failed else "Done", fingerprint=f"f{which}" if failed else None,
            )  # fmt: skip
            self._add(
                "attempts", run_id=self.run_id, number=1, started_by="event", started_at=at,
                finished_at=at + SECOND, outcome="failed" if failed else "succeeded",
                result=None if failed else "Done", error=ERRORS[which][2] if failed else None,
            )  # fmt: skip

    def _case_row(
        self, ref_id: str, key: bytes, way: Sequence[str], at: int, reason: str | None, number: int
    ) -> None:
        self.cases[way[-1]] += 1
        self._add(
            "cases", ref_id=ref_id, ref_key=key, status=way[-1], reason=reason, status_since=at,
            gap=number % 300 == 0, uncertain=number % 900 == 0, began_before=0, event_count=len(way),
            undated_count=0, last_event_id=self.event_id, newest_message_at=at, changed_at=at + SECOND,
            assigned_to=PEOPLE[number % 3] if number % 50 == 0 else None,
            account_active=int(way[-1] == "COMPLETED") ^ int(number % 100 == 7),
            told_at=at + SECOND if number % 40 else None,
        )  # fmt: skip

    def _business(self, ref_id: str, key: bytes, status: str, at: int) -> None:
        name = " ".join(map(self.chance.choice, (FIRST, SECOND_WORD, LEGAL)))
        active = "active" if status == "COMPLETED" else None
        self._add(
            "businesses", ref_id=ref_id, ref_key=key, name=f"{name} {self.chance.randrange(10_000)}",
            email="owner@acme.example", language="en", account_status=active, access_granted=0,
            updated_at=at, updated_by=PEOPLE[0],
        )  # fmt: skip

    def _activity(self, ref_id: str, key: bytes, at: int) -> None:
        self._add(
            "activities", at=at + 60 * SECOND, by=self.chance.choice(PEOPLE), kind="noted", ref_id=ref_id,
            ref_key=key, detail="Called them; they will send the extract of the register.",
        )  # fmt: skip

    def _reason(self) -> str:
        if self.chance.random() < 0.01:
            return f"Free text number {self.chance.randrange(1_000)}: the papers do not fit the company"
        return self.chance.choice(REASONS)

    def _svix_id(self) -> str:
        return "msg_2" + "".join(self.chance.choices(BASE62, k=26))

    def _set_up(self) -> None:
        for name, statuses, effect in (
            ("activate_business", '["COMPLETED"]', "account"),
            ("notify_customer", '["COMPLETED", "REJECTED"]', "customer"),
        ):
            self._add(
                "handlers", name=name, title=name.replace("_", " ").capitalize(), statuses=statuses,
                effect=effect, once=0, module="receiver.handlers", registered_at=self.now,
            )  # fmt: skip
            for day in range(30):
                today = day_of(datetime.now(UTC)) - day
                self._add(
                    "attempt_counts", handler=name, day=today, outcome="succeeded", n=500, took=9, longest=9
                )
        for which, (handler, kind, error) in enumerate(ERRORS):
            self._add(
                "failures", fingerprint=f"f{which}", handler=handler, kind=kind, place="acme.handlers.call",
                error=error, first_at=self.now - SPAN, last_at=self.now,
            )  # fmt: skip
        for code in REASONS:
            self._add("seen_reasons", code=code, first_at=self.now - SPAN, last_at=self.now, ref_id="KYB-1")
        for role, pid in (("receiver", 1), ("worker", 2)):
            self._add(
                "workers", role=role, host="bench", pid=pid, started_at=self.now, seen_at=self.now + DAY
            )
        for status, days in (("IN_PROGRESS", 14), ("IN_REVIEW", 5)):
            self._add(
                "status_limits",
                status=status,
                days=days,
                working_days=1,
                updated_at=self.now,
                updated_by=PEOPLE[0],
            )

    def _counts(self) -> None:
        for status, n in self.cases.items():
            self._add("case_counts", status=status, n=n)
        for (hour, verdict), n in self.hours.items():
            self._add("delivery_counts", hour=hour, verdict=verdict, n=n)

    def _add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def _flush(self) -> None:
        """In the order in which they were first met, which foreign keys can bear."""
        for table, rows in self.rows.items():
            for columns, some in _alike(rows):
                marks = ", ".join("?" * len(columns))
                names = ", ".join(f'"{column}"' for column in columns)
                statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # names are the code's own
                self.connection.exec_driver_sql(statement, [tuple(row.values()) for row in some])
            rows.clear()


def _alike(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(row)
    yield from by_columns.items()
