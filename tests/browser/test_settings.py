"""A lead sets a limit, and a link from a case: by mouse, by keyboard alone, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from receiver.desk_settings import find_settings
from receiver.limits import Limit, find_limits
from receiver.models import users
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import add_case, writing

CRM = "https://crm.example.com/accounts?number={ref_id}"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """The one who looks is a lead."""
    with writing(desk.database) as connection:
        connection.execute(update(users).values(role="lead"))
        add_case(connection, "ACME-1")
    return desk


def limits(desk: Desk) -> dict[str, Limit]:
    with writing(desk.database) as connection:
        return find_limits(connection)


def links(desk: Desk) -> dict[str, str]:
    with writing(desk.database) as connection:
        return find_settings(connection)


def test_a_limit_and_a_link_are_set_by_mouse(desk: Desk, open_page: OpenPage) -> None:
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
    page.get_by_label("In your CRM").fill(CRM)
    page.get_by_role("button", name="Save the links").click()
    expect(page.locator("#saved")).to_contain_text("The links are saved.")
    assert links(desk)["crm_link"] == CRM
    page.get_by_role("link", name="Activity", exact=True).first.click()
    expect(page.locator("#activity li").nth(1)).to_contain_text(
        f"{EMAIL} set the limit of “In review” to 5 working days"
    )
    _leads_to_the_crm(page)


def test_a_limit_and_a_link_are_set_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("s")
    tab_to(page.get_by_label("Days in “In review”"))
    page.keyboard.type("five")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Give a whole number of days")).to_be_visible()
    expect(page.get_by_label("Days in “In review”")).to_be_focused()  # it is what is wrong
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("calendar")
    press(page.get_by_role("button", name="Save the limits"))
    expect(page.locator("#saved")).to_contain_text("The limits are saved.")
    assert limits(desk) == {"IN_REVIEW": Limit("IN_REVIEW", 5, working_days=False)}
    tab_to(page.get_by_label("In your CRM"))
    page.keyboard.type(CRM)
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("The links are saved.")
    assert links(desk)["crm_link"] == CRM


def test_a_limit_and_a_link_are_set_without_javascript(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/settings")
    page.get_by_label("Days in “In progress”").fill("14")
    page.locator("#limit_2").get_by_label("Counted in").select_option("calendar days")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.locator("#saved")).to_contain_text("The limits are saved.")
    assert limits(desk) == {"IN_PROGRESS": Limit("IN_PROGRESS", 14, working_days=False)}
    page.get_by_label("In your CRM").fill("crm.example.com")
    page.get_by_role("button", name="Save the links").click()
    expect(page.get_by_label("In your CRM")).to_have_value("crm.example.com")
    assert not links(desk).get("crm_link")
    page.get_by_label("In your CRM").fill(CRM)
    page.get_by_role("button", name="Save the links").click()
    expect(page.locator("#saved")).to_contain_text("The links are saved.")
    _leads_to_the_crm(page)


def _leads_to_the_crm(page: Page) -> None:
    page.goto("/cases/ACME-1")
    link = page.get_by_role("link", name="Open in the CRM")
    expect(link).to_have_attribute("href", CRM.format(ref_id="ACME-1"))
