"""Where the ledger is kept, how large it is, and how much room is left."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Room:
    """Of the disk, in bytes."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Sizes in bytes; `log_size` and `room` None: not known here."""

    name: str
    version: str
    schema: str
    size: int
    log_size: int | None = None
    journal_mode: str | None = None
    room: Room | None = None


async def find_storage(connection: AsyncConnection) -> Storage:
    schema = await connection.scalar(text("SELECT version_num FROM alembic_version")) or "unknown"
    if connection.dialect.name == "postgresql":
        return await _postgresql(connection, schema)
    return await _sqlite(connection, schema)


async def _postgresql(connection: AsyncConnection, schema: str) -> Storage:
    return Storage(
        "PostgreSQL",
        await connection.scalar(text("SHOW server_version")) or "unknown",
        schema,
        await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0,
    )


async def _sqlite(connection: AsyncConnection, schema: str) -> Storage:
    databases = await connection.execute(text("PRAGMA database_list"))
    path = Path(next(row.file for row in databases if row.name == "main"))
    pages = await connection.scalar(text("PRAGMA page_count")) or 0
    return Storage(
        "SQLite",
        await connection.scalar(text("SELECT sqlite_version()")) or "unknown",
        schema,
        pages * (await connection.scalar(text("PRAGMA page_size")) or 0),
        log_size=_size(path.with_name(f"{path.name}-wal")),
        journal_mode=await connection.scalar(text("PRAGMA journal_mode")),
        room=_room(path.parent),
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _room(directory: Path) -> Room | None:
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return None
    return Room(usage.free, usage.total)
