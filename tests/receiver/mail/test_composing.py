"""A letter as an e-mail: its headers, its parts, and what can't get into them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from receiver.handlers import NoRetry
from receiver.mail.composing import Mail, Sender, compose
from receiver.mail.templates import Letter

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
LETTER = Letter("de", "Geprüft", "Grüße\n", "<p>Grüße</p>")


def composed(
    letter: Letter = LETTER, sender: str = "Acme Bank <kyb@acme.example>", recipient: str = "o@x.example"
) -> Mail:
    return compose(letter, Sender.of(sender), recipient, "0a1b", NOON)


def test_the_headers_say_who_what_when_and_that_nobody_wrote_it_by_hand() -> None:
    said = message_from_bytes(composed().message.as_bytes(), policy=policy.default)
    assert {name: str(said[name]) for name in set(said.keys()) - {"MIME-Version", "Content-Type"}} == {
        "From": "Acme Bank <kyb@acme.example>",
        "To": "o@x.example",
        "Subject": "Geprüft",
        "Date": "Thu, 05 Mar 2026 12:00:00 +0000",
        "Message-ID": "<0a1b@acme.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "de",
    }


def test_text_comes_first_and_html_last_which_readers_prefer() -> None:
    message = composed().message
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert composed(Letter("en", "x", "y\n", None)).message.get_content_type() == "text/plain"


def test_it_is_ascii_on_the_wire_whatever_it_says() -> None:
    mail = composed(
        Letter("de", "Ü" * 200, "ß" * 3000 + "\n", "<p>" + "ß" * 3000),
        "Bäcker, Öl & Co <k@x.example>".replace(",", ""),
    )
    raw = mail.message.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == "Ü" * 200


def test_a_sender_without_a_name_goes_by_its_domain() -> None:
    assert Sender.of("kyb@acme.example") == Sender("acme.example", "kyb@acme.example")
    assert Sender.of('"Acme, Inc." <kyb@acme.example>').name == "Acme, Inc."


def test_a_domain_beyond_ascii_is_the_one_that_was_written() -> None:
    assert composed(recipient="o@straße.example").recipient == "o@xn--strae-oqa.example"
    assert not composed(recipient="o@straße.example").is_international
    assert composed(recipient="jürgen@x.example").is_international


def test_a_domain_that_cannot_be_is_said() -> None:
    with pytest.raises(NoRetry, match="no such domain"):
        composed(recipient="o@\u2603..example")


def test_nothing_gets_into_the_headers_by_a_line_break() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        composed(Letter("en", "x\r\nBcc: y@z.example", "", None))
