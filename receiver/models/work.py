"""What handlers owe each event, and how it went."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from receiver.models.base import Key, metadata, where
from receiver.models.times import UtcTime

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
    **where("state IN ('queued', 'retrying')"),
)
# Read by runs.claim, for those of the same case that come first or are under way.
Index(
    "runs_open",
    runs.c.ref_key,
    runs.c.handler,
    **where("state IN ('queued', 'retrying', 'running')"),
)
# Read by runs.rescue, for leases that have run out.
Index(
    "runs_leased",
    runs.c.lease_until,
    **where("state = 'running'"),
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
    **where("state = 'failed'"),
)
Index(
    "runs_failed_by_case",
    runs.c.ref_key,
    **where("state = 'failed'"),
)
# Read by the list of what is being retried, by failure.
Index(
    "runs_retrying",
    runs.c.state,
    runs.c.fingerprint,
    runs.c.id,
    runs.c.ref_key,
    runs.c.due_at,
    **where("state = 'retrying'"),
)
# Read when a run fails: the same failure opens a closed one of its case again.
Index(
    "runs_closed",
    runs.c.ref_key,
    runs.c.handler,
    **where("state = 'closed'"),
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
