import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from svix.webhooks import Webhook, WebhookVerificationError

from receiver.verification import Refusal, Refused, Verified, Verifier, fingerprint
from tests.receiver.factories import NOON, OTHER_SECRET, SECRET, body, message_id, signed

Headers = list[tuple[bytes, bytes]]

BODY = body()
ID = message_id(NOON)
GOOD_ID, GOOD_TIMESTAMP, GOOD_SIGNATURE = GOOD = signed(BODY, ID, NOON)
TOKEN = GOOD_SIGNATURE[1]
OTHER_TOKEN = b"v1," + base64.b64encode(b"\x00" * 32)


def verify(
    headers: Headers, content: bytes = BODY, at: datetime = NOON, secrets: tuple[str, ...] = (SECRET,)
) -> Verified | Refused:
    return Verifier(secrets).verify(headers, content, at.timestamp())


def cause_of(found: Verified | Refused) -> Refusal:
    assert isinstance(found, Refused)
    return found.cause


def with_signature(value: bytes) -> Headers:
    return [GOOD_ID, GOOD_TIMESTAMP, (b"svix-signature", value)]


def with_timestamp(value: bytes, name: bytes = b"svix-timestamp") -> Headers:
    """The header as given, with a signature that is genuine for what a loose reader makes of it."""
    try:
        moment = datetime.fromtimestamp(float(value.decode("utf-8")), UTC)
    except (ValueError, OverflowError):
        moment = NOON
    return [GOOD_ID, (name, value), signed(BODY, ID, moment)[2]]


def printed_sample(secret: str = SECRET, content: bytes = BODY) -> tuple[bytes, bytes]:
    """VOVE's documentation signs the body alone, with the secret's text: in hex, and in base64."""
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return digest.hex().encode(), base64.b64encode(digest)


def test_a_genuine_delivery_is_verified() -> None:
    assert verify(GOOD) == Verified(ID, int(NOON.timestamp()), fingerprint(SECRET))


@pytest.mark.parametrize(
    ("secret", "svix_id", "timestamp", "content", "signature"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            b"msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            b"msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            b"v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ],
)
def test_the_published_vectors_are_verified(
    secret: str, svix_id: bytes, timestamp: int, content: bytes, signature: bytes
) -> None:
    headers = [
        (b"svix-id", svix_id),
        (b"svix-timestamp", str(timestamp).encode()),
        (b"svix-signature", signature),
    ]
    found = Verifier([secret]).verify(headers, content, timestamp)

    assert found == Verified(svix_id.decode(), timestamp, fingerprint(secret))


def test_the_twin_names_are_as_good() -> None:
    assert isinstance(verify(signed(BODY, ID, NOON, family="webhook")), Verified)


def test_the_order_of_headers_and_what_stands_between_them_means_nothing() -> None:
    assert isinstance(
        verify([(b"host", b"x"), GOOD_SIGNATURE, GOOD_TIMESTAMP, (b"x", b""), GOOD_ID]), Verified
    )


def test_a_body_of_any_text_is_verified() -> None:
    content = '{"refId": "caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{BANK}\0"}\r\n'.encode()

    assert isinstance(verify(signed(content, ID, NOON), content), Verified)


@pytest.mark.parametrize("changed", [BODY + b" ", BODY[:-1], BODY.upper(), b""])
def test_other_bytes_are_refused(changed: bytes) -> None:
    assert cause_of(verify(GOOD, changed)) is Refusal.NO_MATCH


def test_another_id_or_timestamp_than_the_signed_is_refused() -> None:
    other_id = (b"svix-id", message_id(NOON, payload=1).encode())
    other_timestamp = (b"svix-timestamp", b"%d" % (NOON.timestamp() + 1))

    assert cause_of(verify([other_id, GOOD_TIMESTAMP, GOOD_SIGNATURE])) is Refusal.NO_MATCH
    assert cause_of(verify([GOOD_ID, other_timestamp, GOOD_SIGNATURE])) is Refusal.NO_MATCH


# Headers


@pytest.mark.parametrize("name", [b"svix-id", b"svix-timestamp", b"svix-signature"])
@pytest.mark.parametrize("other", [b"x", None], ids=["another value", "the same value"])
@pytest.mark.parametrize("first", [True, False])
def test_a_repeated_header_is_refused(name: bytes, other: bytes | None, first: bool) -> None:
    second = (name, dict(GOOD)[name] if other is None else other)
    headers = [second, *GOOD] if first else [*GOOD, second]

    assert cause_of(verify(headers)) is Refusal.REPEATED_HEADER


@pytest.mark.parametrize("part", [0, 1, 2])
def test_mixed_families_are_refused(part: int) -> None:
    twins = signed(BODY, ID, NOON, family="webhook")

    assert cause_of(verify([*GOOD[:part], twins[part], *GOOD[part + 1 :]])) is Refusal.MIXED_HEADERS
    assert cause_of(verify([*GOOD, twins[part]])) is Refusal.MIXED_HEADERS
    assert cause_of(verify([*twins, *GOOD])) is Refusal.MIXED_HEADERS


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_a_missing_header_is_refused(part: int, family: str) -> None:
    headers = signed(BODY, ID, NOON, family=family)

    assert cause_of(verify(headers[:part] + headers[part + 1 :])) is Refusal.MISSING_HEADER


def test_no_headers_at_all_are_refused() -> None:
    assert verify([]) == Refused(Refusal.MISSING_HEADER)


@pytest.mark.parametrize(
    "svix_id", [b"", b"msg 1", b"msg.1", b"msg_\xff", "msg_\N{EURO SIGN}".encode(), b"a" * 256, b"msg_1\t"]
)
def test_a_malformed_id_is_refused(svix_id: bytes) -> None:
    assert cause_of(verify([(b"svix-id", svix_id), *GOOD[1:]])) is Refusal.MALFORMED_ID


@pytest.mark.parametrize("svix_id", ["a", "a" * 255, "msg_p5jXN8AQM9LWM0D4loKWxJek", "-_-"])
def test_an_id_need_not_be_svixs(svix_id: str) -> None:
    assert isinstance(verify(signed(BODY, svix_id, NOON)), Verified)


@pytest.mark.parametrize(
    "timestamp",
    [
        b"",
        b"now",
        b"1795176000.9",
        b"1_795_176_000",
        b"+1795176000",
        b"-1795176000",
        b"01795176000",
        b"1795176000 ",
        b"1.795176e9",
        b"0x6b001f40",
        "\u0661\u0667\u0669\u0665\u0661\u0667\u0666\u0660\u0660\u0660".encode(),
        b"\xb9\xb2\xb3",
        b"nan",
        b"inf",
        b"9" * 12,
        b"9" * 5000,
    ],
)
def test_a_timestamp_that_only_a_loose_reader_takes_is_refused(timestamp: bytes) -> None:
    assert cause_of(verify(with_timestamp(timestamp))) is Refusal.MALFORMED_TIMESTAMP


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_may_be_five_minutes_off(seconds: int) -> None:
    assert isinstance(verify(GOOD, at=NOON + timedelta(seconds=seconds)), Verified)


@pytest.mark.parametrize(
    ("ours", "cause"),
    [
        (NOON + timedelta(seconds=301), Refusal.TOO_OLD),
        (NOON + timedelta(seconds=300.001), Refusal.TOO_OLD),
        (NOON - timedelta(seconds=301), Refusal.TOO_NEW),
        (NOON - timedelta(seconds=300.001), Refusal.TOO_NEW),
        (NOON + timedelta(days=9), Refusal.TOO_OLD),
    ],
)
def test_a_clock_may_not_be_more_than_that_off(ours: datetime, cause: Refusal) -> None:
    assert cause_of(verify(GOOD, at=ours)) is cause


@pytest.mark.parametrize(("timestamp", "cause"), [(b"99999999999", Refusal.TOO_NEW), (b"0", Refusal.TOO_OLD)])
def test_a_timestamp_from_another_age_is_refused(timestamp: bytes, cause: Refusal) -> None:
    assert cause_of(verify(with_timestamp(timestamp))) is cause


def test_what_is_not_signed_is_not_told_that_it_is_old() -> None:
    assert cause_of(verify(with_signature(OTHER_TOKEN), at=NOON + timedelta(days=9))) is Refusal.NO_MATCH


@pytest.mark.parametrize(
    "signature",
    [
        OTHER_TOKEN + b" " + TOKEN,
        TOKEN + b" " + OTHER_TOKEN,
        b"v1,!!! " + TOKEN,
        b"v1 " + TOKEN,
        b"v1,a,b " + TOKEN,
        b"nonsense " + TOKEN,
        b"v1a," + base64.b64encode(b"\x00" * 64) + b" " + TOKEN,
        b"v2," + TOKEN[3:] + b" " + TOKEN,
        b" " + TOKEN,
        TOKEN + b" ",
        OTHER_TOKEN + b"  " + TOKEN,
        b"\xff\xfe " + TOKEN,
    ],
)
def test_what_stands_beside_a_genuine_token_spoils_nothing(signature: bytes) -> None:
    assert isinstance(verify(with_signature(signature)), Verified)


@pytest.mark.parametrize(
    ("signature", "cause"),
    [
        (OTHER_TOKEN, Refusal.NO_MATCH),
        (OTHER_TOKEN + b" " + OTHER_TOKEN, Refusal.NO_MATCH),
        (b"", Refusal.MALFORMED_SIGNATURE),
        (b" ", Refusal.MALFORMED_SIGNATURE),
        (b"v1,", Refusal.MALFORMED_SIGNATURE),
        (TOKEN[3:], Refusal.MALFORMED_SIGNATURE),
        (TOKEN[:-1], Refusal.MALFORMED_SIGNATURE),
        (TOKEN.replace(b",", b", "), Refusal.MALFORMED_SIGNATURE),
        (TOKEN + b"," + TOKEN, Refusal.MALFORMED_SIGNATURE),
        (TOKEN + b"\t" + TOKEN, Refusal.MALFORMED_SIGNATURE),
        (b"v1a" + TOKEN[2:], Refusal.MALFORMED_SIGNATURE),
        (b"V1" + TOKEN[2:], Refusal.MALFORMED_SIGNATURE),
        (b"\xff" * 48, Refusal.MALFORMED_SIGNATURE),
    ],
)
def test_without_a_genuine_token_it_is_refused(signature: bytes, cause: Refusal) -> None:
    assert cause_of(verify(with_signature(signature))) is cause


def test_a_body_that_is_not_utf8_is_refused() -> None:
    content = b'{"refId": "caf\xe9"}'
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    to_sign = f"{ID}.{int(NOON.timestamp())}.".encode() + content
    token = b"v1," + base64.b64encode(hmac.new(key, to_sign, hashlib.sha256).digest())

    assert cause_of(verify(with_signature(token), content)) is Refusal.BODY_NOT_UTF8


def test_a_refusal_keeps_what_was_claimed() -> None:
    found = verify(with_signature(OTHER_TOKEN))

    assert found == Refused(Refusal.NO_MATCH, ID, int(NOON.timestamp()), OTHER_TOKEN.decode(), shaped=True)


@pytest.mark.parametrize(
    "headers",
    [
        GOOD[:2],
        [(b"svix-id", b"msg 1"), *GOOD[1:]],
        [GOOD_ID, (b"svix-timestamp", b"now"), GOOD_SIGNATURE],
        with_signature(b"v1,short"),
    ],
)
def test_only_three_well_formed_headers_are_shaped_like_svixs(headers: Headers) -> None:
    found = verify(headers, BODY + b" ")

    assert isinstance(found, Refused)
    assert not found.shaped


# Secrets


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_of_several_secrets_it_is_told_which_one_verified(secret: str) -> None:
    found = verify(signed(BODY, ID, NOON, secret), secrets=(SECRET, OTHER_SECRET))

    assert found == Verified(ID, int(NOON.timestamp()), fingerprint(secret))


def test_while_the_sender_rotates_either_of_two_tokens_is_enough() -> None:
    tokens = [signed(BODY, ID, NOON, secret)[2][1] for secret in (OTHER_SECRET, SECRET)]

    for secret in (SECRET, OTHER_SECRET):
        found = verify(with_signature(b" ".join(tokens)), secrets=(secret,))
        assert isinstance(found, Verified)
        assert found.fingerprint == fingerprint(secret)


def test_a_fingerprint_gives_no_secret_away() -> None:
    assert fingerprint(SECRET) != fingerprint(OTHER_SECRET)
    assert len(fingerprint(SECRET)) == 8


# What VOVE's documentation prints


@pytest.mark.parametrize("form", [0, 1], ids=["hex", "base64"])
@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
@pytest.mark.parametrize("with_ids", [True, False])
def test_a_printed_sample_is_recognised(form: int, secret: str, with_ids: bool) -> None:
    headers = with_signature(printed_sample(secret)[form])

    found = verify(headers if with_ids else headers[2:], secrets=(SECRET, OTHER_SECRET))

    assert cause_of(found) is Refusal.SIGNED_AS_PRINTED_SAMPLE


def test_a_printed_sample_over_another_body_is_not() -> None:
    assert cause_of(verify([(b"svix-signature", printed_sample()[0])], BODY + b" ")) is Refusal.MISSING_HEADER


# Svix's own library


well_formed_ids = st.from_regex(r"[A-Za-z0-9_-]{1,255}", fullmatch=True)
bodies = st.text(st.characters(exclude_categories=["Cs"]))
offsets = st.integers(-600, 600).filter(
    lambda seconds: abs(abs(seconds) - 300) > 10
)  # it has no clock to set
tokens = st.lists(
    st.sampled_from(["genuine", "old", "v1a," + base64.b64encode(b"\x00" * 64).decode()])
    | st.binary(min_size=32, max_size=32).map(lambda digest: "v1," + base64.b64encode(digest).decode()),
    min_size=1,
    max_size=4,
)


@given(well_formed_ids, bodies, offsets, tokens, st.sampled_from(["svix", "webhook"]), st.booleans())
def test_what_is_well_formed_is_judged_as_svix_judges_it(
    svix_id: str, text: str, offset: int, entries: list[str], family: str, changed: bool
) -> None:
    now = int(time.time())
    moment = datetime.fromtimestamp(now + offset, UTC)
    genuine = {
        "genuine": Webhook(SECRET).sign(svix_id, moment, text),
        "old": Webhook(OTHER_SECRET).sign(svix_id, moment, text),
    }
    headers = {
        f"{family}-id": svix_id,
        f"{family}-timestamp": str(now + offset),
        f"{family}-signature": " ".join(genuine.get(entry, entry) for entry in entries),
    }
    content = (text + changed * "x").encode()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    found = Verifier([SECRET]).verify(raw, content, now)

    assert isinstance(found, Verified) == _svix_verifies(content, headers)


def _svix_verifies(content: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(content, headers)
    except WebhookVerificationError:
        return False
    return True


names = [
    f"{family}-{part}".encode() for family in ("svix", "webhook") for part in ("id", "timestamp", "signature")
]
values = st.binary(max_size=60) | st.sampled_from([value for _, value in GOOD])


@given(st.lists(st.tuples(st.sampled_from(names), values) | st.sampled_from(GOOD), max_size=5), st.binary())
def test_whatever_comes_is_judged_and_nothing_verifies_but_what_was_signed(
    headers: Headers, content: bytes
) -> None:
    assert isinstance(verify(headers, content), Refused)

    if isinstance(verify(headers, BODY), Verified):
        assert sorted(headers) == sorted(GOOD)
