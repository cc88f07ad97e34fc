"""What the modules of a run's life share."""

from sqlalchemy import Connection, text, true, update

from receiver.models import revision

# As text: a partial index serves only a condition that it can read, not one with parameters.
IS_DUE = text("runs.state IN ('queued', 'retrying')")
IS_RUNNING = text("runs.state = 'running'")
IS_UNDISPATCHED = text("events.dispatched_at IS NULL")


def raise_revision(connection: Connection) -> None:
    """So that open pages look again."""
    connection.execute(update(revision).where(true()).values(n=revision.c.n + 1))
