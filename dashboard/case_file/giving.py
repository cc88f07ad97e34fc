"""The JSON file: one case after the other, each with the digest of its bytes, which is noted with who asked.

A case is noted before a byte of it leaves. One too large to be held back is noted when it is begun, and with
its digest at its end. What fails in the middle ends the connection: half a file never looks like a whole one.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from dashboard.case_file.canonical import canonical, written
from dashboard.case_file.reading import open_file
from receiver.activity import Kind, note

FORMAT = "KYB Desk case file 1"
HELD = 1024 * 1024  # bytes of a case that are held back until it is noted
HOW_TO_CHECK = (
    "sha256 is the SHA-256 of the case written as JSON in ASCII, with its keys sorted and without spaces: "
    "jq -jcSa '.cases[0].case' FILE | sha256sum"
)


@dataclass(frozen=True)
class Asked:
    """Which cases, by whom; `unknown` are references of which nothing is known."""

    ref_ids: Sequence[str]
    unknown: Sequence[str]
    by: str

    def of(self, number: int) -> str:
        return f"case {number} of {len(self.ref_ids)}" if len(self.ref_ids) > 1 else "one case"


async def json_file(readers: AsyncEngine, writer: AsyncEngine, asked: Asked) -> AsyncIterator[bytes]:
    yield b"{%s,\n" % _members(
        format=FORMAT,
        how_to_check=HOW_TO_CHECK,
        made_at=_now(),
        made_by=asked.by,
        unknown=list(asked.unknown),
    )
    yield b'"cases":['
    for number, ref_id in enumerate(asked.ref_ids, 1):
        yield b"\n" if number == 1 else b",\n"
        async for piece in _case(readers, writer, asked, number, ref_id):
            yield piece
    yield b"\n]}\n"


async def _case(
    readers: AsyncEngine, writer: AsyncEngine, asked: Asked, number: int, ref_id: str
) -> AsyncIterator[bytes]:
    opened, digest = await open_file(readers, ref_id), hashlib.sha256()
    held, begun, what = bytearray(b'{"case":'), False, f"JSON, {asked.of(number)}"
    async for piece in written(opened.members):
        digest.update(piece)
        held += piece
        if len(held) > HELD:
            if not begun:
                await note_given(writer, asked.by, ref_id, None, f"{what}, begun")
            begun = True
            yield bytes(held)
            held.clear()
    moved = await opened.has_moved()
    await note_given(writer, asked.by, ref_id, digest.hexdigest(), what)
    yield bytes(held) + b",%s}" % _members(moved_while_read=moved, sha256=digest.hexdigest())


async def note_given(writer: AsyncEngine, by: str, ref_id: str, digest: str | None, what: str) -> None:
    async with writer.begin() as connection:
        await connection.run_sync(
            note, Kind.CASE_FILE, by, datetime.now(UTC), ref_id=ref_id, subject=digest, detail=what
        )


def _members(**values: object) -> bytes:
    return canonical(values)[1:-1]


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
