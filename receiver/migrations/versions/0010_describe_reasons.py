"""Explain reasons to ourselves, note those that were seen, and find rejections by day."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

REJECTING = sa.text("status = 'REJECTED' AND place IS NOT NULL AND link <> 'repeat'")


def upgrade() -> None:
    op.add_column("reasons", sa.Column("explanation", sa.Text(), nullable=True))
    op.create_table(
        "seen_reasons",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="seen_reasons_pk"),
    )
    op.execute(
        "INSERT INTO seen_reasons (code, first_at, last_at, ref_id) "
        "SELECT substr(reason, 1, 200), MIN(received_at), MAX(received_at), MIN(ref_id) FROM events "
        "WHERE reason <> '' AND family = 'kyb' AND status = 'REJECTED' AND dispatched_at IS NOT NULL "
        "GROUP BY substr(reason, 1, 200)"
    )
    op.create_index("seen_reasons_by_first", "seen_reasons", ["first_at", "code"])
    op.create_index(
        "events_rejecting",
        "events",
        [sa.text("COALESCE(message_at, first_attempt_at)"), sa.text("substr(reason, 1, 200)"), "ref_key"],
        sqlite_where=REJECTING,
        postgresql_where=REJECTING,
    )
