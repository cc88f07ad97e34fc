"""Is a delivery signed with one of our secrets, and fresh? Headers, bytes and a clock to a value.

The signature itself is the `svix` library's; what it reads loosely is read strictly here first:
<https://docs.svix.com/receiving/verifying-payloads/how-manual>.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from svix.webhooks import Webhook

TOLERANCE = 5 * 60  # seconds that the sender's clock may differ from ours, as in Svix's libraries
HEADERS = {  # Svix's names, and those of the Standard Webhooks specification
    f"{family}-{part}".encode(): (family, part)
    for family in ("svix", "webhook")
    for part in ("id", "timestamp", "signature")
}

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,10}")  # the library would take 1_700, 1700.9 and Arabic digits
_FINER = re.compile(r"[1-9][0-9]{11,17}")  # milliseconds, say: the page of the delivery tells
_TOKEN = re.compile(r"v1,[A-Za-z0-9+/]{43}=")


class Refusal(StrEnum):
    """Why a delivery is refused. The sender is told none of it."""

    MISSING_HEADER = "missing_header"
    REPEATED_HEADER = "repeated_header"
    MIXED_HEADERS = "mixed_headers"
    MALFORMED_ID = "malformed_id"
    MALFORMED_TIMESTAMP = "malformed_timestamp"
    MALFORMED_SIGNATURE = "malformed_signature"
    BODY_NOT_UTF8 = "body_not_utf8"
    SIGNED_AS_PRINTED_SAMPLE = "signed_as_printed_sample"
    NO_MATCH = "no_match"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    TOO_LARGE = "too_large"
    BODY_TIMEOUT = "body_timeout"


@dataclass(frozen=True, slots=True)
class Verified:
    svix_id: str
    timestamp: int  # seconds since 1970, of this attempt
    fingerprint: str  # of the secret that verified it


@dataclass(frozen=True, slots=True)
class Refused:
    """What was claimed is kept, to verify it again once a secret or a clock is put right.

    `shaped` like Svix's: all three headers are there and well-formed.
    """

    cause: Refusal
    svix_id: str | None = None
    timestamp: int | None = None
    signature: str | None = None
    shaped: bool = False


class Verifier:
    """Holds the secrets; several are accepted at once, for rotation.

    `secrets` are checked ones (`whsec_` and base64), see settings.py.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [(secret, Webhook(secret), fingerprint(secret)) for secret in secrets]

    def verify(self, headers: Iterable[tuple[bytes, bytes]], body: bytes, now: float) -> Verified | Refused:
        """Verify one delivery. `headers` are raw pairs with lower-case names; `now` is in Unix seconds."""
        claim = _claim(headers)
        if isinstance(claim, Refused):
            return self._recognised(claim, body)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return claim.refused(Refusal.BODY_NOT_UTF8)
        print_of_match = self._match(claim, text)
        if print_of_match is None:
            return claim.refused(self._why_no_match(claim, body))
        if claim.timestamp < now - TOLERANCE:
            return claim.refused(Refusal.TOO_OLD)
        if claim.timestamp > now + TOLERANCE:
            return claim.refused(Refusal.TOO_NEW)
        return Verified(claim.svix_id, claim.timestamp, print_of_match)

    def _match(self, claim: "_Claim", text: str) -> str | None:
        """The fingerprint of the secret that signed it. Every pair is compared, in constant time."""
        signed_at = datetime.fromtimestamp(claim.timestamp, UTC)
        found = None
        for _, webhook, print_of_secret in self._secrets:
            expected = webhook.sign(claim.svix_id, signed_at, text).encode()
            for token in claim.tokens:
                if hmac.compare_digest(expected, token.encode()):
                    found = found or print_of_secret
        return found

    def _why_no_match(self, claim: "_Claim", body: bytes) -> Refusal:
        if self._signed_as_printed(claim.signature, body):
            return Refusal.SIGNED_AS_PRINTED_SAMPLE
        return Refusal.NO_MATCH if claim.tokens else Refusal.MALFORMED_SIGNATURE

    def _recognised(self, refused: Refused, body: bytes) -> Refused:
        """VOVE's printed cURL sends no id and no timestamp: say so rather than "a header is missing"."""
        if refused.signature and self._signed_as_printed(refused.signature, body):
            return replace(refused, cause=Refusal.SIGNED_AS_PRINTED_SAMPLE)
        return refused

    def _signed_as_printed(self, signature: str, body: bytes) -> bool:
        return any(signs_as_printed_sample(secret, signature, body) for secret, _, _ in self._secrets)


def fingerprint(secret: str) -> str:
    """Eight hex digits that tell one secret from another and give none away."""
    return hashlib.sha256(b"kybdesk:" + secret.encode()).hexdigest()[:8]


def signs_as_printed_sample(secret: str, signature: str, body: bytes) -> bool:
    """VOVE's documentation prints samples that sign the body alone, with the secret's text as the key."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    given = signature.strip().encode()
    return hmac.compare_digest(given, digest.hex().encode()) or hmac.compare_digest(
        given, base64.b64encode(digest)
    )


@dataclass(frozen=True, slots=True)
class _Claim:
    svix_id: str
    timestamp: int
    signature: str

    @property
    def tokens(self) -> list[str]:
        """The well-formed `v1` tokens: a malformed or a `v1a` one beside them spoils nothing."""
        return [token for token in self.signature.split(" ") if _TOKEN.fullmatch(token)]

    def refused(self, cause: Refusal) -> Refused:
        return Refused(cause, self.svix_id, self.timestamp, self.signature, shaped=bool(self.tokens))


def _claim(headers: Iterable[tuple[bytes, bytes]]) -> _Claim | Refused:
    """The three headers, each exactly once and all of one family: what is verified is what is used."""
    given = [(HEADERS[name], value.decode("latin-1")) for name, value in headers if name in HEADERS]
    found = dict(given)
    if len(found) < len(given):
        return Refused(Refusal.REPEATED_HEADER)
    if len({family for family, _ in found}) > 1:
        return Refused(Refusal.MIXED_HEADERS)
    parts = {part: value for (_, part), value in given}
    if len(parts) < 3:
        return Refused(Refusal.MISSING_HEADER, signature=parts.get("signature"))
    return _well_formed(parts["id"], parts["timestamp"], parts["signature"])


def _well_formed(svix_id: str, timestamp: str, signature: str) -> _Claim | Refused:
    if not _ID.fullmatch(svix_id):
        return Refused(Refusal.MALFORMED_ID)
    if not _TIMESTAMP.fullmatch(timestamp):
        in_a_finer_unit = int(timestamp) if _FINER.fullmatch(timestamp) else None
        return Refused(Refusal.MALFORMED_TIMESTAMP, svix_id, in_a_finer_unit, signature)
    return _Claim(svix_id, int(timestamp), signature)
