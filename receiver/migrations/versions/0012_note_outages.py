"""Note when a role was not there, and find deliveries by their cause and by an id that became no event."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WITH_CAUSE = sa.text("cause IS NOT NULL")
WITHOUT_EVENT = sa.text("event_id IS NULL AND svix_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "role_signs",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", name="role_signs_pk"),
    )
    op.execute(
        "INSERT INTO role_signs (role, first_at, seen_at) "
        "SELECT role, MIN(started_at), MAX(seen_at) FROM workers GROUP BY role"
    )
    op.create_table(
        "outages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="outages_pk"),
    )
    op.create_index("outages_by_end", "outages", ["ended_at", "id"])
    op.create_index(
        "deliveries_by_cause",
        "deliveries",
        ["cause", "id"],
        sqlite_where=WITH_CAUSE,
        postgresql_where=WITH_CAUSE,
    )
    op.create_index(
        "deliveries_by_svix_id",
        "deliveries",
        ["svix_id", "id"],
        sqlite_where=WITHOUT_EVENT,
        postgresql_where=WITHOUT_EVENT,
    )
