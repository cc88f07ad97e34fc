import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.event import MAX_REF_ID, MAX_STATUS, Event, Family, Unreadability, Unreadable, read, ref_key
from tests.receiver.factories import body

PLAIN = {"refId": "acme", "status": "IN_REVIEW", "previousStatus": "IN_PROGRESS"}


def test_an_event_is_read() -> None:
    content = body("acme 1/2", "REJECTED", previousStatus="IN_REVIEW", reason="DOCUMENT_MISMATCH")

    assert read(content) == Event(Family.KYB, "acme 1/2", "REJECTED", "IN_REVIEW", "DOCUMENT_MISMATCH")


@pytest.mark.parametrize("reason", [None, 7, True, ["DOCUMENT_MISMATCH"], {}])
def test_a_rejection_never_vanishes_over_its_reason(reason: Any) -> None:
    event = read(body(status="REJECTED", reason=reason))

    assert isinstance(event, Event)
    assert (event.status, event.reason) == ("REJECTED", None)


def test_what_is_not_known_is_read_as_it_is() -> None:
    event = read(json.dumps(PLAIN | {"status": "SUSPENDED", "caseId": 7, "more": {"a": [1.5]}}).encode())

    assert event == Event(Family.KYB, "acme", "SUSPENDED", "IN_PROGRESS", None)


@pytest.mark.parametrize(
    ("payload", "family"),
    [
        (PLAIN, Family.KYB),
        ({"refId": "acme", "status": "REJECTED"}, Family.AML),
        ({"refId": "acme", "status": "NO_MATCH"}, Family.AML),
        ({"refId": "acme", "status": "CLEARED"}, Family.AML),
        ({"refId": "acme", "status": "successful"}, Family.IDENTITY),
        ({"refId": "acme", "status": "in_progress", "previousStatus": "pending"}, Family.IDENTITY),
        ({"refId": "acme", "status": "anything", "userId": "u"}, Family.IDENTITY),
        ({"refId": "acme", "status": "COMPLETED"}, Family.OTHER),
        ({"refId": "acme", "status": "kyb.case.created"}, Family.OTHER),
        ({"refId": "acme", "status": "", "previousStatus": ""}, Family.OTHER),
    ],
)
def test_only_an_upper_case_status_after_another_is_a_kyb_event(payload: Any, family: Family) -> None:
    event = read(json.dumps(payload).encode())

    assert isinstance(event, Event)
    assert event.family is family


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "not_json"),
        (b"refId=acme", "not_json"),
        (b'{"refId": "acme"', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'"\xff"', "not_json"),
        (b'{"refId": "a", "status": "B", "score": NaN}', "not_json"),
        (b'{"refId": "a", "status": "B", "score": -Infinity}', "not_json"),
        (b'{"refId": "a", "status": "B", "score": ' + b"7" * 5000 + b"}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 100_000, "not_json"),
        (b"[" * 100_000 + b"]" * 100_000, "not_json"),
        (b"null", "not_an_object"),
        (b'"acme"', "not_an_object"),
        (b'[{"refId": "a", "status": "B"}]', "not_an_object"),
        (b'{"refId": "a", "refId": "a", "status": "B"}', "repeated_key"),
        (b'{"refId": "a", "\\u0072efId": "b", "status": "B"}', "repeated_key"),
        (b'{"refId": "a", "status": "B", "more": [{"deep": {"x": 1, "x": 2}}]}', "repeated_key"),
        (b"{}", "missing_ref_id"),
        (b'{"status": "B"}', "missing_ref_id"),
        (b'{"refId": 7, "status": "B"}', "mistyped_ref_id"),
        (b'{"refId": null, "status": "B"}', "mistyped_ref_id"),
        (b'{"refId": "", "status": "B"}', "empty_ref_id"),
        (b'{"refId": "a"}', "missing_status"),
        (b'{"refId": "a", "status": ["B"]}', "mistyped_status"),
        (b'{"refId": "a", "status": "B", "previousStatus": null}', "mistyped_previous_status"),
        (b'{"refId": "a", "status": "B", "previousStatus": false}', "mistyped_previous_status"),
        (b'{"refId": "a\\u0000", "status": "B"}', "unstorable_text"),
        (b'{"refId": "\\ud800", "status": "B"}', "unstorable_text"),
        (b'{"refId": "a", "status": "\\udfff"}', "unstorable_text"),
        (b'{"refId": "a", "status": "B", "previousStatus": "\\udc00\\ud800"}', "unstorable_text"),
        (b'{"refId": "a", "status": "B", "reason": "\\u0000"}', "unstorable_text"),
        (body("a" * (MAX_REF_ID + 1)), "ref_id_too_long"),
        (body("\N{EURO SIGN}" * (MAX_REF_ID // 3 + 1)), "ref_id_too_long"),
        (body(status="B" * (MAX_STATUS + 1)), "status_too_long"),
        (body(previousStatus="B" * (MAX_STATUS + 1)), "status_too_long"),
    ],
    ids=lambda value: repr(value[:50]) if isinstance(value, bytes) else value,
)
def test_what_cannot_be_understood_has_a_cause(content: bytes, cause: str) -> None:
    assert read(content) == Unreadable(Unreadability(cause))


def test_the_longest_ref_id_and_status_are_read() -> None:
    event = read(body("\N{EURO SIGN}" * (MAX_REF_ID // 3), "B" * MAX_STATUS))

    assert isinstance(event, Event)


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    event = read(b'{"refId": "\\ud83c\\udfe6", "status": "B"}')

    assert isinstance(event, Event)
    assert event.ref_id == "\N{BANK}"


def test_a_nul_or_a_lone_surrogate_elsewhere_does_no_harm() -> None:
    assert isinstance(read(b'{"refId": "a", "status": "B", "note": "\\u0000\\ud800"}'), Event)


def test_a_ref_key_tells_cases_apart() -> None:
    assert ref_key("acme") == ref_key("acme")
    assert len({ref_key("acme"), ref_key("Acme"), ref_key("acme ")}) == 3
    assert len(ref_key("a" * MAX_REF_ID)) == 16


@given(st.binary())
def test_no_bytes_make_it_raise(content: bytes) -> None:
    assert isinstance(read(content), Event | Unreadable)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=8,
)
fields = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("refId", "status", "previousStatus", "reason", "userId", "more"), json_values),
)


@given(fields | json_values, st.booleans())
def test_no_json_makes_it_raise(payload: Any, escaped: bool) -> None:
    found = read(json.dumps(payload, ensure_ascii=escaped).encode(errors="surrogatepass"))

    if isinstance(found, Event):
        assert (found.ref_id, found.status) == (payload["refId"], payload["status"])
        "\n".join(filter(None, [found.ref_id, found.status, found.previous_status, found.reason])).encode()


@given(st.text(min_size=1, max_size=50), st.text(max_size=50), st.none() | st.text(max_size=50))
def test_text_is_read_as_it_was_sent_or_kept_aside(ref_id: str, status: str, reason: str | None) -> None:
    found = read(body(ref_id, status, reason=reason))

    storable = "\0" not in ref_id + status + (reason or "")
    assert isinstance(found, Event) == storable
    if isinstance(found, Event):
        assert (found.ref_id, found.status, found.reason) == (ref_id, status, reason)
