"""The page with the list of cases, as it is served: its search, its filters, its chips."""

import pytest
from sqlalchemy import text

from dashboard.queries import case_list, case_selection
from receiver.models import findables
from tests.dashboard.desk import EMAIL, PARTIAL, Desk
from tests.factories import (
    HOSTILE,
    NOON,
    WAY,
    add_business,
    add_case,
    add_handler,
    add_reason,
    add_run,
    writing,
)


def test_a_row_says_what_a_person_has_to_see_to(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        event = add_case(connection, "ACME-1", at=NOON, reason="PEP_HIT", gap=True, assigned_to=EMAIL)[-1]
        add_run(connection, event)
        add_case(connection, "approved", (*WAY[:3], "COMPLETED"))
        connection.execute(text("INSERT INTO status_limits VALUES ('REJECTED', 5, TRUE, 0, 'ana')"))
    page = desk.signed_in().client.get("/cases").text
    for words in ("Has a failed task", "Rejected, not told", "Has a gap", " over</span>", ">you<"):
        assert words in rows_of(page), words
    assert "Completed, not enabled" not in rows_of(page)  # no handler is set up for it


def test_filters_stay_in_the_address_and_each_has_a_chip_that_takes_it_away(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", reason="PEP_HIT", gap=True)
        add_reason(connection, "PEP_HIT")
        connection.execute(text("UPDATE reasons SET label = 'Politically exposed'"))
    address = "/cases?q=acme&status=REJECTED&reason=PEP_HIT&needs=with_gap&assigned=nobody&sort=age"
    page = desk.signed_in().client.get(address).text
    assert 'href="/cases/ACME-1"' in page
    for chip, without in (
        ("Has “acme”", "status=REJECTED&reason=PEP_HIT&needs=with_gap&assigned=nobody&sort=age"),
        ("Reason: Politically exposed", "q=acme&status=REJECTED&needs=with_gap&assigned=nobody&sort=age"),
        ("Has a gap", "q=acme&status=REJECTED&reason=PEP_HIT&assigned=nobody&sort=age"),
        ("Assigned to nobody", "q=acme&status=REJECTED&reason=PEP_HIT&needs=with_gap&sort=age"),
    ):
        link = f'{chip} <a href="/cases?{without}">'.replace("&", "&amp;")
        assert link in page, chip
    tab = "/cases?q=acme&status=IN_REVIEW&reason=PEP_HIT&needs=with_gap&assigned=nobody&sort=age"
    assert f'href="{tab.replace("&", "&amp;")}"' in page
    assert '<input type="hidden" name="needs" value="with_gap">' in page


@pytest.mark.parametrize(
    "query", ["needs=nothing", "sort=x", "assigned=%00", "reason=" + "%25" * 900, "needs=person&needs=person"]
)
def test_an_odd_filter_is_no_error(desk: Desk, query: str) -> None:
    assert desk.signed_in().client.get(f"/cases?{query}").status_code == 200


def test_a_failed_task_is_quiet_beside_what_comes_of_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        add_run(connection, add_case(connection, "ACME-1")[-1])
    desk.signed_in()
    assert 'class="sign sign--person"' not in chip_of(desk, "Has a failed task")
    assert 'class="sign sign--person"' in chip_of(desk, "Rejected, not told")
    with writing(desk.database) as connection:
        connection.execute(text("UPDATE handlers SET effect = NULL"))
    assert 'class="sign sign--person"' in chip_of(desk, "Has a failed task")


def test_a_filtered_list_says_how_many_there_are(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for number in range(51):
            add_case(connection, f"case-{number}", WAY[:2], gap=True, uncertain=number < 2)
    desk.signed_in()
    assert ">2 cases</p>" in desk.client.get("/cases?needs=uncertain").text
    assert ">more than 50 cases</p>" in desk.client.get("/cases?needs=with_gap").text
    assert "chosen__count" not in desk.client.get("/cases").text


def test_tabs_have_numbers_where_nothing_but_the_status_is_chosen(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    desk.signed_in()
    for query, is_counted in (
        ("", True),
        ("status=REJECTED&sort=age", True),
        ("q=bolt", False),
        ("age=3", False),
    ):
        tabs = (
            desk.client.get(f"/cases?{query}").text.partition('aria-label="Status"')[2].partition("</nav>")[0]
        )
        assert ('<span class="n">1</span>' in tabs) == is_counted, query
        assert ('class="n"' in tabs) == is_counted, query


def test_a_short_search_that_finds_nothing_says_what_it_looked_for(desk: Desk) -> None:
    page = desk.signed_in().client.get("/cases?q=o%C3%BC").text
    assert "No reference or name begins with “oü”. Type a third character to search inside." in page
    page = desk.client.get("/cases?q=o%C3%BCl").text
    assert "Nothing has “oül” in its reference, name, reason or message ids." in page


def test_a_list_that_was_not_filled_says_so_and_leads_further(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((case_selection, "FEW"), (case_list, "WALK"), (case_list, "LEAST_WALK")):
        monkeypatch.setattr(module, name, 2)
    with writing(desk.database) as connection:
        for number in range(5):
            add_case(connection, f"case-{number}", WAY[:2], account_active=number != 4)
    desk.signed_in()
    page = desk.client.get("/cases?needs=still_enabled").text
    assert "Looked through 2 cases, found 1." in page
    further = page.partition("Look further")[0].rpartition('href="')[2].rstrip('">').replace("&amp;", "&")
    assert "case-2" in rows_of(desk.client.get(further).text)


def test_a_search_for_a_message_id_says_where_it_hit(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", WAY[:2])
        connection.execute(findables.delete())
        connection.execute(text("UPDATE events SET svix_id = 'msg_2if9qqkV', dispatched_at = NULL"))
    page = desk.signed_in().client.get("/cases?q=2IF9QQ").text
    assert "message id" in rows_of(page)
    assert "msg_2if9qqkV" in rows_of(page)


def test_hostile_text_is_searched_and_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, HOSTILE, reason=HOSTILE, assigned_to=HOSTILE)
        add_business(connection, "alone", name="{{ 7*7 }} alone")
    desk.signed_in()
    for query in ("q=%7B%7B+7*7", "assigned=%3Cscript%3Ealert(1)", "reason=%3Cscript%3Ealert(1)", ""):
        page = desk.client.get(f"/cases?{query}").text
        assert "<script>alert" not in page
        assert "49" not in page.partition('id="cases"')[2].partition("<table")[0]


def test_a_part_brings_the_filters_that_the_search_keeps(desk: Desk) -> None:
    part = desk.signed_in().client.get("/cases?needs=person&sort=age", headers=PARTIAL).text
    assert part.lstrip().startswith('<section id="cases"')
    assert "<html" not in part
    kept = part.partition('hx-target="#search_filters"')[2]
    assert '<input type="hidden" name="needs" value="person">' in kept
    assert '<input type="hidden" name="sort" value="age">' in kept


def chip_of(desk: Desk, words: str) -> str:
    before = rows_of(desk.client.get("/cases").text).partition(f"<span>{words}</span>")[0]
    return 'class="sign' + before.rpartition('class="sign')[2]


def rows_of(page: str) -> str:
    return page.partition("<tbody>")[2].partition("</tbody>")[0]
