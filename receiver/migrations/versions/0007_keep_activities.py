"""Keep who did what, on what, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_A_CASE = sa.text("ref_key IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=True),
        sa.Column("ref_key", sa.LargeBinary(), nullable=True),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="activities_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index("activities_by_person", "activities", ["by", "at", "id"])
    op.create_index("activities_by_kind", "activities", ["kind", "at", "id"])
    op.create_index("activities_by_time", "activities", ["at", "id"])
    op.create_index(
        "activities_by_case",
        "activities",
        ["ref_key", "at", "id"],
        sqlite_where=OF_A_CASE,
        postgresql_where=OF_A_CASE,
    )
