"""The list of cases and one case's page, as they are served."""

import re
from urllib.parse import quote

import pytest

from receiver.cases import Link
from receiver.models import RunState
from tests.dashboard.desk import PARTIAL, Desk
from tests.factories import (
    HOSTILE,
    HOUR,
    MINUTE,
    NOON,
    WAY,
    add_attempt,
    add_case,
    add_case_row,
    add_event,
    add_handler,
    add_run,
    writing,
)


def test_a_case_stands_in_the_list_with_its_status_and_reason(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", reason="DOCUMENT_MISMATCH")
    page = desk.signed_in().client.get("/cases").text
    assert 'href="/cases/ACME-1"' in page
    assert "Rejected" in page
    assert "Document mismatch" in page


def test_an_empty_list_says_what_will_fill_it(desk: Desk) -> None:
    desk.signed_in()
    assert "No cases yet." in desk.client.get("/cases").text
    assert "No case fits." in desk.client.get("/cases?q=acme").text


def test_a_search_and_a_status_stay_in_the_address(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        add_case(connection, "ACME-2", WAY[:3])
        add_case(connection, "other")
    page = desk.signed_in().client.get("/cases?q=acme&status=REJECTED").text
    assert "ACME-1" in page
    assert "ACME-2" not in page
    assert 'value="acme"' in page
    assert 'href="/cases?q=acme&amp;status=IN_REVIEW"' in page


@pytest.mark.parametrize(
    "query",
    ["q=%00", "status=%00x", "at=%F0%9F%98%80", "q=%ED%A0%80", "q=%2525", "at=bi45", "q=" + "%25" * 9000],
)
def test_an_odd_question_is_no_error(desk: Desk, query: str) -> None:
    assert desk.signed_in().client.get(f"/cases?{query}").status_code == 200


def test_the_part_of_the_list_is_answered_alone(desk: Desk) -> None:
    part = desk.signed_in().client.get("/cases?status=IN_REVIEW", headers=PARTIAL).text
    assert part.lstrip().startswith('<section id="cases"')
    assert 'hx-get="/cases?status=IN_REVIEW"' in part
    assert "<html" not in part


@pytest.mark.parametrize(
    "ref_id",
    ["a/b", "a/b/", "/a", "/", "///", "a b?c#d", "100%", "%2F", ".", "..", "…é\u202e", HOSTILE, "x" * 10_000],
)
def test_every_reference_has_a_page_that_its_row_leads_to(desk: Desk, ref_id: str) -> None:
    with writing(desk.database) as connection:
        add_case(connection, ref_id)
    desk.signed_in()
    as_a_parameter = ref_id in {".", "..", "/", "///"}
    address = ("/cases?ref=" if as_a_parameter else "/cases/") + quote(ref_id, safe="")
    assert f'href="{address}"' in desk.client.get("/cases").text
    answer = desk.get_raw(address, Cookie=_cookie(desk))
    assert answer.status_code == 200
    assert 'id="timeline"' in answer.text


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        *_, event = add_case(connection, HOSTILE, (*WAY[:3], HOSTILE), reason=HOSTILE)
        add_handler(connection, title=HOSTILE)
        run = add_run(connection, event, summary=HOSTILE)
        add_attempt(connection, run, error=HOSTILE, traceback=HOSTILE, output=HOSTILE)
    desk.signed_in()
    for path in ("/cases", f"/cases/{quote(HOSTILE, safe='')}", "/runs", f"/runs/{run}", "/deliveries"):
        page = desk.client.get(path).text
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<b>&" not in page
        assert "\u202e" not in re.sub(r'data-copy="[^"]*"', "", page)  # what is copied is the very text
        assert "{{ 7*7 }}" in page


def test_a_hostile_status_is_shown_as_text_where_a_status_change_is_missing(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_event(connection, "ACME-1", "REJECTED", link=Link.GAP, previous_status=HOSTILE)
        add_case_row(connection, "ACME-1", "REJECTED", [event], gap=True)
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "how the case came to “&lt;script&gt;" in page
    assert "\u202e" not in page


def test_a_reference_of_which_nothing_would_be_seen_is_shown_by_its_codes(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for blank in ("  ", "\u3164", "\u200b"):
            add_case(connection, blank)
    page = desk.signed_in().client.get("/cases").text
    for codes in ("⟨0020⟩⟨0020⟩", "⟨3164⟩", "⟨200B⟩"):
        assert f"<bdi>{codes}</bdi>" in page


def test_an_unknown_reference_is_told_so(desk: Desk) -> None:
    answer = desk.signed_in().client.get("/cases/nobody")
    assert answer.status_code == 404
    assert "Nothing has come from VOVE for this reference." in answer.text


def test_a_case_page_says_what_is_not_known(desk: Desk) -> None:
    with writing(desk.database) as connection:
        ids = [
            add_event(connection, "ACME-1", "IN_REVIEW", link=Link.BEGAN_BEFORE, delivery_count=3),
            add_event(connection, "ACME-1", "REJECTED", place=1, link=Link.GAP, previous_status="ON_HOLD"),
        ]
        add_case_row(connection, "ACME-1", "REJECTED", ids, gap=True, uncertain=True, began_before=True)
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "A status change is missing here: how the case came from “In review” to “ON_HOLD”" in page
    assert "The case began before KYB Desk listened" in page
    assert "is not certain" in page
    assert "No reason given" in page
    assert "delivered 3 times" in page
    assert "No handler is set up for “Rejected”" in page


def test_a_late_event_says_how_late(desk: Desk) -> None:
    with writing(desk.database) as connection:
        late = NOON + 4 * HOUR + 29 * MINUTE
        event = add_event(connection, "ACME-1", received_at=late, late=True)
        add_case_row(connection, "ACME-1", "IN_REVIEW", [event])
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "4 h 29 min late" in page
    assert "did not turn the case back" in page


def test_a_task_can_be_re_processed_from_the_timeline_by_who_may(desk: Desk) -> None:
    with writing(desk.database) as connection:
        *_, review, rejection = add_case(connection, "ACME-1")
        add_handler(connection)
        failed = add_run(connection, rejection, tries=7)
        earlier = add_run(connection, review)
        add_run(connection, rejection, RunState.SUCCEEDED, handler="other")
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert f'action="/runs/{failed}/reprocess"' in page
    assert f'action="/runs/{earlier}/reprocess"' in page
    assert page.count("Re-process: notify customer") == 2
    assert page.count("The case has moved on since") == 1
    assert "1 earlier task needs" in page


def test_a_viewer_sees_no_button(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1])
    desk.signed_in("viewer")
    assert "Re-process" not in desk.client.get("/cases/ACME-1").text
    assert "Re-process" not in desk.client.get(f"/runs/{run}").text


def test_another_check_alone_has_a_page_without_a_status(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_event(connection, "ACME-1", "REJECTED", family="aml", place=None, link=None, previous_status=None)
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "No status change of the business itself has come" in page
    assert "AML check" in page


def _cookie(desk: Desk) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in desk.client.cookies.jar)
