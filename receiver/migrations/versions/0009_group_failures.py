"""Group runs by what they failed with, close them without retrying, and take many on one word."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FAILED = "state = 'failed'"


def upgrade() -> None:
    op.add_column("runs", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("closed_at", sa.BigInteger(), nullable=True))
    op.add_column("runs", sa.Column("closed_by", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("close_reason", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("close_note", sa.Text(), nullable=True))
    _create_partial_index("runs_failed", "runs", ["state", "fingerprint", "id", "ref_key"], FAILED)
    _create_partial_index("runs_failed_by_case", "runs", ["ref_key"], FAILED)
    retrying = ["state", "fingerprint", "id", "ref_key", "due_at"]
    _create_partial_index("runs_retrying", "runs", retrying, "state = 'retrying'")
    op.create_index("runs_by_handler", "runs", ["handler", "state", "id"])
    _create_partial_index("runs_closed", "runs", ["ref_key", "handler"], "state = 'closed'")
    op.create_table(
        "failures",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="failures_pk"),
    )
    op.create_index("failures_by_time", "failures", ["last_at", "fingerprint"])
    _group_what_has_failed_before()
    op.create_table(
        "batches",
        sa.Column("id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("back", sa.Text(), nullable=False),
        sa.Column("repeat_done", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_by", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="batches_pk"),
    )
    _create_partial_index("batches_open", "batches", ["created_at", "id"], "finished_at IS NULL")
    op.create_table(
        "batch_items",
        sa.Column("batch_id", KEY, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "run_id", name="batch_items_pk"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="batch_items_batch_id_fk"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="batch_items_run_id_fk"),
    )
    _create_partial_index("batch_items_to_come", "batch_items", ["batch_id", "run_id"], "result IS NULL")


def _group_what_has_failed_before() -> None:
    """Of what failed until now only the words were kept: it is one group for each handler."""
    op.execute(
        "UPDATE runs SET fingerprint = 'before ' || handler WHERE state IN ('failed', 'retrying', 'closed')"
    )
    op.execute(
        "INSERT INTO failures (fingerprint, handler, kind, place, error, first_at, last_at) "
        "SELECT fingerprint, handler, 'before', NULL, "
        "COALESCE(substr(MAX(summary), 1, 300), 'It did not work'), "
        "MIN(COALESCE(finished_at, created_at)), MAX(COALESCE(finished_at, created_at)) "
        "FROM runs WHERE fingerprint IS NOT NULL GROUP BY fingerprint, handler"
    )


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
