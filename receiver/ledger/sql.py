"""Statements as text and plain tuples: through SQLAlchemy's compiler each would cost ten times as much."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection


def select_in(connection: Connection, statement: str, keys: Sequence[Any], suffix: str = "") -> Sequence[Any]:
    """Rows of `statement IN (keys) suffix`."""
    if not keys:
        return []
    marks = _marks(_mark(connection), len(keys))
    return connection.exec_driver_sql(f"{statement} IN {marks}{suffix}", tuple(keys)).all()


def insert(
    connection: Connection, into: str, columns: int, rows: Iterable[Sequence[Any]], suffix: str
) -> Sequence[Any]:
    """One INSERT of all rows; `suffix` says what to do on conflict and what to return."""
    rows = list(rows)
    if not rows:
        return []
    values = ", ".join([_marks(_mark(connection), columns)] * len(rows))
    parameters = tuple(value for row in rows for value in row)
    return connection.exec_driver_sql(f"INSERT INTO {into} VALUES {values} {suffix}", parameters).all()


def execute_many(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """One statement, written with `?`, for each row."""
    rows = list(rows)
    if rows:
        connection.exec_driver_sql(statement.replace("?", _mark(connection)), rows)


def lock_rows(connection: Connection, order: str) -> str:
    """PostgreSQL locks the rows it reads, in one order for all; on SQLite the whole file is ours already."""
    return f" ORDER BY {order} FOR UPDATE" if connection.dialect.name == "postgresql" else ""


def select_where(connection: Connection, statement: str, value: Any, suffix: str = "") -> Sequence[Any]:
    """Rows of `statement = value suffix`."""
    return connection.exec_driver_sql(f"{statement} = {_mark(connection)}{suffix}", (value,)).all()


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


@lru_cache(maxsize=1024)
def _marks(mark: str, n: int) -> str:
    return f"({', '.join([mark] * n)})"
