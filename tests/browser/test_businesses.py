"""A person imports a file and edits a business: by mouse, by keyboard alone, and without JavaScript."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from receiver.directory.rows import change
from receiver.models import businesses
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import HOSTILE, WAY, add_business, add_case, writing

LONG = "x" * 10_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "businesses.csv"
    path.write_text("refId;name;e-mail\nacme 1/2;ACME Trading Ltd;office@acme.example\nnew-1;New Ltd;\n")
    return path


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_file_is_looked_at_and_imported(desk: Desk, open_page: OpenPage, file: Path, scripts: bool) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "acme 1/2")
        add_business(connection, "acme 1/2", name="ACME")
    page = open_page(java_script_enabled=scripts)
    sign_in(page)
    page.get_by_role("link", name="Import businesses").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at what it would change").click()
    expect(page.locator("#preview")).to_contain_text("1 business new, 1 changed")
    expect(page.locator(".preview")).to_contain_text("ACME → ACME Trading Ltd")
    assert names(desk) == ["ACME"]
    page.get_by_role("button", name="Import 2 businesses").click()
    expect(page.locator("#done")).to_contain_text("Imported: 1 business is new, 1 was changed")
    assert "/businesses/import?new=1" in page.url
    assert names(desk) == ["ACME Trading Ltd", "New Ltd"]
    page.get_by_role("link", name="See the cases").click()
    expect(page.get_by_role("link", name="ACME Trading Ltd acme 1/2")).to_be_visible()


def test_a_file_is_imported_by_keyboard_alone(desk: Desk, open_page: OpenPage, file: Path) -> None:
    page = open_page()
    sign_in(page)
    press(page.get_by_role("link", name="Import businesses"))
    tab_to(page.get_by_label("CSV file"))
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(file)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_contain_text("2 businesses new")
    press(page.get_by_role("button", name="Import 2 businesses"))
    expect(page.locator("#done")).to_contain_text("2 businesses are new")
    assert names(desk) == ["ACME Trading Ltd", "New Ltd"]


def test_a_mended_file_is_taken_where_the_first_was_wrong(
    desk: Desk, open_page: OpenPage, file: Path
) -> None:
    good = file.read_text()
    file.write_text(good.replace("office@acme.example", "nobody"))
    page = open_page()
    sign_in(page)
    page.goto("/businesses/import")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at").click()
    row = page.locator(".problems tbody tr")
    expect(row).to_contain_text("'nobody' is no e-mail address")
    expect(row).to_contain_text("e-mail")
    assert names(desk) == []
    file.write_text(good)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at").click()
    page.get_by_role("button", name="Import 2 businesses").dblclick()
    expect(page.locator("#done")).to_contain_text("2 businesses are new")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_business_is_edited_from_its_case(desk: Desk, open_page: OpenPage, scripts: bool) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "acme 1/2")
    page = open_page(java_script_enabled=scripts)
    sign_in(page)
    page.get_by_role("link", name="acme 1/2").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("ACME Trading Ltd")
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_label("Account").select_option("active")
    page.get_by_label("Notes").fill("Asked for a call back.\nTwice.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("E-mail 'nobody' is no e-mail address.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("ACME Trading Ltd")
    expect(page.get_by_label("Notes")).to_have_value("Asked for a call back.\nTwice.")
    expect(page.get_by_label("Account")).to_have_value("active")
    page.get_by_label("E-mail").fill("office@acme.example")
    page.get_by_role("button", name="Save").dblclick()
    page.wait_for_url("**/cases/acme%201%2F2?saved=yes")
    expect(page.get_by_role("heading", name="ACME Trading Ltd")).to_be_visible()
    box = page.locator("#business")
    expect(box).to_contain_text("office@acme.example")
    expect(box).to_contain_text(f"Changed by {EMAIL} just now")


def test_a_business_is_edited_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "acme 1/2")
    page = open_page()
    sign_in(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    press(page.get_by_role("link", name="Edit"))
    tab_to(page.get_by_label("Name", exact=True))
    page.keyboard.type("ACME Trading Ltd")
    page.keyboard.press("Tab")
    page.keyboard.type("nobody")
    press(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("E-mail 'nobody' is no e-mail address.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_focused()  # it is what is wrong
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("office@acme.example")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/acme%201%2F2?saved=yes")
    expect(page.get_by_role("heading", name="ACME Trading Ltd")).to_be_visible()
    expect(page.locator("#business")).to_contain_text("office@acme.example")
    assert names(desk) == ["ACME Trading Ltd"]


def test_what_is_being_typed_stays_while_the_business_changes(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "acme")
        add_business(connection, "acme", name="ACME", email="a@acme.example")
    page, watching = open_page(), open_page()
    for each in (page, watching):
        sign_in(each)
    watching.goto("/cases/acme")
    page.goto("/businesses/edit?ref=acme")
    page.get_by_label("Name", exact=True).fill("Typed here")
    with writing(desk.database) as connection:
        change(connection, "acme", {"name": "Changed there"}, "ben@example.com", datetime.now(UTC))
    expect(watching.get_by_role("heading", name="Changed there")).to_be_visible()  # live: it has been told
    with page.expect_response("**/changed*"):
        pass
    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed here")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It says now: Changed there")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed here")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/cases/acme?saved=yes")
    expect(page.get_by_role("heading", name="Typed here")).to_be_visible()


def test_the_search_finds_names_as_they_are_typed(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        for ref_id, name in (("ref-1", "Zephyr Travel"), ("ref-2", "Oakfield")):
            add_case(connection, ref_id)
            add_business(connection, ref_id, name=name)
    page = open_page()
    sign_in(page)
    page.get_by_label("Find a case by reference, name, reason or message id").press_sequentially("zeph")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="Zephyr Travel ref-1")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_is_wider_than_the_window(desk: Desk, open_page: OpenPage, file: Path, width: int) -> None:
    texts = [HOSTILE * 4, LONG[:300]]
    with writing(desk.database) as connection:
        for ref_id, text in zip((HOSTILE, LONG), texts, strict=True):
            add_case(connection, ref_id, WAY[:3])
            add_business(connection, ref_id, name=text, notes=text * 20)
    page = open_page(viewport={"width": width, "height": 800})
    sign_in(page)
    paths = ["/cases", "/businesses/import"]
    paths += [f"/cases/{quote(ref_id, safe='')}" for ref_id in (HOSTILE, LONG)]
    paths += [f"/businesses/edit?ref={quote(ref_id, safe='')}" for ref_id in (HOSTILE, LONG)]
    for path in paths:
        page.goto(path)
        assert _width(page) <= width, path[:40]
    for content in (
        f"refId,name,notes\n{LONG},new,{LONG}\n",
        f"refId,name,{LONG}\na,b\n",
        f"refId,email\n{LONG},{LONG[:200]}\n",
    ):
        file.write_text(content)
        page.goto("/businesses/import")
        page.get_by_label("CSV file").set_input_files(file)
        page.get_by_role("button", name="Look at").click()
        expect(page.locator("#preview")).to_be_visible()
        assert _width(page) <= width, content[:40]


def names(desk: Desk) -> list[str]:
    with writing(desk.database) as connection:
        return sorted(connection.execute(select(businesses.c.name)).scalars())


def _width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))
