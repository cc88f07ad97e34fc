"""Somebody comes in and goes: by mouse, by keyboard alone, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, func, select

from receiver.models import sessions
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import EMAIL, PASSWORD, Desk
from tests.factories import add_case, writing


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_one_comes_where_one_wanted_to_and_goes_by_mouse(
    desk: Desk, open_page: OpenPage, scripts: bool
) -> None:
    page = open_page(java_script_enabled=scripts)
    page.goto("/runs?tab=done")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/runs?tab=done")
    page.get_by_role("button", name="Sign out").click()
    _is_out(desk, page)


def test_one_comes_and_goes_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    press(page.get_by_role("link", name="Skip to the content"))
    expect(page.locator("main")).to_be_focused()
    press(page.get_by_role("button", name="Sign out"), back=True)
    _is_out(desk, page)


@pytest.mark.parametrize("width", [1440, 390])
def test_where_the_session_has_ended_a_link_in_view_leads_back_and_what_was_typed_stays(
    desk: Desk, open_page: OpenPage, width: int
) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME", way=["IN_PROGRESS", "IN_REVIEW"] * 20)
    page = open_page(viewport={"width": width, "height": 700})
    sign_in(page)
    page.goto("/cases/ACME")
    note, button = page.get_by_label("Write a note"), page.get_by_role("button", name="Add the note")
    note.fill("They called")
    button.evaluate("it => window.scrollBy(0, it.getBoundingClientRect().top - 300)")
    _end_sessions(desk)
    place = button.bounding_box()
    button.click()
    link = page.locator("#flash").get_by_role("link", name="Sign in again in another tab")
    expect(link).to_be_in_viewport(ratio=1)
    expect(note).to_have_value("They called")
    expect(button).to_be_focused()
    assert button.bounding_box() == place
    with page.context.expect_page() as opened:
        press(link)
    door = opened.value
    door.get_by_label("E-mail").fill(EMAIL)
    door.get_by_label("Password").fill(PASSWORD)
    door.get_by_role("button", name="Sign in").click()
    door.wait_for_url("**/cases/ACME")
    button.click()
    expect(page.locator("main").get_by_text("They called")).to_be_visible()
    expect(link).to_have_count(0)


def _end_sessions(desk: Desk) -> None:
    with writing(desk.database) as connection:
        connection.execute(delete(sessions))


def _is_out(desk: Desk, page: Page) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    with writing(desk.database) as connection:
        assert connection.execute(select(func.count()).select_from(sessions)).scalar_one() == 0
    page.goto("/runs")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
