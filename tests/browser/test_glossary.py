"""A word is not understood: from the page to its meaning, and back to where one was."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import Desk
from tests.factories import add_case, writing

TURNED_DOWN = "VOVE turned the business down."


@pytest.fixture
def desk(desk: Desk) -> Desk:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    return desk


def test_a_word_leads_to_its_meaning_and_back_by_mouse(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page)
    page.locator("#cases tbody [data-word]").click()
    bubble = page.get_by_role("dialog", name="Exactly")
    expect(bubble).to_contain_text(TURNED_DOWN)
    bubble.get_by_role("link", name="In the glossary").click()
    _tells_the_meaning(page)
    page.go_back()
    expect(page.get_by_role("link", name="ACME-1")).to_be_visible()
    page.get_by_role("link", name="Glossary").click()
    page.get_by_role("navigation", name="Chapters").get_by_role("link", name="Deliveries").click()
    expect(page.get_by_role("heading", name="Deliveries")).to_be_in_viewport()


def test_a_word_leads_to_its_meaning_and_back_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("j")
    page.keyboard.press("e")  # the word in the row
    expect(page.locator("#cases tbody [data-word]")).to_be_focused()
    page.keyboard.press("Enter")
    bubble = page.get_by_role("dialog", name="Exactly")
    expect(bubble).to_contain_text(TURNED_DOWN)
    expect(bubble.get_by_role("link", name="In the glossary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    expect(page.locator("#cases tbody [data-word]")).to_be_focused()  # where one was
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    _tells_the_meaning(page)
    page.go_back()
    expect(page.get_by_role("link", name="ACME-1")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("w")
    press(page.get_by_role("navigation", name="Chapters").get_by_role("link", name="Deliveries"))
    expect(page.get_by_role("heading", name="Deliveries")).to_be_in_viewport()


def test_a_word_leads_to_its_meaning_without_javascript(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    assert TURNED_DOWN in (page.locator("#cases tbody [data-word]").get_attribute("title") or "")
    page.get_by_role("link", name="Glossary").click()
    page.get_by_role("navigation", name="Chapters").get_by_role("link", name="Deliveries").click()
    expect(page.get_by_role("heading", name="Deliveries")).to_be_in_viewport()
    page.goto("/glossary#rejected")
    _tells_the_meaning(page)


def _tells_the_meaning(page: Page) -> None:
    page.wait_for_url("**/glossary#rejected")
    expect(page.locator("#rejected")).to_contain_text(TURNED_DOWN)
    expect(page.locator("#rejected")).to_be_in_viewport()
