"""The keys that the help tells, for hands that stay on the keyboard."""

import ast
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.queries.case_list import PAGE
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import IS_SEEN, press
from tests.dashboard.desk import Desk
from tests.factories import MINUTE, NOON, WAY, add_case, add_run, writing

expect.set_options(timeout=10_000)


@pytest.fixture
def page(desk: Desk, open_page: OpenPage) -> Page:
    """The list of three cases: `first` stands on top."""
    with writing(desk.database) as connection:
        for n, name in enumerate(("first", "second", "third")):
            add_case(connection, name, at=NOON - n * MINUTE)
    page = open_page()
    sign_in(page)
    page.goto("/cases")
    return page


def test_j_and_k_move_through_the_rows_and_enter_opens(page: Page) -> None:
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="first")).to_be_focused()
    for key in "jjj":  # the last row is the end
        page.keyboard.press(key)
    expect(page.get_by_role("link", name="third")).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="second")).to_be_focused()
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/second")


def test_a_row_that_is_marked_comes_into_view(desk: Desk, page: Page) -> None:
    with writing(desk.database) as connection:
        for n in range(40):
            add_case(connection, f"more-{n:02}", at=NOON - (n + 9) * MINUTE)
    page.goto("/cases")
    for _ in range(30):
        page.keyboard.press("j")
    assert page.evaluate("document.activeElement.getBoundingClientRect().bottom <= innerHeight")
    assert page.evaluate("scrollY") > 0


def test_the_next_page_of_a_list_is_read_from_its_beginning(desk: Desk, page: Page) -> None:
    with writing(desk.database) as connection:
        for n in range(PAGE):
            add_case(connection, f"more-{n:02}", WAY[:2], at=NOON - (n + 9) * MINUTE)
    page.goto("/cases")
    press(page.get_by_role("link", name="Older"), back=True)
    expect(page.locator("#cases tbody tr")).to_have_count(3)
    expect(page.locator("main")).to_be_focused()
    press(page.locator("#cases tbody a.row").first)
    page.wait_for_url(f"**/cases/more-{PAGE - 3}")


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_lies_over_what_has_the_focus(desk: Desk, page: Page, width: int) -> None:
    """Nor the bar of a phone, which is also that of a page at 200 %, nor the one for what is ticked."""
    with writing(desk.database) as connection:
        for n in range(12):
            add_run(connection, add_case(connection, f"more-{n:02}")[-1])
    page.set_viewport_size({"width": width, "height": 700})
    page.goto("/runs?tab=person&view=list")
    page.keyboard.press("Tab")
    for key, end in (("Tab", "JSON"), ("Shift+Tab", "Skip to the content")):
        for _ in range(100):
            assert page.evaluate(f"({IS_SEEN})(document.activeElement)"), page.evaluate(FOCUSED)
            if page.evaluate(FOCUSED) == end:
                break
            page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == end


FOCUSED = "document.activeElement.textContent.trim()"


def test_after_a_search_the_keys_are_for_what_was_found(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="third")).to_have_count(0)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="second", exact=True)).to_be_focused()
    expect(page.locator("#q")).to_have_value("second")


def test_x_ticks_the_row(page: Page) -> None:
    page.evaluate("""document.querySelectorAll("main tbody td:first-child").forEach(
        (cell) => cell.insertAdjacentHTML("afterbegin", "<input type=checkbox class=tick>"))""")
    page.keyboard.press("x")  # no row is marked yet
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.evaluate("[...document.querySelectorAll('.tick')].map((box) => box.checked)") == [
        False,
        True,
        False,
    ]
    expect(page.get_by_role("link", name="second")).to_be_focused()


def test_the_help_opens_over_the_page_and_esc_closes_it(page: Page) -> None:
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("Next and previous row")
    page.keyboard.press("j")  # not while it is open
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    page.wait_for_function("document.activeElement === document.body")  # with the next frame
    page.get_by_role("link", name="Keys").click()
    expect(help_).to_be_visible()
    assert page.url.endswith("/cases")
    help_.get_by_role("link", name="Go to Runs").click()
    page.wait_for_url("**/runs")
    expect(help_).to_be_hidden()


def test_g_and_a_letter_go_to_a_page(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/deliveries")
    expect(page.get_by_role("heading", name="Deliveries")).to_be_visible()


@pytest.mark.parametrize("key", ["Control+j", "Alt+j", "Meta+j"])
def test_with_a_modifier_a_key_is_the_browsers(page: Page, key: str) -> None:
    page.keyboard.press(key)
    assert page.evaluate("document.activeElement === document.body")


def test_letters_that_are_typed_are_letters(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("/jk?xge")
    expect(page.get_by_role("searchbox")).to_have_value("/jk?xge")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_time_shows_exactly_what_it_is_to_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("j")
    for _ in range(2):  # the status, then the time in it
        page.keyboard.press("e")
    page.keyboard.press("Enter")
    bubble = page.get_by_role("dialog", name="Exactly")
    expect(bubble).to_contain_text("5 Mar 2026, 12:00:00 UTC")
    page.keyboard.press("Enter")
    expect(page.locator("[data-copied]")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "2026-03-05T12:00:00.000+00:00"
    page.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    page.locator("main time").first.click()
    expect(bubble).to_be_visible()


def test_a_word_says_what_it_means_and_leads_to_the_glossary(page: Page) -> None:
    page.locator("main tbody [data-word]").first.click()
    bubble = page.get_by_role("dialog", name="Exactly")
    expect(bubble).to_contain_text("VOVE turned the business down.")
    bubble.get_by_role("link", name="In the glossary").click()
    page.wait_for_url("**/glossary#rejected")
    expect(bubble).to_be_hidden()


def test_the_keys_do_nothing_once_they_are_switched_off(page: Page) -> None:
    page.goto("/keys")
    page.get_by_role("button", name="Switch the keys off").click()
    page.get_by_role("button", name="Switch them on").wait_for()
    page.goto("/cases")
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert page.evaluate("document.activeElement === document.body")


def test_times_are_told_in_the_zone_of_the_browser(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, at=NOON)
    page = open_page(timezone_id="Asia/Tokyo")
    sign_in(page)
    page.goto("/cases/ACME-1?order=oldest")
    page.get_by_role("button", name="JST").click()
    expect(page.get_by_role("button", name="JST")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("main time").first).to_have_attribute("title", "5 Mar 2026, 21:00:00 JST")
    assert page.url.endswith("/cases/ACME-1?order=oldest")


def test_times_are_switched_without_scripts(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/runs?tab=done")
    page.get_by_role("button", name="Local").click()
    assert page.url.endswith("/runs?tab=done")
    expect(page.get_by_role("button", name="Local")).to_have_attribute("aria-pressed", "true")


def test_on_a_phone_all_places_are_there_without_scripts(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False, viewport={"width": 390, "height": 800})
    sign_in(page)
    expect(page.get_by_role("link", name="Runs")).to_be_visible()
    page.locator("summary", has_text="More").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Deliveries").click()
    page.wait_for_url("**/deliveries")
    page.locator("summary", has_text="More").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_what_opened_on_a_phone_closes_with_the_next_page(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 800})
    sign_in(page)
    more = page.locator("details.more")
    page.locator("summary", has_text="More").click()
    page.keyboard.press("Escape")
    expect(more).not_to_have_attribute("open", "")
    page.locator("summary", has_text="More").click()
    more.get_by_role("link", name="Handlers").click()
    page.wait_for_url("**/handlers")
    expect(page.get_by_role("heading", name="Handlers", exact=True)).to_be_visible()
    expect(more).not_to_have_attribute("open", "")


def test_what_is_said_to_go_by_keyboard_alone_does() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        for test in ast.parse(path.read_text()).body:
            if isinstance(test, ast.FunctionDef) and "keyboard_alone" in test.name:
                called = {ast.unparse(each.func) for each in ast.walk(test) if isinstance(each, ast.Call)}
                on_page = [call.rsplit(".", 2)[-2:] for call in called if "." in call]
                cheats = [what for of, what in on_page if of != "keyboard" and what in OTHER_HANDS]
                assert cheats == [], test.name


OTHER_HANDS = {"check", "click", "dblclick", "fill", "focus", "hover", "press", "select_option", "type"}
