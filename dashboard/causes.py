"""Why a delivery was turned away or not understood, in words that help the person who has to mend it."""

from dataclasses import dataclass

from receiver.event import Unreadability
from receiver.models import Verdict
from receiver.verification import Refusal


@dataclass(frozen=True, slots=True)
class Cause:
    """`short` stands in a row of a list; `why` and `remedy` on the delivery's own page."""

    short: str
    why: str
    remedy: str = ""


STRAY = (
    "Requests like this come from scanners and wrong addresses. If VOVE sends them, check its endpoint URL."
)
OUR_KEY = (
    "Compare VOVE_WEBHOOK_SECRET with the signing secret in VOVE's dashboard, under Settings → Webhooks."
)
CLOCK = "Set the clock of this machine by a time server (timedatectl). If it is right, the sender's is not."
UPGRADE = (
    "Nothing of it was applied, and VOVE does not send it again: it was answered that it came. Compare with "
    "VOVE (“Check with VOVE” on the case, or `kybdesk reconcile`). The bytes are kept as they came."
)

CAUSES = {
    "missing_header": Cause(
        "a signature header is missing",
        "It lacks one of the headers svix-id, svix-timestamp and svix-signature, "
        "without which nobody can tell who sent it.",
        STRAY,
    ),
    "repeated_header": Cause(
        "a signature header came twice",
        "One of its signature headers came more than once. "
        "Programs differ in which one they read, so none is trusted.",
        "A proxy in between may add headers. Svix itself sends each of them once.",
    ),
    "mixed_headers": Cause(
        "svix- and webhook- headers are mixed",
        "Some of its signature headers are named svix-…, others webhook-…. All three must be of one kind.",
        "A proxy in between may rename headers. Svix itself sends one kind.",
    ),
    "malformed_id": Cause(
        "the message id is malformed",
        "Its message id is not 1 to 255 letters, digits, underscores and hyphens, as Svix's are.",
        STRAY,
    ),
    "malformed_timestamp": Cause(
        "the timestamp is malformed",
        "Its timestamp header is not a plain number of seconds since 1970.",
        STRAY,
    ),
    "malformed_signature": Cause(
        "the signature is malformed",
        "Its signature header holds no signature of the form v1,….",
        STRAY,
    ),
    "body_not_utf8": Cause(
        "the body is not text",
        "Its body is not UTF-8. Svix signs text, so this can't have come from VOVE as it stands.",
        "A proxy in between may compress or change the body: it must pass on the bytes as they are.",
    ),
    "signed_as_printed_sample": Cause(
        "signed over the body alone",
        "It is signed with our secret, but over the body alone, as VOVE's printed sample does. "
        "Svix signs the id, the time and the body together: a genuine delivery never looks like this.",
        "Somebody tests with the printed sample. `kybdesk send` signs the way Svix does.",
    ),
    "no_match": Cause(
        "not signed with one of our secrets",
        "The signature is well formed but was not made with any of our secrets, "
        "or the body was changed on its way.",
        OUR_KEY,
    ),
    "too_old": Cause(
        "signed too long ago",
        "The signature is right, but its time lies further back than five minutes.",
        CLOCK,
    ),
    "too_new": Cause(
        "signed in the future",
        "The signature is right, but its time lies more than five minutes ahead.",
        CLOCK,
    ),
    "too_large": Cause(
        "larger than 1 MiB",
        "Its body is larger than 1 MiB. It was turned away before the body was read.",
        "VOVE's messages are below 1 kB.",
    ),
    "body_timeout": Cause(
        "the body did not come in time",
        "The headers came, but the body was not complete within four seconds.",
        "The line between the sender and this machine is slow or was cut.",
    ),
    "not_json": Cause(
        "the body is not JSON", "It is signed by VOVE, but the body is not valid JSON.", UPGRADE
    ),
    "repeated_key": Cause(
        "a key stands twice in the JSON",
        "A key stands twice in one object. Programs differ in which one they read, so neither is trusted.",
        UPGRADE,
    ),
    "not_an_object": Cause(
        "the JSON is no object", "The body is JSON, but not an object with fields.", UPGRADE
    ),
    "missing_ref_id": Cause(
        "there is no refId", "The field refId is missing, so nobody can tell which case it is about.", UPGRADE
    ),
    "mistyped_ref_id": Cause(
        "the refId is no text", "The field refId holds something other than text.", UPGRADE
    ),
    "empty_ref_id": Cause("the refId is empty", "The field refId is empty.", UPGRADE),
    "ref_id_too_long": Cause("the refId is too long", "The field refId is longer than 10 kB.", UPGRADE),
    "missing_status": Cause("there is no status", "The field status is missing.", UPGRADE),
    "mistyped_status": Cause(
        "the status is no text", "The field status holds something other than text.", UPGRADE
    ),
    "status_too_long": Cause(
        "a status is too long", "The field status or previousStatus is longer than 200 characters.", UPGRADE
    ),
    "mistyped_previous_status": Cause(
        "the previous status is no text", "The field previousStatus holds something other than text.", UPGRADE
    ),
    "unstorable_text": Cause(
        "a field holds characters that can't be stored",
        "A field holds a NUL or half a character (a lone surrogate), which no database keeps as text.",
        UPGRADE,
    ),
}


def cause(code: str) -> Cause:
    """A cause from a newer receiver is shown as it came."""
    return CAUSES.get(code) or Cause(code, f"The receiver says: {code}.")


# A cause has one verdict.
BY_VERDICT: dict[Verdict, dict[str, Cause]] = {
    Verdict.REFUSED: {code: CAUSES[code] for code in Refusal},
    Verdict.QUARANTINED: {code: CAUSES[code] for code in Unreadability},
}
