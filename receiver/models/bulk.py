"""Many runs at once."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from receiver.models.base import Key, metadata, where
from receiver.models.times import UtcTime

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
    **where("finished_at IS NULL"),
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
    **where("result IS NULL"),
)
