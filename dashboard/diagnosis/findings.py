"""What is wrong with a delivery that was refused, as exactly as what was kept of it tells."""

from collections.abc import Callable, Iterator, Sequence

from dashboard.diagnosis import clocks, headers, mistakes
from dashboard.diagnosis.evidence import Evidence
from dashboard.diagnosis.finding import Finding
from dashboard.diagnosis.rewriting import Original, originals
from dashboard.diagnosis.signing import (
    SETTING,
    Content,
    Key,
    Match,
    Secret,
    Signature,
    Spelling,
    fits,
    head_of,
    how_made,
    signature_of,
)


def diagnose(
    evidence: Evidence, secrets: Sequence[Secret], last_verified_by: str | None = None
) -> list[Finding]:
    """The most telling first; none where the cause already says all that is known, or nothing was wrong.

    `last_verified_by` is the fingerprint of the secret that verified the delivery before this one.
    """
    if evidence.cause is None or evidence.verified_by is not None:
        return []
    found = [finding for look in _LOOKS.get(evidence.cause, ()) for finding in look(evidence)]
    if evidence.cause in _SIGNED:
        found += _at_the_signature(evidence, secrets)
    if evidence.cause == "no_match" and not found and secrets and evidence.whole_body is not None:
        found.append(mistakes.unknown_secret(last_verified_by, [secret.fingerprint for secret in secrets]))
    return found


def _at_the_encoding(evidence: Evidence) -> Iterator[Finding]:
    """Not UTF-8."""
    if headers.has(evidence.header_names, "content-encoding"):
        yield mistakes.COMPRESSED


def _at_the_signature(evidence: Evidence, secrets: Sequence[Secret]) -> Iterator[Finding]:
    body = evidence.whole_body
    if evidence.signature is None or body is None:
        return
    signature = signature_of(evidence.signature)
    match = how_made(signature, secrets, evidence.svix_id, evidence.timestamp, body)
    if match is not None:
        yield from _of_a_match(match, evidence.cause)
        return
    if original := _original(evidence, signature, secrets, body):
        yield mistakes.rewritten(original.done)
        return
    yield from _at_the_spelling(evidence.signature, signature)
    yield from _at_the_form_of_the_body(evidence, body)


def _of_a_match(match: Match, cause: str | None) -> Iterator[Finding]:
    if match.secret.name != SETTING:
        yield mistakes.signed_by_ourselves(match.secret.name)
    if match.key is not Key.RIGHT:
        yield mistakes.KEYS[match.key]
    if match.content is not Content.RIGHT:
        yield mistakes.CONTENTS[match.content]
    if match.spelling is not Spelling.RIGHT:
        yield mistakes.SPELLINGS[match.spelling]
    if match.is_right and match.secret.name == SETTING and cause == "no_match":
        yield mistakes.fits_today(match.secret.fingerprint)


def _original(
    evidence: Evidence, signature: Signature, secrets: Sequence[Secret], body: bytes
) -> Original | None:
    if evidence.svix_id is None or evidence.timestamp is None or not signature.digests:
        return None
    head = head_of(evidence.svix_id, evidence.timestamp)
    return next((one for one in originals(body) if fits(signature, secrets, head, one.body)), None)


def _at_the_spelling(header: str, signature: Signature) -> Iterator[Finding]:
    if signature.digests:
        return
    if not header.strip():
        yield mistakes.EMPTY_SIGNATURE
    elif "v1a," in header:
        yield mistakes.ASYMMETRIC
    elif header.startswith(("t=", "sha256=", "sha1=")):
        yield headers.of_another_product("Stripe" if header.startswith("t=") else "GitHub")
    else:
        yield mistakes.NO_SIGNATURE


def _at_the_form_of_the_body(evidence: Evidence, body: bytes) -> Iterator[Finding]:
    if not body:
        yield mistakes.EMPTY_BODY
    elif (evidence.content_type or "").startswith("application/x-www-form-urlencoded"):
        yield mistakes.FORM


# What else is looked at, by the receiver's cause.
_LOOKS: dict[str, Sequence[Callable[[Evidence], Iterator[Finding]]]] = {
    "missing_header": [headers.at_the_headers],
    "repeated_header": [headers.at_repeated],
    "mixed_headers": [headers.at_mixed],
    "malformed_id": [headers.at_the_id],
    "malformed_timestamp": [clocks.at_the_timestamp],
    "body_not_utf8": [_at_the_encoding],
    "too_old": [clocks.at_the_clock],
    "too_new": [clocks.at_the_clock],
}
# With these causes the signature itself can tell more.
_SIGNED = {
    "missing_header",
    "malformed_timestamp",
    "malformed_signature",
    "body_not_utf8",
    "signed_as_printed_sample",
    "no_match",
}
