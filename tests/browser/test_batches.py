"""A person re-processes a whole failure, or what is ticked, on one word. The test plays the worker."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from receiver import runs
from receiver.executor import Ended
from receiver.models import Outcome
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press
from tests.dashboard.desk import Desk
from tests.factories import add_case, add_failure, add_handler, add_run, writing

expect.set_options(timeout=10_000)


@pytest.fixture
def failed_runs(desk: Desk) -> list[int]:
    """Three that failed alike, and one that failed otherwise."""
    with writing(desk.database) as connection:
        add_handler(connection, "forward", "Forward to the CRM")
        other = add_failure(connection, "forward", error="The CRM is down")
        given = {"handler": "forward", "fingerprint": other, "summary": "The CRM is down"}
        add_run(connection, add_case(connection, "OTHER")[-1], **given)
        return [add_run(connection, add_case(connection, f"ACME-{n}")[-1]) for n in range(3)]


def test_a_failure_is_re_processed_after_a_preview_and_seen_to_go_on_without_a_reload(
    desk: Desk, open_page: OpenPage, failed_runs: list[int]
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/runs")
    group = page.locator(".group", has_text="The mail server said no")
    expect(group).to_contain_text("3 tasks")
    group.get_by_role("button", name="Re-process 3 …").click()
    page.wait_for_url("**/batches/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-process 3 tasks?")
    expect(page.locator(".batch__out")).to_contain_text("3 calls of “Notify customer”")
    page.get_by_role("button", name="Re-process 3 tasks").click()
    expect(page.locator("#progress")).to_contain_text("0 of 3 seen to")
    page.evaluate("window.stayed = true")

    _carry_out(desk)
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-processed 3 tasks")
    expect(page.locator(".batch__item", has_text="Waiting")).to_have_count(3)
    _work(desk, Outcome.SUCCEEDED)
    _work(desk, Outcome.FAILED)
    expect(page.locator(".batch__item", has_text="Done")).to_have_count(1)
    expect(page.locator(".batch__item", has_text="Failed again")).to_have_count(1)
    assert page.evaluate("window.stayed") is True
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(".group", has_text="The CRM is down")).to_be_visible()


def test_the_same_goes_without_javascript(desk: Desk, open_page: OpenPage, failed_runs: list[int]) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.goto("/runs")
    page.locator(".group", has_text="The mail server").get_by_role("button", name="Re-process 3 …").click()
    page.get_by_role("button", name="Re-process 3 tasks").click()
    expect(page.locator("#progress")).to_contain_text("0 of 3 seen to")
    _carry_out(desk)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-processed 3 tasks")


def test_how_many_are_ticked_stands_in_the_buttons(
    desk: Desk, open_page: OpenPage, failed_runs: list[int]
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/runs?view=list")
    bar = page.locator("#ticked")
    bar.get_by_role("button", name="Re-process the ticked …").click()
    expect(page.locator("#none_ticked")).to_contain_text("no task was ticked")
    for n in (0, 1):
        page.locator(".runs__tick").nth(n).check()
    expect(bar.get_by_role("button", name="Close the 2 ticked …")).to_be_visible()
    page.locator(".runs__tick").nth(0).uncheck()
    bar.get_by_role("button", name="Re-process the 1 ticked …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-process 1 task?")


def test_the_same_goes_by_keyboard_alone(desk: Desk, open_page: OpenPage, failed_runs: list[int]) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/runs?view=list")
    page.keyboard.press("j")
    page.keyboard.press("x")
    press(page.get_by_role("button", name="Re-process the 1 ticked …"))
    page.wait_for_url("**/batches/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-process 1 task?")
    press(page.get_by_role("button", name="Re-process 1 task"))
    press(page.get_by_role("button", name="Stop"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stopped")


def test_a_double_click_starts_it_once(desk: Desk, open_page: OpenPage, failed_runs: list[int]) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/runs")
    page.locator(".group", has_text="The mail server").get_by_role("button", name="Re-process 3 …").click()
    page.get_by_role("button", name="Re-process 3 tasks").dblclick()
    expect(page.locator("#progress")).to_be_visible()
    _carry_out(desk)
    expect(page.get_by_role("heading", level=1)).to_have_text("Re-processed 3 tasks")


def test_a_tick_stays_while_the_page_looks_again(
    desk: Desk, open_page: OpenPage, failed_runs: list[int]
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/runs?view=list")
    page.locator(".runs__tick").first.check()
    with page.expect_response(lambda answer: "/runs?" in answer.url), writing(desk.database):
        pass
    page.wait_for_timeout(100)
    expect(page.locator(".runs__tick").first).to_be_checked()


def test_a_run_is_closed_without_retrying(desk: Desk, open_page: OpenPage, failed_runs: list[int]) -> None:
    page = open_page()
    sign_in(page)
    page.goto(f"/runs/{failed_runs[0]}")
    page.get_by_text("Close without retrying …").click()
    page.get_by_label("It was done by hand").check()
    page.get_by_role("textbox", name="Note").fill("I rang them")
    page.get_by_role("button", name="Close without retrying").click()
    expect(page.locator(".run__state")).to_contain_text("Closed")
    expect(page.locator("#purpose")).to_contain_text("I rang them")


def _carry_out(desk: Desk) -> None:
    with writing(desk.database) as connection:
        while runs.advance(connection, datetime.now(UTC)):
            pass


def _work(desk: Desk, outcome: Outcome) -> None:
    error = None if outcome is Outcome.SUCCEEDED else "The mail server said no"
    with writing(desk.database) as connection:
        claimed = runs.claim(connection, ["notify_customer"], timedelta(seconds=30), datetime.now(UTC))
        assert claimed is not None
        ended = Ended(outcome, error=error, no_retry=True)
        assert runs.finish(connection, claimed, ended, (), datetime.now(UTC))
