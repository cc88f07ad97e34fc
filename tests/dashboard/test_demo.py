"""The systems that the demo invents: they are asked as KYB Desk asks them, over sockets."""

import smtplib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from dashboard.demo.accounts import Accounts
from dashboard.demo.businesses import MISSPELT, Business, Trouble, business, find_business
from dashboard.demo.entries import NEVER_TELL, NOT_APPROVED, enter
from dashboard.demo.handlers import copy_from_crm
from dashboard.demo.mailbox import Mailbox
from dashboard.demo.mails import KEPT, Mails, MailServer
from dashboard.demo.services import new_secret
from dashboard.demo.serving import Service
from dashboard.demo.vove import PAST_BUSINESSES
from dashboard.demo.vove_api import Records, VoveApi
from receiver.database import Database
from receiver.directory.rows import find
from receiver.handlers.testing import call_handler
from receiver.reasons import find_reason
from tests.dashboard.desk import PARTIAL
from tests.factories import writing

SECRET, OTHER_SECRET = new_secret(), new_secret()


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    stopping = threading.Event()
    stopping.set()  # so that the slow one takes no time
    yield from started(Accounts(SECRET, stopping))


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture
def mailbox(mails: Mails) -> Iterator[Mailbox]:
    yield from started(Mailbox(mails, "http://127.0.0.1:8000"))


@pytest.fixture
def mail_server(mails: Mails) -> Iterator[MailServer]:
    server = MailServer(mails, lambda address: address.startswith(MISSPELT))
    server.start()
    yield server
    server.stop()


def started(service: Any) -> Iterator[Any]:
    service.start()
    yield service
    service.stop()


def test_an_account_is_enabled_and_suspended_for_who_signs(accounts: Accounts) -> None:
    ref_id = one_with(None).ref_id
    assert call(accounts, ref_id, key="1").json() == {"message": f"{ref_id} is active"}
    assert known(accounts) == {ref_id: "active"}
    assert call(accounts, ref_id, key="2", kind="business.suspend").is_success
    assert known(accounts) == {ref_id: "suspended"}
    assert call(accounts, ref_id, key="3", secret=OTHER_SECRET).status_code == 401
    assert call(accounts, ref_id, key="").status_code == 400
    assert known(accounts) == {ref_id: "suspended"}


def test_a_repeated_call_is_answered_as_before_and_does_nothing(accounts: Accounts) -> None:
    ref_id = one_with(None).ref_id
    first = call(accounts, ref_id, key="1")
    call(accounts, ref_id, key="2", kind="business.suspend")
    assert call(accounts, ref_id, key="1").content == first.content
    assert known(accounts) == {ref_id: "suspended"}


@pytest.mark.parametrize(
    ("trouble", "answers"),
    [
        (Trouble.BUSY, [503, 200]),
        (Trouble.NO_TAX_NUMBER, [409, 200]),
        (Trouble.SLOW, [504, 504, 504, 200]),
    ],
)
def test_the_account_service_makes_the_trouble_of_the_story_and_then_none(
    accounts: Accounts, trouble: Trouble, answers: list[int]
) -> None:
    ref_id = one_with(trouble).ref_id
    assert [call(accounts, ref_id, key="1").status_code for _ in answers] == answers
    assert known(accounts) == {ref_id: "active"}


def test_a_mail_that_was_sent_stands_in_the_mailbox(mail_server: MailServer, mailbox: Mailbox) -> None:
    assert "No mail yet" in read(mailbox, "/")
    send(mail_server, subject="Größe & <Wert>", text="Guten Tag", html="<p>Guten <b>Tag</b></p>")
    assert "Größe &amp; &lt;Wert&gt;" in read(mailbox, "/")
    part = get(mailbox, "/", **PARTIAL).text
    assert "office@acme.example" in part
    assert "<html" not in part
    assert 'src="/mails/1/html"' in read(mailbox, "/mails/1")
    assert "Guten Tag" in read(mailbox, "/mails/1?as=text")
    assert "Message-ID" in read(mailbox, "/mails/1?as=headers")
    assert get(mailbox, "/mails/2").status_code == 404


def test_a_mails_html_can_neither_run_nor_fetch_anything(mail_server: MailServer, mailbox: Mailbox) -> None:
    send(mail_server, html="<script>alert(1)</script>")
    assert "alert" not in read(mailbox, "/mails/1")
    framed = get(mailbox, "/mails/1/html").headers["content-security-policy"]
    assert framed.startswith("sandbox; default-src 'none';")
    assert "frame-ancestors 'self'" in framed
    assert "frame-ancestors 'none'" in get(mailbox, "/").headers["content-security-policy"]


def test_a_mail_without_html_is_shown_as_text(mail_server: MailServer, mailbox: Mailbox) -> None:
    send(mail_server, text="<b>plain</b>")
    assert "&lt;b&gt;plain&lt;/b&gt;" in read(mailbox, "/mails/1?as=html")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_strangers_name_for_us_reads_no_mail(mailbox: Mailbox, host: str) -> None:
    assert get(mailbox, "/", Host=host).status_code == 421


def test_nothing_can_be_posted_to_the_mailbox(mailbox: Mailbox) -> None:
    assert httpx.post(mailbox.address, content=b"x").status_code == 405


def test_the_mailbox_serves_the_files_that_its_pages_need_and_no_other(mailbox: Mailbox) -> None:
    assert get(mailbox, "/static/css/mailbox.css").headers["content-type"].startswith("text/css")
    assert get(mailbox, "/static/../receiver/app.py").status_code == 404
    assert get(mailbox, "/static/%2e%2e/receiver/app.py").status_code == 404


def test_the_mail_server_refuses_an_address_that_nobody_has(mail_server: MailServer, mails: Mails) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
        send(mail_server, to=f"{MISSPELT}@acme.example")
    assert mails.newest_first() == []


def test_only_the_last_mails_are_kept(mail_server: MailServer, mails: Mails) -> None:
    with smtplib.SMTP("127.0.0.1", mail_server.port) as connection:
        for number in range(KEPT + 1):
            connection.send_message(mail(subject=str(number)))
    assert [each.subject for each in mails.newest_first()] == [str(n) for n in range(KEPT, 0, -1)]


def test_voves_api_tells_of_every_case_as_the_documentation_has_it() -> None:
    records = Records()
    for number in range(3):
        records.note(business(number), "IN_PROGRESS", datetime.now(UTC))
    records.note(business(1), "COMPLETED", datetime.now(UTC))
    for api in started(VoveApi(records, "the key")):
        first = ask(api, limit="2").json()
        assert [len(first["data"]), first["total"], first["page"], first["limit"]] == [2, 3, 1, 2]
        assert len(ask(api, limit="2", page="2").json()["data"]) == 1
        (found,) = ask(api, search=business(1).ref_id).json()["data"]
        assert (found["refId"], found["status"]) == (business(1).ref_id, "COMPLETED")
        assert httpx.get(f"{api.address}/kyb/case/{found['id']}", headers=KEY).json() == found
        assert httpx.get(f"{api.address}/kyb/case", headers={"x-api-key": "guess"}).status_code == 401


def test_each_kind_of_trouble_is_among_what_happened_over_the_last_days() -> None:
    past = [business(number) for number in range(PAST_BUSINESSES)]
    assert {one.story.trouble for one in past} >= set(Trouble)
    assert {NEVER_TELL, NOT_APPROVED} <= {one.story.reason for one in past}
    assert all(find_business(one.ref_id) == one for one in past)


def test_what_people_have_entered_is_in_the_directory(database: Database) -> None:
    with writing(database) as connection:
        enter(connection, PAST_BUSINESSES)
        entered = find(connection, one_with(None).ref_id)
        missing = find(connection, one_with(Trouble.NO_ADDRESS).ref_id)
        told = find_reason(connection, "DOCUMENT_MISMATCH")
        not_approved = find_reason(connection, NOT_APPROVED)
        never = find_reason(connection, NEVER_TELL)
    assert entered
    assert (entered.name, entered.email) == (one_with(None).company.name, one_with(None).company.email)
    assert missing
    assert missing.email is None
    assert one_with(Trouble.NO_ADDRESS).company.email in (missing.notes or "")
    assert told
    assert set(told.customer_texts) == {"en", "de", "fr"}
    assert not_approved
    assert not_approved.customer_texts == {}
    assert never
    assert never.never_tell


def test_the_example_handler_enters_a_business_once() -> None:
    one = one_with(None)
    called = call_handler(copy_from_crm, "IN_PROGRESS", ref_id=one.ref_id)
    assert called.business["name"] == one.company.name
    again = call_handler(copy_from_crm, "IN_PROGRESS", ref_id=one.ref_id, business={"name": "As people say"})
    assert again.business == {}
    assert call_handler(copy_from_crm, "IN_PROGRESS", ref_id="somebody-else").business == {}


KEY = {"x-api-key": "the key"}


def one_with(trouble: Trouble | None) -> Business:
    return next(one for one in map(business, range(100)) if one.story.trouble == trouble)


def call(
    accounts: Accounts, ref_id: str, key: str, kind: str = "business.activate", secret: str = SECRET
) -> httpx.Response:
    body = f'{{"type": "{kind}", "data": {{"refId": "{ref_id}"}}}}'
    now = datetime.now(UTC)
    headers = {
        "idempotency-key": key,
        "webhook-id": f"msg_{key}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(f"msg_{key}", now, body),
    }
    return httpx.post(accounts.hook, content=body, headers=headers)


def known(accounts: Accounts) -> Any:
    return httpx.get(f"{accounts.address}/accounts").json()


def send(server: MailServer, **parts: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.port) as connection:
        connection.send_message(mail(**parts))


def mail(
    to: str = "office@acme.example", subject: str = "News", text: str = "Hello", html: str = ""
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "kyb@acme-bank.example", to, subject
    message["Message-ID"] = "<1@acme-bank.example>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def get(service: Service, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{service.address}{path}", headers=headers)


def read(service: Service, path: str) -> str:
    answer = get(service, path)
    assert answer.status_code == 200
    return answer.text


def ask(api: VoveApi, **query: str) -> httpx.Response:
    return httpx.get(f"{api.address}/kyb/case", params=query, headers=KEY)
