"""Whom we write to, what, and when we do not: over a real mail server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.handlers import registering
from receiver.handlers.testing import Called, call_handler
from receiver.mail.causes import NEVER_TELL, no_text
from receiver.models import Outcome
from receiver.settings import SettingsError
from tests.mail_server import HOST, Mailbox, mailbox
from tests.receiver.handlers.conftest import Ship

ACME = {"name": "Acme Ltd", "email": "owner@acme.example"}
TEXTS = {"en": "A document does not match.", "de": "Ein Dokument passt nicht."}
REJECTED: dict[str, Any] = {
    "status": "REJECTED",
    "reason": "DOCUMENT_MISMATCH",
    "label": "Document mismatch",
    "customer_texts": TEXTS,
    "business": ACME,
}
Notify = Callable[..., Called]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def notify(shipped: Ship, box: Mailbox) -> Notify:
    return _notifying(shipped, box)


def _notifying(shipped: Ship, box: Mailbox, **settings: str) -> Notify:
    usual = {
        "KYBDESK_SMTP_HOST": HOST,
        "KYBDESK_SMTP_PORT": str(box.port),
        "KYBDESK_SMTP_SECURITY": "none",
        "KYBDESK_MAIL_FROM": "Acme Bank <kyb@bank.example>",
        "KYBDESK_SUPPORT_URL": "https://help.bank.example/kyb",
    }
    handler = shipped("notify_customer", **usual | settings).notify_customer
    return lambda **given: call_handler(handler, **{"business": ACME, **given})


def test_a_completed_customer_is_told(notify: Notify, box: Mailbox) -> None:
    called = notify(status="COMPLETED")
    assert called.outcome is Outcome.SUCCEEDED, called.error
    assert called.text == "E-mail sent to owner@acme.example"
    (sent,), (mail,) = called.messages, box.mails
    assert (sent.recipient, sent.subject, sent.language) == (
        "owner@acme.example",
        "Your business has been verified",
        "en",
    )
    assert mail["Subject"] == sent.subject
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == sent.text


def test_a_rejected_customer_reads_the_approved_text_and_what_to_do_next(
    notify: Notify, box: Mailbox
) -> None:
    called = notify(**REJECTED, idempotency_key="0a1b")
    (mail,) = box.mails
    assert mail["Message-ID"] == "<0a1b@bank.example>"
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        for said in ("A document does not match.", "https://help.bank.example/kyb", "Acme Ltd"):
            assert said in part.get_content()
        assert "DOCUMENT_MISMATCH" not in part.get_content()
    assert called.messages[0].text.count("A document does not match.") == 1


@pytest.mark.parametrize(
    ("language", "texts", "chosen"),
    [("de-at", TEXTS, "de"), ("pl", TEXTS, "en"), ("de", {"en": "No."}, "en"), (None, {"fr": "Non."}, "fr")],
)
def test_a_mail_is_in_one_language(
    shipped: Ship, box: Mailbox, language: str | None, texts: dict[str, str], chosen: str
) -> None:
    notify = _notifying(shipped, box, KYBDESK_LANGUAGE="fr" if language is None else "en")
    called = notify(**REJECTED | {"customer_texts": texts, "business": {**ACME, "language": language}})
    assert called.error is None
    assert called.messages[0].language == box.mails[0]["Content-Language"] == chosen
    assert texts[chosen] in called.messages[0].text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"business": {"name": "Acme Ltd"}},
            ["The business has no e-mail address: enter it on the case's page"],
        ),
        (
            {"business": {**ACME, "language": "de"}, "customer_texts": {}},
            ["approved for “Document mismatch” (DOCUMENT_MISMATCH) in German: have one written and approved"],
        ),
        (
            {"business": {}, "customer_texts": {}},  # all that is missing, at once
            ["The business has no e-mail address", "in English"],
        ),
        ({"reason": None}, ["VOVE gave no reason", "Write to the customer by hand"]),
        ({"reason": "NEW", "label": None, "customer_texts": {}}, ["approved for “NEW” in English"]),
        (
            {"never_tell": True},
            ["must not be told to the customer (it is marked “never tell”)", "close this task"],
        ),
        ({"never_tell": True, "requested_by": "ana@example.com"}, ["must not be told"]),
        ({"uncertain": True}, ["is not sure", "Check at VOVE that the case is REJECTED; then re-process"]),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_sent(
    notify: Notify, box: Mailbox, given: dict[str, Any], words: list[str]
) -> None:
    called = notify(**REJECTED | given)
    assert called.no_retry
    assert called.error is not None
    for each in (*words, "othing was sent"):
        assert each in called.error
    assert box.mails == []


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"business": {"name": "Acme Ltd"}}, "no address"),
        ({"customer_texts": {}}, "no text DOCUMENT_MISMATCH"),
        ({"reason": "A\nlong one " + "x" * 300, "customer_texts": {}}, no_text("A long one " + "x" * 300)),
        ({"business": {}, "customer_texts": {}}, "no address, no text DOCUMENT_MISMATCH"),
        ({"reason": None}, "no reason"),
        ({"never_tell": True}, NEVER_TELL),
        ({"uncertain": True}, "order not sure"),
    ],
)
def test_each_cause_is_a_failure_of_its_own(notify: Notify, given: dict[str, Any], cause: str) -> None:
    assert notify(**REJECTED | given).cause == cause


def test_a_refused_address_is_another_failure_than_a_refused_sender(notify: Notify, box: Mailbox) -> None:
    box.refusing = {"owner@acme.example": "550 no such user"}
    assert notify(status="COMPLETED").cause == "recipient refused"


def test_a_person_may_have_an_uncertain_case_told(notify: Notify, box: Mailbox) -> None:
    assert notify(status="COMPLETED", uncertain=True).no_retry
    assert notify(status="COMPLETED", uncertain=True, requested_by="ana@example.com").error is None
    assert len(box.mails) == 1


def test_nobody_is_told_what_no_longer_holds(notify: Notify, box: Mailbox) -> None:
    called = notify(**REJECTED, case_status="IN_REVIEW")
    assert called.text == "Nothing was sent: the case has moved on since"
    assert called.messages == ()
    assert box.mails == []


def test_what_vove_said_before_is_not_told_again(notify: Notify, box: Mailbox) -> None:
    called = notify(**REJECTED, said_before=True)
    assert called.text == "Nothing was sent for this: VOVE said the same before, and the mail belongs to that"
    assert (called.messages, box.mails) == ((), [])


def test_outside_production_listed_addresses_are_told_alone(shipped: Ship, box: Mailbox) -> None:
    listed = {"KYBDESK_ENVIRONMENT": "staging", "KYBDESK_ALLOWED_ADDRESSES": "@test.example"}
    notify = _notifying(shipped, box, **listed)
    refused = notify(status="COMPLETED")
    assert refused.no_retry
    assert "The customer was not contacted: this is “staging”" in (refused.error or "")
    assert notify(status="COMPLETED", business={**ACME, "email": "a@test.example"}).error is None
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["a@test.example"]]


def test_a_text_too_long_to_be_kept_is_not_sent(shipped: Ship, box: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "completed.en.txt").write_text("Subject: x\n\n" + "long " * 5000)
    notify = _notifying(shipped, box, KYBDESK_MAIL_TEMPLATES=str(tmp_path))
    with pytest.raises(ValueError, match="longer than 20,000"):
        notify(status="COMPLETED")
    assert box.mails == []


def test_templates_are_read_anew_for_each_mail(shipped: Ship, box: Mailbox, tmp_path: Path) -> None:
    template = tmp_path / "completed.en.txt"
    template.write_text("Subject: x\n{{ nobody }}")
    notify = _notifying(shipped, box, KYBDESK_MAIL_TEMPLATES=str(tmp_path))
    assert "line 2: 'nobody' is undefined" in (notify(status="COMPLETED").error or "")
    template.write_text("Subject: x\nHello")
    assert notify(status="COMPLETED").messages[0].text == "Hello\n"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"KYBDESK_SMTP_HOST": ""}, "KYBDESK_SMTP_HOST is not set"),
        ({"KYBDESK_MAIL_FROM": ""}, "KYBDESK_MAIL_FROM is not set"),
        ({"KYBDESK_SMTP_USER": "kyb"}, "belong together"),
    ],
)
def test_without_its_settings_it_does_not_start(
    shipped: Ship, box: Mailbox, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        _notifying(shipped, box, **settings)


def test_it_is_registered_as_what_tells_the_customer_once(notify: Notify) -> None:
    (handler,) = registering.registry
    assert (handler.name, handler.statuses) == ("notify_customer", ("COMPLETED", "REJECTED"))
    assert (handler.once, handler.effect, handler.title) == (True, "customer", "Tell the customer")
