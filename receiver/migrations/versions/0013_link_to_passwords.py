"""Let people choose their passwords by a link, and keep when somebody was here last."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "password_links",
        sa.Column("user_id", KEY, autoincrement=False, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="password_links_user_id_fk"),
        sa.PrimaryKeyConstraint("user_id", name="password_links_pk"),
        sa.UniqueConstraint("token_sha256", name="password_links_token_sha256_unique"),
    )
    op.add_column("users", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE users SET seen_at = (SELECT MAX(used_at) FROM sessions WHERE sessions.user_id = users.id)"
    )
