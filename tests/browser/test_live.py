"""Open pages follow by themselves, and leave alone what a person reads, types, ticks or points at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect
from sqlalchemy import update

from receiver.database import Database
from receiver.models import RunState, runs
from receiver.runs import pause
from tests.browser.conftest import OpenPage, sign_in
from tests.dashboard.desk import Desk
from tests.factories import DAY, HOUR, MINUTE, NOON, WAY, add_attempt, add_case, add_event, add_run, writing

expect.set_options(timeout=10_000)
Change = Callable[[], None]


@pytest.fixture
def page(desk: Desk, open_page: OpenPage) -> Page:
    page = open_page()
    sign_in(page)
    return page


@pytest.fixture
def event(desk: Desk) -> int:
    with writing(desk.database) as connection:
        return add_case(connection, "ACME-1")[-1]


def fail_a_run(database: Database, event: int) -> int:
    with writing(database) as connection:
        run = add_run(connection, event)
        add_attempt(connection, run, traceback="Traceback of the try", output="What it said")
    return run


def test_what_is_selected_stays_until_it_is_no_more(desk: Desk, page: Page, event: int) -> None:
    page.goto("/cases/ACME-1")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#timeline h3'))")
    with page.expect_response(lambda answer: "/cases/ACME-1" in answer.url):
        fail_a_run(desk.database, event)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("getSelection().isCollapsed") is False
    expect(page.locator("#timeline").get_by_text("Needs a person")).to_have_count(0)
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator("#timeline").get_by_text("Needs a person").first).to_be_visible()


def test_what_is_typed_open_and_focused_stays(desk: Desk, page: Page, event: int) -> None:
    page.goto("/handlers")
    page.locator("#brake_notify_customer summary").click()
    field = page.locator("#reason_notify_customer")
    field.press_sequentially("Half of a sen")
    fail_a_run(desk.database, event)
    failed = page.locator("#handler_notify_customer .tone--person")
    expect(failed).to_have_text("1")  # the page has followed
    expect(field).to_have_value("Half of a sen")
    expect(field).to_be_focused()
    field.press_sequentially("tence")
    page.get_by_role("heading", level=1).click()  # the focus is elsewhere
    with writing(desk.database) as connection:
        connection.execute(update(runs).values(state=RunState.CLOSED))
    expect(failed).to_have_count(0)
    expect(field).to_have_value("Half of a sentence")


def test_what_is_typed_stays_though_the_page_would_have_something_else_there(
    desk: Desk, page: Page, event: int
) -> None:
    page.goto("/handlers")
    page.locator("#brake_notify_customer summary").click()
    field = page.locator("#reason_notify_customer")
    field.fill("Mine")
    page.get_by_role("heading", level=1).click()  # the focus is elsewhere
    page.route("**/handlers", _with_theirs)
    fail_a_run(desk.database, event)
    expect(page.locator("#handler_notify_customer .tone--person")).to_have_text("1")
    expect(field).to_have_value("Mine")


def _with_theirs(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(
        response=answer, body=answer.text().replace('name="reason"', 'name="reason" value="Theirs"')
    )


@pytest.mark.parametrize("ends", ["shown", "sent"])
def test_a_form_that_is_filled_in_is_not_taken_away(desk: Desk, page: Page, event: int, ends: str) -> None:
    page.goto("/handlers")
    page.locator("#brake_notify_customer summary").click()
    page.locator("#reason_notify_customer").fill("The text is wrong")
    with writing(desk.database) as connection:
        pause(connection, "notify_customer", reason="I was first", by="ben@example.com", now=NOON)
    news = page.get_by_role("link", name="This page has changed: show")
    expect(news).to_be_visible()
    expect(page.locator("#reason_notify_customer")).to_have_value("The text is wrong")
    if ends == "shown":
        news.click()
    else:
        page.locator("#reason_notify_customer").press("Enter")
    expect(page.locator("#handler_notify_customer")).to_contain_text("I was first")
    expect(news).to_be_hidden()


def test_what_is_ticked_stays_ticked(desk: Desk, page: Page, event: int) -> None:
    run = fail_a_run(desk.database, event)
    page.goto("/runs?tab=person&view=list")
    tick = page.locator(f"#run_{run} input[type=checkbox]")
    tick.check()
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")
    with writing(desk.database) as connection:
        add_run(connection, event, handler="enable_account", at=NOON + MINUTE)
    expect(page.get_by_role("link", name="1 new: show")).to_be_visible()
    expect(tick).to_be_checked()


def test_what_is_ticked_is_the_try_that_was_seen(desk: Desk, page: Page, event: int) -> None:
    run = fail_a_run(desk.database, event)
    page.goto("/runs?tab=person&view=list")
    tick = page.locator(f"#run_{run} input[type=checkbox]")
    tick.check()
    with writing(desk.database) as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(tries=5))
    news = page.get_by_role("link", name="This page has changed: show")
    expect(news).to_be_visible()
    assert (tick.is_checked(), tick.input_value()) == (True, f"{run}.1")
    news.click()
    expect(tick).to_have_value(f"{run}.5")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_bar_that_tells_of_new_rows_moves_none(desk: Desk, page: Page, event: int, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/cases")
    row = page.locator("#cases tbody tr").first
    row.hover()
    before = row.bounding_box()
    with writing(desk.database) as connection:
        add_case(connection, "BOLT-1", WAY[:2], at=NOON + DAY)
    expect(page.get_by_role("link", name="1 new: show")).to_be_visible()
    assert row.bounding_box() == before


def test_what_is_under_the_pointer_does_not_move(desk: Desk, page: Page) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "LONG-1", [*WAY[:3], *["IN_PROGRESS", "IN_REVIEW"] * 10], step=DAY)
    page.goto("/cases/LONG-1")
    entry = page.locator("#timeline li").nth(4)
    entry.hover()
    before = entry.bounding_box()
    with writing(desk.database) as connection:
        add_event(connection, "LONG-1", "suspected", family="aml", place=None, at=NOON + HOUR, link=None)
    expect(page.locator("#timeline")).to_contain_text("Suspected")
    after = page.locator("#timeline li").nth(5).bounding_box()
    assert before
    assert after
    assert after["y"] == pytest.approx(before["y"], abs=1)


def test_a_page_that_nobody_sees_asks_less_often(desk: Desk, page: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/changed" in request.url:
            asked.append(request.url)

    page.goto("/cases")
    page.on("request", note)
    with page.expect_request("**/changed*"):
        pass
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    asked.clear()
    for _ in range(3):
        page.evaluate("htmx.trigger(document.querySelector('#live'), 'look-again')")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert asked == []
    page.evaluate("delete document.hidden")
    with page.expect_request("**/changed*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_another_page_begins_afresh(desk: Desk, page: Page, event: int) -> None:
    first, second = fail_a_run(desk.database, event), 0
    with writing(desk.database) as connection:
        second = add_run(connection, event, handler="enable_account")
        add_attempt(connection, second, traceback="Another traceback", output="What it said")
    page.goto(f"/runs/{first}")
    page.evaluate("window.stayed = true")
    opened = page.locator("main details").first
    opened.locator("summary").click()
    expect(opened).to_have_attribute("open", "")
    page.get_by_role("link", name="ACME-1").first.click()
    page.wait_for_url("**/cases/ACME-1")
    expect(page.locator("#timeline")).to_be_visible()
    page.locator(f"a[href='/runs/{second}']").first.click()
    page.wait_for_url(f"**/runs/{second}")
    expect(page.locator("#run")).to_be_visible()
    expect(page.locator("main details[open]")).to_have_count(0)
    assert page.evaluate("window.stayed")
