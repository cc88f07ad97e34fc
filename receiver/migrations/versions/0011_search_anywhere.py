"""Find text anywhere in references, names, message ids and reasons, however many there are."""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

from receiver.search import note_everything

revision = "0011"
down_revision = "0010"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FOLDED = sa.Text().with_variant(TEXT(collation="C"), "postgresql")
OF_BUSINESS = sa.text("kind <> 'event'")
BY_TRIGRAM = "CREATE INDEX findables_by_trigram ON findables USING gin (text gin_trgm_ops)"

log = logging.getLogger(__name__)


def upgrade() -> None:
    op.create_table(
        "findables",
        sa.Column("id", KEY, nullable=False),
        sa.Column("ref_key", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", FOLDED, nullable=False),
        sa.PrimaryKeyConstraint("id", name="findables_pk"),
    )
    op.create_index("findables_by_case", "findables", ["ref_key"])
    _create_index_of_business("findables_of_business", ["ref_key", "kind"], unique=True)
    _create_index_of_business("findables_by_start", [sa.text("substr(text, 1, 2)"), "ref_key"])
    note_everything(op.get_bind())
    if op.get_context().dialect.name == "postgresql":
        _index_trigrams(op.get_bind())
    else:
        _create_trigrams()


def _create_index_of_business(name: str, columns: list[str | sa.TextClause], unique: bool = False) -> None:
    op.create_index(
        name, "findables", columns, unique=unique, sqlite_where=OF_BUSINESS, postgresql_where=OF_BUSINESS
    )


def _create_trigrams() -> None:
    """The index keeps no copy of the texts, and only which of them has a trigram, not where: half the room.
    Triggers keep it, so that nobody can forget it; the table is not on the way of a delivery."""
    op.execute(
        "CREATE VIRTUAL TABLE findables_trigrams USING fts5(text, content='findables', content_rowid='id', "
        "tokenize='trigram', detail='none', columnsize=0)"
    )
    add = "INSERT INTO findables_trigrams (rowid, text) VALUES (new.id, new.text);"
    take_out = (
        "INSERT INTO findables_trigrams (findables_trigrams, rowid, text) "
        "VALUES ('delete', old.id, old.text);"
    )
    op.execute(f"CREATE TRIGGER findables_added AFTER INSERT ON findables BEGIN {add} END")
    op.execute(f"CREATE TRIGGER findables_deleted AFTER DELETE ON findables BEGIN {take_out} END")
    op.execute(
        f"CREATE TRIGGER findables_changed AFTER UPDATE OF text ON findables BEGIN {take_out} {add} END"
    )
    op.execute("INSERT INTO findables_trigrams (findables_trigrams) VALUES ('rebuild')")


def _index_trigrams(connection: sa.Connection) -> None:
    """A trusted extension, which the owner of a database may create; where it is missing a search reads every
    text."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            connection.exec_driver_sql(BY_TRIGRAM)
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        log.warning(
            "Searches will be slow where there is much: the extension pg_trgm can't be used (%s). "
            "Once it can, run as its owner in this database: CREATE EXTENSION pg_trgm; %s",
            reason,
            BY_TRIGRAM,
        )
