"""The list of runs, one run's page, and re-processing."""

import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from receiver.database import Database
from receiver.models import Outcome, RunState, runs
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk
from tests.factories import NOON, WAY, add_attempt, add_case, add_handler, add_run, writing


def test_what_needs_a_person_is_listed_with_its_error(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], tries=7)
    page = desk.signed_in().client.get("/runs").text
    assert f'href="/runs/{run}"' in page
    assert "The mail server said no" in page
    assert "7 tries" in page
    assert 'href="/cases/ACME-1"' in page


def test_no_failures_are_good_news(desk: Desk) -> None:
    assert "No failures." in desk.signed_in().client.get("/runs").text


@pytest.mark.parametrize(
    ("tab", "state"),
    [
        ("person", RunState.FAILED),
        ("retrying", RunState.RETRYING),
        ("waiting", RunState.QUEUED),
        ("waiting", RunState.RUNNING),
        ("done", RunState.SUCCEEDED),
        ("done", RunState.CLOSED),
    ],
)
def test_each_state_stands_under_its_tab(desk: Desk, tab: str, state: str) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], state)
    desk.signed_in()
    for each in ("person", "retrying", "waiting", "done"):
        assert (f'href="/runs/{run}"' in desk.client.get(f"/runs?tab={each}").text) is (each == tab)


def test_a_run_tells_its_tries(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], tries=2)
        add_attempt(connection, run, number=1, traceback="Traceback: line 41", output="INFO sending")
        add_attempt(connection, run, number=2, started_by="person", requested_by="ben@example.com")
    page = desk.signed_in().client.get(f"/runs/{run}").text
    for text in ("It was not done", "Traceback: line 41", "INFO sending", "asked by ben@example.com"):
        assert text in page


def test_a_lost_try_of_what_can_t_be_taken_back_is_a_warning(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], once=True)
        add_attempt(connection, run, Outcome.LOST)
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert "Nobody knows whether it was done." in page
    assert "it may happen twice" in page


def test_a_case_that_has_moved_on_is_told_before_the_button(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[0])
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert page.index("The case has moved on since: it is now “Rejected”") < page.index(
        '<button type="submit" class'
    )


def test_re_processing_queues_one_try_and_leads_back(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], tries=7)
    desk.signed_in()
    answer = _ask(desk, run, tries="7")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run}")
    assert _row(desk.database, run).state == RunState.QUEUED
    page = desk.client.get(f"/runs/{run}").text
    assert "asked by ana@example.com" in page
    assert "Re-process" not in page


def test_re_processing_leads_back_to_where_the_button_was(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "a/b")[-1])
    answer = _ask(desk.signed_in(), run, tries="1", next="/cases/a%2Fb?order=oldest")
    assert answer.headers["location"] == "/cases/a%2Fb?order=oldest"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_re_processing_leads_to_no_other_site(desk: Desk, elsewhere: str) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1])
    assert _ask(desk.signed_in(), run, tries="1", next=elsewhere).headers["location"] == "/"


@pytest.mark.parametrize(
    ("state", "tries", "sentence"),
    [
        (RunState.QUEUED, "1", "It had been asked for already"),
        (RunState.RUNNING, "1", "It is running already"),
        (RunState.FAILED, "1", "It was tried since the page was shown"),
    ],
)
def test_what_happened_since_is_told_and_nothing_is_started(
    desk: Desk, state: str, tries: str, sentence: str
) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], state, tries=2)
    answer = _ask(desk.signed_in(), run, tries=tries, next="/cases/ACME-1")
    assert answer.status_code == 303
    assert _row(desk.database, run).requested_by is None
    page = desk.client.get(answer.headers["location"]).text
    assert sentence in page
    assert f'href="/runs/{run}"' in page


def test_a_browser_that_stalls_in_its_form_holds_up_nobody(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1])
    url = desk.signed_in().client.base_url
    cookies = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    head = (
        f"POST /runs/{run}/reprocess HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nCookie: {cookies}\r\n"
        "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 7\r\n\r\ntries"
    )
    with socket.create_connection((url.host, url.port or 80)) as stalling:
        stalling.sendall(head.encode())
        for _ in range(5):  # by then the server has gone as far as it can
            assert desk.client.get("/runs").is_success
        with writing(desk.database) as connection:
            add_case(connection, "ACME-2")
        stalling.sendall(b"=1")
        assert stalling.recv(100).startswith(b"HTTP/1.1 303")


def test_a_viewer_re_processes_nothing(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1])
    assert _ask(desk.signed_in("viewer"), run, tries="1").status_code == 403
    assert _row(desk.database, run).state == RunState.FAILED


@pytest.mark.parametrize("tries", ["", "x", "-1", "9" * 30, "１"])
def test_a_number_of_tries_that_is_none_is_refused(desk: Desk, tries: str) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1])
    assert _ask(desk.signed_in(), run, tries=tries).status_code == 400


def test_an_unknown_run_is_told_so(desk: Desk) -> None:
    desk.signed_in()
    for run in (4711, 10**30):
        assert desk.client.get(f"/runs/{run}").status_code == 404
        assert _ask(desk, run, tries="1").status_code == 404


def test_the_address_can_t_put_words_on_the_page(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1", WAY)[-1])
    page = desk.signed_in().client.get(f"/runs/{run}?refused=Call+555-0100&run={run}").text
    assert "555-0100" not in page.split("<main")[1]


def test_the_frame_tells_how_many_runs_need_a_person(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, "ACME-1")[-1]
        for number in range(3):
            add_run(connection, event, handler=f"h{number}", at=NOON)
    part = desk.signed_in().client.get("/notices", headers=PARTIAL).text
    assert part.lstrip().startswith('<div id="notices"')
    assert 'hx-target="#failed_runs"' in part
    assert "3<span" in part
    assert "The worker is not running" in part


def _ask(desk: Desk, run: int, **fields: str) -> Any:
    return desk.client.post(f"/runs/{run}/reprocess", data=fields, headers=SAME_ORIGIN)


def _row(database: Database, run: int) -> Any:
    engine = database.writer()
    with engine.connect() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run)).one()
    engine.dispose()
    assert row.created_at < datetime.now(UTC)
    return row
