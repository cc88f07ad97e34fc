"""A person finds a failed run and sets it right, or closes it. The test plays the worker."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from receiver import runs
from receiver.database import Database
from receiver.executor import Ended
from receiver.models import Outcome, RunState, attempts
from receiver.models import runs as runs_table
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import EMAIL, Desk
from tests.factories import add_attempt, add_case, add_run, count_rows, writing


@pytest.fixture
def failed_run(desk: Desk) -> int:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "acme 1/2")[-1], tries=2)
        add_attempt(connection, run, number=1, traceback="Traceback: line 41")
        add_attempt(connection, run, number=2)
        return run


def test_a_failed_run_is_set_right_and_seen_to_succeed_without_a_reload(
    desk: Desk, open_page: OpenPage, failed_run: int
) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Runs 1 need a person").click()
    page.get_by_role("link", name="Notify customer: The mail server said no").click()
    page.get_by_role("link", name="Notify customer", exact=True).click()
    page.wait_for_url(f"**/runs/{failed_run}")
    page.get_by_text("Where it went wrong", exact=True).first.click()
    page.evaluate("window.stayed = true")

    page.get_by_role("button", name="Re-process: notify customer").click()
    state = page.locator(".run__state")
    expect(state).to_contain_text("Waiting")
    expect(state).to_contain_text(f"asked by {EMAIL}")
    expect(page.get_by_role("button", name="Re-process")).to_have_count(0)

    claimed = _claim(desk.database)
    expect(state).to_contain_text("Running")
    _finish(desk.database, claimed)
    expect(state).to_contain_text("Done")
    expect(page.locator("#attempts")).to_contain_text("250 OK")
    expect(page.locator("#failed_runs")).to_be_hidden()
    expect(page.get_by_text("Traceback: line 41")).to_be_visible()
    assert page.evaluate("window.stayed") is True


def test_the_same_goes_without_javascript(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="Runs 1 need a person").click()
    page.get_by_role("link", name="Notify customer: The mail server said no").click()
    page.get_by_role("link", name="Notify customer", exact=True).click()
    page.get_by_role("button", name="Re-process: notify customer").click()
    page.wait_for_url(f"**/runs/{failed_run}")
    expect(page.locator(".run__state")).to_contain_text("Waiting")
    _finish(desk.database, _claim(desk.database))
    page.reload()
    expect(page.locator(".run__state")).to_contain_text("Done")


def test_the_same_goes_by_keyboard_alone(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/runs")
    for place in ("**/runs?*failure=*", f"**/runs/{failed_run}"):
        expect(page.locator("main a.row")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(place)
    press(page.get_by_text("Where it went wrong", exact=True).first)
    expect(page.get_by_text("Traceback: line 41")).to_be_visible()
    press(page.get_by_role("button", name="Re-process: notify customer"))
    expect(page.locator(".run__state")).to_contain_text(f"asked by {EMAIL}")
    expect(page.locator("#run")).to_be_focused()  # the button is gone: its run it is
    _finish(desk.database, _claim(desk.database))
    expect(page.locator(".run__state")).to_contain_text("Done")


def test_a_run_is_closed_by_keyboard_alone(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"/runs/{failed_run}")
    press(page.get_by_text("Close without retrying …"))
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#close").get_by_role("radio").first).to_be_checked()
    tab_to(page.get_by_role("textbox", name="Note"))
    page.keyboard.type("I rang them")
    press(page.get_by_role("button", name="Close without retrying"))
    _is_closed(desk, page, failed_run)


def test_a_run_is_closed_without_javascript(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto(f"/runs/{failed_run}")
    page.get_by_text("Close without retrying …").click()
    page.locator("#close").get_by_role("radio").first.check()
    page.get_by_role("textbox", name="Note").fill("I rang them")
    page.get_by_role("button", name="Close without retrying").click()
    _is_closed(desk, page, failed_run)


def test_a_run_is_set_right_from_its_case_which_stays(
    desk: Desk, open_page: OpenPage, failed_run: int
) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="acme 1/2").click()
    page.wait_for_url("**/cases/acme%201%2F2")
    task = page.locator(f"#run_{failed_run}")
    task.get_by_text("2 tries").click()
    task.get_by_role("button", name="Re-process").click()
    expect(task).to_contain_text("Waiting")
    expect(task).to_contain_text("asked by")
    _finish(desk.database, _claim(desk.database))
    expect(task).to_contain_text("Done")
    expect(task.get_by_text("by itself").first).to_be_visible()
    assert page.url.endswith("/cases/acme%201%2F2")


def test_a_double_click_makes_one_try(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"/runs/{failed_run}")
    page.get_by_role("button", name="Re-process").dblclick()
    expect(page.locator(".run__state")).to_contain_text("Waiting")
    _finish(desk.database, _claim(desk.database))
    expect(page.locator(".run__state")).to_contain_text("Done")
    with writing(desk.database) as connection:
        assert count_rows(connection, attempts) == 3


def test_who_comes_second_is_told_what_happened(desk: Desk, open_page: OpenPage, failed_run: int) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"/runs/{failed_run}")
    with writing(desk.database) as connection:
        runs.reprocess(connection, failed_run, tries=2, by="ben@example.com", now=datetime.now(UTC))
    page.get_by_role("button", name="Re-process").click()
    expect(page.locator("#refusal")).to_contain_text("It had been asked for already")
    expect(page.locator(".run__state")).to_contain_text("asked by ben@example.com")


def test_what_was_done_is_done_again_only_on_purpose(
    desk: Desk, open_page: OpenPage, failed_run: int
) -> None:
    _reprocess_and_finish(desk.database, failed_run)
    page: Page = open_page()
    sign_in(page)
    page.goto(f"/runs/{failed_run}")
    expect(page.get_by_role("button", name="Re-process")).to_be_hidden()
    page.get_by_text("Do it again").click()
    page.get_by_role("button", name="Re-process: notify customer again").click()
    expect(page.locator(".run__state")).to_contain_text("Waiting")


def _is_closed(desk: Desk, page: Page, run: int) -> None:
    expect(page.locator(".run__state")).to_contain_text("Closed")
    expect(page.locator("#purpose")).to_contain_text("I rang them")
    with writing(desk.database) as connection:
        closed = connection.execute(select(runs_table).where(runs_table.c.id == run)).one()
    assert (closed.state, closed.closed_by, closed.close_note) == (RunState.CLOSED, EMAIL, "I rang them")


def _reprocess_and_finish(database: Database, run: int) -> None:
    with writing(database) as connection:
        runs.reprocess(connection, run, tries=2, by=EMAIL, now=datetime.now(UTC))
    _finish(database, _claim(database))


def _claim(database: Database) -> runs.Claimed:
    with writing(database) as connection:
        claimed = runs.claim(connection, ["notify_customer"], timedelta(seconds=30), datetime.now(UTC))
    assert claimed is not None
    return claimed


def _finish(database: Database, claimed: runs.Claimed) -> None:
    ended = Ended(Outcome.SUCCEEDED, result="250 OK", error=None, traceback=None, output=None)
    with writing(database) as connection:
        assert runs.finish(connection, claimed, ended, (), datetime.now(UTC))
