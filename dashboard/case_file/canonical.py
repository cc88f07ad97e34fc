"""Values to bytes, always the same ones for the same values: JSON with its keys sorted, without spaces, in
ASCII. `json.dumps` in Python and `jq -jcSa` write it alike, so that anybody can make the digest again."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


async def written(members: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The canonical bytes of an object, bit by bit: a member may be a list whose rows are still to come."""
    before = b"{"
    for name in sorted(members):
        yield before + canonical(name) + b":"
        value = members[name]
        if isinstance(value, AsyncIterator):
            async for piece in _rows(value):
                yield piece
        else:
            yield canonical(value)
        before = b","
    yield b"}" if members else b"{}"


async def _rows(rows: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    before = b"["
    async for row in rows:
        yield before + canonical(row)
        before = b","
    yield b"[]" if before == b"[" else b"]"
