"""A new reason is described, and its text approved: by mouse, by keyboard alone, without scripts."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from receiver.models import activities, reason_texts
from receiver.reasons import note_seen
from tests.browser.conftest import OpenPage
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, PASSWORD, Desk
from tests.factories import HOSTILE, add_case, writing

expect.set_options(timeout=10_000)

BEN = "ben@example.com"
TEXT = "Please send us a current extract of the company register."


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """With a reason that nobody has described, and with a lead."""
    desk.add_user("lead", BEN)
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", at=datetime.now(UTC), reason="DOCUMENT_MISMATCH")
        note_seen(connection, [("DOCUMENT_MISMATCH", "ACME-1")], datetime.now(UTC))
    return desk


def enter(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_new_reason_is_described_and_its_text_approved_by_a_second_person(
    desk: Desk, open_page: OpenPage, scripts: bool
) -> None:
    ana, ben = open_page(java_script_enabled=scripts), open_page(java_script_enabled=scripts)
    enter(ana, EMAIL)
    ana.goto("/rejections")
    expect(ana.locator("#new_reasons")).to_contain_text("1 reason that nobody has described yet")
    ana.locator("#new_reasons").get_by_role("link", name="DOCUMENT_MISMATCH").click()
    ana.get_by_role("link", name="Describe it").click()
    ana.get_by_label("Label").fill("Documents don't match")
    ana.get_by_label("Explanation").fill("Ask for the extract again.")
    ana.get_by_role("button", name="Save").dblclick()
    expect(ana.get_by_role("heading", name="Documents don't match")).to_be_visible()
    ana.get_by_role("link", name="Write a text in English").click()
    ana.get_by_label("Text", exact=True).fill(TEXT)
    ana.get_by_role("button", name="Save for approval").dblclick()
    expect(ana.locator("#told_en")).to_contain_text("has to approve it")
    expect(ana.get_by_role("button", name="Approve")).to_have_count(0)

    enter(ben, BEN)
    ben.goto("/rejections")
    expect(ben.locator("#new_reasons")).to_have_count(0)
    ben.get_by_role("link", name="Documents don't match").first.click()
    ben.get_by_role("link", name="See it in the mail").click()
    expect(ben.locator(".letter")).to_contain_text(TEXT)
    ben.go_back()
    ben.get_by_role("button", name="Approve: customers read this").dblclick()
    expect(ben.locator("#told_en")).to_contain_text(f"approved by {BEN}")
    assert done(desk) == ["described", "text written", "text approved"]


def test_it_is_done_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    ana, ben = open_page(), open_page()
    enter(ana, EMAIL)
    ana.keyboard.press("g")
    ana.keyboard.press("r")
    press(ana.locator("#new_reasons").get_by_role("link", name="DOCUMENT_MISMATCH"))
    press(ana.get_by_role("link", name="Describe it"))
    tab_to(ana.get_by_label("Label"))
    ana.keyboard.type("Documents")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("heading", name="Documents")).to_be_visible()
    press(ana.get_by_role("link", name="Write a text in English"))
    tab_to(ana.get_by_label("Text", exact=True))
    ana.keyboard.type(TEXT)
    press(ana.get_by_role("button", name="Save for approval"))
    expect(ana.locator("#told_en")).to_contain_text("Waits for approval")
    enter(ben, BEN)
    ben.goto("/rejections/reason?code=DOCUMENT_MISMATCH")
    press(ben.get_by_role("button", name="Approve: customers read this"))
    expect(ben.locator("#told_en")).to_contain_text(f"approved by {BEN}")
    press(ben.get_by_text("Never tell customers this reason …"))
    press(ben.get_by_role("button", name="Never tell customers"))
    expect(ben.locator("#telling")).to_contain_text("Not used: never tell")
    assert done(desk) == ["described", "text written", "text approved", "described"]


def test_many_rejections_come_after_the_page(
    desk: Desk, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.pages.rejections.AT_ONCE", 0)
    page, plain = open_page(), open_page(java_script_enabled=False)
    enter(page, EMAIL)
    page.goto("/rejections")
    expect(page.locator("#reasons")).to_contain_text("DOCUMENT_MISMATCH")
    page.get_by_role("link", name="By month").click()
    expect(page.locator(".trend")).to_contain_text("1 rejection in 12 months")
    enter(plain, EMAIL)
    plain.goto("/rejections")
    plain.get_by_role("link", name="Show the figures").click()
    expect(plain.locator("#reasons")).to_contain_text("DOCUMENT_MISMATCH")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_wider_than_the_window(desk: Desk, open_page: OpenPage, width: int) -> None:
    long = "x" * 10_000
    with writing(desk.database) as connection:
        for number, reason in enumerate((HOSTILE * 3, long, "a\u0301" * 5_000)):
            add_case(connection, f"{HOSTILE}{number}", at=datetime.now(UTC), reason=reason)
        note_seen(connection, [(long, long), (HOSTILE, HOSTILE)], datetime.now(UTC))
    page = open_page(viewport={"width": width, "height": 800})
    enter(page, EMAIL)
    for path in ("/rejections", "/rejections?by=month", f"/rejections/reason?code={long[:200]}"):
        page.goto(path)
        for details in page.locator("main summary").all():
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def done(desk: Desk) -> list[str]:
    """And of the text there is one version."""
    with writing(desk.database) as connection:
        assert len(connection.execute(select(reason_texts.c.id)).all()) == 1
        return list(connection.execute(select(activities.c.kind).order_by(activities.c.id)).scalars())
