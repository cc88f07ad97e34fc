"""Somebody comes in and goes: by mouse, by keyboard alone, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from receiver.models import sessions
from tests.browser.conftest import OpenPage
from tests.browser.hands import press
from tests.dashboard.desk import EMAIL, PASSWORD, Desk
from tests.factories import writing


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


def _is_out(desk: Desk, page: Page) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    with writing(desk.database) as connection:
        assert connection.execute(select(func.count()).select_from(sessions)).scalar_one() == 0
    page.goto("/runs")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
