"""Whoever runs the desk sees what was wrong, and comes from a figure to what is behind it."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, insert

from receiver.models import Verdict, outages, role_signs, workers
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import Desk
from tests.factories import HOUR, add_delivery, count_delivery, writing


@pytest.fixture
def refused(desk: Desk) -> int:
    """The receiver was away for an hour; in the last whole hour two were refused and one was taken."""
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0) - HOUR
    with writing(desk.database) as connection:
        gone = {"began_at": now - 5 * HOUR, "ended_at": now - 4 * HOUR}
        connection.execute(insert(outages).values(role="receiver", **gone))
        for minutes, verdict in ((10, Verdict.ACCEPTED), (20, Verdict.REFUSED), (30, Verdict.REFUSED)):
            at = hour + timedelta(minutes=minutes)
            count_delivery(connection, at, verdict)
            last = add_delivery(connection, verdict, cause="no_match", received_at=at)
    return last


def test_it_tells_what_was_wrong_and_leads_there_by_mouse(
    desk: Desk, open_page: OpenPage, refused: int
) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Health").first.click()
    _tells_what_to_do(page)
    page.get_by_text("As a list").click()
    expect(page.locator("table.outages")).to_be_hidden()
    page.locator("#incoming").get_by_role("link", name="2 unverified").click()
    page.wait_for_url("**/deliveries?verdict=refused&from=*")
    page.locator(f"#delivery_{refused} a.row").click()
    expect(page.locator("#why")).to_be_visible()


def test_it_tells_what_was_wrong_and_leads_there_by_keyboard_alone(
    desk: Desk, open_page: OpenPage, refused: int
) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("l")
    _tells_what_to_do(page)
    press(page.get_by_text("Hour by hour"))
    press(page.locator("#hours").get_by_role("link", name="2", exact=True))
    page.wait_for_url("**/deliveries?verdict=refused&from=*")
    expect(page.locator("#deliveries tbody tr")).to_have_count(2)
    page.go_back()
    press(page.get_by_text("As a list"))
    expect(page.locator("table.outages")).to_be_hidden()


def test_it_tells_what_was_wrong_and_leads_there_without_javascript(
    desk: Desk, open_page: OpenPage, refused: int
) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="Health").first.click()
    _tells_what_to_do(page)
    page.locator("#incoming").get_by_role("link", name="2 unverified").click()
    expect(page.locator("#deliveries tbody tr")).to_have_count(2)


def test_that_a_role_is_not_there_is_said_once(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    with writing(desk.database) as connection:
        connection.execute(delete(workers))
        connection.execute(delete(role_signs))
    sign_in(page)
    missed = page.get_by_text("The worker is not running").filter(visible=True)
    expect(missed).to_have_count(1)
    page.get_by_role("link", name="Health").first.click()
    expect(page.locator("#roles")).to_be_visible()
    expect(missed).to_have_count(1)


def _tells_what_to_do(page: Page) -> None:
    expect(page.locator("#sender")).to_contain_text("The receiver was not there from")
    expect(page.locator("#steps")).to_contain_text("Settings → Webhooks")
    expect(page.locator(".week svg")).to_be_visible()
    expect(page.locator("table.outages")).to_contain_text("1 h")
