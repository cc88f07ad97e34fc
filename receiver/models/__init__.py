"""The tables, in the order of the data.

base      what all of them are made with
times     moments, and the numbers that they are kept as
words     the few words that some columns hold
ledger    what the sender delivered, and the counts of it
casebook  what became of each business, and what finds it
desk      what people enter and set, and what they did
work      what handlers owe each event, and how it went
bulk      many runs on one word
roles     which roles are there, and who may look
"""

from receiver.models.base import Key, metadata, record, where
from receiver.models.bulk import batch_items, batches
from receiver.models.casebook import WRONG, cases, findables, reconciliations, vove_views
from receiver.models.desk import (
    activities,
    businesses,
    desk_settings,
    reason_texts,
    reasons,
    seen_reasons,
    status_limits,
)
from receiver.models.ledger import case_counts, deliveries, delivery_counts, events, refused_rooms, revision
from receiver.models.roles import outages, password_links, role_signs, sessions, users, workers
from receiver.models.times import (
    EPOCH,
    HOUR,
    MICROSECOND,
    UtcTime,
    day_of,
    from_microseconds,
    hour_of,
    to_microseconds,
)
from receiver.models.words import Outcome, RunState, Shape, StartedBy, Verdict
from receiver.models.work import attempt_counts, attempts, failures, handlers, messages, pauses, runs

__all__ = [
    "EPOCH",
    "HOUR",
    "MICROSECOND",
    "WRONG",
    "Key",
    "Outcome",
    "RunState",
    "Shape",
    "StartedBy",
    "UtcTime",
    "Verdict",
    "activities",
    "attempt_counts",
    "attempts",
    "batch_items",
    "batches",
    "businesses",
    "case_counts",
    "cases",
    "day_of",
    "deliveries",
    "delivery_counts",
    "desk_settings",
    "events",
    "failures",
    "findables",
    "from_microseconds",
    "handlers",
    "hour_of",
    "messages",
    "metadata",
    "outages",
    "password_links",
    "pauses",
    "reason_texts",
    "reasons",
    "reconciliations",
    "record",
    "refused_rooms",
    "revision",
    "role_signs",
    "runs",
    "seen_reasons",
    "sessions",
    "status_limits",
    "to_microseconds",
    "users",
    "vove_views",
    "where",
    "workers",
]
