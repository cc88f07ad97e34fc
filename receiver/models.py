"""The tables, in the order of the data."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import TEXT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

Record = TypeVar("Record")


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def day_of(moment: datetime) -> int:
    """Days since 1970, UTC: by these attempts are counted."""
    return (moment - EPOCH).days


def hour_of(moment: datetime) -> int:
    """Hours since 1970, UTC: by these deliveries are counted."""
    return (moment - EPOCH) // HOUR


def record(kind: type[Record], row: Any, **others: Any) -> Record:
    """A dataclass made of a row, column by column as its fields are named, but for the fields in `others`."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # any dataclass
    return kind(**{name: getattr(row, name) for name in names if name not in others}, **others)


class UtcTime(TypeDecorator[datetime]):
    """An instant: an aware datetime in Python, microseconds since 1970 in either database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Any) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Any) -> datetime | None:
        return None if value is None else from_microseconds(value)


class Verdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Shape(StrEnum):
    """Which of two bounded rooms keeps a refused delivery: a flood of strays washes out no look-alike."""

    SVIX = "svix"
    STRAY = "stray"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"


class StartedBy(StrEnum):
    EVENT = "event"
    RETRY = "retry"
    PERSON = "person"


class Outcome(StrEnum):
    """How an attempt ended. `lost`: its worker died, nobody knows; `in doubt`: the handler does not know."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    LOST = "lost"
    IN_DOUBT = "in doubt"


metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    }
)

# What can be wrong with a case, as SQL of its columns: written out, so that a partial index serves it. Of a
# bare status SQLite would rather take the index by status and age, and walk all cases that are in it; and a
# comparison that has the index's column at its right it turns round, and does not know it again.
WRONG = {
    "not_enabled": "status || '' = 'COMPLETED' AND NOT account_active",
    "still_enabled": "status <> 'COMPLETED' AND account_active",
    "not_told": "status || '' = 'REJECTED' AND told_at IS NULL",
    "with_gap": "gap",
    "uncertain": "uncertain",
}

Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite grows ids by itself only on INTEGER

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("received_at", UtcTime, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("cause", Text),
    Column("http_status", Integer, nullable=False),
    Column("took", BigInteger, nullable=False),  # microseconds, from the headers to the ledger's write
    Column("svix_id", Text),
    Column("svix_timestamp", BigInteger),  # seconds, the time of this attempt as the sender says
    Column("signature", Text),  # of refused deliveries only, to verify again; never shown in clear
    Column("verified_by", Text),  # fingerprint of the secret
    Column("event_id", Key, ForeignKey("events.id")),
    Column("body", LargeBinary),  # only where no event keeps the same bytes
    Column("body_size", BigInteger, nullable=False),
    Column("body_sha256", LargeBinary),
    Column("content_type", Text),
    Column("user_agent", Text),
    Column("header_names", Text, nullable=False),  # in the order they came, separated by spaces
    Column("client", Text),
    Column("shape", Text),  # of refused deliveries: the room that bounds them
    sqlite_autoincrement=True,  # a trimmed id never comes back as another delivery
)
Index("deliveries_by_verdict", deliveries.c.verdict, deliveries.c.id)
Index("deliveries_by_event", deliveries.c.event_id, deliveries.c.id)
Index(
    "deliveries_by_shape",
    deliveries.c.shape,
    deliveries.c.id,
    sqlite_where=text("shape IS NOT NULL"),
    postgresql_where=text("shape IS NOT NULL"),
)
# Read by the list of deliveries: by cause, and by an id that became no event (others have their event).
Index(
    "deliveries_by_cause",
    deliveries.c.cause,
    deliveries.c.id,
    sqlite_where=text("cause IS NOT NULL"),
    postgresql_where=text("cause IS NOT NULL"),
)
Index(
    "deliveries_by_svix_id",
    deliveries.c.svix_id,
    deliveries.c.id,
    sqlite_where=text("event_id IS NULL AND svix_id IS NOT NULL"),
    postgresql_where=text("event_id IS NULL AND svix_id IS NOT NULL"),
)

events = Table(
    "events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("svix_id", Text, nullable=False, unique=True),
    Column("family", Text, nullable=False),
    Column("ref_id", Text, nullable=False),
    Column("ref_key", LargeBinary, nullable=False),  # see event.ref_key
    Column("status", Text, nullable=False),
    Column("previous_status", Text),
    Column("reason", Text),
    Column("message_at", UtcTime),  # when the sender made the message; none: the id does not tell
    Column("first_attempt_at", UtcTime, nullable=False),  # the earliest signed timestamp we saw
    Column("received_at", UtcTime, nullable=False),
    Column("place", Integer),  # in its case's order, from 0; none: moves no case
    Column("link", Text),  # to the event before it, see cases.Link
    Column("late", Boolean, nullable=False),  # on arrival, the case already knew something newer
    Column("dispatched_at", UtcTime),
    Column("verified_by", Text),
    Column("adopted_by", Text),  # who took it over from VOVE's API; none: it came by webhook
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("delivery_count", Integer, nullable=False),
    sqlite_autoincrement=True,
)
Index("events_by_case", events.c.ref_key, events.c.place, events.c.id)
# Read by runs.dispatch, all day long, and nearly always empty.
Index(
    "events_undispatched",
    events.c.id,
    sqlite_where=text("dispatched_at IS NULL"),
    postgresql_where=text("dispatched_at IS NULL"),
)

# Read by the page of rejections: how many for which reason, by day.
Index(
    "events_rejecting",
    text("COALESCE(message_at, first_attempt_at)"),
    text("substr(reason, 1, 200)"),
    events.c.ref_key,
    sqlite_where=text("status = 'REJECTED' AND place IS NOT NULL AND link <> 'repeat'"),
    postgresql_where=text("status = 'REJECTED' AND place IS NOT NULL AND link <> 'repeat'"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ref_id", Text, nullable=False),
    Column("ref_key", LargeBinary, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("status_since", UtcTime, nullable=False),
    Column("gap", Boolean, nullable=False),
    Column("uncertain", Boolean, nullable=False),
    Column("began_before", Boolean, nullable=False),  # its first known event does not start at NOT_STARTED
    Column("event_count", Integer, nullable=False),
    Column("undated_count", Integer, nullable=False),
    Column("last_event_id", Key, ForeignKey("events.id"), nullable=False),
    Column("newest_message_at", UtcTime),
    Column("changed_at", UtcTime, nullable=False),  # when we last learned something of it
    # What people and handlers did about it. The ledger never writes these; its rules don't need them.
    Column("assigned_to", Text),  # an e-mail address
    Column("account_active", Boolean, nullable=False, server_default=false()),  # as the directory has it
    # When the customer was last written to; or a person closed what was to do it, as done by hand or as what
    # must not be told: then nobody has to see to it either.
    Column("told_at", UtcTime),
)
Index("cases_by_change", cases.c.changed_at, cases.c.id)
Index("cases_by_status", cases.c.status, cases.c.changed_at, cases.c.id)
# Read by the list of cases: the longest in a status first, and those over its limit.
Index("cases_by_age", cases.c.status, cases.c.status_since, cases.c.id)
# A reason may be as long as a delivery; no index takes that.
Index(
    "cases_by_reason",
    text("substr(reason, 1, 200)"),
    cases.c.changed_at,
    cases.c.id,
    sqlite_where=text("reason IS NOT NULL"),
    postgresql_where=text("reason IS NOT NULL"),
)
Index(
    "cases_assigned",
    cases.c.assigned_to,
    cases.c.changed_at,
    cases.c.id,
    sqlite_where=text("assigned_to IS NOT NULL"),
    postgresql_where=text("assigned_to IS NOT NULL"),
)
# Read by the overview, and by the lists behind its figures: what should be few, the oldest first.
for name, is_wrong in WRONG.items():
    Index(
        f"cases_{name}",
        cases.c.status_since,
        cases.c.id,
        sqlite_where=text(is_wrong),
        postgresql_where=text(is_wrong),
    )

# What people know of a business beside VOVE's verdict: see receiver/directory.
businesses = Table(
    "businesses",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ref_id", Text, nullable=False),
    Column("ref_key", LargeBinary, nullable=False, unique=True),
    Column("name", Text),
    Column("email", Text),
    Column("language", Text),
    Column("account_status", Text),
    Column("verified_at", UtcTime),
    Column("access_granted", Boolean, nullable=False),
    Column("review_status", Text),
    Column("review_since", UtcTime),
    Column("notes", Text),
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", Text, nullable=False),  # an e-mail address, or the name of a handler
)

# What the company says of a reason. Only texts are versioned; the newest approved one of a language counts.
reasons = Table(
    "reasons",
    metadata,
    Column("code", Text, primary_key=True),
    Column("label", Text),
    Column("explanation", Text),  # for ourselves: what it means, what to do
    Column("never_tell", Boolean, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)
# Every reason that VOVE gave for a rejection, noted as its event is dispatched: what nobody described is new.
seen_reasons = Table(
    "seen_reasons",
    metadata,
    Column("code", Text, primary_key=True),  # its first 200 characters
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("ref_id", Text, nullable=False),  # of the case that it was first seen with
)
Index("seen_reasons_by_first", seen_reasons.c.first_at, seen_reasons.c.code)
reason_texts = Table(
    "reason_texts",
    metadata,
    Column("id", Key, primary_key=True),
    Column("code", Text, ForeignKey("reasons.code"), nullable=False),
    Column("language", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", UtcTime, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("approved_at", UtcTime),
    Column("approved_by", Text),
)
Index("reason_texts_by_code", reason_texts.c.code, reason_texts.c.language, reason_texts.c.id)

# How long a case may be in a status. None: as long as it takes.
status_limits = Table(
    "status_limits",
    metadata,
    Column("status", Text, primary_key=True),
    Column("days", Integer, nullable=False),
    Column("working_days", Boolean, nullable=False),  # Saturdays and Sundays don't count
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)
# What else people set on the settings page, by name: see receiver/desk_settings.py.
desk_settings = Table(
    "desk_settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)

# Who did what, on what, why. Only ever appended to: see receiver/activity.py.
activities = Table(
    "activities",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),  # an e-mail address, or a command's or a program's name
    Column("kind", Text, nullable=False),  # see activity.Kind
    Column("ref_id", Text),
    Column("ref_key", LargeBinary),
    Column("run_id", Key),
    Column("subject", Text),  # what else it was done to: a handler, a reason, a status, a person
    Column("detail", Text),  # why, or what it is now
    sqlite_autoincrement=True,
)
Index("activities_by_person", activities.c.by, activities.c.at, activities.c.id)
Index("activities_by_kind", activities.c.kind, activities.c.at, activities.c.id)
Index("activities_by_time", activities.c.at, activities.c.id)
Index(
    "activities_by_case",
    activities.c.ref_key,
    activities.c.at,
    activities.c.id,
    sqlite_where=text("ref_key IS NOT NULL"),
    postgresql_where=text("ref_key IS NOT NULL"),
)

# What people search for: see receiver/search.py. SQLite's index of their trigrams is the virtual table
# `findables_trigrams`, PostgreSQL's the index `findables_by_trigram`, where it has the extension for it.
findables = Table(
    "findables",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ref_key", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),  # see search.Kind
    Column("text", Text().with_variant(TEXT(collation="C"), "postgresql"), nullable=False),  # folded
)
Index("findables_by_case", findables.c.ref_key)
Index(
    "findables_of_business",
    findables.c.ref_key,
    findables.c.kind,
    unique=True,
    sqlite_where=text("kind <> 'event'"),
    postgresql_where=text("kind <> 'event'"),
)
# Read by searches of one character or two.
Index(
    "findables_by_start",
    text("substr(text, 1, 2)"),
    findables.c.ref_key,
    sqlite_where=text("kind <> 'event'"),
    postgresql_where=text("kind <> 'event'"),
)

# VOVE's own view of a case, as its API last told it: see receiver/vove. One that is there is compared.
vove_views = Table(
    "vove_views",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ref_id", Text, nullable=False),
    Column("ref_key", LargeBinary, nullable=False, unique=True),
    Column("status", Text),  # none: VOVE knows no case with this reference
    Column("name", Text),
    Column("vove_id", Text),
    Column("vove_changed_at", UtcTime),  # when VOVE says that it changed
    Column("checked_at", UtcTime, nullable=False),
    Column("checked_by", Text, nullable=False),
    Column("differs", Boolean, nullable=False),
)
# Read by the list of differences.
Index(
    "vove_views_differing",
    vove_views.c.id,
    sqlite_where=text("differs"),
    postgresql_where=text("differs"),
)
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", Key, primary_key=True),
    Column("started_at", UtcTime, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("next_page", Integer, nullable=False),  # where an interrupted one goes on
    Column("seen", Integer, nullable=False),  # cases
    Column("finished_at", UtcTime),
)

# Counts that pages show are kept by the ledger in its own transaction, never counted on a page.
delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # see hour_of
    Column("verdict", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
case_counts = Table(
    "case_counts",
    metadata,
    Column("status", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
refused_rooms = Table(
    "refused_rooms",
    metadata,
    Column("shape", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
# One row: raised with whatever a page could show, so that open pages know when to look again.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)

handlers = Table(
    "handlers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("statuses", Text, nullable=False),  # JSON list; empty: every event
    Column("once", Boolean, nullable=False),
    Column("module", Text, nullable=False),
    Column("leaving", Text, nullable=False, server_default="[]"),  # JSON list of statuses
    Column("effect", Text),  # see handlers.Effect
    Column("registered_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),  # the worker no longer knows it: renamed, or taken away
    Column("next_at", UtcTime),  # its pace lets the next run begin then
    Column("last_failed_at", UtcTime),
    Column("last_failed_run_id", Key),
)
# What a person has stopped: its runs wait. `*` stands for all handlers.
pauses = Table(
    "pauses",
    metadata,
    Column("handler", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("paused_at", UtcTime, nullable=False),
    Column("paused_by", Text, nullable=False),
)
# Kept with each attempt, for the success rate and the times on the handlers' page.
attempt_counts = Table(
    "attempt_counts",
    metadata,
    Column("handler", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("outcome", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("took", BigInteger, nullable=False),  # microseconds, of all of them
    Column("longest", BigInteger, nullable=False),  # microseconds
)

runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("event_id", Key, ForeignKey("events.id"), nullable=False),
    Column("ref_key", LargeBinary),  # of its event's case; never none, but it came by a later migration
    Column("handler", Text, nullable=False),
    Column("once", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),  # of the attempt under way, or of the last one
    Column("finished_at", UtcTime),  # of the last attempt
    Column("lease_until", UtcTime),
    Column("fence", Integer, nullable=False),
    Column("tries", Integer, nullable=False),  # attempts begun
    Column("lost", Integer, nullable=False),  # of them, the last ones in a row whose worker died
    Column(
        "repeats", Integer, nullable=False
    ),  # deliberate repeats of a success: each has its own idempotency key
    Column("started_by", Text, nullable=False),  # what the next attempt is, or was, started by
    Column("requested_by", Text),  # who, where it is a person
    Column("requested_at", UtcTime),
    Column("summary", Text),  # of the last attempt: its result or the first line of its error
    Column("fingerprint", Text),  # of the failure that the last attempt ended with, see failures
    Column("closed_at", UtcTime),  # closed_*: of one that a person closed without retrying
    Column("closed_by", Text),
    Column("close_reason", Text),  # see runs.CloseReason
    Column("close_note", Text),
    UniqueConstraint("event_id", "handler"),
)
# Read by runs.claim, for the next one of a handler that is due.
Index(
    "runs_due",
    runs.c.handler,
    runs.c.due_at,
    runs.c.id,
    sqlite_where=text("state IN ('queued', 'retrying')"),
    postgresql_where=text("state IN ('queued', 'retrying')"),
)
# Read by runs.claim, for those of the same case that come first or are under way.
Index(
    "runs_open",
    runs.c.ref_key,
    runs.c.handler,
    sqlite_where=text("state IN ('queued', 'retrying', 'running')"),
    postgresql_where=text("state IN ('queued', 'retrying', 'running')"),
)
# Read by runs.rescue, for leases that have run out.
Index(
    "runs_leased",
    runs.c.lease_until,
    sqlite_where=text("state = 'running'"),
    postgresql_where=text("state = 'running'"),
)
Index("runs_by_state", runs.c.state, runs.c.id)
# Read by the list of one handler's.
Index("runs_by_handler", runs.c.handler, runs.c.state, runs.c.id)
# Read by the list of failures, and by that of the cases with one.
Index(
    "runs_failed",
    runs.c.state,  # so that SQLite prefers it to runs_by_state
    runs.c.fingerprint,
    runs.c.id,
    runs.c.ref_key,
    sqlite_where=text("state = 'failed'"),
    postgresql_where=text("state = 'failed'"),
)
Index(
    "runs_failed_by_case",
    runs.c.ref_key,
    sqlite_where=text("state = 'failed'"),
    postgresql_where=text("state = 'failed'"),
)
# Read by the list of what is being retried, by failure.
Index(
    "runs_retrying",
    runs.c.state,
    runs.c.fingerprint,
    runs.c.id,
    runs.c.ref_key,
    runs.c.due_at,
    sqlite_where=text("state = 'retrying'"),
    postgresql_where=text("state = 'retrying'"),
)
# Read when a run fails: the same failure opens a closed one of its case again.
Index(
    "runs_closed",
    runs.c.ref_key,
    runs.c.handler,
    sqlite_where=text("state = 'closed'"),
    postgresql_where=text("state = 'closed'"),
)

# What runs fail with: the same handler, the same kind of error, at the same place of the company's code.
failures = Table(
    "failures",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("handler", Text, nullable=False),
    Column("kind", Text, nullable=False),  # the exception's type, or an outcome
    Column("place", Text),  # the innermost own frame: `module.function`
    Column("error", Text, nullable=False),  # of the last one, its first line
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
)
Index("failures_by_time", failures.c.last_at, failures.c.fingerprint)

# Many runs re-processed, or closed, on one word: exactly those that a person saw counted.
batches = Table(
    "batches",
    metadata,
    Column("id", Key, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("action", Text, nullable=False),  # see batches.Action
    Column("what", Text, nullable=False),  # which runs these are, in words
    Column("back", Text, nullable=False),  # the address of the list where they were counted
    Column("repeat_done", Boolean, nullable=False),  # also those that succeeded
    Column("reason", Text),  # why they are repeated, or closed
    Column("note", Text),
    Column("total", Integer, nullable=False),
    Column("cut", Boolean, nullable=False),  # there were more than one batch takes
    Column("preview", Text),  # JSON, see batches.Part; none: its runs are still being taken
    Column("confirmed_at", UtcTime),
    Column("confirmed_by", Text),
    Column("stopped_at", UtcTime),
    Column("stopped_by", Text),
    Column("finished_at", UtcTime),
)
# Read by the worker, all day long, and nearly always empty: those under way, and drafts.
Index(
    "batches_open",
    batches.c.created_at,
    batches.c.id,
    sqlite_where=text("finished_at IS NULL"),
    postgresql_where=text("finished_at IS NULL"),
)
batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", Key, ForeignKey("batches.id"), primary_key=True, autoincrement=False),
    Column("run_id", Key, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),  # as they were shown
    Column("result", Text),  # none: still to come; see runs/batches.py
    Column("done_at", UtcTime),
)
# Read by the worker, for the next ones to come.
Index(
    "batch_items_to_come",
    batch_items.c.batch_id,
    batch_items.c.run_id,
    sqlite_where=text("result IS NULL"),
    postgresql_where=text("result IS NULL"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run_id", Key, ForeignKey("runs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("requested_by", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("result", Text),  # what the handler returned
    Column("error", Text),  # in words, one line
    Column("traceback", Text),
    Column("output", Text),  # what it logged and printed
    Column("changes", Text),  # of the directory: JSON list of [field, before, after]
    UniqueConstraint("run_id", "number"),
)

# What went out to a business, by an attempt that said so.
messages = Table(
    "messages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run_id", Key, ForeignKey("runs.id"), nullable=False),
    Column("number", Integer, nullable=False),  # of the attempt
    Column("ref_key", LargeBinary, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
)
Index("messages_by_case", messages.c.ref_key, messages.c.id)
Index("messages_by_run", messages.c.run_id, messages.c.id)

workers = Table(
    "workers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("role", Text, nullable=False),  # receiver, worker or dashboard
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("error", Text),  # why it can't do its work, in words
    UniqueConstraint("role", "host", "pid"),
)
# When a role was last seen on any host, also after its rows in `workers` are gone: see presence.py.
role_signs = Table(
    "role_signs",
    metadata,
    Column("role", Text, primary_key=True),
    Column("first_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)
# When nobody was there in a role. One that still lasts is not written yet: it is the age of the last sign.
outages = Table(
    "outages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("role", Text, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=False),
)
Index("outages_by_end", outages.c.ended_at, outages.c.id)

users = Table(
    "users",
    metadata,
    Column("id", Key, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # lower case
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("user_id", Key, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
)
Index("sessions_by_user", sessions.c.user_id)
