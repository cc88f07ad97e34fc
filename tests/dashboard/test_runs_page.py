"""The list of runs, one run's page, and re-processing."""

import re
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from dashboard import layout, pages
from dashboard.queries.runs import count_runs
from receiver.database import Database
from receiver.mail.causes import NEVER_TELL
from receiver.models import Outcome, RunState, runs
from receiver.runs import CloseReason, pause
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk
from tests.factories import (
    HOUR,
    NOON,
    WAY,
    add_attempt,
    add_business,
    add_case,
    add_event,
    add_failure,
    add_handler,
    add_message,
    add_run,
    writing,
)


def test_what_needs_a_person_is_listed_with_its_error(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], tries=7)
    page = desk.signed_in().client.get("/runs?view=list").text
    assert f'href="/runs/{run}"' in page
    assert "The mail server said no" in page
    assert "7 tries" in page
    assert 'href="/cases/ACME-1"' in page


def test_what_failed_alike_is_one_row_with_its_counts(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        for n, ref_id in enumerate(("ACME-1", "ACME-2", "ACME-2")):
            add_run(connection, add_event(connection, ref_id, place=n, at=NOON + n * HOUR))
        other = add_failure(connection, kind="TimeoutError", error="It took too long")
        add_run(connection, add_event(connection, "ACME-3"), fingerprint=other)
    page = desk.signed_in().client.get("/runs").text
    alike, alone = page.split('class="group"')[1:]
    if "It took too long" in alike:
        alike, alone = alone, alike
    assert "Notify customer: The mail server said no" in alike
    assert "smtplib.SMTPRecipientsRefused" in alike
    assert "<strong>3</strong> tasks" in alike
    assert "2 cases" in alike
    assert "<strong>1</strong> task\n" in alone
    assert f"failure={other}" in alone


def test_what_is_retried_tells_its_next_try(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_run(connection, add_case(connection)[-1], RunState.RETRYING, due_at=datetime.now(UTC) + HOUR)
    page = desk.signed_in().client.get("/runs?tab=retrying").text
    assert "next try" in page
    assert "in 59 min" in page


def test_a_list_is_of_one_failure_one_handler_or_one_case(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        add_handler(connection, "forward", "Forward to the CRM")
        mail = add_run(connection, add_event(connection, "a/b"))
        failure = add_failure(connection, "forward", error="The CRM is down")
        crm = add_run(connection, add_event(connection, "ACME-2"), handler="forward", fingerprint=failure)
        done = add_run(connection, add_event(connection, "a/b", place=1), RunState.SUCCEEDED)
    desk.signed_in()
    listed = {
        f"failure={failure}": [crm],
        "view=list&handler=forward": [crm],
        "view=list&handler=notify_customer": [mail],
        "case=a%2Fb": [mail],
        "tab=done&case=a%2Fb": [done],
        "tab=done&handler=forward": [],
    }
    for query, expected in listed.items():
        page = desk.client.get(f"/runs?{query}").text
        shown = [run for run in (mail, crm, done) if f'id="run_{run}"' in page]
        assert shown == expected, query
    assert "Nothing fits." in desk.client.get("/runs?tab=done&handler=forward").text


def test_the_failed_ones_are_counted_once_for_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(desk.database) as connection:
        add_run(connection, add_case(connection)[-1])
    asked: list[Any] = []

    async def counting(connection: Any, states: Any, **filters: Any) -> int:
        asked.append(list(states))
        return await count_runs(connection, states, **filters)

    for module in (pages.runs, layout):
        monkeypatch.setattr(module, "count_runs", counting)
    page = desk.signed_in().client.get("/runs").text
    assert asked.count([RunState.FAILED]) == 1
    assert 'n--person">1<' in page
    assert 'n--person">1<' in desk.client.get("/runs", headers=PARTIAL).text


@pytest.mark.parametrize(
    ("query", "person", "waiting"),
    [
        ("", 2, 1),
        ("?handler=crm", 1, 1),
        ("?tab=done&case=ACME-1", 1, 0),
        ("?handler=mail&case=BOLT-1", 0, 0),
    ],
)
def test_the_tabs_count_what_the_filters_leave(desk: Desk, query: str, person: int, waiting: int) -> None:
    with writing(desk.database) as connection:
        acme, bolt = (add_case(connection, name)[-1] for name in ("ACME-1", "BOLT-1"))
        add_run(connection, acme, RunState.FAILED, handler="mail")
        add_run(connection, bolt, RunState.FAILED, handler="crm")
        add_run(connection, add_case(connection, "CEDAR-1")[-1], RunState.RUNNING, handler="crm")
    desk.signed_in()
    for headers in ({}, PARTIAL):
        tabs = desk.client.get(f"/runs{query}", headers=headers).text.partition('class="tabs"')[2]
        numbers = [
            int(number) for number in re.findall(r'class="n [^>]*>(\d+)<', tabs.partition("</nav>")[0])
        ]
        assert numbers == [person, 0, waiting]


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
        page = desk.client.get(f"/runs?tab={each}&view=list").text
        assert (f'href="/runs/{run}"' in page) is (each == tab)


def test_a_run_tells_its_tries(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], tries=2)
        add_attempt(connection, run, number=1, traceback="Traceback: line 41", output="INFO sending")
        add_attempt(connection, run, number=2, started_by="person", requested_by="ben@example.com")
    page = desk.signed_in().client.get(f"/runs/{run}").text
    for text in ("was not done", "Traceback: line 41", "INFO sending", "asked by ben@example.com"):
        assert text in page


def test_a_lost_try_of_what_can_t_be_taken_back_is_a_warning(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], once=True)
        add_attempt(connection, run, Outcome.LOST)
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert "Nobody knows whether" in page
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


@pytest.mark.parametrize(
    ("effect", "way", "sentence", "button"),
    [
        ("account", (*WAY[:-1], "COMPLETED"), "<strong>was not enabled</strong>", "enable the account"),
        ("account", WAY, "<strong>was not suspended</strong>", "suspend the account"),
        ("customer", WAY, "<strong>was not sent</strong>", "send the e-mail"),
        (None, WAY, "<strong>was not done</strong>", "notify customer"),
    ],
)
def test_a_run_says_what_it_was_to_do_in_the_words_of_the_business(
    desk: Desk, effect: str | None, way: Sequence[str], sentence: str, button: str
) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect=effect)
        add_business(connection, name="Acme Trading")
        run = add_run(connection, add_case(connection, way=way)[-1], summary="the service answered 503")
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert f"{sentence}: the service answered 503" in page
    assert "Acme Trading" in page
    assert f">Re-process: {button}<" in page


def test_only_what_was_sent_is_sent_again(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        unsent, sent = (add_run(connection, add_case(connection, ref)[-1]) for ref in ("ACME-1", "ACME-2"))
        for run in (unsent, sent):
            add_attempt(connection, run)
        add_message(connection, sent)
    desk.signed_in()
    for path, button in (
        (f"/runs/{unsent}", "send the e-mail<"),
        (f"/runs/{sent}", "send the e-mail again<"),
    ):
        assert f">Re-process: {button}" in desk.client.get(path).text
    assert ">Re-process: send the e-mail again<" in desk.client.get("/cases/ACME-2").text


def test_what_must_never_be_told_is_closed_rather_than_tried_again(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        failure = add_failure(connection, kind="NoRetry", cause=NEVER_TELL)
        secret = add_run(connection, add_case(connection, "ACME-1")[-1], fingerprint=failure)
        other = add_run(connection, add_case(connection, "ACME-2")[-1])
    desk.signed_in()
    assert '<button type="submit" class="main">Close without' in desk.client.get(f"/runs/{secret}").text
    assert 'class="act">Re-process' not in desk.client.get(f"/runs/{secret}").text
    assert 'class="act">Re-process' in desk.client.get(f"/runs/{other}").text
    assert '<button type="submit">Close without' in desk.client.get(f"/runs/{other}").text


def test_what_must_never_be_told_leads_to_closing_from_the_list_and_the_timeline_too(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        failure = add_failure(connection, kind="NoRetry", cause=NEVER_TELL)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], fingerprint=failure)
    timeline = desk.signed_in().client.get("/cases/ACME-1").text
    assert f'<a href="/runs/{run}#close">Close without retrying …</a>' in timeline
    assert f'<details id="again_{run}"' in timeline
    assert timeline.index("Re-process it all the same") < timeline.index(">Re-process: send the e-mail<")
    group = desk.client.get("/runs").text.split('class="group"')[1]
    assert 'value="close all">Close 1 without retrying …<' in group
    assert 'value="reprocess all" class="quiet">' in group


@pytest.mark.parametrize(
    ("reason", "why", "folded"),
    [
        (CloseReason.BY_HAND, "it was done by hand", True),
        (CloseReason.NOT_TOLD, "the customer must not be told", True),
        (CloseReason.DUPLICATE, "another task does the same", False),
    ],
)
def test_what_a_person_has_settled_is_not_done_by_one_press(
    desk: Desk, reason: str, why: str, folded: bool
) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        closed = {"closed_at": NOON, "closed_by": "bea@example.com", "close_reason": reason}
        run = add_run(connection, add_case(connection, "ACME-1")[-1], RunState.CLOSED, **closed)
    desk.signed_in()
    for path in (f"/runs/{run}", "/cases/ACME-1"):
        page = desk.client.get(path).text
        assert (f'<details id="again_{run}"' in page) is folded
        assert ('class="act">Re-process' not in page) is folded
        assert ">Re-process: send the e-mail<" in page
        said = re.search(
            r"<bdi>bea@example.com</bdi> closed it on <time .*?>5 Mar 2026, 12:00</time>: " + why, page
        )
        assert bool(said) is folded


def test_what_was_not_sent_is_not_said_twice(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        run = add_run(connection, add_case(connection)[-1], summary="Nothing was sent. No text is approved.")
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert "<strong>was not sent</strong>: No text is approved. It is not tried again" in page


def test_a_long_failure_is_cut_at_its_end(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        failure = add_failure(connection, error="The first words. " + "and more " * 40)
        add_run(connection, add_case(connection)[-1], fingerprint=failure)
    page = desk.signed_in().client.get("/runs").text
    assert re.search(r"Notify customer: The first words\. (and more )+and( more)?…<", page)


def test_a_sentence_ends_once(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1], summary="Enter it, then re-process.")
    assert "then re-process. It is not tried again" in desk.signed_in().client.get(f"/runs/{run}").text


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("removed_at", [None, NOON])
def test_every_state_has_its_words(desk: Desk, state: str, paused: bool, removed_at: datetime | None) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, removed_at=removed_at)
        run = add_run(connection, add_case(connection)[-1], state)
        if paused:
            pause(connection, "notify_customer", "looking", "ben@example.com", NOON)
    desk.signed_in()
    for path in (f"/runs/{run}", "/cases/ACME-1", *(f"/runs?view=list&tab={tab}" for tab in pages.runs.TABS)):
        assert desk.client.get(path).status_code == 200, path


def test_of_a_traceback_the_company_s_own_code_comes_first(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1])
        add_attempt(connection, run, traceback=TRACEBACK)
    page = desk.signed_in().client.get(f"/runs/{run}").text
    own, whole = page.split("Where it went wrong")[1].split("The whole traceback")
    assert "acme/handlers.py" in own
    assert "smtplib" not in own
    assert "smtplib" in whole


TRACEBACK = """Traceback (most recent call last):
  File "/srv/acme/handlers.py", line 41, in tell
    smtp.sendmail(sender, [address], text)
  File "/usr/lib/python3.11/smtplib.py", line 900, in sendmail
    raise SMTPRecipientsRefused(senderrs)
smtplib.SMTPRecipientsRefused: no
"""


def test_a_run_is_closed_without_retrying_and_says_so(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1], tries=3)
    desk.signed_in()
    answer = _close(desk, run, tries="3", reason="by hand", note="I rang them")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run}")
    page = desk.client.get(f"/runs/{run}").text
    for text in ("is not tried again", "ana@example.com closed it", "it was done by hand", "I rang them"):
        assert text in page
    assert "Close without retrying" not in page


def test_a_closing_without_a_reason_comes_back_as_it_was_typed(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1])
    answer = _close(desk.signed_in(), run, tries="1", note="I rang <b>them</b>")
    assert answer.status_code == 422
    assert "Choose why it is closed." in answer.text
    assert "I rang &lt;b&gt;them&lt;/b&gt;" in answer.text
    assert _row(desk.database, run).state == RunState.FAILED
    answer = _close(desk, run, tries="1", reason="by hand", note="\r\n" + "x" * 1001)
    assert answer.status_code == 422
    assert "The note may have 1,000 characters, not 1,001." in answer.text
    assert "\n\n" + "x" * 1001 + "</textarea>" in answer.text


def test_what_has_happened_since_is_told_and_nothing_is_closed(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1], RunState.SUCCEEDED, tries=2)
    answer = _close(desk.signed_in(), run, tries="1", reason="by hand")
    assert answer.status_code == 303
    assert "It was done since the page was shown." in desk.client.get(answer.headers["location"]).text
    assert _close(desk, 4711, tries="1", reason="by hand").status_code == 404
    assert _close(desk, 10**30, tries="1", reason="by hand").status_code == 404


def test_a_viewer_closes_nothing(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection)[-1])
    assert _close(desk.signed_in("viewer"), run, tries="1", reason="by hand").status_code == 403
    page = desk.client.get(f"/runs/{run}").text
    assert "Close without retrying" not in page


def _close(desk: Desk, run: int, **fields: str) -> Any:
    return desk.client.post(f"/runs/{run}/close", data=fields, headers=SAME_ORIGIN)


def _ask(desk: Desk, run: int, **fields: str) -> Any:
    return desk.client.post(f"/runs/{run}/reprocess", data=fields, headers=SAME_ORIGIN)


def _row(database: Database, run: int) -> Any:
    engine = database.writer()
    with engine.connect() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run)).one()
    engine.dispose()
    assert row.created_at < datetime.now(UTC)
    return row
