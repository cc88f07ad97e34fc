"""A morning's look: from what is wrong to the list behind it, and from a picture to its table."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert

from receiver.models import Verdict, status_limits
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import DAY, HOUR, add_case, add_run, count_delivery, writing

LONGEST, NEXT = "DELTA-1", "DELTA-2"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def morning(desk: Desk, now: datetime) -> Desk:
    """Two cases over their limit, a task that failed, a business rejected, deliveries of two days."""
    with writing(desk.database) as connection:
        limit = {"status": "IN_PROGRESS", "days": 3, "working_days": False}
        connection.execute(insert(status_limits).values(limit | {"updated_at": now, "updated_by": EMAIL}))
        for name, days in ((NEXT, 5), (LONGEST, 9)):
            add_case(connection, name, ("NOT_STARTED", "IN_PROGRESS"), at=now - days * DAY)
        add_run(connection, add_case(connection, "ACME-1", at=now - HOUR, reason="DOCUMENT_MISMATCH")[-1])
        for hours, verdict in ((30, Verdict.ACCEPTED), (2, Verdict.ACCEPTED), (2, Verdict.REFUSED)):
            count_delivery(connection, now - timedelta(hours=hours), verdict)
    return desk


def test_each_figure_leads_to_its_list_by_mouse(morning: Desk, open_page: OpenPage) -> None:
    page = _opened(open_page)
    _concern(page, "2 cases are over their limit").click()
    page.wait_for_url("**/cases?needs=limit&sort=age")
    expect(page.locator("#cases tbody tr")).to_have_count(2)
    expect(page.locator("#cases tbody tr").first).to_contain_text(LONGEST)
    page.go_back()
    _concern(page, "1 task needs a person").click()
    page.wait_for_url("**/runs?tab=person")
    page.go_back()
    page.get_by_role("row", name="Rejected").get_by_role("link").click()
    page.wait_for_url("**/cases?status=REJECTED")
    expect(page.locator("#cases tbody tr")).to_have_count(1)
    page.go_back()
    page.get_by_text("As a table").click()
    expect(_table(page).get_by_role("row")).to_have_count(15)
    _table(page).get_by_role("link", name="Unverified").click()
    page.wait_for_url("**/deliveries?verdict=refused")


def test_each_figure_leads_to_its_list_by_keyboard_alone(
    morning: Desk, open_page: OpenPage, now: datetime
) -> None:
    page = _opened(open_page)
    press(_concern(page, "2 cases are over their limit"))
    page.wait_for_url("**/cases?needs=limit&sort=age")
    expect(page.locator("#cases tbody tr")).to_have_count(2)
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(lambda url: url.endswith("/"))
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("j")  # through the cases over their limit, the oldest first
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{LONGEST}")
    page.go_back()
    press(page.get_by_text("As a table"))
    expect(_table(page).get_by_role("row", name=f"{now:%a %-d %b}")).to_be_visible()
    press(_table(page).get_by_role("link", name="Accepted"))
    page.wait_for_url("**/deliveries?verdict=accepted")


def test_each_figure_leads_to_its_list_without_javascript(
    morning: Desk, open_page: OpenPage, now: datetime
) -> None:
    page = _opened(open_page, java_script_enabled=False)
    _concern(page, "1 task needs a person").click()
    page.wait_for_url("**/runs?tab=person")
    page.goto("/")
    page.get_by_role("link", name="Document mismatch").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Document mismatch")
    page.goto("/")
    page.get_by_text("As a table").click()
    today = _table(page).get_by_role("row", name=f"{now - 2 * HOUR:%a %-d %b}")
    assert [cell.inner_text() for cell in today.get_by_role("cell").all()][-1] == "1"
    page.get_by_role("link", name="All cases over their limit").click()
    expect(page.locator("#cases tbody tr")).to_have_count(2)


def test_what_goes_wrong_meanwhile_appears_and_an_open_table_stays_open(
    morning: Desk, open_page: OpenPage, now: datetime
) -> None:
    page = _opened(open_page)
    page.get_by_text("As a table").click()
    with writing(morning.database) as connection:
        add_run(connection, add_case(connection, "BOLT-1", at=now - HOUR)[-1])
    expect(_concern(page, "2 tasks need a person")).to_be_visible()
    expect(_table(page)).to_be_visible()


def _opened(open_page: OpenPage, **options: object) -> Page:
    page = open_page(**options)
    sign_in(page)
    page.goto("/")
    return page


def _concern(page: Page, text: str) -> Locator:
    return page.locator("#concerns").get_by_role("link", name=text)


def _table(page: Page) -> Locator:
    return page.locator("#deliveries_table table")
