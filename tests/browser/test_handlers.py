"""A person stops a handler and lets it go on: by mouse, by keyboard alone, and without JavaScript."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from receiver import runs
from receiver.database import Database
from receiver.models import RunState, pauses
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import add_case, add_handler, add_run, writing


@pytest.fixture
def waiting_run(desk: Desk) -> int:
    with writing(desk.database) as connection:
        return add_run(connection, add_case(connection, "ACME-1")[-1], RunState.QUEUED)


def test_a_handler_is_paused_and_resumed_by_mouse(desk: Desk, open_page: OpenPage, waiting_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Handlers").click()
    page.wait_for_url("**/handlers")
    page.evaluate("window.stayed = true")
    _pause(page, "The text is wrong")
    expect(page.locator("#handler_notify_customer")).to_contain_text(f"Paused by {EMAIL} just now")
    expect(page.locator("#paused")).to_contain_text("The text is wrong")
    assert not _is_claimed(desk.database)

    page.get_by_role("link", name="Runs").click()
    page.get_by_role("link", name="Waiting").click()
    expect(page.locator(f"#run_{waiting_run}")).to_contain_text(f"paused by {EMAIL}")
    page.get_by_role("link", name="Notify customer").click()
    expect(page.locator(".run__state")).to_contain_text(f"paused by {EMAIL}: The text is wrong")

    page.locator("#purpose").get_by_role("link", name="Handlers").click()
    page.get_by_role("button", name="Resume “Notify customer”").click()
    expect(page.locator("#handler_notify_customer")).not_to_contain_text("Paused")
    expect(page.locator("#paused")).to_have_count(0)
    assert page.evaluate("window.stayed") is True
    assert _is_claimed(desk.database)


def test_the_same_goes_by_keyboard_alone(desk: Desk, open_page: OpenPage, waiting_run: int) -> None:
    """Who has acted stays at the handler, also when the page looks again."""
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("h")
    handler = page.locator("#handler_notify_customer")
    press(page.get_by_text("Pause “Notify customer” …"))
    tab_to(page.locator("#reason_notify_customer"))
    page.keyboard.type("The text is wrong")
    page.keyboard.press("Enter")
    expect(handler).to_contain_text(f"Paused by {EMAIL} just now")
    expect(handler).to_be_focused()
    assert not _is_claimed(desk.database)
    with page.expect_response("**/handlers"), writing(desk.database) as connection:
        add_handler(connection, "audit", "Another one")
    expect(page.locator("#handler_audit")).to_be_visible()
    expect(handler).to_be_focused()
    press(handler.get_by_role("button", name="Resume “Notify customer”"))
    expect(page.locator("#paused")).to_have_count(0)
    expect(handler).to_be_focused()
    assert _is_claimed(desk.database)


def test_the_same_goes_without_javascript(desk: Desk, open_page: OpenPage, waiting_run: int) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/handlers")
    _pause(page, "The text is wrong")
    expect(page.locator("#paused")).to_contain_text("The text is wrong")
    page.goto(f"/runs/{waiting_run}")
    expect(page.locator(".run__state")).to_contain_text("The text is wrong")
    page.goto("/handlers")
    page.get_by_role("button", name="Resume").click()
    page.wait_for_url("**/handlers")
    expect(page.locator("#paused")).to_have_count(0)
    assert _is_claimed(desk.database)


def test_all_are_stopped_at_once(desk: Desk, open_page: OpenPage, waiting_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/handlers")
    page.get_by_text("Pause all handlers …").click()
    page.locator("#brake_of_all").get_by_label("Why?").fill("Stop")
    page.get_by_role("button", name="Pause all handlers").dblclick()
    expect(page.locator("#paused")).to_contain_text("All handlers are paused")
    expect(page.get_by_role("button", name="Resume all handlers")).to_be_visible()
    assert not _is_claimed(desk.database)
    with writing(desk.database) as connection:
        assert connection.execute(select(pauses.c.handler)).scalars().all() == [runs.ALL]


def test_without_a_reason_nothing_is_sent(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/handlers")
    page.get_by_text("Pause “Notify customer” …").click()
    page.get_by_role("button", name="Pause “Notify customer”").click()
    assert page.locator("#reason_notify_customer").evaluate("field => field.validity.valueMissing")
    assert not page.locator("#paused").count()


def test_a_reason_that_is_being_typed_outlives_what_happens_meanwhile(
    desk: Desk, open_page: OpenPage
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/handlers")
    page.get_by_text("Pause “Notify customer” …").click()
    field = page.locator("#reason_notify_customer")
    field.fill("The text is wr")
    with writing(desk.database) as connection:
        add_handler(connection, "audit", "Another one")
        runs.pause(connection, "audit", "Disk full", "ben@example.com", datetime.now(UTC))
    expect(page.locator("#handler_audit")).to_contain_text("Disk full")
    expect(page.locator("#paused")).to_contain_text("Disk full")
    expect(field).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("The text is wr")


def _pause(page: Page, why: str) -> None:
    page.get_by_text("Pause “Notify customer” …").click()
    page.locator("#reason_notify_customer").fill(why)
    page.get_by_role("button", name="Pause “Notify customer”").click()


def _is_claimed(database: Database) -> bool:
    with writing(database) as connection:
        claimed = runs.claim(connection, ["notify_customer"], timedelta(seconds=30), datetime.now(UTC))
    return claimed is not None
