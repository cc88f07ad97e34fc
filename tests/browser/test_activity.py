"""Somebody looks up who did what: by mouse, by keyboard alone, and without JavaScript."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from receiver.activity import Kind, note
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import add_case, writing

expect.set_options(timeout=10_000)

BEN = "ben@example.com"


@pytest.fixture
def done(desk: Desk) -> None:
    """The one who looks has edited a business; ben wrote a note, and paused a handler."""
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        note(connection, Kind.NOTED, BEN, now, ref_id="ACME-1", detail="Called them")
        note(connection, Kind.PAUSED, BEN, now, subject="notify_customer", detail="Wrong text")
        note(connection, Kind.EDITED, EMAIL, now, ref_id="ACME-1", detail="name")


def test_the_activity_is_filtered_by_mouse(open_page: OpenPage, done: None) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Activity", exact=True).first.click()
    page.locator("#activity").get_by_role("link", name=BEN).first.click()
    expect(page.locator("#activity ol > li")).to_have_count(2)
    expect(page.get_by_label("Person")).to_have_value(BEN)
    page.get_by_label("What was done").select_option("Note")
    expect(page.locator("#activity ol > li")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"person=ben.*kind=noted"))
    page.locator("#activity").get_by_role("link", name="ACME-1").click()
    page.wait_for_url("**/cases/ACME-1")
    page.go_back()
    expect(page.locator("#activity ol > li")).to_have_count(1)


def test_the_activity_is_filtered_by_keyboard_alone(open_page: OpenPage, done: None) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator("#activity ol > li")).to_have_count(3)
    tab_to(page.get_by_label("Person"))
    page.keyboard.type(BEN)
    expect(page.locator("#activity ol > li")).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.type("Paused")
    expect(page.locator("#activity ol > li")).to_have_count(1)
    expect(page.locator("#activity")).to_contain_text("paused “Notify customer”")
    expect(page).to_have_url(re.compile(r"person=ben.*kind=paused"))
    press(page.get_by_role("link", name="Clear the filter Only Paused"))
    expect(page.locator("#activity ol > li")).to_have_count(2)
    expect(page.get_by_label("Person")).to_have_value(BEN)
    expect(page.get_by_label("What was done")).to_have_value("")
    page.go_back()
    expect(page.locator("#activity ol > li")).to_have_count(1)
    expect(page.get_by_label("What was done")).to_have_value("paused")


def test_the_activity_is_filtered_without_javascript(open_page: OpenPage, done: None) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/activity")
    page.get_by_label("What was done").select_option("Note")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#activity ol > li")).to_have_count(1)
    page.get_by_role("link", name="ACME-1").click()
    page.wait_for_url("**/cases/ACME-1")


def test_what_is_done_meanwhile_is_announced_and_moves_nothing(
    desk: Desk, open_page: OpenPage, done: None
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/activity")
    page.locator("#activity ol > li").first.hover()
    with writing(desk.database) as connection:
        note(connection, Kind.RESUMED, BEN, datetime.now(UTC), subject="notify_customer")
    expect(page.get_by_text("1 new: show")).to_be_visible()
    expect(page.locator("#activity ol > li")).to_have_count(3)
    page.get_by_text("1 new: show").click()
    expect(page.locator("#activity ol > li")).to_have_count(4)
