"""Lists as files: whole, with their filters, and harmless to open."""

import csv
import io
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from dashboard.causes import cause
from dashboard.exports import streaming
from dashboard.exports.files import BOM, FORMULA, CsvWriter, Format, JsonWriter, harmless, writer
from dashboard.exports.lists import LISTS
from receiver.activity import Kind, note
from receiver.database import Database
from receiver.event import ref_key
from receiver.limits import set_limit
from receiver.models import activities, vove_views
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import SAME_ORIGIN, Desk
from tests.desk import eventually
from tests.factories import (
    DAY,
    HOSTILE,
    NOON,
    WAY,
    add_business,
    add_case,
    add_delivery,
    add_handler,
    add_run,
    writing,
)

COLUMNS = ("ref_id", "name")


def test_a_csv_file_has_its_columns_and_reads_back() -> None:
    text = _csv([{"ref_id": 'AC"ME,1', "name": "two\nlines"}, {"ref_id": "B", "name": None}])
    assert text.startswith(BOM)
    assert list(csv.reader(io.StringIO(text.removeprefix(BOM)))) == [
        ["ref_id", "name"],
        ['AC"ME,1', "two\nlines"],
        ["B", ""],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "\n=1"])
def test_what_a_spreadsheet_would_calculate_begins_with_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_so_does_what_follows_a_semicolon() -> None:
    assert harmless("x;=1+1; +2;y") == "x;'=1+1;' +2;y"


def test_other_text_and_numbers_stay_as_they_are() -> None:
    assert harmless("ACME-1") == "ACME-1"
    assert _csv([{"ref_id": -5, "name": "a=b"}]).splitlines()[1] == "-5,a=b"


@given(st.lists(st.tuples(st.text(), st.one_of(st.none(), st.text())), max_size=5))
def test_whatever_the_text_no_cell_is_a_formula(rows: list[tuple[str, str | None]]) -> None:
    text = _csv([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    cells = [cell for line in csv.reader(io.StringIO(text.removeprefix(BOM), newline="")) for cell in line]
    assert not [cell for cell in cells if cell.strip(" \u00a0").startswith(FORMULA)]


@given(st.lists(st.lists(st.text(), max_size=3), max_size=3))
def test_json_of_any_pages_is_one_array(pages: list[list[str]]) -> None:
    file = JsonWriter(["ref_id"])
    text = file.begin() + "".join(file.page([{"ref_id": t} for t in page]) for page in pages) + file.end()
    assert [row["ref_id"] for row in json.loads(text)] == [t for page in pages for t in page]


def test_the_file_has_what_the_list_has_with_its_filters_and_more_than_one_page(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for number in range(120):
            add_case(connection, f"ACME-{number}", way=("NOT_STARTED", "IN_PROGRESS"))
        add_case(connection, "BOLT-1", reason="DOCUMENT_MISMATCH")
        add_business(connection, "BOLT-1", name="=HYPERLINK(1)")
    client = desk.signed_in("viewer").client
    rows = client.get("/cases.json").json()
    assert {row["ref_id"] for row in rows} == {f"ACME-{number}" for number in range(120)} | {"BOLT-1"}
    (rejected,) = _rows(client.get("/cases.csv?status=REJECTED").text)
    assert (rejected["ref_id"], rejected["name"]) == ("BOLT-1", "'=HYPERLINK(1)")
    assert rejected["reason_in_words"] == "Document mismatch"
    assert _rows(client.get("/cases.csv?q=nothing-has-this").text) == []


def test_a_file_says_in_words_what_the_page_says(desk: Desk) -> None:
    with writing(desk.database) as connection:
        set_limit(connection, "REJECTED", 2, False, "ana@example.com", NOON)
        add_case(connection, "over", at=NOON)
        add_case(connection, "in time", at=datetime.now(UTC))
        add_case(connection, "no limit", WAY[:2], at=NOON)
        add_delivery(connection, "refused", cause="no_match")
    client = desk.signed_in("viewer").client
    answer = client.get("/cases.csv")
    assert answer.headers["Content-Type"].count("charset") == 1
    rows = {row["ref_id"]: row for row in _rows(answer.text)}
    assert {name: row["over_limit"] for name, row in rows.items()} == {
        "over": "yes",
        "in time": "no",
        "no limit": "no",
    }
    assert rows["over"]["limit_ends"] == (NOON + 2 * DAY).isoformat(timespec="milliseconds")
    assert rows["no limit"]["limit_ends"] == ""
    (refused,) = _rows(client.get("/deliveries.csv?verdict=refused").text)
    assert (refused["cause"], refused["cause_in_words"]) == ("no_match", cause("no_match").short)


def test_asking_for_the_head_of_a_file_reads_nothing_and_is_not_noted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    client = desk.signed_in("viewer").client
    monkeypatch.setattr(streaming, "_read", None)
    for path in ("/cases.csv", "/cases.json"):
        answer = client.head(path)
        assert (answer.status_code, answer.text) == (200, "")
        assert answer.headers["Content-Type"].startswith(("text/csv", "application/json"))
    assert _noted(desk) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch;prerender"},
    ],
    ids=["another site", "a neighbour", "a browser that looks ahead"],
)
def test_a_link_on_another_site_leads_to_a_page_from_which_the_file_can_be_taken(
    desk: Desk, headers: dict[str, str]
) -> None:
    client = desk.signed_in("viewer").client
    answer = client.get("/cases.csv?q=%3Cb%3E&status=REJECTED", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert (
        '<a href="/cases.csv?q=%3Cb%3E&amp;status=REJECTED" hx-boost="false">Export the list</a>'
        in answer.text
    )
    assert '<a href="/cases" hx-boost="false">Go to Cases</a>' in answer.text
    assert "Content-Disposition" not in answer.headers
    assert _noted(desk) == []


def test_what_a_person_opens_from_a_page_or_a_mail_or_types_is_taken_and_noted(desk: Desk) -> None:
    client = desk.signed_in("viewer").client
    for headers in ({}, {"Sec-Fetch-Site": "none"}, SAME_ORIGIN):
        assert client.get("/cases.csv", headers=headers).status_code == 200
    assert len(_noted(desk)) == 3


def _noted(desk: Desk) -> list[str]:
    with writing(desk.database) as connection:
        return list(connection.scalars(select(activities.c.subject)))


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize("name", list(LISTS))
def test_each_list_can_be_had_and_says_so_in_the_activity(desk: Desk, name: str, kind: Format) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        event_id = add_case(connection, HOSTILE, reason=HOSTILE)[-1]
        add_run(connection, event_id)
        add_delivery(connection, "refused", cause="no_match")
    answer = desk.signed_in("viewer").client.get(f"/{name}.{kind}?by=month")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{name}-')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with writing(desk.database) as connection:
        noted = connection.execute(select(activities)).all()
    assert [(each.kind, each.subject, each.detail) for each in noted] == [
        ("exported", f"{name}.{kind}", "by=month")
    ]


@pytest.mark.parametrize("name", list(LISTS))
def test_each_list_leads_to_its_files_with_its_filters(desk: Desk, name: str) -> None:
    with writing(desk.database) as connection:
        add_run(
            connection, add_case(connection, "ACME-1", reason="DOCUMENT_MISMATCH", at=datetime.now(UTC))[-1]
        )
        note(connection, Kind.NOTED, "ana@example.com", NOON, ref_id="ACME-1", detail="Called")
        view = {"ref_id": "ACME-1", "ref_key": ref_key("ACME-1"), "status": "COMPLETED"}
        connection.execute(
            insert(vove_views).values(
                **view, checked_at=datetime.now(UTC), checked_by="ana@example.com", differs=True
            )
        )
    asked = {"cases": "status=REJECTED", "runs": "tab=person", "deliveries": "verdict=accepted"}.get(name, "")
    page = desk.signed_in("viewer").client.get(f"/{name}?{asked}").text
    for kind in Format:
        assert f'href="/{name}.{kind}{"?" if asked else ""}{asked}' in page


def test_a_file_of_activities_has_every_note_whole_and_one_of_deliveries_their_ids(desk: Desk) -> None:
    with writing(desk.database) as connection:
        note(connection, Kind.NOTED, "ana@example.com", NOON, ref_id="ACME-1", detail="x" * 9000)
        add_delivery(connection, "refused", svix_id="msg_lost")
    client = desk.signed_in("viewer").client
    for query in ("?kind=noted", "?kind=noted&person=ana@example.com"):
        (noted,) = client.get(f"/activity.json{query}").json()
        assert noted["detail"] == "x" * 9000
    (delivery,) = _rows(client.get("/deliveries.csv").text)
    assert delivery["svix_id"] == "msg_lost"


def test_a_page_follows_how_far_its_own_export_has_come(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    token = "0123456789abcdef" * 2
    client = desk.signed_in("viewer").client
    assert client.get(f"/exports/{token}").status_code == 404
    client.get(f"/cases.csv?status=REJECTED&token={token}")
    assert client.get(f"/exports/{token}").json() == {"rows": 1, "state": "whole"}
    with writing(desk.database) as connection:
        assert connection.execute(select(activities.c.detail)).scalar_one() == "status=REJECTED"
    desk.add_user(email="ben@example.com")
    desk.sign_in("ben@example.com")
    assert client.get(f"/exports/{token}").status_code == 404
    assert client.post(f"/exports/{token}/stop", headers=SAME_ORIGIN).status_code == 404


@pytest.mark.parametrize("kind", list(Format))
def test_a_stopped_export_does_not_look_whole(
    desk: Desk, kind: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, client = "ab" * 16, _with_pages_of_one(desk, monkeypatch)
    with client.stream("GET", f"/deliveries.{kind}?token={token}") as answer:
        lines = answer.iter_lines()
        next(lines)
        assert client.post(f"/exports/{token}/stop", headers=SAME_ORIGIN).status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)
    assert client.get(f"/exports/{token}").json()["state"] == "stopped"


@pytest.mark.parametrize("kind", list(Format))
def test_an_export_whose_database_goes_away_does_not_look_whole(
    desk: Desk, kind: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, client = "ab" * 16, _with_pages_of_one(desk, monkeypatch)
    path = desk.database.path
    assert path
    with client.stream("GET", f"/deliveries.{kind}?token={token}") as answer:
        lines = answer.iter_lines()
        next(lines)
        path.rename(path.with_suffix(".gone"))
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)
    path.with_suffix(".gone").rename(path)
    assert client.get(f"/exports/{token}").json()["state"] == "broken off"


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_ingest_does_not_wait_for_an_export_whose_reader_stalls(
    open_desk: OpenDesk, database: Database, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rollback journal a reader that is left open stops every commit."""
    held = replace(database, journal_mode=mode)
    desk = open_desk(held)
    client = _with_pages_of_one(desk, monkeypatch)
    with client.stream("GET", "/deliveries.csv?token=" + "ab" * 16) as answer:
        pieces = answer.iter_raw()
        next(pieces)  # and no more of it: what is on its way fills the socket
        eventually(lambda: _stands_still(client))
        assert client.get("/exports/" + "ab" * 16).json()["state"] == "under way"
        _write(held)
    eventually(lambda: client.get("/exports/" + "ab" * 16).json()["state"] == "broken off")
    _write(held)  # the reader went away in the middle, and left nothing open


def _write(database: Database) -> None:
    """Raises that the database is locked if nobody lets go of it while it waits."""
    with writing(database) as connection:
        add_delivery(connection)


def _stands_still(client: httpx.Client) -> bool:
    first = client.get("/exports/" + "ab" * 16).json()
    time.sleep(0.2)
    return bool(first["rows"] and client.get("/exports/" + "ab" * 16).json() == first)


def _with_pages_of_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """Of rows so long that not all fit what lies between the server and a reader who reads nothing."""
    monkeypatch.setattr("dashboard.exports.lists.deliveries.SIZE", 1)
    with writing(desk.database) as connection:
        for _ in range(300):
            add_delivery(connection, cause="c" * 50_000)
    return desk.signed_in("viewer").client


def test_a_stranger_gets_no_file(desk: Desk) -> None:
    assert desk.client.get("/cases.csv").status_code == 303


@pytest.mark.parametrize(
    ("file", "site", "page"),
    [
        *[(f"/{name}.{kind}?by=month", "none", f"/{name}?by=month") for name in LISTS for kind in Format],
        ("/case-file.json?ref=a%26b&ref=c", "none", "/case-file?ref=a%26b&ref=c"),
        ("/case-file?ref=a%26b&ref=c", "none", "/case-file?ref=a%26b&ref=c"),
        ("/case-file.json?ref=a%26b&ref=c", "cross-site", "/case-files?ref=a%26b&ref=c"),
        ("/case-file?ref=a%26b&ref=c", "cross-site", "/case-files?ref=a%26b&ref=c"),
        ("/cases.csv?q=x", "cross-site", "/cases?q=x"),
        ("/cases/a.csv", "none", "/cases/a.csv"),
    ],
)
def test_who_signs_in_on_the_way_to_a_file_comes_to_the_page_that_it_can_be_taken_from(
    desk: Desk, file: str, site: str, page: str
) -> None:
    desk.add_user("viewer")
    answer = desk.client.get(file, headers={"Sec-Fetch-Site": site})
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"next": [page]}
    assert desk.sign_in(next=page).headers["location"] == page


def test_the_form_for_a_case_file_holds_the_references_of_the_link_that_led_to_it(desk: Desk) -> None:
    form = desk.signed_in("viewer").client.get("/case-files?ref=a%26b&ref=%3Cc").text
    assert re.search(r"<textarea[^>]*>\na&amp;b\n&lt;c</textarea>", form)
    assert _noted(desk) == []


def _csv(rows: list[dict[str, object]]) -> str:
    file = writer(Format.CSV, COLUMNS)
    assert isinstance(file, CsvWriter)
    return file.begin() + file.page(rows) + file.end()


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM))))
