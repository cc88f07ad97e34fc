"""One page of a list by keyset: it costs the same on page one and on page ten thousand."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, Select, literal, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
U = TypeVar("U")

LARGEST = 2**63 - 1  # what a column of either database can hold


class Way(StrEnum):
    NEXT = "n"
    PREVIOUS = "p"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts: beyond the row with this key, on this way."""

    way: Way
    key: tuple[int, ...]

    def __str__(self) -> str:
        text = ".".join([self.way, *map(str, self.key)])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def cursor_from(text: str | None, length: int) -> Cursor | None:
    """Read a cursor from an address; a malformed one is the first page."""
    try:
        way, *key = base64.urlsafe_b64decode(f"{text or ''}===").decode("ascii").split(".")
        cursor = Cursor(Way(way), tuple(map(int, key)))
    except (ValueError, binascii.Error):
        return None
    fits = len(cursor.key) == length and all(abs(part) <= LARGEST for part in cursor.key)
    return cursor if fits else None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` and `previous` are cursors, or None where the list ends."""

    rows: Sequence[T]
    next: str | None = None
    previous: str | None = None

    def of(self, made: Callable[[T], U]) -> "Page[U]":
        return Page([made(row) for row in self.rows], self.next, self.previous)


async def read_page(
    connection: AsyncConnection,
    queries: Sequence[Select[Any]],
    keys: Sequence[ColumnElement[Any]],
    key_of: Callable[[Row[Any]], tuple[int, ...]],
    cursor: Cursor | None,
    size: int,
    descending: bool = True,
) -> Page[Row[Any]]:
    """Read one row more than a page holds: its presence is the link to the next page.

    Several queries are merged: each then walks an index in order, where an OR of them would be sorted.
    """
    backwards = cursor is not None and cursor.way is Way.PREVIOUS
    downwards = descending is not backwards
    columns = [type_coerce(key, BigInteger) for key in keys]
    found: list[Row[Any]] = []
    for query in queries:
        if cursor is not None:
            bound = tuple_(*(literal(part, BigInteger) for part in cursor.key))
            query = query.where(tuple_(*columns) < bound if downwards else tuple_(*columns) > bound)
        query = query.order_by(*(column.desc() if downwards else column.asc() for column in columns))
        found += (await connection.execute(query.limit(size + 1))).all()
    found.sort(key=key_of, reverse=downwards)
    return _page(found, size, key_of, backwards, cursor is not None)


def _page(
    found: list[Row[Any]],
    size: int,
    key_of: Callable[[Row[Any]], tuple[int, ...]],
    backwards: bool,
    inside: bool,
) -> Page[Row[Any]]:
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page(rows)
    return Page(
        rows,
        next=str(Cursor(Way.NEXT, key_of(rows[-1]))) if more or backwards else None,
        previous=str(Cursor(Way.PREVIOUS, key_of(rows[0]))) if (more if backwards else inside) else None,
    )
