"""What each mistake in signing, or with the body, means: in words for an engineer."""

from collections.abc import Sequence

from dashboard.diagnosis.finding import Finding
from dashboard.diagnosis.signing import Content, Key, Spelling


def signed_by_ourselves(name: str) -> Finding:
    return Finding(
        "our_other_secret",
        f"It is signed with {name}: this KYB Desk sent it, to itself.",
        "What is forwarded or sent to the account service must go to that service's address, not to this "
        "endpoint.",
    )


KEYS = {
    Key.WHOLE_TEXT: Finding(
        "key_is_whole_text",
        "The key was the secret as it is printed, with its whsec_ in front and not decoded.",
        "The key is the bytes that one gets by decoding what stands after whsec_ as base64. Or sign with "
        "a library of Svix's or of Standard Webhooks, which does this by itself.",
    ),
    Key.TEXT: Finding(
        "key_is_not_decoded",
        "The key was the text after whsec_, not decoded.",
        "That text is base64: decode it, and take the bytes as the key.",
    ),
}
CONTENTS = {
    Content.BODY: Finding(
        "body_alone",
        "It is signed with our secret, but over the body alone, as VOVE's printed samples do.",
        "Sign `id.timestamp.body`: the value of svix-id, a dot, that of svix-timestamp, a dot, the exact "
        "bytes of the body; write it as `v1,` and base64. `kybdesk send` does.",
    ),
    Content.TIMESTAMP_AND_BODY: Finding(
        "without_id",
        "It is signed over the timestamp and the body, without the message's id, as Stripe does.",
        "Put the id and a dot in front of what is signed: `id.timestamp.body`.",
    ),
    Content.ID_AND_BODY: Finding(
        "without_timestamp",
        "It is signed over the id and the body, without the timestamp.",
        "Sign `id.timestamp.body`.",
    ),
    Content.ORDER: Finding(
        "wrong_order",
        "The timestamp was signed before the id.",
        "Sign them in the order `id.timestamp.body`.",
    ),
    Content.JOINED: Finding(
        "without_dots",
        "The id, the timestamp and the body were signed without the dots between them.",
        "Put a dot after the id, and one after the timestamp: `id.timestamp.body`.",
    ),
}
SPELLINGS = {
    Spelling.COMMAS: Finding(
        "joined_by_commas",
        "Several signatures are joined by commas, or a space follows the comma of `v1,`; Svix separates "
        "them by single spaces.",
        "A proxy that folds repeated headers into one does this: it must pass svix-signature on as it is.",
    ),
    Spelling.BARE: Finding(
        "without_version",
        "The signature stands without `v1,` in front.",
        "Write the header as `v1,` followed by the base64 of the HMAC.",
    ),
    Spelling.HEX: Finding(
        "in_hex",
        "The signature is written in hex.",
        "Write the header as `v1,` followed by the base64 of the HMAC's bytes.",
    ),
    Spelling.URL_SAFE: Finding(
        "url_safe",
        "The signature is in the base64 of URLs (with - and _), or its = is missing.",
        "Use the plain alphabet of base64, with its padding.",
    ),
}


def rewritten(done: str) -> Finding:
    return Finding(
        "body_rewritten",
        f"The signature is VOVE's, but the body is not as VOVE signed it: something on the way {done}.",
        "Find what stands between VOVE and KYB Desk (API gateway, WAF, function, proxy) and let it pass "
        "the body on as bytes, without parsing it. Then resend this delivery in VOVE's dashboard.",
    )


def fits_today(fingerprint: str) -> Finding:
    return Finding(
        "fits_today",
        f"Today the signature fits: it was made with the secret {fingerprint}.",
        "VOVE_WEBHOOK_SECRET was changed since this came. If VOVE has not delivered it again by itself, "
        "resend it there.",
    )


def unknown_secret(last_verified_by: str | None, ours: Sequence[str]) -> Finding:
    if last_verified_by is not None and last_verified_by not in ours:
        return Finding(
            "secret_was_replaced",
            f"It fits none of our secrets ({', '.join(ours)}). The last delivery that verified before it "
            f"did so with the secret {last_verified_by}, which has been taken out since.",
            "VOVE probably still signs with that one. Put it back beside the new one (VOVE_WEBHOOK_SECRET "
            "takes several, separated by spaces) and take it out a day after it was rotated at VOVE.",
        )
    return Finding(
        "unknown_secret",
        "It fits none of our secrets, nor any of the usual mistakes in signing or rewriting: it was made "
        "with another secret, or not by VOVE at all.",
        "Compare VOVE_WEBHOOK_SECRET with the signing secret of this endpoint in VOVE's dashboard "
        "(Settings → Webhooks): each endpoint has one of its own, sandbox and production too. After a "
        "rotation keep the old one beside the new one for a day: VOVE_WEBHOOK_SECRET takes several.",
    )


EMPTY_SIGNATURE = Finding(
    "signature_empty", "The signature header is empty.", "A variable in a test is probably not set."
)
ASYMMETRIC = Finding(
    "asymmetric",
    "It is signed with a key pair (v1a), which KYB Desk can't check.",
    "In VOVE's dashboard choose the symmetric signing secret (whsec_…) for this endpoint.",
)
NO_SIGNATURE = Finding(
    "no_signature",
    "What stands in the signature header is no SHA-256 in base64 or hex: a placeholder, or a signature that "
    "was cut.",
    "Sign with `kybdesk send --curl`, which prints a whole request.",
)
COMPRESSED = Finding(
    "body_compressed",
    "It came with a Content-Encoding header: the body was compressed on its way.",
    "Svix does not compress. Switch off compression of requests in the proxy in front of KYB Desk.",
)
EMPTY_BODY = Finding(
    "body_empty",
    "The body is empty: VOVE's never is, so it was lost on the way, or this is no delivery of VOVE's.",
    "A redirect (http to https, or to another path) turns POST into a request without a body: give VOVE the "
    "final address. A function or gateway may also have read the body and not passed it on.",
)
FORM = Finding(
    "body_form_encoded",
    "The body is sent as a form (application/x-www-form-urlencoded); VOVE sends JSON.",
    "With curl use `-H 'content-type: application/json' --data-binary`, and behind a gateway switch its "
    "transformation of the body off.",
)
