"""Exports and case files: followed, stopped, printed; by mouse, by keyboard alone, and without JavaScript."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from receiver.models import Verdict
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.hands import press, tab_to
from tests.dashboard.desk import Desk
from tests.factories import HOSTILE, add_business, add_case, add_delivery, add_run, writing

ROWS = 3000


def _open_deliveries(desk: Desk, open_page: OpenPage, **options: object) -> Page:
    with writing(desk.database) as connection:
        for _ in range(ROWS):
            add_delivery(connection, Verdict.ACCEPTED)
    page = open_page(**options)
    sign_in(page)
    page.goto("/deliveries?verdict=accepted")
    return page


def test_a_file_is_downloaded_and_the_page_says_when_it_is_complete(
    desk: Desk, open_page: OpenPage, tmp_path: Path
) -> None:
    page = _open_deliveries(desk, open_page)
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    download.value.save_as(tmp_path / "file.json")
    assert len(json.loads((tmp_path / "file.json").read_text())) == ROWS
    assert re.fullmatch(r"deliveries-[0-9-]+\.json", download.value.suggested_filename)
    expect(page.locator("#export_progress")).to_have_text("3,000 rows, complete")
    expect(page).to_have_url(re.compile(r"/deliveries\?verdict=accepted$"))


def test_without_javascript_a_link_is_a_plain_download(desk: Desk, open_page: OpenPage) -> None:
    page = _open_deliveries(desk, open_page, java_script_enabled=False)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) == ROWS + 1


def test_a_link_in_a_mail_of_another_site_leads_to_the_file_by_one_click_more(
    desk: Desk, open_page: OpenPage
) -> None:
    page = open_page()
    sign_in(page)
    page.goto("data:text/html,")
    page.set_content(f'<a href="{desk.client.base_url}/cases.csv?q=acme">the cases</a>')
    page.get_by_role("link", name="the cases").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing has been taken out yet")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export the list").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_an_export_is_stopped_by_keyboard_alone_and_is_then_no_file(
    desk: Desk, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dashboard.exports.lists.deliveries.SIZE", 1
    )  # 3,000 readings: slow enough to be stopped
    page = _open_deliveries(desk, open_page)
    tab_to(page.get_by_role("link", name="CSV"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    expect(page.locator("#export_progress")).to_contain_text("so far")
    press(page.get_by_role("button", name="Stop"))
    expect(page.locator("#export_progress")).to_contain_text("the file is not complete")
    assert download.value.failure()


def test_an_auditors_sample_is_printed_with_all_its_cases(
    desk: Desk, open_page: OpenPage, tmp_path: Path
) -> None:
    _add_sample(desk)
    page = open_page()
    sign_in(page)
    page.get_by_role("link", name="Case files").click()
    page.get_by_label("References").fill("\n".join([*(f"ACME-{n}" for n in range(25)), "nobody-1"]))
    page.get_by_role("button", name="Make the case file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Case file")
    expect(page.get_by_text("nobody-1")).to_be_visible()
    expect(page.locator(".case_file__case")).to_have_count(25)
    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator("#check")).to_be_visible()
    pdf = page.pdf(path=tmp_path / "file.pdf", format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1 + 25 + 1  # each case begins a sheet of its own
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="The same as JSON").click()
    given_out = json.loads(download.value.path().read_text())
    digests = [each["sha256"] for each in given_out["cases"]]
    assert page.locator(".case_file__running code").all_text_contents() == digests


def test_a_sample_is_asked_for_by_keyboard_alone(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        for n in range(2):
            add_case(connection, f"ACME-{n}")
    page = open_page()
    sign_in(page)
    press(page.get_by_role("link", name="Case files"))
    tab_to(page.get_by_label("References"))
    page.keyboard.type("ACME-0, ACME-1")
    press(page.get_by_role("button", name="Make the case file"))
    expect(page.locator(".case_file__case")).to_have_count(2)
    tab_to(page.get_by_role("link", name="The same as JSON"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert len(json.loads(download.value.path().read_text())["cases"]) == 2


def test_without_javascript_a_sample_is_asked_for(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="Case files").click()
    page.get_by_label("References").fill("ACME-1\nnobody-1")
    page.get_by_role("button", name="Make the case file").click()
    expect(page.locator(".case_file__case")).to_have_count(1)
    expect(page.get_by_text("nobody-1")).to_be_visible()


def test_without_javascript_a_case_leads_to_its_file(desk: Desk, open_page: OpenPage) -> None:
    with writing(desk.database) as connection:
        add_case(connection, HOSTILE, reason=HOSTILE)
    page = open_page(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="script").first.click()
    page.get_by_role("link", name="Case file").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("<script>alert(1)</script>")


def _add_sample(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for n in range(25):
            add_run(connection, add_case(connection, f"ACME-{n}", reason="DOCUMENT_MISMATCH")[-1])
            add_business(connection, f"ACME-{n}", name=f"ACME {n} Ltd")
