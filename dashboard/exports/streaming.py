"""Pages of a list read one by one, each in a short transaction, and handed on before the next is read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dashboard.exports.files import Row, Writer
from dashboard.exports.progress import Progress
from dashboard.queries.paging import Page

SIZE = 500  # rows of a page: some 10 ms of reading

ReadPage = Callable[[AsyncConnection, str | None], Awaitable[Page[Row]]]  # from a cursor on


@dataclass(frozen=True)
class OpenList:
    """By the filters of one request."""

    columns: Sequence[str]
    read: ReadPage


async def stream(
    readers: AsyncEngine, read: ReadPage, writer: Writer, progress: Progress
) -> AsyncIterator[bytes]:
    """What changes meanwhile may be missed or told twice: it is a list, not a picture of one moment.

    What fails in the middle is raised: the server ends the connection, and the file does not look complete.
    """
    is_whole = False
    try:
        yield writer.begin().encode()
        cursor: str | None = None
        while True:
            rows, cursor = await _read(readers, read, cursor)
            yield writer.page(rows).encode()
            progress.count(len(rows))
            if cursor is None:
                break
        yield writer.end().encode()
        is_whole = True
    finally:
        progress.end(is_whole)


async def _read(readers: AsyncEngine, read: ReadPage, cursor: str | None) -> tuple[Sequence[Row], str | None]:
    async with readers.begin() as connection:
        page = await read(connection, cursor)
    return page.rows, page.next
