"""Queries as the pages run them: on the readers' engine, which can't write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.database import Database

T = TypeVar("T")


def read(database: Database, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async def answer() -> T:
        readers = database.page_readers()
        try:
            async with readers.begin() as connection:
                return await query(connection)
        finally:
            await readers.dispose()

    return asyncio.run(answer())
