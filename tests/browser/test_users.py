"""An administrator adds a person, who chooses a password and is in: by mouse, by keyboard alone, and without
JavaScript."""

import threading
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.auth import people
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, PASSWORD, Desk
from tests.factories import writing

expect.set_options(timeout=10_000)

NEW = "new@example.com"
CHOSEN = "a password that I chose"


@pytest.fixture
def admin(desk: Desk) -> None:
    """The one who looks is the only administrator."""
    with writing(desk.database) as connection:
        connection.exec_driver_sql(f"UPDATE users SET role = 'admin' WHERE email = '{EMAIL}'")


def link_on(page: Page) -> str:
    """Under the address at which this test's desk is served."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("A link for")
    return "/password/" + page.locator("#link").inner_text().rpartition("/")[2]


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["mouse", "without scripts"])
def test_a_person_is_added_and_comes_in(open_page: OpenPage, admin: None, options: dict[str, Any]) -> None:
    page = open_page(**options)
    sign_in(page)
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_label("E-mail").fill(NEW)
    page.get_by_label("Role", exact=True).select_option("Lead")
    page.get_by_role("button", name="Add and show the link").click()
    link = link_on(page)
    page.get_by_role("link", name="I have copied it").click()
    row = page.locator("#users tbody tr", has_text=NEW)
    expect(row).to_contain_text("Has no password yet")

    theirs = open_page(**options)
    theirs.goto(link)
    expect(theirs.get_by_label("E-mail")).to_have_value(NEW)
    theirs.get_by_label("New password").fill(CHOSEN)
    theirs.get_by_label("The same again").fill(CHOSEN + "x")
    theirs.get_by_role("button", name="Choose it and sign in").click()
    expect(theirs.get_by_role("alert")).to_contain_text("in two different ways")
    theirs.get_by_label("New password").fill(CHOSEN)
    theirs.get_by_label("The same again").fill(CHOSEN)
    theirs.get_by_role("button", name="Choose it and sign in").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(theirs.locator(".rail__you")).to_contain_text(NEW)

    page.reload()
    expect(row).to_contain_text("Active")
    expect(row).to_contain_text("just now")


def test_a_second_press_while_a_person_is_added_takes_no_link_away(
    open_page: OpenPage, admin: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, pressed_again, add = threading.Event(), threading.Event(), people.add_person

    def add_slowly(*given: Any) -> str:
        begun.set()
        assert pressed_again.wait(30)
        return add(*given)

    monkeypatch.setattr(people, "add_person", add_slowly)
    page = open_page()
    sign_in(page)
    page.goto("/users")
    page.get_by_label("E-mail").fill(NEW)
    page.get_by_label("Role", exact=True).select_option("Viewer")
    button = page.get_by_role("button", name="Add and show the link").bounding_box()
    assert button
    page.mouse.click(button["x"] + 5, button["y"] + 5)  # a locator's click would wait for the answer
    assert begun.wait(30)
    page.mouse.click(button["x"] + 5, button["y"] + 5)
    pressed_again.set()
    page.goto(link_on(page))
    expect(page.get_by_label("E-mail")).to_have_value(NEW)


def test_somebody_is_stopped_and_is_out_at_once(open_page: OpenPage, admin: None, desk: Desk) -> None:
    desk.add_user("viewer", NEW)
    theirs, page = open_page(), open_page()
    theirs.get_by_label("E-mail").fill(NEW)
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Sign in").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Overview")
    sign_in(page)
    page.goto("/users")
    page.get_by_role("link", name=NEW).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NEW)
    page.get_by_label("Role", exact=True).select_option("Operator")
    page.get_by_role("button", name="Change the role").click()
    expect(page.locator(".users__facts")).to_contain_text("Operator")
    page.get_by_role("button", name="Stop them from signing in").click()
    expect(page.locator(".users__facts")).to_contain_text("May not sign in")
    expect(page.get_by_role("button", name="Stop them")).to_have_count(0)
    theirs.goto("/users")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Let them sign in again").click()
    expect(page.locator(".users__facts")).to_contain_text("Active")


def test_all_of_it_goes_by_keyboard(open_page: OpenPage, admin: None) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text("Users")
    tab_to(page.get_by_label("E-mail"))
    page.keyboard.type(NEW)
    tab_to(page.get_by_label("Role", exact=True))
    page.keyboard.type("V")
    press(page.get_by_role("button", name="Add and show the link"))
    link = link_on(page)
    press(page.get_by_role("link", name="I have copied it"))
    press(page.get_by_role("link", name=NEW))
    press(page.get_by_role("button", name="Make a new link"))
    assert link_on(page) != link

    theirs = open_page()
    theirs.goto(link_on(page))
    tab_to(theirs.get_by_label("New password"))
    theirs.keyboard.type(CHOSEN)
    tab_to(theirs.get_by_label("The same again"))
    theirs.keyboard.type(CHOSEN)
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["scripts", "without scripts"])
def test_ones_own_password_is_changed_and_one_stays(open_page: OpenPage, options: dict[str, Any]) -> None:
    page = open_page(**options)
    sign_in(page)
    page.locator(".rail__you").get_by_role("link", name="Password").click()
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_label("The same again").fill(CHOSEN)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not your current password.")
    expect(page.get_by_label("New password")).to_have_value("")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_label("The same again").fill(CHOSEN)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()
    for label in ("Current password", "New password", "The same again"):
        expect(page.get_by_label(label)).to_have_value("")
    page.goto("/cases")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cases")
