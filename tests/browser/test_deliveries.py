"""An engineer finds out why a delivery was refused: by mouse, by keyboard alone, and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from receiver.models import Verdict
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import Desk
from tests.factories import NOON, add_case, add_delivery, writing

expect.set_options(timeout=10_000)


@pytest.fixture
def refused(desk: Desk) -> int:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        add_delivery(connection, Verdict.REFUSED, cause="no_match", received_at=NOON)
        return add_delivery(
            connection,
            Verdict.REFUSED,
            cause="missing_header",
            header_names="host x-svix-id svix-timestamp svix-signature",
            body=b"{}",
            body_size=2,
        )


def test_a_refused_delivery_is_found_by_its_cause_and_explained(
    desk: Desk, open_page: OpenPage, refused: int
) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Deliveries", exact=True).first.click()
    page.get_by_label("Why it was not taken").select_option("a signature header is missing")
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("cause=missing_header"))
    page.locator(f"#delivery_{refused} a.row").click()
    expect(page.locator("#why")).to_contain_text("svix-id came as x-svix-id")
    page.get_by_text("Show the commands").click()
    expect(page.locator("#commands pre")).to_contain_text("curl -i")
    page.go_back()
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)


def test_the_same_goes_by_keyboard_alone(desk: Desk, open_page: OpenPage, refused: int) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("d")
    tab_to(page.get_by_label("Why it was not taken"))
    page.keyboard.type("a signature header is m")
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)
    press(page.locator(f"#delivery_{refused} a.row"))
    expect(page.locator("#why")).to_contain_text("What to change:")
    press(page.get_by_text("Show the commands"))
    expect(page.locator("#commands pre")).to_contain_text("curl -i")
    page.go_back()
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)


def test_the_same_goes_without_javascript(desk: Desk, open_page: OpenPage, refused: int) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/deliveries?verdict=refused")
    page.get_by_label("Why it was not taken").select_option("a signature header is missing")
    page.get_by_label("From").fill("2026-03-05T11:00")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)
    page.locator(f"#delivery_{refused} a.row").click()
    expect(page.locator("#why")).to_contain_text("svix-id came as x-svix-id")
