"""Keep VOVE's own view of cases, how far a comparison came, and who took an event over from there."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("events", sa.Column("adopted_by", sa.Text(), nullable=True))
    op.create_table(
        "vove_views",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.Column("ref_key", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("vove_id", sa.Text(), nullable=True),
        sa.Column("vove_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="vove_views_pk"),
        sa.UniqueConstraint("ref_key", name="vove_views_ref_key_unique"),
    )
    op.create_index(
        "vove_views_differing",
        "vove_views",
        ["id"],
        unique=False,
        sqlite_where=sa.text("differs"),
        postgresql_where=sa.text("differs"),
    )
    op.create_table(
        "reconciliations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("next_page", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="reconciliations_pk"),
    )
