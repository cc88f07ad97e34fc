"""The bytes as they may have been before something on the way wrote them anew.

Each is named by what was done to the bytes on their way, and gives what VOVE may have signed before. All of
them together cost some milliseconds: a body of VOVE's has some hundred bytes.
"""

import base64
import binascii
import json
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, permutations
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

LARGEST = 16 * 1024  # bytes of a body that is written anew as JSON
INFLATED = 256 * 1024  # bytes: some kilobytes can be inflated to gigabytes
MOST_KEYS = 4  # of an object whose keys are tried in every order, as many as VOVE sends: 24 orders
MOST_PARTS = 20  # of a form or an envelope
WRITTEN = 256 * 1024  # characters: deep inside each other, little JSON is indented to very much
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Original:
    """What may have been signed. `done` says what was done to it since, as in “something on the way …”."""

    body: bytes
    done: str


def originals(received: bytes) -> Iterator[Original]:
    """The likely ones first; never the bytes as they came."""
    seen = {received}
    for original in _all(received):
        if original.body not in seen:
            seen.add(original.body)
            yield original


def _all(received: bytes) -> Iterator[Original]:
    yield from _ends(received)
    yield from _packed(received)
    text = _as_text(received)
    if text is None:
        yield from _from_other_charsets(received)
        return
    yield from _twice_encoded(text)
    yield from _wrapped(text)
    if len(received) <= LARGEST:
        yield from _written_anew(text)


def _ends(received: bytes) -> Iterator[Original]:
    """Line ends, the end of the text, a mark at its beginning."""
    if received.startswith(BOM):
        yield Original(received[len(BOM) :], "put a byte order mark (EF BB BF) in front of the body")
    else:
        yield Original(BOM + received, "took the byte order mark (EF BB BF) off the front of the body")
    stripped = received.rstrip(b"\r\n")
    yield Original(stripped, "added a line end after the body")
    yield Original(received.strip(), "added spaces or line ends around the body")
    yield Original(stripped + b"\n", "took the line end (LF) off the end of the body")
    yield Original(stripped + b"\r\n", "took the line end (CR LF) off the end of the body")
    with_lf = received.replace(b"\r\n", b"\n")
    yield Original(with_lf, "turned the body's line ends from LF into CR LF")
    yield Original(with_lf.replace(b"\n", b"\r\n"), "turned the body's line ends from CR LF into LF")


def _packed(received: bytes) -> Iterator[Original]:
    for name, window in (("gzip", 31), ("zlib", 15), ("deflate", -15)):
        unpacked = _inflated(received, window)
        if unpacked:
            yield Original(unpacked, f"compressed the body ({name})")
    if received.isascii():
        try:
            yield Original(base64.b64decode(received, validate=True), "encoded the body as base64")
        except (binascii.Error, ValueError):
            return


def _inflated(received: bytes, window: int) -> bytes | None:
    inflating = zlib.decompressobj(window)
    try:
        unpacked = inflating.decompress(received, INFLATED)
    except zlib.error:
        return None
    return unpacked if inflating.eof else None


def _as_text(received: bytes) -> str | None:
    try:
        return received.decode()
    except UnicodeDecodeError:
        return None


def _from_other_charsets(received: bytes) -> Iterator[Original]:
    for charset in ("utf-16", "cp1252", "latin-1"):
        try:
            yield Original(received.decode(charset).encode(), f"turned the body from UTF-8 into {charset}")
        except UnicodeError:
            continue


def _twice_encoded(text: str) -> Iterator[Original]:
    for charset in ("latin-1", "cp1252"):
        try:
            once = text.encode(charset)
        except UnicodeError:
            continue
        yield Original(once, f"took the UTF-8 of the body for {charset} and encoded it a second time")
    for form in ("NFC", "NFD"):
        normal = unicodedata.normalize(form, text)
        yield Original(_bytes(normal), "changed how accented letters are written (Unicode normalisation)")


def _wrapped(text: str) -> Iterator[Original]:
    """The body inside something else: a form, an envelope of JSON, a JSON string."""
    if "%" in text or "+" in text:
        unquoted = unquote_to_bytes(text.replace("+", " ")).removesuffix(b"=")
        yield Original(unquoted, "sent the body as a form (URL-encoded)")
        for part in _form_fields(text):
            yield Original(_bytes(part), "sent the body as a field of a form (URL-encoded)")
    value = _parsed(text)
    if isinstance(value, str):
        yield Original(_bytes(value), "put the body as text into a JSON string")
    if isinstance(value, dict):
        for part in islice(value.values(), MOST_PARTS):
            if isinstance(part, str):
                yield Original(_bytes(part), "put the body as text into a field of another JSON object")
                yield from (
                    Original(packed.body, "put the body as base64 into a field of another JSON object")
                    for packed in _packed(_bytes(part))
                )


def _form_fields(text: str) -> Iterable[str]:
    try:
        return [value for _, value in islice(parse_qsl(text, max_num_fields=MOST_PARTS), MOST_PARTS)]
    except ValueError:
        return []


def _written_anew(text: str) -> Iterator[Original]:
    """The same JSON as other programs write it."""
    value = _parsed(text.removeprefix("\ufeff"))
    if value is None:
        return
    for form, write in FORMS.items():
        written = _written(write, value)
        yield from _with_ends(written, f"wrote the JSON anew: VOVE signed it as {form} writes it")
    for ordered, how in _orders(value):
        for form, write in FORMS.items():
            written = _written(write, ordered)
            done = f"wrote the JSON anew, {how}: VOVE signed it as {form} writes it"
            yield from _with_ends(written, done)


def _with_ends(written: bytes | None, done: str) -> Iterator[Original]:
    if written is not None:
        yield Original(written, done)
        yield Original(written + b"\n", f"{done}, with a line end after it")


def _orders(value: Any) -> Iterator[tuple[Any, str]]:
    """An object's keys in every order, where they are few; else sorted."""
    if not isinstance(value, dict) or len(value) < 2:
        return
    if len(value) > MOST_KEYS:
        yield _sorted(value), "and its keys in another order"
        return
    for keys in permutations(value):
        yield {key: value[key] for key in keys}, "and its keys in another order"


def _sorted(value: dict[str, Any]) -> dict[str, Any]:
    return {key: value[key] for key in sorted(value)}


def _parsed(text: str) -> Any:
    """None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _written(write: Callable[[Any], Iterable[str]], value: Any) -> bytes | None:
    pieces, length = [], 0
    try:
        for piece in write(value):
            pieces.append(piece)
            length += len(piece)
            if length > WRITTEN:
                return None
        return "".join(pieces).encode()
    except (ValueError, RecursionError):  # a lone surrogate, a number that can't be written, too deep
        return None


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _json(value: Any, **options: Any) -> Iterable[str]:
    """In pieces where it is indented, for that can grow without end; else at once, which is far quicker."""
    encoder = json.JSONEncoder(**options)
    return encoder.iterencode(value) if encoder.indent else [encoder.encode(value)]


def _replaced(value: Any, replacements: dict[str, str], **options: Any) -> Iterable[str]:
    for piece in _json(value, **options):
        for character, escape in replacements.items():
            piece = piece.replace(character, escape)
        yield piece


COMPACT = (",", ":")
GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# As they are named to the reader; the first ones are the commonest.
FORMS: dict[str, Callable[[Any], Iterable[str]]] = {
    "JavaScript's JSON.stringify (no spaces)": partial(_json, separators=COMPACT, ensure_ascii=False),
    "Python's json.dumps (a space after each comma and colon)": _json,
    "Python's json.dumps with ensure_ascii=False": partial(_json, ensure_ascii=False),
    "JSON without spaces, letters beyond ASCII as \\u escapes": partial(_json, separators=COMPACT),
    "JSON.stringify(…, null, 2)": partial(_json, indent=2, ensure_ascii=False),
    "json.dumps(…, indent=2)": partial(_json, indent=2),
    "JSON.stringify(…, null, 4)": partial(_json, indent=4, ensure_ascii=False),
    "JSON indented by tabs": partial(_json, indent="\t", ensure_ascii=False),
    "Go's json.Marshal (no spaces, <, > and & as \\u escapes)": partial(
        _replaced, replacements=GO, separators=COMPACT, ensure_ascii=False
    ),
    "PHP's json_encode (no spaces, / as \\/)": partial(
        _replaced, replacements={"/": "\\/"}, separators=COMPACT
    ),
}
