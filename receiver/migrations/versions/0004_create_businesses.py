"""Create the business directory, what went out to businesses, and what may be said of a reason."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "businesses",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.Column("ref_key", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("account_status", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("access_granted", sa.Boolean(), nullable=False),
        sa.Column("review_status", sa.Text(), nullable=True),
        sa.Column("review_since", sa.BigInteger(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="businesses_pk"),
        sa.UniqueConstraint("ref_key", name="businesses_ref_key_unique"),
    )
    op.create_table(
        "messages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ref_key", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="messages_run_id_fk"),
        sa.PrimaryKeyConstraint("id", name="messages_pk"),
    )
    op.create_index("messages_by_case", "messages", ["ref_key", "id"], unique=False)
    op.create_index("messages_by_run", "messages", ["run_id", "id"], unique=False)
    op.create_table(
        "reasons",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("never_tell", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="reasons_pk"),
    )
    op.create_table(
        "reason_texts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["code"], ["reasons.code"], name="reason_texts_code_fk"),
        sa.PrimaryKeyConstraint("id", name="reason_texts_pk"),
    )
    op.create_index("reason_texts_by_code", "reason_texts", ["code", "language", "id"], unique=False)
    op.add_column("attempts", sa.Column("changes", sa.Text(), nullable=True))
