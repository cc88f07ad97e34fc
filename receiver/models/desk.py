"""What people enter and set, and what they did."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from receiver.models.base import Key, metadata, where
from receiver.models.times import UtcTime

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
    **where("ref_key IS NOT NULL"),
)
