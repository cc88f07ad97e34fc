"""Finding cases: by mouse, by keyboard alone, and without JavaScript."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import Desk
from tests.factories import HOUR, NOON, add_business, add_case, writing


def fill(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for number, name in enumerate(("Acme Trading", "Bolt Logistics", "Acme Foods")):
            add_case(connection, f"KYB-{number}", at=NOON - number * HOUR, gap=number != 1)
            add_business(connection, f"KYB-{number}", name=name)


def names(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.locator("#cases tbody .name").all_inner_texts()]


def test_filters_and_search_narrow_the_list_together_and_back_undoes_them(
    desk: Desk, open_page: OpenPage
) -> None:
    fill(desk)
    page = open_page()
    sign_in(page)
    page.goto("/cases")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Has a gap").check()
    page.wait_for_url("**/cases?needs=with_gap")
    expect(page.locator("#cases tbody tr")).to_have_count(2)
    page.get_by_label("Order", exact=True).select_option("Longest in its status first")
    page.wait_for_url("**sort=age")
    page.get_by_role("searchbox").fill("foods")
    expect(page.locator("#cases tbody tr")).to_have_count(1)
    page.wait_for_url("**/cases?q=foods&needs=with_gap&sort=age")
    page.get_by_role("link", name="Clear Has a gap").click()
    page.wait_for_url("**/cases?q=foods&sort=age")
    page.go_back()
    expect(page.get_by_label("Filters").get_by_text("Has a gap")).to_be_visible()


def test_a_case_is_found_and_opened_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    fill(desk)
    page = open_page()
    sign_in(page)
    page.goto("/cases")
    expect(page.locator("#search[data-htmx-powered]")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("bolt")
    expect(page.locator("#cases tbody tr")).to_have_count(1)
    press(page.locator("#cases tbody a.row"))
    page.wait_for_url("**/cases/KYB-1")


def test_without_javascript_the_filters_are_a_form(desk: Desk, open_page: OpenPage) -> None:
    fill(desk)
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/cases?q=acme")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Has a gap").check()
    page.get_by_label("Order", exact=True).select_option("age")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**q=acme**")
    assert names(page) == ["Acme Foods", "Acme Trading"]
    page.get_by_role("searchbox").fill("trading")
    page.get_by_role("searchbox").press("Enter")
    assert names(page) == ["Acme Trading"]
    assert "needs=with_gap" in page.url
