"""Who did what: on the page, by filter, and on each database."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, event, insert

from dashboard.kinds import KINDS, part_of
from dashboard.queries import activities as queries
from dashboard.queries.activities import (
    Activity,
    Filters,
    find_activities,
    find_last_changes,
)
from dashboard.queries.paging import Page
from receiver.activity import Kind, note
from receiver.database import Database
from receiver.models import activities
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import PARTIAL, Desk
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    MINUTE,
    NOON,
    add_business,
    add_case,
    add_handler,
    add_run,
    writing,
)

ANA, BEN = "ana@example.com", "ben@example.com"


def did(database: Database, kind: str = Kind.NOTED, by: str = ANA, at: datetime = NOON, **given: Any) -> None:
    with writing(database) as connection:
        note(connection, kind, by, at, **given)  # type: ignore[arg-type]  # a kind of a newer version


def did_often(
    database: Database, number: int, kind: str = Kind.NOTED, by: str = ANA, at: datetime = NOON
) -> None:
    rows = [
        {"at": at + MINUTE * count, "by": by, "kind": kind, "detail": str(count)} for count in range(number)
    ]
    with writing(database) as connection:
        connection.execute(insert(activities), rows)


def found(database: Database, cursor: str | None = None, **filters: Any) -> Page[Activity]:
    return read(database, lambda connection: find_activities(connection, Filters(**filters), cursor))


def details(rows: Sequence[Activity]) -> list[str | None]:
    return [row.detail for row in rows]


def page(desk: Desk, address: str = "/activity", **headers: str) -> str:
    answer = desk.client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.text


def told(text: str) -> list[str]:
    """The sentences, as they are read."""
    rows = re.findall(r'<div class="doing__what">(.*?)</div>', text, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]+>", "", row)).split()) for row in rows]


def test_each_thing_done_is_told_in_a_sentence_with_its_links(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, "ACME-1")[-1]
        run = add_run(connection, event)
        add_handler(connection)
        add_business(connection, "ACME-1", name="ACME")
    its_case: dict[str, Any] = {"ref_id": "ACME-1"}
    its_run = its_case | {"run_id": run, "subject": "notify_customer"}
    did(desk.database, Kind.REPROCESSED, **its_run, detail="The mail server is back")
    did(desk.database, Kind.CLOSED, **its_run, detail="done by hand")
    did(desk.database, Kind.REOPENED, "KYB Desk", **its_run)
    did(desk.database, Kind.NOTED, **its_case, detail="Called them.\nNobody there.")
    did(desk.database, Kind.ASSIGNED, **its_case, subject=ANA)
    did(desk.database, Kind.ASSIGNED, **its_case, subject=BEN)
    did(desk.database, Kind.ASSIGNED, **its_case)
    did(desk.database, Kind.PAUSED, subject="notify_customer", detail="The text is wrong")
    did(desk.database, Kind.RESUMED, subject="*")
    did(desk.database, Kind.BATCH_STARTED, subject="7", detail="re-process 270: failed tasks")
    did(desk.database, Kind.BATCH_STOPPED, subject="7", detail="12 not taken")
    did(desk.database, Kind.EDITED, **its_case, detail="name, e-mail")
    did(desk.database, Kind.IMPORTED, subject="names.csv", detail="2 new, 0 changed")
    did(desk.database, Kind.ADOPTED, **its_case, subject="COMPLETED")
    did(desk.database, Kind.DESCRIBED, subject="DOCUMENT_MISMATCH", detail="its name")
    did(desk.database, Kind.TEXT_WRITTEN, subject="DOCUMENT_MISMATCH", detail="de")
    did(desk.database, Kind.TEXT_APPROVED, subject="DOCUMENT_MISMATCH", detail="de")
    did(desk.database, Kind.SET, subject="limit IN_REVIEW", detail="5 working days")
    did(desk.database, Kind.SET, subject="crm_link", detail="https://crm.example.com/{ref_id}")
    did(desk.database, Kind.EXPORTED, subject="cases", detail="status=REJECTED")
    did(desk.database, Kind.CASE_FILE, **its_case, subject="ab12" * 16, detail="1 case")
    did(desk.database, Kind.USER_ADDED, "kybdesk user add (root)", subject=BEN, detail="lead")
    text = page(desk.signed_in())
    assert told(text)[::-1] == [
        "ana@example.com re-processed “Notify customer” for ACME ACME-1 The mail server is back",
        "ana@example.com closed “Notify customer” for ACME ACME-1 without retrying done by hand",
        "“Notify customer” for ACME ACME-1 was opened again by KYB Desk: "
        "the failure for which it was closed came back",
        "ana@example.com noted on ACME ACME-1: Called them. Nobody there.",
        "ana@example.com assigned ACME ACME-1 to themselves",
        "ana@example.com assigned ACME ACME-1 to ben@example.com",
        "ana@example.com assigned ACME ACME-1 to nobody",
        "ana@example.com paused “Notify customer” The text is wrong",
        "ana@example.com let all handlers go on",
        "ana@example.com started batch 7 of tasks re-process 270: failed tasks",
        "ana@example.com stopped batch 7 of tasks 12 not taken",
        "ana@example.com edited the business ACME ACME-1 name, e-mail",
        "ana@example.com imported businesses from the file “names.csv” 2 new, 0 changed",
        "ana@example.com took over VOVE's status “Completed” for ACME ACME-1",
        "ana@example.com described the reason DOCUMENT_MISMATCH its name",
        "ana@example.com wrote a text for customers in German about the reason DOCUMENT_MISMATCH",
        "ana@example.com approved the text for customers in German about the reason DOCUMENT_MISMATCH",
        "ana@example.com set the limit of “In review” to 5 working days",
        "ana@example.com set the link to the CRM to https://crm.example.com/{ref_id}",
        "ana@example.com exported cases status=REJECTED",
        "ana@example.com gave out the case file of ACME ACME-1 1 case SHA-256 " + "ab12" * 16,
        "kybdesk user add (root) added the user ben@example.com as lead",
    ]
    for link in (
        f"/runs/{run}",
        "/cases/ACME-1",
        "/batches/7",
        "/handlers#handler_notify_customer",
        "/settings",
    ):
        assert f'href="{link}"' in text
    assert 'href="/rejections/reason?code=DOCUMENT_MISMATCH"' in text


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_words_and_a_part_of_its_own_that_bears_anything(desk: Desk, kind: Kind) -> None:
    assert kind in KINDS
    assert part_of(kind) != part_of("something else")
    did(desk.database, kind)
    did(desk.database, kind, HOSTILE, ref_id=HOSTILE, run_id=7, subject=HOSTILE, detail=HOSTILE)
    did(desk.database, kind, ref_id="x" * 10_000, subject="é" + "\u0301" * 500, detail="y" * 20_000)
    text = page(desk.signed_in())
    assert len(told(text)) == 3
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "{{ 7*7 }}" in unescape(text)


@pytest.mark.parametrize("kind", ["signed off", "../../layout", HOSTILE])
def test_a_kind_of_a_newer_version_is_told_plainly(desk: Desk, kind: str) -> None:
    did(desk.database, kind, ref_id="ACME-1", subject="round 2", detail="looks good")
    [sentence] = told(page(desk.signed_in()))
    assert sentence.startswith(f"{ANA}: {kind[:12].replace(chr(0x202E), '')}")
    assert sentence.endswith("“round 2” for ACME-1 looks good")


def test_filters_stand_in_the_address_and_can_be_combined(
    any_database: Database, open_desk: OpenDesk
) -> None:
    did(any_database, Kind.NOTED, ANA, NOON, ref_id="a/b?c", detail="one")
    did(any_database, Kind.NOTED, BEN, NOON, ref_id="a/b?c", detail="two")
    did(any_database, Kind.EDITED, ANA, NOON, ref_id="a/b?c", detail="three")
    did(any_database, Kind.NOTED, ANA, NOON, ref_id="A/B?C", detail="four")
    did(any_database, Kind.NOTED, ANA, NOON - DAY, ref_id="a/b?c", detail="five")
    desk = open_desk(any_database).signed_in("viewer")

    def told_at(query: str) -> str:
        return "; ".join(sentence.split()[-1] for sentence in told(page(desk, f"/activity?{query}")))

    case = quote("a/b?c", safe="")
    assert told_at("") == "four; three; two; one; five"
    assert told_at(f"case={case}") == "three; two; one; five"
    assert told_at("person=Ana@Example.com") == "four; three; one; five"
    assert told_at("kind=edited") == "three"
    assert told_at(f"person={ANA}&kind=noted&case={case}") == "one; five"
    assert told_at("from=2026-03-05&to=2026-03-05") == "four; three; two; one"
    assert told_at("to=2026-03-04") == "five"
    assert told_at(f"person={BEN}&to=2026-03-04") == ""
    assert told_at("from=yesterday&to=9999-99-99&at=nonsense") == "four; three; two; one; five"


def test_a_day_begins_and_ends_in_the_zone_of_the_reader(desk: Desk) -> None:
    did(desk.database, at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC), detail="the sixth in Berlin")
    desk.signed_in()
    assert not told(page(desk, "/activity?from=2026-03-06&to=2026-03-06"))
    desk.client.cookies.set("times", "local")
    desk.client.cookies.set("zone", "Europe/Berlin")
    assert told(page(desk, "/activity?from=2026-03-06&to=2026-03-06"))
    assert not told(page(desk, "/activity?to=2026-03-05"))


def test_each_filter_has_a_chip_that_clears_it_alone(desk: Desk) -> None:
    text = page(desk.signed_in(), f"/activity?person={quote(BEN)}&kind=noted&from=2026-03-05")
    assert [unescape(link) for link in re.findall(r'class="chip">.*?href="([^"]*)"', text)] == [
        "/activity?kind=noted&from=2026-03-05",
        "/activity?person=ben%40example.com&from=2026-03-05",
        "/activity?person=ben%40example.com&kind=noted",
    ]


def test_an_empty_page_says_why_it_is_empty(desk: Desk) -> None:
    desk.signed_in()
    assert "Nothing has been done yet." in page(desk)
    did(desk.database)
    assert "Nobody did this." in page(desk, "/activity?kind=edited")
    assert "Nothing has been done yet." not in page(desk)


def test_the_part_that_is_swapped_is_the_list_alone(desk: Desk) -> None:
    did(desk.database)
    part = page(desk.signed_in(), **PARTIAL)
    assert part.strip().startswith('<section id="activity"')
    assert 'hx-trigger="ledger-changed from:body"' in part
    assert "<form" not in part


@pytest.mark.parametrize("narrow", [{}, {"person": ANA}, {"person": ANA, "kind": Kind.NOTED}])
def test_pages_lead_through_all_and_back(any_database: Database, narrow: dict[str, Any]) -> None:
    did_often(any_database, 120)
    first = found(any_database, **narrow)
    second = found(any_database, first.next, **narrow)
    third = found(any_database, second.next, **narrow)
    assert details([*first.rows, *second.rows, *third.rows]) == [
        str(number) for number in reversed(range(120))
    ]
    assert (first.previous, third.next) == (None, None)
    assert found(any_database, third.previous, **narrow).rows == second.rows
    assert found(any_database, second.previous, **narrow).rows == first.rows


def test_what_is_rare_is_looked_for_in_bounds_and_the_page_leads_on(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "WALKED", 100)
    did(any_database, Kind.EDITED, ANA, NOON - HOUR, detail="rare")
    did_often(any_database, 250)
    asked = {"person": ANA, "kind": Kind.EDITED}
    first = found(any_database, **asked)
    assert (first.rows, first.next is not None) == ([], True)
    second = found(any_database, first.next, **asked)
    assert (second.rows, second.next is not None) == ([], True)
    third = found(any_database, second.next, **asked)
    assert (details(third.rows), third.next) == (["rare"], None)
    back = found(any_database, third.previous, **asked)
    assert (back.rows, back.previous is not None) == ([], True)


def test_the_page_offers_to_look_further(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "WALKED", 100)
    did_often(desk.database, 250)
    text = page(desk.signed_in(), f"/activity?person={ANA}&kind=edited")
    assert "None of these among the" in text
    assert "Look further back" in text


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"person": ANA},
        {"kind": Kind.NOTED},
        {"case": "ACME-1"},
        {"person": ANA, "kind": Kind.NOTED, "case": "ACME-1"},
        {"since": NOON, "until": NOON + DAY},
        {"person": ANA, "since": NOON, "until": NOON + DAY},
    ],
    ids=str,
)
def test_every_filter_walks_an_index(database: Database, filters: dict[str, Any]) -> None:
    plans = "\n".join(plans_of(database, lambda: found(database, **filters)))
    assert re.search("activities USING (COVERING )?INDEX activities_by_", plans)
    assert not re.search("SCAN activities(?! USING)", plans)
    if len(filters) != 3:
        assert "TEMP B-TREE" not in plans


def plans_of(database: Database, act: Callable[[], object]) -> list[str]:
    """How SQLite goes about what is asked meanwhile."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        act()
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    with writing(database) as connection:
        selects = [(statement, values) for statement, values in asked if statement.startswith("SELECT")]
        explained = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in selects
        ]
        return [row.detail for plan in explained for row in plan]


def test_the_last_change_of_each_setting_is_found(any_database: Database) -> None:
    did(any_database, Kind.SET, ANA, NOON, subject="crm_link", detail="one")
    did(any_database, Kind.SET, BEN, NOON + HOUR, subject="crm_link", detail="two")
    did(any_database, Kind.SET, ANA, NOON, subject="limit IN_REVIEW", detail="5 days")
    last = read(any_database, find_last_changes)
    assert {name: (each.by, each.detail) for name, each in last.items()} == {
        "crm_link": (BEN, "two"),
        "limit IN_REVIEW": (ANA, "5 days"),
    }
