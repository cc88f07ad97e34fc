"""Whether a mail was sent, over real sockets: what the server does, and what the handler then says."""

import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from receiver.handlers import InDoubt, NoRetry, TryAgain
from receiver.mail.composing import Mail, Sender, compose
from receiver.mail.sending import send
from receiver.mail.server import Server
from receiver.mail.templates import Letter
from tests.certificates import certificate
from tests.mail_server import DROP, HANG, HOST, PASSWORD, USER, mailbox, moody

PLENTY, SOME, LITTLE = 20.0, 4.0, 0.4  # seconds
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
SENDER = Sender.of("Acme Bank <kyb@acme-bank.example>")


def mail(recipient: str = "owner@acme.example", text: str = "You are verified.\n") -> Mail:
    return compose(Letter("en", "Verified", text, None), SENDER, recipient, "a1b2", NOON)


def server(port: int, security: str = "none", password: str | None = None, host: str = HOST) -> Server:
    return Server(host, port, security, USER if password else None, password)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate()))


def test_a_mail_arrives_as_it_was_written() -> None:
    with mailbox() as box:
        send(mail(text=".a dot\nGrüße\n" + "long " * 300 + "\n"), server(box.port), PLENTY)
    (envelope,), (arrived,) = box.envelopes, box.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("kyb@acme-bank.example", ["owner@acme.example"])
    assert arrived["Subject"] == "Verified"
    assert arrived.get_content().splitlines()[:2] == [".a dot", "Grüße"]


def test_a_refused_recipient_needs_a_person() -> None:
    with mailbox(refusing={"x@acme.example": "550 no such user"}) as box, pytest.raises(NoRetry) as said:
        send(mail("x@acme.example"), server(box.port), PLENTY)
    assert str(said.value) == (
        "The mail server refused the address x@acme.example: 550 no such user. Nothing was sent: "
        "correct it on the case's page, then re-process"
    )


def test_a_recipient_refused_for_the_moment_is_tried_again() -> None:
    refusing = {"owner@acme.example": "451 greylisted"}
    with mailbox(refusing=refusing) as box, pytest.raises(TryAgain, match="for the moment: 451 greylisted"):
        send(mail(), server(box.port), PLENTY)


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_dropped_before_the_content_is_tried_again(step: str) -> None:
    with moody(**{step: DROP}) as other, pytest.raises(TryAgain, match="broke off the connection"):
        send(mail(), server(other.port), PLENTY)
    assert other.contents == []


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
def test_silence_before_the_content_is_tried_again(step: str) -> None:
    with moody(**{step: HANG}) as other, pytest.raises(TryAgain, match="did not answer in time"):
        send(mail(), server(other.port), LITTLE)
    assert other.contents == []


@pytest.mark.parametrize(("mood", "words"), [(DROP, "broke off the connection"), (HANG, "fell silent")])
def test_what_went_wrong_after_the_content_leaves_us_in_doubt(mood: str, words: str) -> None:
    with moody(content=mood) as other, pytest.raises(InDoubt) as said:
        send(mail(), server(other.port), SOME)
    assert len(other.contents) == 1
    assert str(said.value) == (
        f"The mail to owner@acme.example may have been sent: the mail server {words} after it had the whole "
        "mail. Check before you send it again"
    )


@pytest.mark.parametrize(
    ("moods", "error", "words"),
    [
        ({"content": "451 try later"}, TryAgain, "refused the mail for the moment: 451 try later"),
        ({"content": "554 looks like spam"}, NoRetry, "refused the mail: 554 looks like spam"),
        ({"content": "hello?"}, InDoubt, "can't be understood after it had"),
        ({"content": "354 go on"}, InDoubt, "can't be understood \\(354 go on\\)"),
        ({"DATA": "554 no valid recipients"}, NoRetry, "refused to take a mail: 554"),
        ({"DATA": "452 disk full"}, TryAgain, "for the moment: 452"),
        ({"MAIL": "550 not from here"}, NoRetry, "refused the sender kyb@acme-bank.example: 550"),
        ({"connect": "421 too busy"}, TryAgain, "421 too busy"),
        ({"connect": "554 no mail for you"}, NoRetry, "554 no mail for you"),
        ({"connect": "HTTP/1.1 400 Bad Request"}, TryAgain, "can't be understood"),
    ],
)
def test_an_answer_says_what_became_of_the_mail(moods: dict[str, str], error: type, words: str) -> None:
    with moody(**moods) as other, pytest.raises(error, match=words):
        send(mail(), server(other.port), PLENTY)


def test_a_mail_that_was_taken_is_sent_whatever_the_farewell_is_like() -> None:
    for mood in (DROP, HANG, "500 what?"):
        with moody(QUIT=mood) as other:
            send(mail(), server(other.port), PLENTY)
        assert len(other.contents) == 1


def test_the_time_for_all_of_it_is_bounded() -> None:
    began = time.monotonic()
    with moody(connect=HANG) as other, pytest.raises(TryAgain):
        send(mail(), server(other.port), LITTLE)
    assert time.monotonic() - began < PLENTY / 2


def test_a_look_up_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30) and [])
    try:
        with pytest.raises(TryAgain, match="did not answer in time"):
            send(mail(), server(25, host="mail.example"), LITTLE)
        assert not release.is_set()
    finally:
        release.set()


def test_no_server_there_is_tried_again() -> None:
    with mailbox() as box:
        port = box.port
    with pytest.raises(TryAgain, match="connection was refused"):
        send(mail(), server(port), PLENTY)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_trusted_opens_the_way(trusted: None, security: str) -> None:
    with mailbox(security) as box:
        send(mail(), server(box.port, security), PLENTY)
        assert len(box.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_knows_needs_a_person(security: str) -> None:
    with mailbox(security) as box, pytest.raises(NoRetry, match=r"not valid .*self-signed"):
        send(mail(), server(box.port, security), PLENTY)
    assert box.mails == []


def test_nothing_goes_in_the_clear_where_encryption_is_wanted() -> None:
    with mailbox() as box, pytest.raises(NoRetry, match="offers no encryption"):
        send(mail(), server(box.port, "starttls", PASSWORD), PLENTY)
    assert box.mails == []


def test_tls_with_a_server_that_speaks_plainly_is_said() -> None:
    with mailbox() as box, pytest.raises(TryAgain, match="No encryption could be agreed"):
        send(mail(), server(box.port, "tls"), PLENTY)


def test_we_sign_in_where_that_is_set(trusted: None) -> None:
    with mailbox("starttls", sign_in=True) as box:
        send(mail(), server(box.port, "starttls", PASSWORD), PLENTY)
        assert box.signed_in == [USER]
        assert len(box.mails) == 1


def test_a_refused_sign_in_needs_a_person_and_shows_no_secret(trusted: None) -> None:
    with mailbox("starttls", sign_in=True) as box, pytest.raises(NoRetry) as said:
        send(mail(), server(box.port, "starttls", "hunter2"), PLENTY)
    assert str(said.value).startswith("The mail server refused our sign-in (535). Nothing was sent")
    assert "hunter2" not in repr(server(1, password="hunter2"))


def test_a_sign_in_that_the_server_repeats_stays_a_secret() -> None:
    greeting = "250-moody.example\r\n250 AUTH LOGIN"
    for answer in ("535 who is aHVudGVyMg==?", "aHVudGVyMg==", "454 aHVudGVyMg=="):
        with moody(EHLO=greeting, AUTH="334 UGFzc3dvcmQ6", AHVUDGVYMG=answer) as other:
            with pytest.raises((NoRetry, TryAgain)) as said:
                send(mail(), server(other.port, password="hunter2"), PLENTY)
            assert "sign-in" in str(said.value)
            assert "aHVudGVyMg" not in str(said.value)
            assert said.value.__suppress_context__, "the traceback shows it neither"


def test_a_server_without_sign_in_is_said() -> None:
    with mailbox() as box, pytest.raises(NoRetry, match="offers no sign-in"):
        send(mail(), server(box.port, password=PASSWORD), PLENTY)


def test_letters_beyond_ascii_in_an_address_need_a_server_that_takes_them() -> None:
    with mailbox(enable_SMTPUTF8=True) as box:
        send(mail("jürgen@acme.example"), server(box.port), PLENTY)
        assert box.envelopes[0].rcpt_tos == ["jürgen@acme.example"]
    with mailbox(enable_SMTPUTF8=False) as box, pytest.raises(NoRetry, match=r"SMTPUTF8.*another address"):
        send(mail("jürgen@acme.example"), server(box.port), PLENTY)


def test_such_a_domain_goes_to_any_server() -> None:
    with mailbox(enable_SMTPUTF8=False) as box:
        send(mail("info@straße.example"), server(box.port), PLENTY)
        assert box.envelopes[0].rcpt_tos == ["info@xn--strae-oqa.example"]
