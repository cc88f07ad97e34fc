"""Outside production, nobody is reached who is not on the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.handlers import NoRetry
from receiver.handlers.reach import require_listed
from receiver.settings import Settings

LISTED = (
    "ana@example.com",
    "kim@example.com",
    "@acme.example",
    "accounts.internal",
    "localhost:9000",
    "[::1]:9000",
    "https.internal:443",
)
STAGING = Settings(environment="staging", allowed_addresses=LISTED)


def is_reached(address: str, settings: Settings = STAGING) -> bool:
    try:
        require_listed(settings, address, "the customer")
    except NoRetry:
        return False
    return True


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com",
        "ANA@Example.COM",
        "anybody@acme.example",
        "Anybody+tag@ACME.example",
        "http://accounts.internal",
        "https://accounts.internal:8443/kyb?x=1",
        "https://ACCOUNTS.internal/",
        "http://ana:secret@accounts.internal/",
        "http://localhost:9000/kyb",
        "http://[::1]:9000/",
        "https://https.internal/",
        "https://https.internal:443/",
    ],
)
def test_what_is_listed_is_reached(address: str) -> None:
    assert is_reached(address)


@pytest.mark.parametrize(
    "address",
    [
        "ben@example.com",
        "ana@example.com.evil.example",
        "ana@example.com@evil.example",
        "evil@evil.example@acme.example",
        "ana@evil-acme.example",
        "ana@sub.acme.example",
        "ana@acme.example.",
        "ana@acme.example\n",
        "ana@acme.example, evil@evil.example",
        "Ana <ana@example.com>",
        '"ana@example.com"@evil.example',
        "ana@e\N{CYRILLIC SMALL LETTER HA}ample.com",
        "\N{KELVIN SIGN}im@example.com",
        "evil evil@acme.example",
        "evil>\r\nBcc: <evil@acme.example",
        "e\N{ZERO WIDTH SPACE}vil@acme.example",
        "ana@acme.e\N{ZERO WIDTH SPACE}xample",
        "@acme.example",
        "accounts.internal",
        "",
        "http://evil.example/",
        "http://accounts.internal.evil.example/",
        "http://evil-accounts.internal/",
        "http://accounts.internal@evil.example/",
        "http://accounts.internal:80@evil.example/",
        "http://accounts.internal\\@evil.example/",
        "http://evil.example/accounts.internal",
        "http://evil.example?@accounts.internal",
        "http://evil.example#@accounts.internal",
        "http://localhost/",
        "http://localhost:90001/",
        "http://localhost:9001/",
        "http://[::1]:9001/",
        "http://https.internal/",
        "http:accounts.internal",
        "http://[accounts.internal/",
        "http://:80/",
        "ftp://evil.example/",
        "http://127.0.0.1:9000/",
        "http://ana@acme.example/",
    ],
)
def test_what_is_not_listed_is_not_reached_whatever_it_looks_like(address: str) -> None:
    assert not is_reached(address)


parts = st.sampled_from(
    [*LISTED, "@", ":", "/", ".", "-", "evil", "http://", "\\", "#", "?", " ", "\n", "%40", "A"]
)


@given(st.lists(parts | st.text(max_size=3), max_size=8).map("".join))
def test_nothing_but_whole_entries_lets_an_address_through(address: str) -> None:
    if is_reached(address):
        assert address.lower() in LISTED or address.lower().endswith("@acme.example") or "://" in address
        if "://" not in address:
            assert address.count("@") == 1


@given(st.text() | st.emails() | st.lists(parts).map("".join))
def test_with_an_empty_list_nobody_is_reached_and_in_production_everybody(address: str) -> None:
    assert not is_reached(address, Settings(environment="staging"))
    assert is_reached(address, Settings())


@given(st.sampled_from(["", "evil.", "x-"]), st.sampled_from(["", ".evil", "0"]))
def test_a_host_is_compared_as_a_whole(before: str, behind: str) -> None:
    reached = is_reached(f"http://{before}accounts.internal{behind}/")
    assert reached == (not before and not behind)


def test_people_read_who_was_not_contacted_and_never_what_signs_in() -> None:
    with pytest.raises(NoRetry) as caught:
        require_listed(STAGING, "https://ana:secret@evil.example:8443/x?token=1", "the account service")
    assert str(caught.value) == (
        "The account service was not contacted: this is “staging”, not production, and evil.example:8443 is "
        "not on the list of addresses that may be reached from here (KYBDESK_ALLOWED_ADDRESSES)"
    )
