"""One case's page in a browser: notes and assignment, by mouse, by keyboard alone, and without JavaScript."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from receiver.casework import assign, write_note
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import DAY, HOSTILE, HOUR, NOON, WAY, add_case, writing

BEN = "ben@example.com"
LIVE = 10_000  # milliseconds in which an open page has looked again
LINES = """element => {
    const text = document.createRange()
    text.selectNodeContents(element)
    return new Set([...text.getClientRects()].map(line => line.top)).size
}"""


def test_a_note_is_written_and_the_case_taken_by_mouse(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    page.get_by_label("Write a note").fill("Called the owner.\nShe writes on Monday.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#activity_1 .note")).to_have_text("Called the owner.\nShe writes on Monday.")
    expect(page.get_by_label("Write a note")).to_have_value("")
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("Assigned to you")).to_be_visible()
    expect(page.get_by_role("button", name="Assign to me")).to_have_count(0)


def test_a_double_click_writes_once(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    page.get_by_label("Write a note").fill("Called the owner")
    page.get_by_role("button", name="Add the note").dblclick()
    expect(page.locator("#timeline .note")).to_have_count(1)
    page.reload()
    expect(page.locator("#timeline .note")).to_have_count(1)


def test_a_note_is_written_and_the_case_assigned_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    desk.add_user(email=BEN)
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    press(page.locator("summary").filter(has_text="Assign"))
    page.keyboard.press("Tab")
    page.keyboard.type("ben")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Assigned to {BEN}")).to_be_visible()
    press(page.get_by_role("button", name="Assign to me"))
    expect(page.get_by_text("Assigned to you")).to_be_visible()
    expect(page.locator("#assignment")).to_be_focused()  # the button is gone: what it changed it is
    tab_to(page.get_by_label("Write a note"))
    page.keyboard.type("I know them")
    press(page.get_by_role("button", name="Add the note"))
    expect(page.locator("#timeline .note")).to_have_text("I know them")
    expect(page.get_by_role("button", name="Add the note")).to_be_focused()


def test_without_javascript_all_of_it_works(desk: Desk, open_page: OpenPage) -> None:
    desk.add_user(email=BEN)
    with writing(desk.database) as connection:
        add_case(connection, "a/b", (*WAY, "IN_PROGRESS"))
    page = _opened(open_page, "a/b", java_script_enabled=False)
    page.get_by_label("Write a note").fill("Called the owner")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#activity_1 .note")).to_have_text("Called the owner")
    page.locator("summary").filter(has_text="Assign").click()
    page.get_by_label("Assign to", exact=True).select_option(BEN)
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text(f"Assigned to {BEN}")).to_be_visible()
    page.get_by_label("Status changes").uncheck()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#timeline .entry")).to_have_count(2)
    page.get_by_role("link", name="Oldest first").click()
    expect(page.locator("#timeline .entry")).to_have_count(2)
    page.get_by_role("link", name="Round 1").click()
    expect(page.locator("#rounds")).to_contain_text("Round 1, which is over")


@pytest.mark.parametrize("scripts", [True, False])
def test_that_a_customer_was_told_by_phone_is_written_down(
    desk: Desk, open_page: OpenPage, scripts: bool
) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page, java_script_enabled=scripts)
    page.get_by_text("They were told, or must not be").click()
    page.get_by_label("The customer was told without KYB Desk").check()
    page.get_by_label("How, when and in which words").fill("By phone, at noon")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#statement_customer")).to_contain_text(f"{EMAIL}: By phone, at noon")
    expect(page.locator("#timeline")).to_contain_text("wrote down that the customer was told by hand")


def test_that_a_customer_must_not_be_told_is_written_down_by_keyboard_alone(
    desk: Desk, open_page: OpenPage
) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    press(page.locator("summary").filter(has_text="They were told"))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("It would warn them")
    press(page.get_by_role("button", name="Keep it"))
    expect(page.locator("#statement_customer")).to_contain_text("Not told")
    expect(page.locator("#statement_customer")).to_be_focused()  # the form is gone: what it changed it is


def test_what_is_being_typed_survives_what_comes(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    page.get_by_label("Write a note").press_sequentially("She said tha")
    page.evaluate("document.activeElement.setSelectionRange(4, 8)")
    page.locator("summary").filter(has_text="Assign").evaluate("summary => summary.parentElement.open = true")
    with writing(desk.database) as connection:
        write_note(connection, "ACME-1", "Somebody else's", BEN, NOON + HOUR)
    expect(page.locator("#timeline .note")).to_have_text("Somebody else's", timeout=LIVE)
    field = page.get_by_label("Write a note")
    expect(field).to_be_focused()
    expect(field).to_have_value("She said tha")
    assert page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [
        4,
        8,
    ]
    expect(page.get_by_role("button", name="Assign", exact=True)).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.type("t")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#timeline .note").first).to_have_text("She said that")


def test_a_choice_made_before_somebody_was_faster_is_not_turned_against_them(
    desk: Desk, open_page: OpenPage
) -> None:
    for email in (BEN, "cem@example.com"):
        desk.add_user(email=email)
    with writing(desk.database) as connection:
        add_case(connection)
    page = _opened(open_page)
    page.locator("summary").filter(has_text="Assign").click()
    page.get_by_label("Assign to", exact=True).select_option("cem@example.com")
    with writing(desk.database) as connection:
        assign(connection, "ACME-1", BEN, None, BEN, NOON)
    expect(page.get_by_text(f"Assigned to {BEN}")).to_be_visible(timeout=LIVE)
    expect(page.get_by_label("Assign to", exact=True)).to_have_value("cem@example.com")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("somebody was faster")).to_be_visible()
    expect(page.get_by_text(f"Assigned to {BEN}")).to_be_visible()
    expect(page.get_by_label("Assign to", exact=True)).to_have_value(BEN)


def test_what_was_typed_for_one_case_is_never_added_to_another(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
        add_case(connection, "ACME-2", WAY[:2], at=NOON - DAY)
    page = _opened(open_page)
    page.get_by_label("Write a note").fill("About the first one")
    page.get_by_role("link", name="Next unassigned case").click()
    page.wait_for_url("**/cases/ACME-2")
    expect(page.get_by_role("heading", level=1)).to_have_text("ACME-2")
    expect(page.get_by_label("Write a note")).to_have_value("")
    assert page.locator("form.noting").get_attribute("action") == "/cases/notes?ref=ACME-2"


def test_ticks_hide_kinds_and_say_what_is_shown(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
        write_note(connection, "ACME-1", "Called", EMAIL, NOON)
    page = _opened(open_page)
    page.get_by_label("Status changes").uncheck()
    page.wait_for_url("**show=*")
    expect(page.locator("#timeline .entry")).to_have_count(1)
    page.get_by_label("Notes and assignments").uncheck()
    expect(page.get_by_text("Nothing of these kinds has happened.")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator("#timeline .entry")).to_have_count(4)
    expect(page.get_by_label("Status changes")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Status changes")).not_to_be_checked()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_hostile_status_breaks_no_way(desk: Desk, open_page: OpenPage, width: int) -> None:
    """A picture that is wider than the window is scrolled by keyboard too."""
    with writing(desk.database) as connection:
        add_case(connection, HOSTILE, (*WAY[:3], HOSTILE, "S" * 200, "REJECTED"))
        write_note(connection, HOSTILE, HOSTILE + "x" * 3000, EMAIL, NOON)
    page = _opened(open_page, HOSTILE, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".way").evaluate("way => way.tabIndex") == 0


@pytest.mark.parametrize("width", [390, 820])
def test_on_small_screens_each_step_of_the_way_has_its_whole_words(
    desk: Desk, open_page: OpenPage, width: int
) -> None:
    with writing(desk.database) as connection:
        for length in range(2, len(WAY) + 1):
            add_case(connection, WAY[length - 1], WAY[:length])
    page = _opened(open_page, WAY[1], viewport={"width": width, "height": 800})
    for status in WAY[1:]:
        page.goto(f"/cases/{status}")
        way = page.locator(".way")
        for name in way.locator(".step__name").all():
            assert name.evaluate("name => name.scrollWidth <= name.clientWidth && name.clientWidth > 20")
            assert name.evaluate(LINES) <= len(name.inner_text().split())
        for each in (way, way.locator(".step--now")):
            assert each.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_a_long_word_in_a_note_narrows_no_other_column_of_the_case_file(
    desk: Desk, open_page: OpenPage
) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        write_note(connection, "ACME-1", "x" * 3000, "bea@example.com", NOON)
    page = _opened(open_page, viewport={"width": 1280, "height": 800})
    page.goto("/case-file?ref=ACME-1")
    who = page.locator(".case_file__doings td:nth-child(2)").first
    assert who.evaluate("cell => cell.querySelector('bdi').getClientRects().length") == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _opened(open_page: OpenPage, ref_id: str = "ACME-1", **options: object) -> Page:
    page = open_page(**options)
    sign_in(page)
    page.goto(f"/cases/{quote(ref_id, safe='')}")
    return page
