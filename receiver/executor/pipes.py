"""A pipe from a child, drained without ever waiting."""

import os

from receiver.handlers.words import CUT, storable

CHUNK = 65536  # bytes: what a pipe holds
CHUNKS_AT_ONCE = 16  # a child that never stops writing must not hold up the others


class Pipe:
    """Of all that comes out of it, the first `head` and the last `tail` bytes are kept."""

    def __init__(self, head: int, tail: int) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self.reading = os.fdopen(reading, "rb", buffering=0)
        self.writing = os.fdopen(writing, "wb", buffering=0)
        self._head, self._tail = head, tail
        self._first, self._last = bytearray(), bytearray()
        self._cut = False

    def drain(self) -> bool:
        """Take what is there; False at the end, when nobody can write any more."""
        for _ in range(CHUNKS_AT_ONCE):
            chunk = self.reading.read(CHUNK)
            if chunk is None:
                return True
            if not chunk:
                return False
            self._keep(chunk)
        return True

    def _keep(self, chunk: bytes) -> None:
        room = self._head - len(self._first)
        self._first += chunk[:room]
        self._last += chunk[room:]
        if len(self._last) > self._tail:
            self._cut = True
            del self._last[: -self._tail]

    def last(self) -> bytes:
        return bytes(self._last)

    def text(self) -> str | None:
        between = f"\n{CUT}\n".encode() if self._cut else b""
        return storable((self._first + between + self._last).decode(errors="replace")) or None

    def close(self) -> None:
        self.reading.close()
        self.writing.close()
