"""What became of each business."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, false, text
from sqlalchemy.dialects.postgresql import TEXT

from receiver.models.base import Key, metadata, where
from receiver.models.times import UtcTime

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
    **where("reason IS NOT NULL"),
)
Index(
    "cases_assigned",
    cases.c.assigned_to,
    cases.c.changed_at,
    cases.c.id,
    **where("assigned_to IS NOT NULL"),
)
# Read by the overview, and by the lists behind its figures: what should be few, the oldest first.
for name, is_wrong in WRONG.items():
    Index(
        f"cases_{name}",
        cases.c.status_since,
        cases.c.id,
        **where(is_wrong),
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
    **where("kind <> 'event'"),
)
# Read by searches of one character or two.
Index(
    "findables_by_start",
    text("substr(text, 1, 2)"),
    findables.c.ref_key,
    **where("kind <> 'event'"),
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
    **where("differs"),
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
