"""A served dashboard and a real browser. What the browser complains about fails the test."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from dashboard.app import create_app
from receiver.database import Database
from receiver.settings import Settings
from tests.dashboard.desk import EMAIL, PASSWORD, Desk, client_of, served
from tests.factories import add_handler, add_worker, writing

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# What Chromium says of a form that comes back with what is wrong with it: no fault of the page's.
REFUSED = (
    "status of 401 (Unauthorized)",
    "status of 403 (Forbidden)",
    "status of 409 (Conflict)",
    "status of 422 (Unprocessable Entity)",
)
OpenPage = Callable[..., Page]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: Playwright keeps an event loop running, and other tests can't run theirs in it."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "install Chromium: see install-chromium.sh"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """With one operator, whose worker and receiver are there."""
    settings = Settings()
    app = create_app(settings, database)
    with served(app, settings) as url, client_of(url) as client:
        desk = Desk(app, database, client)
        desk.add_user()
        with writing(database) as connection:
            add_worker(connection, "worker")
            add_worker(connection, "receiver", pid=4712)
            add_handler(connection)
        yield desk


@pytest.fixture
def open_page(browser: Browser, desk: Desk) -> Iterator[OpenPage]:
    """A page at the sign-in form; options are those of a browser's context."""
    contexts, complaints = [], []

    def complain(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.endswith(REFUSED):
            complaints.append(message.text)

    def opened(**options: Any) -> Page:
        context = browser.new_context(base_url=str(desk.client.base_url), **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/sign-in")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page) -> None:
    """The list of cases is open then."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(str(page.url).replace("/sign-in", "/"))
    page.goto("/cases")
