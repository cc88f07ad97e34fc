"""Does a delivery verify with today's secrets? Asked of the receiver's own verifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.diagnosis.evidence import Evidence
from dashboard.diagnosis.signing import Secret
from receiver.verification import TOLERANCE, Verified, Verifier


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "can't tell"


@dataclass(frozen=True, slots=True)
class Today:
    answer: Answer
    why: str


def verify_today(evidence: Evidence, secrets: Sequence[Secret]) -> Today:
    if not secrets:
        return Today(Answer.UNKNOWN, "This dashboard has no VOVE_WEBHOOK_SECRET to check it with.")
    if evidence.verified_by is not None:
        return _verified_then(evidence.verified_by, secrets)
    if evidence.whole_body is None:
        return Today(
            Answer.UNKNOWN, "Its body was not kept, or not all of it, and the signature covers all of it."
        )
    if evidence.signature is None:
        return Today(Answer.UNKNOWN, "It brought no signature that could be kept.")
    if evidence.svix_id is None or evidence.timestamp is None:
        return Today(
            Answer.NO, "Without a well-formed id and timestamp there is nothing that the signature could fit."
        )
    return _verified_anew(evidence, evidence.svix_id, evidence.timestamp, evidence.signature, secrets)


def _verified_then(fingerprint: str, secrets: Sequence[Secret]) -> Today:
    """The signatures of what verified are not kept: whoever had one could send it again."""
    if fingerprint in {secret.fingerprint for secret in secrets}:
        return Today(Answer.YES, f"The secret {fingerprint} verified it then, and is one of today's.")
    return Today(
        Answer.NO,
        f"The secret {fingerprint} verified it then, and is none of today's {_fingerprints(secrets)}: "
        "signed with that secret it would be refused now. What was accepted stays as it is.",
    )


def _verified_anew(
    evidence: Evidence, svix_id: str, timestamp: int, signature: str, secrets: Sequence[Secret]
) -> Today:
    given = {"svix-id": svix_id, "svix-timestamp": str(timestamp), "svix-signature": signature}
    found = Verifier([secret.text for secret in secrets]).verify(
        [(name.encode(), value.encode("latin-1", "replace")) for name, value in given.items()],
        evidence.whole_body or b"",
        now=float(timestamp),
    )
    if not isinstance(found, Verified):
        return Today(
            Answer.NO,
            f"The signature fits these bytes with none of today's secrets: {_fingerprints(secrets)}.",
        )
    right = f"The signature is right: it was made with the secret {found.fingerprint}"
    off = evidence.seconds_off or 0
    if abs(off) <= TOLERANCE:
        return Today(Answer.YES, f"{right}. That secret was not among ours, or not read, when this came.")
    return Today(Answer.YES, f"{right}, but it was {_seconds(off)} at the time; {TOLERANCE} s are allowed.")


def _seconds(off: int) -> str:
    return f"{abs(off):,} s too {'old' if off > 0 else 'early'}"


def _fingerprints(secrets: Sequence[Secret]) -> str:
    return ", ".join(secret.fingerprint for secret in secrets)
