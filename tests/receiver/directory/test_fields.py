"""What the directory takes, and what it says of what it does not take."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.directory.fields import FIELDS, FieldError, checked, from_json, to_json

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
EARLIEST = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("name", "  ACME Ltd ", "ACME Ltd"),
        ("name", " ", None),
        ("name", None, None),
        ("name", "x" * 300, "x" * 300),
        ("email", " Info@Acme.example", "Info@Acme.example"),
        ("email", "büro@straße.example", "büro@straße.example"),
        ("language", "PT_br", "pt-br"),
        ("account_status", "Active", "active"),
        ("account_status", "", None),
        ("verified_at", NOON.astimezone(timezone(timedelta(hours=5))), NOON),
        ("verified_at", None, None),
        ("access_granted", True, True),
        ("review_status", "IN_REVIEW", "IN_REVIEW"),
        ("notes", "one\ntwo", "one\ntwo"),
    ],
)
def test_what_is_kept(field: str, value: Any, kept: Any) -> None:
    assert checked({field: value}) == {field: kept}


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("nmae", "ACME", "nmae: there is no such field; there are name, email,"),
        ("ref_id", "acme", "ref_id: there is no such field"),
        ("name", 7, "name: must be a text, not int"),
        ("name", b"ACME", "name: must be a text, not bytes"),
        ("name", "x" * 301, "name: is longer than 300 characters: it has 301"),
        ("name", "ACME\r\nBcc: all@example.com", "name: must be one line"),
        ("name", "ACME\u2028Ltd", "name: must be one line"),
        ("name", "AC\0ME", "name: holds a character that can't be stored"),
        ("name", "AC\ud800ME", "name: holds a character that can't be stored"),
        ("email", "acme.example", "email: 'acme.example' is no e-mail address"),
        ("email", "a@b, c@d", "email: 'a@b, c@d' is no e-mail address"),
        ("email", "a@b@c", "is no e-mail address"),
        ("email", "bürö@example..com", "no e-mail address: there can be no such domain"),
        ("email", "a@.example", "there can be no such domain"),
        ("email", "a@-b.example", "there can be no such domain"),
        ("email", "a\u200b@b", "is no e-mail address"),
        ("email", "a" * 250 + "@b.example", "email: is longer than 254 characters"),
        ("language", "german", "language: 'german' is no language code, such as en or pt-br"),
        ("account_status", "closed", "account_status: 'closed' is none of active, suspended"),
        ("verified_at", "2026-03-05", "verified_at: must be an aware datetime"),
        ("verified_at", NOON.replace(tzinfo=None), "verified_at: must be an aware datetime"),
        ("verified_at", EARLIEST, "verified_at: is beyond the years 1 to 9999"),
        ("access_granted", 1, "access_granted: must be true or false"),
        ("access_granted", None, "access_granted: must be true or false"),
        ("review_status", "x" * 201, "review_status: is longer than 200 characters"),
        ("notes", "x" * 10_001, "notes: is longer than 10,000 characters: it has 10,001"),
    ],
)
def test_what_is_not_taken_is_named_with_what_to_write_instead(field: str, value: Any, error: str) -> None:
    with pytest.raises(FieldError) as caught:
        checked({field: value})
    assert error in str(caught.value)
    assert caught.value.field == field


VALUES = (
    st.none()
    | st.booleans()
    | st.text()
    | st.integers()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_what_is_taken_stays_the_same_when_it_is_checked_again_and_sent_through_json(
    changes: dict[str, Any],
) -> None:
    try:
        kept = checked(changes)
    except FieldError:
        return
    assert checked(kept) == kept
    assert from_json(json.loads(json.dumps(to_json(kept)))) == kept
