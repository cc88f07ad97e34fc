"""A lead sets a limit; somebody looks up who did what: by mouse, by keyboard, and without JavaScript."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from receiver.activity import Kind, note
from receiver.limits import Limit, find_limits
from receiver.models import users
from tests.browser.conftest import OpenPage, sign_in
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import add_case, writing

expect.set_options(timeout=10_000)

BEN = "ben@example.com"


@pytest.fixture
def done(desk: Desk) -> None:
    """The one who looks is a lead; ben wrote a note, and paused a handler."""
    now = datetime.now(UTC)
    with writing(desk.database) as connection:
        connection.execute(update(users).values(role="lead"))
        add_case(connection, "ACME-1")
        note(connection, Kind.NOTED, BEN, now, ref_id="ACME-1", detail="Called them")
        note(connection, Kind.PAUSED, BEN, now, subject="notify_customer", detail="Wrong text")
        note(connection, Kind.EDITED, EMAIL, now, ref_id="ACME-1", detail="name")


def limits(desk: Desk) -> dict[str, Limit]:
    with writing(desk.database) as connection:
        return find_limits(connection)


def test_a_lead_sets_a_limit_and_it_stands_in_the_activity(
    desk: Desk, open_page: OpenPage, done: None
) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Days in “In review”").fill("five")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.get_by_text("Give a whole number of days")).to_be_visible()
    expect(page.get_by_label("Days in “In review”")).to_have_value("five")
    page.get_by_label("Days in “In review”").fill("5")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.locator("#saved")).to_contain_text("The limits are saved.")
    assert limits(desk) == {"IN_REVIEW": Limit("IN_REVIEW", 5, working_days=True)}
    page.get_by_role("link", name="Activity", exact=True).first.click()
    expect(page.locator("#activity li").first).to_contain_text(
        f"{EMAIL} set the limit of “In review” to 5 working days"
    )


def test_a_limit_is_set_without_javascript(desk: Desk, open_page: OpenPage, done: None) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/settings")
    page.get_by_label("Days in “In progress”").fill("14")
    page.locator("#limit_2").get_by_label("Counted in").select_option("calendar days")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.locator("#saved")).to_be_visible()
    assert limits(desk) == {"IN_PROGRESS": Limit("IN_PROGRESS", 14, working_days=False)}


def test_the_activity_is_filtered_by_keyboard_alone(open_page: OpenPage, done: None) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/activity")
    expect(page.locator("#activity li")).to_have_count(3)
    page.get_by_label("Person").focus()
    page.keyboard.type(BEN)
    expect(page.locator("#activity ol > li")).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.type("Paused")
    expect(page.locator("#activity ol > li")).to_have_count(1)
    expect(page.locator("#activity")).to_contain_text("paused “Notify customer”")
    expect(page).to_have_url(re.compile(r"person=ben.*kind=paused"))
    _tab_to(page, "Clear the filter Only Paused")
    page.keyboard.press("Enter")
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


def _tab_to(page: Page, name: str) -> None:
    link = page.get_by_role("link", name=name)
    for _ in range(30):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            return
    raise AssertionError(f"no way to {name!r} by keyboard")
