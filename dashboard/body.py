"""The bytes of a delivery as a page shows them: whatever was sent, as text that harms nobody."""

import json
from dataclasses import dataclass

from dashboard.filters import lines
from receiver.event import unique

SHOWN = 64 * 1024  # bytes: beyond it a page gets slow, and VOVE's own messages stay below 1 kB
LINE = 16  # bytes of a line of a hex dump, as every tool prints it
DUMPED = 4 * 1024  # bytes
INDENTED = 4 * SHOWN  # characters: deep inside each other, 64 KiB of numbers would be indented to 60 MiB


@dataclass(frozen=True, slots=True)
class ShownBody:
    """`pretty` is None where the body is no JSON, `raw` where it is no text."""

    pretty: str | None
    raw: str | None
    dump: str | None
    cut: bool


def body_as_shown(body: bytes | None) -> ShownBody | None:
    if body is None:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ShownBody(None, None, hex_dump(body[:DUMPED]), cut=len(body) > DUMPED)
    shown = text[:SHOWN]
    return ShownBody(_pretty(text), lines(shown), None, cut=len(shown) < len(text))


def hex_dump(body: bytes) -> str:
    """Offset, bytes in hex, and what of them is printable."""
    rows = (body[start : start + LINE] for start in range(0, len(body), LINE))
    return "\n".join(
        f"{number * LINE:08x}  {row.hex(' '):<{LINE * 3}} {_printable(row)}"
        for number, row in enumerate(rows)
    )


def _printable(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)


def _pretty(text: str) -> str | None:
    """None for what is no JSON, and for what is too much of it or too deep."""
    if len(text) > SHOWN:
        return None
    try:
        value = json.loads(text, object_pairs_hook=unique)  # with a key twice it would hide one of them
        return lines(_indented(value))
    except (ValueError, RecursionError):
        return None


def _indented(value: object) -> str:
    pieces, size = [], 0
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        pieces.append(piece)
        size += len(piece)
        if size > INDENTED:
            raise ValueError("it grows too long")
    return "".join(pieces)
