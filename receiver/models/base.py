"""What all tables are made with."""

from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Integer, MetaData, text

Record = TypeVar("Record")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite grows ids by itself only on INTEGER


def where(condition: str) -> dict[str, Any]:
    """A partial index on either database, for reads that say the condition in these very words."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def record(kind: type[Record], row: Any, **others: Any) -> Record:
    """A dataclass made of a row, column by column as its fields are named, but for the fields in `others`."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # any dataclass
    return kind(**{name: getattr(row, name) for name in names if name not in others}, **others)
