"""What the modules of a run's life share."""

from sqlalchemy import ColumnElement, select, text

from receiver.cases import Link
from receiver.models import events

# As text: a partial index serves only a condition that it can read, not one with parameters.
IS_OPEN = text("runs.state IN ('queued', 'retrying', 'running')")
IS_DUE = text("runs.state IN ('queued', 'retrying')")
IS_QUEUED = text("runs.state = 'queued'")
IS_RUNNING = text("runs.state = 'running'")
IS_CLOSED = text("runs.state = 'closed'")
IS_UNFINISHED = text("batches.finished_at IS NULL")
IS_DRAFT = text("batches.finished_at IS NULL AND confirmed_at IS NULL AND preview IS NOT NULL")
IS_TO_COME = text("batch_items.result IS NULL")
IS_UNDISPATCHED = text("events.dispatched_at IS NULL")


def has_moved_on() -> ColumnElement[bool]:
    """Of an event that a query selects: whether anything but a repeat of it stands after it in its case."""
    later = events.alias()
    follows = later.c.ref_key == events.c.ref_key, later.c.place > events.c.place
    return select(later.c.id).where(*follows, later.c.link != Link.REPEAT).exists()
