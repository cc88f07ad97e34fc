"""The ways to make a signature, the right one and the usual wrong ones, and which of them made this one."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from receiver.verification import fingerprint

SETTING = "VOVE_WEBHOOK_SECRET"
PREFIX = "whsec_"
DIGEST = 32  # bytes of a SHA-256
MOST_SPELT = 40  # tokens that are looked at: Svix sends one or two


class Key(StrEnum):
    """What was taken for the key of one secret."""

    RIGHT = "right"  # the bytes that the text after `whsec_` is base64 of
    WHOLE_TEXT = "whole text"  # `whsec_…` as it is printed
    TEXT = "text"  # the text after `whsec_`, not decoded


class Content(StrEnum):
    """What was signed."""

    RIGHT = "right"  # id.timestamp.body
    BODY = "body"  # as VOVE's printed samples do
    TIMESTAMP_AND_BODY = "timestamp and body"  # as Stripe does
    ID_AND_BODY = "id and body"
    ORDER = "order"  # timestamp.id.body
    JOINED = "joined"  # without the dots


class Spelling(StrEnum):
    """How the signature is written."""

    RIGHT = "right"  # v1,base64 between spaces
    COMMAS = "commas"  # several, joined by commas
    BARE = "bare"  # without `v1,`
    HEX = "hex"
    URL_SAFE = "url-safe"  # base64 with - and _, or without its padding


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret and what it is to us."""

    text: str = field(repr=False)
    name: str = SETTING

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text)

    def possible_keys(self) -> Iterator[tuple[Key, bytes]]:
        after = self.text.removeprefix(PREFIX)
        try:
            yield Key.RIGHT, base64.b64decode(after)
        except (binascii.Error, ValueError):
            return
        yield Key.WHOLE_TEXT, self.text.encode()
        yield Key.TEXT, after.encode()


@dataclass(frozen=True, slots=True)
class Match:
    """How the signature was made."""

    secret: Secret
    key: Key
    content: Content
    spelling: Spelling

    @property
    def is_right(self) -> bool:
        return (self.key, self.content, self.spelling) == (Key.RIGHT, Content.RIGHT, Spelling.RIGHT)


@dataclass(frozen=True, slots=True)
class Signature:
    """The digests that a header may stand for, by how they are spelt."""

    digests: Sequence[tuple[bytes, Spelling]] = field(repr=False)

    def spelling_of(self, digest: bytes) -> Spelling | None:
        found = None
        for given, spelling in self.digests:
            if hmac.compare_digest(given, digest):
                found = found or spelling
        return found


def signature_of(header: str) -> Signature:
    digests = [
        (digest, spelling)
        for pattern, spelling in _SPELLINGS
        for text in pattern.findall(header)[:MOST_SPELT]
        if (digest := _decoded(text, spelling)) is not None
    ]
    return Signature(digests)


_SPELLINGS = (
    (re.compile(r"(?:(?<=^)|(?<= ))v1,([A-Za-z0-9+/]{43}=)(?= |$)"), Spelling.RIGHT),
    (re.compile(r"v1,\s?([A-Za-z0-9+/]{43}=)"), Spelling.COMMAS),
    (re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{64}(?![0-9A-Za-z])"), Spelling.HEX),
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}="), Spelling.BARE),
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9+/_-]{43}"), Spelling.URL_SAFE),
)


def _decoded(text: str, spelling: Spelling) -> bytes | None:
    if spelling is Spelling.HEX:
        return bytes.fromhex(text)
    try:
        digest = base64.b64decode(text.rstrip("=").translate(_PLAIN) + "=")
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == DIGEST else None


_PLAIN = str.maketrans("-_", "+/")


def how_made(
    signature: Signature, secrets: Sequence[Secret], svix_id: str | None, timestamp: int | None, body: bytes
) -> Match | None:
    """The way that made it, over these bytes. The right one first: it is never taken for a wrong one."""
    contents = list(_contents(svix_id, timestamp, body))
    for content, signed in contents:
        for secret in secrets:
            for key, key_bytes in secret.possible_keys():
                if spelling := signature.spelling_of(_digest(key_bytes, signed)):
                    return Match(secret, key, content, spelling)
    return None


def fits(signature: Signature, secrets: Sequence[Secret], head: bytes, body: bytes) -> Secret | None:
    """The secret that made it in the right way, over these bytes."""
    for secret in secrets:
        for key, key_bytes in secret.possible_keys():
            if key is Key.RIGHT and signature.spelling_of(_digest(key_bytes, head + body)):
                return secret
    return None


def head_of(svix_id: str, timestamp: int) -> bytes:
    """What Svix signs before the body."""
    return f"{svix_id}.{timestamp}.".encode()


def _contents(svix_id: str | None, timestamp: int | None, body: bytes) -> Iterator[tuple[Content, bytes]]:
    if svix_id is not None and timestamp is not None:
        yield Content.RIGHT, head_of(svix_id, timestamp) + body
        yield Content.ORDER, f"{timestamp}.{svix_id}.".encode() + body
        yield Content.JOINED, f"{svix_id}{timestamp}".encode() + body
    yield Content.BODY, body
    if timestamp is not None:
        yield Content.TIMESTAMP_AND_BODY, f"{timestamp}.".encode() + body
    if svix_id is not None:
        yield Content.ID_AND_BODY, f"{svix_id}.".encode() + body


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()
