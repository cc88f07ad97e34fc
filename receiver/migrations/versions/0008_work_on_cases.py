"""Assign cases, set limits for their statuses, and find those with which something is wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

WRONG = {
    "not_enabled": "status || '' = 'COMPLETED' AND NOT account_active",
    "still_enabled": "status <> 'COMPLETED' AND account_active",
    "not_told": "status || '' = 'REJECTED' AND told_at IS NULL",
    "with_gap": "gap",
    "uncertain": "uncertain",
}


def upgrade() -> None:
    op.add_column("cases", sa.Column("assigned_to", sa.Text(), nullable=True))
    op.add_column(
        "cases", sa.Column("account_active", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("cases", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE cases SET account_active = EXISTS (SELECT 1 FROM businesses "
        "WHERE businesses.ref_key = cases.ref_key AND businesses.account_status = 'active'), "
        "told_at = (SELECT MAX(sent_at) FROM messages JOIN runs ON runs.id = messages.run_id "
        "WHERE runs.event_id = cases.last_event_id)"
    )
    op.create_index("cases_by_age", "cases", ["status", "status_since", "id"])
    _create_partial_index(
        "cases_by_reason", [sa.text("substr(reason, 1, 200)"), "changed_at", "id"], "reason IS NOT NULL"
    )
    _create_partial_index("cases_assigned", ["assigned_to", "changed_at", "id"], "assigned_to IS NOT NULL")
    for name, is_wrong in WRONG.items():
        _create_partial_index(f"cases_{name}", ["status_since", "id"], is_wrong)
    op.create_table(
        "status_limits",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("working_days", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("status", name="status_limits_pk"),
    )
    op.create_table(
        "desk_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="desk_settings_pk"),
    )


def _create_partial_index(name: str, columns: list[str | sa.TextClause], where: str) -> None:
    op.create_index(name, "cases", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
