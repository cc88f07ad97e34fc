"""As much of a case file as a page can print. The JSON file has all of it."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from dashboard.case_file.canonical import canonical, written
from dashboard.case_file.facts import Facts
from dashboard.case_file.reading import open_file

PRINTED = 200  # of each list of a case
ROOM = 4 * 1024 * 1024  # bytes of lists, of all cases of a page
LARGE = 5000  # status changes: one with more is not read to its end while somebody waits for a page


@dataclass(frozen=True)
class PrintedCase:
    """`digest` is None of one that is too large; `left_out`: by list, how many rows it does not print."""

    facts: Mapping[str, Any]
    digest: str | None
    left_out: Mapping[str, int]
    moved: bool

    @property
    def is_cut(self) -> bool:
        return self.digest is None or any(self.left_out.values())


class Room:
    def __init__(self, left: int = ROOM) -> None:
        self.left = left


async def print_case(readers: AsyncEngine, ref_id: str, room: Room) -> PrintedCase:
    opened = await open_file(readers, ref_id)
    is_large = opened.size > LARGE
    lists = {
        name: _Kept(value, room, to_its_end=not is_large)
        for name, value in opened.members.items()
        if isinstance(value, AsyncIterator)
    }
    digest = hashlib.sha256()
    async for piece in written({**opened.members, **lists}):
        digest.update(piece)
    return PrintedCase(
        facts={**opened.members, **{name: kept.rows for name, kept in lists.items()}},
        digest=None if is_large else digest.hexdigest(),
        left_out={name: kept.left_out for name, kept in lists.items()},
        moved=await opened.has_moved(),
    )


class _Kept(AsyncIterator[Facts]):
    """Hands rows on, and keeps the first ones."""

    def __init__(self, rows: AsyncIterator[Facts], room: Room, to_its_end: bool) -> None:
        self._rows, self._room, self._to_its_end = rows, room, to_its_end
        self.rows: list[Facts] = []
        self.left_out = 0

    async def __anext__(self) -> Facts:
        if not self._to_its_end and self.left_out:
            raise StopAsyncIteration
        row = await anext(self._rows)
        size = len(canonical(row)) if len(self.rows) < PRINTED and not self.left_out else 0
        if size and size <= self._room.left:
            self._room.left -= size
            self.rows.append(row)
        else:
            self.left_out += 1
        return row
