"""Order runs by case, pause handlers, keep counts of attempts, and remember handlers that were taken away."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE = sa.text("state IN ('queued', 'retrying')")
OPEN = sa.text("state IN ('queued', 'retrying', 'running')")


def upgrade() -> None:
    op.add_column("runs", sa.Column("ref_key", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE runs SET ref_key = (SELECT ref_key FROM events WHERE events.id = runs.event_id)")
    op.drop_index("runs_due", "runs")
    op.create_index(
        "runs_due",
        "runs",
        ["handler", "due_at", "id"],
        unique=False,
        sqlite_where=DUE,
        postgresql_where=DUE,
    )
    op.create_index(
        "runs_open", "runs", ["ref_key", "handler"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.add_column("handlers", sa.Column("leaving", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("handlers", sa.Column("effect", sa.Text(), nullable=True))
    for name in ("removed_at", "next_at", "last_failed_at"):
        op.add_column("handlers", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("handlers", sa.Column("last_failed_run_id", KEY, nullable=True))
    op.execute(  # those that were taken away left no row; see runs.retire
        "INSERT INTO handlers (name, title, statuses, once, module, registered_at, removed_at) "
        "SELECT DISTINCT handler, handler, '[]', false, '', 0, 0 FROM runs "
        "WHERE handler NOT IN (SELECT name FROM handlers)"
    )
    op.create_table(
        "pauses",
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("handler", name="pauses_pk"),
    )
    op.create_table(
        "attempt_counts",
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.BigInteger(), nullable=False),
        sa.Column("longest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handler", "day", "outcome", name="attempt_counts_pk"),
    )
