"""Each usual mistake, made with a true delivery, is recognised; no false one is."""

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from svix.webhooks import Webhook

from dashboard.diagnosis import Evidence, Finding, Secret, diagnose, verify_today
from dashboard.diagnosis.today import Answer
from receiver.verification import Refusal, Refused, Verified, Verifier, fingerprint
from tests.receiver.factories import NOON, OTHER_SECRET, SECRET

ID = "msg_2if9qqkVjQDrS738JZOnax9T7MO"
PAYLOAD = {"refId": "äcme/1 <&>", "status": "REJECTED", "previousStatus": "IN_REVIEW", "reason": "A b"}
COMPACT = json.dumps(PAYLOAD, separators=(",", ":"), ensure_ascii=False).encode()
OURS = [Secret(SECRET), Secret(OTHER_SECRET)]

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
payloads = st.fixed_dictionaries(
    {"refId": words, "status": words, "previousStatus": words}, optional={"reason": words}
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def arrived(
    body: bytes,
    svix_id: str | None = ID,
    timestamp: str | None = None,
    signature: str | None = None,
    secrets: tuple[str, ...] = (SECRET, OTHER_SECRET),
    at: datetime = NOON,
    signed_over: bytes | None = None,
    others: tuple[str, ...] = ("content-type",),
    **given: Any,
) -> Evidence:
    """What the receiver keeps of such a request; signed truly where nothing else is said."""
    seconds = timestamp or str(int(at.timestamp()))
    if signature is None:
        signature = sign(svix_id or ID, int(at.timestamp()), body if signed_over is None else signed_over)
    headers = [
        (name, value.encode("latin-1"))
        for name, value in [
            (b"svix-id", svix_id),
            (b"svix-timestamp", seconds),
            (b"svix-signature", signature or None),
        ]
        if value is not None
    ]
    found = Verifier(secrets).verify(headers, body, given.pop("now", at).timestamp())
    names = tuple(name.decode() for name, _ in headers) + others
    if isinstance(found, Verified):
        claim: dict[str, Any] = {"cause": None, "signature": None, "verified_by": found.fingerprint}
        claim |= {"svix_id": found.svix_id, "timestamp": found.timestamp}
    else:
        claim = refused(found)
    return Evidence(
        **{
            "received_at": at,
            "body": body,
            "body_size": len(body),
            "body_sha256": hashlib.sha256(body).digest(),
            "header_names": names,
            "content_type": "application/json",
            **claim,
            **given,
        }
    )


def refused(found: Refused) -> dict[str, Any]:
    return {
        "cause": str(found.cause),
        "svix_id": found.svix_id,
        "timestamp": found.timestamp,
        "signature": found.signature,
        "verified_by": None,
    }


def sign(svix_id: str, timestamp: int, body: bytes, key: bytes | None = None) -> str:
    key = base64.b64decode(SECRET.removeprefix("whsec_")) if key is None else key
    return "v1," + base64.b64encode(mac(key, f"{svix_id}.{timestamp}.".encode() + body)).decode()


def mac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def codes(evidence: Evidence, secrets: list[Secret] = OURS, **others: Any) -> list[str]:
    return [finding.code for finding in diagnose(evidence, secrets, **others)]


@given(payloads, moments)
def test_nothing_is_wrong_with_a_good_delivery(payload: dict[str, str], at: datetime) -> None:
    body = json.dumps(payload).encode()
    evidence = arrived(body, at=at, signature=Webhook(SECRET).sign(ID, at, body.decode()))
    assert evidence.cause is None
    assert codes(evidence) == []
    assert verify_today(evidence, OURS).answer is Answer.YES


REWRITINGS: dict[str, Callable[[dict[str, str]], tuple[bytes, bytes]]] = {
    "pretty-printed": lambda p: (_stringified(p), json.dumps(p, indent=2, ensure_ascii=False).encode()),
    "spaces put in": lambda p: (_stringified(p), json.dumps(p, ensure_ascii=False).encode()),
    "spaces taken out": lambda p: (json.dumps(p).encode(), _stringified(p)),
    "escaped": lambda p: (_stringified(p), json.dumps(p, separators=(",", ":")).encode()),
    "keys sorted": lambda p: (_stringified(p), json.dumps(p, sort_keys=True).encode()),
    "keys turned round": lambda p: (_stringified(p), _stringified(dict(reversed(p.items())))),
    "a line end": lambda p: (_stringified(p), _stringified(p) + b"\n"),
    "no line end": lambda p: (_stringified(p) + b"\n", _stringified(p)),
    "CR LF": lambda p: (_indented(p), _indented(p).replace(b"\n", b"\r\n")),
    "LF": lambda p: (_indented(p).replace(b"\n", b"\r\n"), _indented(p)),
    "a mark in front": lambda p: (_stringified(p), b"\xef\xbb\xbf" + _stringified(p)),
    "base64": lambda p: (_stringified(p), base64.b64encode(_stringified(p))),
    "in an envelope": lambda p: (_stringified(p), json.dumps({"body": _stringified(p).decode()}).encode()),
    "in a string": lambda p: (_stringified(p), json.dumps(_stringified(p).decode()).encode()),
    "gzip": lambda p: (_stringified(p), gzip.compress(_stringified(p), mtime=0)),
    "UTF-16": lambda p: (_stringified(p), _stringified(p).decode().encode("utf-16")),
}


@pytest.mark.parametrize("how", REWRITINGS)
@settings(max_examples=30)
@given(payload=payloads)
def test_a_body_that_was_written_anew_on_its_way_is_recognised(how: str, payload: dict[str, str]) -> None:
    original, received = REWRITINGS[how](payload)
    evidence = arrived(received, signed_over=original)
    if original == received:
        assert evidence.cause is None
        return
    findings = diagnose(evidence, OURS)
    assert [finding.code for finding in findings if finding.code != "body_compressed"] == ["body_rewritten"]


def _stringified(payload: dict[str, str]) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def _indented(payload: dict[str, str]) -> bytes:
    return json.dumps(payload, indent=2).encode()


@pytest.mark.parametrize(
    ("received", "original", "said"),
    [
        (json.dumps(PAYLOAD, indent=4).encode(), COMPACT, "JavaScript's JSON.stringify (no spaces)"),
        (COMPACT, json.dumps(PAYLOAD).encode(), "Python's json.dumps (a space after each comma and colon)"),
        (COMPACT + b"\n", COMPACT, "added a line end after the body"),
        (b"\xef\xbb\xbf" + COMPACT, COMPACT, "put a byte order mark"),
        (json.dumps(PAYLOAD, sort_keys=True).encode(), COMPACT, "and its keys in another order"),
        (gzip.compress(COMPACT, mtime=0), COMPACT, "compressed the body (gzip)"),
        (COMPACT.decode().encode("latin-1"), COMPACT, "from UTF-8 into cp1252"),
        (COMPACT.decode("latin-1").encode(), COMPACT, "encoded it a second time"),
        (b'{"a":"1/2"}', b'{"a":"1\\/2"}', "PHP's json_encode"),
        (b'{"a":"<"}', b'{"a":"\\u003c"}', "Go's json.Marshal"),
    ],
)
def test_it_is_said_exactly_what_was_done_to_the_body(received: bytes, original: bytes, said: str) -> None:
    findings = diagnose(arrived(received, signed_over=original), OURS)
    assert said in findings[-1].what


def test_a_body_in_a_form_is_recognised() -> None:
    evidence = arrived(urlencode({"payload": COMPACT}).encode(), signed_over=COMPACT)
    assert codes(evidence) == ["body_rewritten"]
    unsigned = arrived(
        b"a=1", signature="v1," + "A" * 43 + "=", content_type="application/x-www-form-urlencoded"
    )
    assert codes(unsigned) == ["body_form_encoded"]


TEXT, WHOLE = SECRET.removeprefix("whsec_").encode(), SECRET.encode()
RIGHT = base64.b64decode(TEXT)
SECONDS = int(NOON.timestamp())
SIGNED = f"{ID}.{SECONDS}.".encode() + COMPACT


def _v1(digest: bytes) -> str:
    return "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (mac(WHOLE, COMPACT).hex(), ["key_is_whole_text", "body_alone", "in_hex"]),
        (
            base64.b64encode(mac(WHOLE, COMPACT)).decode(),
            ["key_is_whole_text", "body_alone", "without_version"],
        ),
        (_v1(mac(RIGHT, COMPACT)), ["body_alone"]),
        (_v1(mac(WHOLE, SIGNED)), ["key_is_whole_text"]),
        (_v1(mac(TEXT, SIGNED)), ["key_is_not_decoded"]),
        (_v1(mac(RIGHT, f"{SECONDS}.".encode() + COMPACT)), ["without_id"]),
        (_v1(mac(RIGHT, f"{ID}.".encode() + COMPACT)), ["without_timestamp"]),
        (_v1(mac(RIGHT, f"{SECONDS}.{ID}.".encode() + COMPACT)), ["wrong_order"]),
        (_v1(mac(RIGHT, f"{ID}{SECONDS}".encode() + COMPACT)), ["without_dots"]),
        (mac(RIGHT, SIGNED).hex(), ["in_hex"]),
        (base64.b64encode(mac(RIGHT, SIGNED)).decode(), ["without_version"]),
        (f"v1,{'A' * 43}=,{_v1(mac(RIGHT, SIGNED))},{_v1(b'b' * 32)}", ["joined_by_commas"]),
        (f"v1, {base64.b64encode(mac(RIGHT, SIGNED)).decode()}", ["joined_by_commas"]),
        (base64.urlsafe_b64encode(mac(RIGHT, SIGNED)).decode().rstrip("="), ["url_safe"]),
        ("", ["signature_empty"]),
        (" ", ["signature_empty"]),
        ("v1a,AAAA", ["asymmetric"]),
        ("t=1,v1=abc", ["another_product"]),
        ("sha256=abc", ["another_product"]),
        ("your-test-signature", ["no_signature"]),
        (_v1(b"x" * 32), ["unknown_secret"]),
    ],
)
def test_a_mistake_in_signing_is_recognised(signature: str, expected: list[str]) -> None:
    evidence = arrived(COMPACT, signature=signature or " ")
    assert codes(evidence) == expected


def test_what_was_signed_with_another_secret_is_told_so() -> None:
    evidence = arrived(COMPACT, secrets=(OTHER_SECRET,))
    assert codes(evidence, [Secret(OTHER_SECRET)]) == ["unknown_secret"]
    assert codes(evidence, []) == []


def test_a_secret_that_was_ours_before_is_named_by_its_fingerprint() -> None:
    evidence = arrived(COMPACT, secrets=(OTHER_SECRET,))
    finding = diagnose(evidence, [Secret(OTHER_SECRET)], last_verified_by=fingerprint(SECRET))[0]
    assert finding.code == "secret_was_replaced"
    assert fingerprint(SECRET) in finding.what
    still_ours = diagnose(evidence, [Secret(OTHER_SECRET)], last_verified_by=fingerprint(OTHER_SECRET))[0]
    assert still_ours.code == "unknown_secret"


def test_what_we_sent_to_ourselves_is_recognised() -> None:
    evidence = arrived(COMPACT, secrets=(OTHER_SECRET,))
    findings = diagnose(evidence, [Secret(OTHER_SECRET), Secret(SECRET, "KYBDESK_FORWARD_SECRET")])
    assert [finding.code for finding in findings] == ["our_other_secret"]
    assert "KYBDESK_FORWARD_SECRET" in findings[0].what


@pytest.mark.parametrize(
    ("seconds", "code", "said"),
    [
        (412, "clock_behind_or_late", "differ by 412 s: it was signed that long before"),
        (-412, "clock_ahead", "differ by 412 s: it was signed that long after"),
        (400 * 86400, "timestamp_fixed", "years away"),
    ],
)
def test_a_clock_that_is_off_is_measured(seconds: int, code: str, said: str) -> None:
    signed_at = NOON - timedelta(seconds=seconds)
    evidence = arrived(
        COMPACT,
        timestamp=str(int(signed_at.timestamp())),
        signature=sign(ID, int(signed_at.timestamp()), COMPACT),
    )
    finding = diagnose(evidence, OURS)[0]
    assert finding.code == code
    assert said in finding.what
    today = verify_today(evidence, OURS)
    assert today.answer is Answer.YES
    assert f"{abs(seconds):,} s too" in today.why


def test_milliseconds_are_recognised_also_where_they_were_signed() -> None:
    millis = str(int(NOON.timestamp() * 1000))
    evidence = arrived(COMPACT, timestamp=millis, signature=sign(ID, int(millis), COMPACT))
    assert codes(evidence) == ["timestamp_in_milliseconds"]
    assert verify_today(evidence, OURS).answer is Answer.NO


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("svix-id svix-timestamp", ["header_lost"]),
        ("svix-signature content-type", ["header_lost"]),
        ("x-svix-id x-svix-timestamp svix-signature", ["header_renamed"]),
        ("svix_id svix_timestamp svix_signature", ["header_renamed"]),
        ("stripe-signature", ["another_product"]),
        ("x-hub-signature-256 x-github-event", ["another_product"]),
        ("host accept", ["unsigned"]),
        ("", ["unsigned"]),
    ],
)
def test_a_header_that_is_missing_is_told_by_what_came_instead(names: str, expected: list[str]) -> None:
    assert codes(_with_headers(names)) == expected


def _with_headers(names: str, cause: str = "missing_header") -> Evidence:
    nothing: dict[str, Any] = {"svix_id": None, "timestamp": None, "signature": None, "verified_by": None}
    return Evidence(
        received_at=NOON,
        cause=cause,
        body=COMPACT,
        body_size=len(COMPACT),
        body_sha256=None,
        header_names=tuple(names.split()),
        content_type=None,
        **nothing,
    )


def test_repeated_and_mixed_headers_are_named() -> None:
    repeated = diagnose(
        _with_headers("svix-id svix-id svix-timestamp svix-signature", "repeated_header"), OURS
    )
    assert "svix-id came more than once" in repeated[0].what
    mixed = diagnose(_with_headers("svix-id webhook-timestamp svix-signature", "mixed_headers"), OURS)
    assert "webhook-timestamp" in mixed[0].what
    assert codes(_with_headers("svix-id", "malformed_id")) == ["id_malformed"]


def test_an_empty_body_is_told_as_lost() -> None:
    assert codes(arrived(b"", signed_over=COMPACT)) == ["body_empty"]


def test_what_was_compressed_is_told_by_its_header_too() -> None:
    evidence = arrived(b"\xff\xfe\x00 brotli, say", signed_over=COMPACT, others=("content-encoding",))
    assert codes(evidence) == ["body_compressed"]


def test_of_a_body_that_was_not_kept_whole_nothing_is_claimed() -> None:
    evidence = arrived(COMPACT, signature=_v1(b"x" * 32), body_size=100_000)
    assert codes(evidence) == []
    assert verify_today(evidence, OURS).answer is Answer.UNKNOWN


def test_today_tells_of_each_delivery_what_can_be_told() -> None:
    now_ours = arrived(COMPACT, secrets=(OTHER_SECRET,))
    assert verify_today(now_ours, OURS).answer is Answer.YES
    assert codes(now_ours) == ["fits_today"]
    assert verify_today(now_ours, [Secret(OTHER_SECRET)]).answer is Answer.NO
    assert verify_today(now_ours, []).answer is Answer.UNKNOWN
    accepted = arrived(COMPACT)
    assert fingerprint(SECRET) in verify_today(accepted, OURS).why
    assert verify_today(accepted, [Secret(OTHER_SECRET)]).answer is Answer.NO
    assert verify_today(_with_headers("host"), OURS).answer is Answer.UNKNOWN


hostile_texts = st.none() | st.text(max_size=300) | st.from_regex(r"(v1a?,[A-Za-z0-9+/=_-]{0,60}[ ,]?){0,4}")


@settings(max_examples=300)
@given(
    body=st.binary(max_size=400)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()),
    svix_id=hostile_texts,
    signature=hostile_texts,
    timestamp=st.none() | st.integers(-(2**63), 2**63 - 1),
    cause=st.sampled_from([*Refusal, "unheard_of"]),
    names=st.lists(st.text(max_size=20), max_size=5),
)
def test_nothing_that_a_stranger_sends_makes_it_fail(
    body: bytes,
    svix_id: str | None,
    signature: str | None,
    timestamp: int | None,
    cause: str,
    names: list[str],
) -> None:
    evidence = Evidence(
        NOON, cause, svix_id, timestamp, signature, None, body, len(body), None, tuple(names), "text/plain"
    )
    found = diagnose(evidence, OURS)
    told = [verify_today(evidence, OURS).why, *(text for finding in found for text in _texts(finding))]
    assert not [text for text in told if SECRET in text or TEXT.decode() in text]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"[" * 900 + b"0," * 7_000 + b"0" + b"]" * 900,
        b"\x1f\x8b" * 30_000,
        gzip.compress(b"0" * 50_000_000),
        b"%" * 60_000,
        b"&" * 60_000,
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
    ],
    ids=range(9),
)
def test_bodies_made_to_cost_much_cost_little(body: bytes) -> None:
    began = time.thread_time()
    diagnose(arrived(body, signature=_v1(b"x" * 32)), OURS)
    assert time.thread_time() - began < 2


def _texts(finding: Finding) -> tuple[str, str]:
    return finding.what, finding.change
