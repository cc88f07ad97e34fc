"""Filters in an address that can't be: lists go on without them and say so, and no file is taken."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from sqlalchemy import select

from receiver.models import activities
from tests.dashboard.desk import PARTIAL, Desk
from tests.factories import HOSTILE, add_case, add_delivery, writing

WRONG = [
    ("deliveries", "from=2026-31-12", "“2026-31-12” is no date"),
    ("deliveries", "to=yesterday", "“yesterday” is no date"),
    ("deliveries", "verdict=lost", "“lost” is no verdict"),
    ("deliveries", "cause=rain", "“rain” is no reason why a delivery is not taken"),
    ("deliveries", "id=%00", "“⟨0000⟩” can't be looked for"),
    ("cases", "needs=xyz&needs=person", "“xyz” is nothing that a case can need"),
    ("cases", "age=abc", "“abc” is no number of days from 1 to 3,650"),
    ("cases", "age=-5", "“-5” is no number of days from 1 to 3,650"),
    ("cases", "age=3651", "“3651” is no number of days from 1 to 3,650"),
    ("cases", "sort=x", "“x” is no order"),
    ("cases", "assigned=%00", "“⟨0000⟩” can't be looked for"),
    ("runs", "tab=everything", "“everything” is no tab"),
    ("runs", "view=tree", "“tree” is no view"),
    ("activity", "from=1066-10-14", "“1066-10-14” is no date"),
    ("activity", "to=today", "“today” is no date"),
    ("rejections", "by=day", "“day” is neither week nor month"),
]


@pytest.mark.parametrize(("name", "query", "wrong"), WRONG)
def test_a_list_goes_on_without_a_filter_that_can_t_be_and_says_so(
    desk: Desk, name: str, query: str, wrong: str
) -> None:
    desk.signed_in("viewer")
    for headers in ({}, PARTIAL):
        answer = desk.client.get(f"/{name}?{query}", headers=headers)
        assert answer.status_code == 200
        assert notice_of(answer.text) == f"{wrong}: it was left out."


@pytest.mark.parametrize(("name", "query", "wrong"), WRONG)
def test_a_file_is_not_taken_with_a_filter_that_can_t_be(
    desk: Desk, name: str, query: str, wrong: str
) -> None:
    desk.signed_in("viewer")
    answer = desk.client.get(f"/{name}.csv?{query}")
    assert answer.status_code == 400
    assert wrong in unescape(answer.text)
    assert "Content-Disposition" not in answer.headers
    with writing(desk.database) as connection:
        assert connection.execute(select(activities.c.kind)).all() == []


@pytest.mark.parametrize(
    "address",
    [
        "/deliveries?verdict=&cause=&id=&from=&to=2026-11-02T10:30",
        "/cases?q=&status=ON_HOLD&reason=&needs=limit&needs=person&assigned=&sort=age&age=3650",
        "/runs?tab=done&view=&failure=&handler=&case=",
        "/activity?person=&kind=of+a+newer+version&case=&from=2026-11-02&to=",
        "/rejections?by=",
    ],
)
def test_what_is_empty_or_can_be_is_understood(desk: Desk, address: str) -> None:
    desk.signed_in("viewer")
    assert notice_of(desk.client.get(address).text) == ""
    assert desk.client.get(address.replace("?", ".csv?")).status_code == 200


def test_the_list_keeps_the_notice_when_it_looks_again(desk: Desk) -> None:
    page = desk.signed_in().client.get("/cases?age=abc&status=REJECTED").text
    region = re.search(r'<section id="cases"[^>]* hx-get="([^"]+)"', page)
    assert region is not None
    assert notice_of(desk.client.get(unescape(region[1]), headers=PARTIAL).text)


def test_what_is_exported_from_there_is_what_the_list_shows(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        add_delivery(connection)
    page = desk.signed_in().client.get("/deliveries?from=2026-31-12&verdict=accepted").text
    export = re.search(r'href="(/deliveries\.csv[^"]*)"', page)
    assert export is not None
    assert export[1] == "/deliveries.csv?verdict=accepted"


def test_hostile_text_is_told_as_text(desk: Desk) -> None:
    desk.signed_in()
    for address in (f"/deliveries?from={quote(HOSTILE)}", f"/deliveries.csv?from={quote(HOSTILE)}"):
        answer = desk.client.get(address).text
        assert "is no date" in answer
        assert "<script>alert" not in answer
        assert "\u202e" not in answer


def notice_of(page: str) -> str:
    found = re.search(r'<p class="notice" id="left_out".*?<span>(.*?)</span></p>', page, re.DOTALL)
    return unescape(found[1]) if found else ""
