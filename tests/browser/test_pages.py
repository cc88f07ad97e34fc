"""What only a browser can tell: keys, live lists, widths."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Route, expect

from receiver.models import Verdict
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import Desk
from tests.factories import HOSTILE, MINUTE, NOON, WAY, add_attempt, add_case, add_delivery, add_run, writing

LONG = "x" * 10_000


def test_the_slash_key_goes_to_the_search_which_narrows_the_list(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        for name in ("acme", "oakfield", "slash/es"):
            add_case(connection, name)
    page = open_page()
    sign_in(page)
    expect(page.locator("#search[data-htmx-powered]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("oak")
    expect(page.get_by_role("row")).to_have_count(2)
    page.wait_for_url("**/cases?q=oak")
    page.get_by_role("searchbox").fill("sh/es")
    expect(page.get_by_role("link", name="slash/es")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_what_is_typed_before_the_scripts_are_there_is_searched(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        for name in ("acme", "oakfield"):
            add_case(connection, name)
    page = open_page()
    sign_in(page)
    held: list[Route] = []
    page.route("**/htmx*.js", lambda route: held.append(route))
    page.goto("/cases", wait_until="commit")
    page.get_by_role("searchbox").press_sequentially("oak")
    expect(page.get_by_role("row")).to_have_count(3)
    held[0].continue_()
    expect(page.get_by_role("row")).to_have_count(2)


def test_the_last_letters_win_over_a_slow_search(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        for name in ("oakham", "oakfield"):
            add_case(connection, name)
    page = open_page()
    sign_in(page)
    held: list[Route] = []
    page.route("**/cases?q=o", lambda route: held.append(route))
    with page.expect_request("**/cases?q=o"):
        page.get_by_role("searchbox").press_sequentially("o")
    for letters in ("oa", "oakf"):
        with page.expect_request(f"**/cases?q={letters}"):
            page.get_by_role("searchbox").fill(letters)
    expect(page.get_by_role("row")).to_have_count(2)
    page.wait_for_url("**/cases?q=oakf")


def test_a_list_is_not_moved_under_a_reader(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "first")
    page = open_page()
    sign_in(page)
    page.get_by_role("row").last.hover()
    with writing(desk.database) as connection:
        add_case(connection, "second", at=NOON + MINUTE)
    news = page.get_by_role("link", name="1 new: show")
    expect(news).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    news.click()
    expect(page.get_by_role("row")).to_have_count(3)
    expect(news).to_be_hidden()


def test_new_rows_are_shown_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "first")
    page = open_page()
    sign_in(page)
    page.keyboard.press("j")
    with writing(desk.database) as connection:
        add_case(connection, "second", at=NOON + MINUTE)
    news = page.get_by_role("link", name="1 new: show")
    expect(news).to_be_visible()
    expect(page.get_by_role("link", name="first")).to_be_focused()
    press(news, back=True)
    expect(page.get_by_role("row")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="second")).to_be_focused()


def test_a_list_that_nobody_is_at_follows_by_itself(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "first")
    page = open_page()
    sign_in(page)
    page.mouse.move(2, 2)
    with writing(desk.database) as connection:
        add_case(connection, "second", at=NOON + MINUTE)
    expect(page.get_by_role("row")).to_have_count(3)


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_is_wider_than_the_window(desk: Desk, open_page: OpenPage, width: int) -> None:
    with writing(desk.database) as connection:
        *_, event = add_case(connection, HOSTILE, (*WAY[:3], "S" * 200), reason=LONG)
        add_case(connection, LONG)
        run = add_run(connection, event, handler="h" * 200, summary=LONG)
        add_attempt(connection, run, error=LONG, traceback=LONG)
        delivery = add_delivery(connection, Verdict.REFUSED, cause="no_match", body=LONG.encode())
    page = open_page(viewport={"width": width, "height": 800})
    sign_in(page)
    cases = [f"/cases/{quote(ref_id, safe='')}" for ref_id in (HOSTILE, LONG)]
    for path in ("/cases", *cases, "/runs", f"/runs/{run}", "/deliveries", f"/deliveries/{delivery}"):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (path[:40], wide)


def test_a_page_with_the_longest_reference_refreshes_itself(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, "é" * 5_000)[-1]
    page = open_page()
    sign_in(page)
    page.get_by_role("row").last.get_by_role("link").click()
    page.wait_for_url("**/cases/%C3*")
    with writing(desk.database) as connection:
        add_run(connection, event)
    expect(page.locator("#timeline").get_by_text("Needs a person")).to_be_visible()
