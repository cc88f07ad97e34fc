"""The demo's mailbox as a browser shows it."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.demo.mailbox import Mailbox
from dashboard.demo.mails import Mails, MailServer

HOSTILE = """<p>Dear customer</p>
<script>document.body.innerHTML = top.document.title = "run"</script>
<img src="{mailbox}/static/favicon.svg">
<a href="{mailbox}/support">Contact us</a>"""


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture
def mailbox(mails: Mails) -> Iterator[Mailbox]:
    mailbox = Mailbox(mails, "http://127.0.0.1:8000")
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def mail_server(mails: Mails) -> Iterator[MailServer]:
    server = MailServer(mails, lambda _: False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, mailbox: Mailbox) -> Iterator[Page]:
    context = browser.new_context(base_url=mailbox.address)
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def test_a_mail_appears_by_itself_and_is_read(page: Page, mail_server: MailServer) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto("/")
    expect(page.get_by_text("No mail yet")).to_be_visible()
    send(mail_server, "<h2>Good news</h2>")
    page.get_by_role("link", name="About your business").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Good news")).to_be_visible()
    page.get_by_role("link", name="As text").click()
    expect(page.get_by_text("Good news, as text")).to_be_visible()
    assert complaints == []


def test_what_a_mail_holds_can_neither_run_nor_fetch(
    page: Page, mailbox: Mailbox, mail_server: MailServer
) -> None:
    fetched: list[str] = []
    send(mail_server, HOSTILE.format(mailbox=mailbox.address))
    page.on("requestfinished", lambda request: fetched.append(request.url))
    page.goto("/mails/1?as=html")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Dear customer")).to_be_visible()
    frame.get_by_role("link", name="Contact us").click()
    expect(frame.get_by_role("heading", name="Your support page")).to_be_visible()
    expect(frame.locator(".mailbox")).to_have_css("display", "grid")  # it has its style sheet
    assert "run" not in page.title()
    assert f"{mailbox.address}/static/favicon.svg" not in fetched


def send(server: MailServer, html: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "kyb@acme-bank.example", "office@acme.example"
    message["Subject"] = "About your business"
    message.set_content("Good news, as text")
    message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", server.port) as connection:
        connection.send_message(message)
