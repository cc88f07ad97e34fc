"""The case file: all of a case, with a digest that anybody can make again."""

import asyncio
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from dashboard.case_file import asking, giving, printing
from dashboard.case_file.asking import references
from dashboard.case_file.canonical import canonical, written
from dashboard.case_file.checking import CHECKS
from dashboard.case_file.giving import Asked, json_file
from dashboard.queries import case_files
from receiver.activity import Kind, note
from receiver.cases import Link
from receiver.database import Database
from receiver.event import ref_key
from receiver.models import Outcome, RunState, activities, events, runs, vove_views
from tests.dashboard.desk import SAME_ORIGIN, Desk
from tests.dashboard.reading import read
from tests.factories import (
    HOSTILE,
    HOUR,
    NOON,
    add_attempt,
    add_business,
    add_case,
    add_case_row,
    add_delivery,
    add_event,
    add_handler,
    add_message,
    add_reason,
    add_run,
    writing,
)

BODY = b'{"refId": "ACME-1", "status": "REJECTED", "reason": "DOCUMENT_MISMATCH"}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**52), 2**52) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
FACTS = st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=5)


@given(FACTS, st.randoms())
def test_the_digest_does_not_depend_on_the_order_of_keys(facts: dict[str, Any], chance: Any) -> None:
    names = list(facts)
    chance.shuffle(names)
    assert canonical({name: facts[name] for name in names}) == canonical(facts)


@given(FACTS)
def test_the_digest_is_the_same_when_the_file_is_read_back(facts: dict[str, Any]) -> None:
    assert canonical(json.loads(json.dumps(facts, indent=2, ensure_ascii=False))) == canonical(facts)


@given(FACTS, VALUES, st.data())
def test_the_digest_changes_with_any_value(facts: dict[str, Any], other: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(facts)))
    assume(json.dumps(other, sort_keys=True) != json.dumps(facts[name], sort_keys=True))
    assert canonical({**facts, name: other}) != canonical(facts)


@given(st.dictionaries(st.text(), VALUES | st.lists(VALUES, max_size=3).map(tuple), max_size=5))
def test_what_comes_bit_by_bit_is_written_as_if_it_came_at_once(facts: dict[str, Any]) -> None:
    async def one_by_one(rows: tuple[Any, ...]) -> AsyncIterator[Any]:
        for row in rows:
            yield row

    async def joined() -> bytes:
        members = {
            name: one_by_one(value) if isinstance(value, tuple) else value for name, value in facts.items()
        }
        return b"".join([piece async for piece in written(members)])

    assert asyncio.run(joined()) == canonical(facts)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A\nB\r\nC", ["A", "B", "C"]),
        ("A, B;C ;\n\n ,A", ["A", "B", "C"]),
        ("with, comma\nX", ["with, comma", "X"]),
        ("  spaced ", ["  spaced "]),
        (" ,; \n", []),
    ],
)
def test_references_are_read_as_people_write_them(text: str, wanted: list[str]) -> None:
    async def known(ref_ids: Any) -> set[str]:
        return {"with, comma", "  spaced "} & set(ref_ids)

    assert asyncio.run(references(text, known)) == wanted


def test_the_file_has_all_of_a_case(desk: Desk) -> None:
    with writing(desk.database) as connection:
        _add_case_with_all(connection)
    (given_out,) = _given(desk.signed_in("viewer"), "ACME-1")["cases"]
    case = given_out["case"]
    assert given_out["moved_while_read"] is False
    assert case["ref_id"] == "ACME-1"
    assert case["case"]["status"] == "REJECTED"
    assert case["case"]["reason_in_words"] == "Papers differ"
    assert case["business"]["name"] == "ACME Ltd"
    assert case["vove"]["status"] == "COMPLETED"
    assert case["vove"]["agrees"] is False
    changes = case["status_changes"]
    assert [each["status"] for each in changes] == ["IN_PROGRESS", "IN_REVIEW", "REJECTED"]
    last = changes[-1]
    assert last["payload"]["content"] == BODY.decode()
    assert last["payload"]["sha256"] == last["payload"]["sha256_noted"] == hashlib.sha256(BODY).hexdigest()
    assert "A status change is missing here" in last["remarks"][0]
    assert (last["made_at"], last["received_at"]) == (
        "2026-03-05T12:00:00.000000Z",
        "2026-03-05T12:00:01.000000Z",
    )
    first_delivery, other = last["deliveries"]
    assert first_delivery["same_as_event"] is True
    assert first_delivery["sha256_noted"] == last["payload"]["sha256"]
    assert first_delivery["verified_by"] == "a1b2c3"
    assert other["same_as_event"] is False
    assert other["payload"] == _payload_of(b"\xff\x00")
    (task,) = last["tasks"]
    (attempt,) = task["tries"]
    assert (task["task"], attempt["requested_by"], attempt["output"]) == (
        "Tell the customer",
        "ben@example.com",
        "sent\n",
    )
    assert attempt["directory_changes"] == [
        {"field": "account_status", "before": "active", "after": "suspended"}
    ]
    assert attempt["messages"][0]["text"] == "We could not verify your business."
    (check,) = case["other_checks"]
    assert (check["family"], check["status"]) == ("aml", "NO_MATCH")
    assert [(each["kind"], each["detail"]) for each in case["activities"]] == [
        ("noted", "Called them: " + "x" * 5000)
    ]


def _payload_of(body: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(body).hexdigest()
    return {"encoding": "base64", "content": "/wA=", "bytes": 2, "sha256": digest, "sha256_noted": digest}


def test_each_digest_is_of_the_very_bytes_in_the_file_stands_on_the_page_and_is_noted(desk: Desk) -> None:
    with writing(desk.database) as connection:
        _add_case_with_all(connection)
        add_case(connection, "BOLT-1")
    client = desk.signed_in("viewer").client
    answer = client.get("/case-file.json?ref=ACME-1&ref=BOLT-1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="case-file.json"'
    digests = [each["sha256"] for each in answer.json()["cases"]]
    for line, digest in zip(answer.content.splitlines()[2:4], digests, strict=True):
        case = line.removeprefix(b'{"case":').partition(b',"moved_while_read"')[0]
        assert hashlib.sha256(case).hexdigest() == digest
    page = client.get("/case-file?ref=ACME-1&ref=BOLT-1").text
    assert all(digest in page for digest in digests)
    assert [(each.ref_id, each.subject, each.by, each.detail) for each in _noted(desk)] == [
        ("ACME-1", digests[0], "ana@example.com", "JSON, case 1 of 2"),
        ("BOLT-1", digests[1], "ana@example.com", "JSON, case 2 of 2"),
        ("ACME-1", digests[0], "ana@example.com", "page, case 1 of 2"),
        ("BOLT-1", digests[1], "ana@example.com", "page, case 2 of 2"),
    ]


def test_the_digest_changes_when_a_payload_is_changed(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event_id = add_case(connection, "ACME-1")[0]
    desk.signed_in("viewer")
    before = _given(desk, "ACME-1")["cases"][0]["sha256"]
    assert _given(desk, "ACME-1")["cases"][0]["sha256"] == before
    with writing(desk.database) as connection:
        connection.execute(update(events).where(events.c.id == event_id).values(body=b"{}"))
    after = _given(desk, "ACME-1")["cases"][0]
    assert after["sha256"] != before
    payload = after["case"]["status_changes"][0]["payload"]
    assert payload["sha256"] != payload["sha256_noted"]
    assert "NOT the one that was noted when it came" in desk.client.get("/case-file?ref=ACME-1").text


def test_the_commands_on_the_page_find_a_file_unchanged_and_a_changed_one_changed(
    desk: Desk, tmp_path: Path
) -> None:
    with writing(desk.database) as connection:
        _add_case_with_all(connection)
        add_case(connection, HOSTILE + "é€😀\x7f", reason=HOSTILE)
    content = desk.signed_in("viewer").client.get(_address("ACME-1", HOSTILE + "é€😀\x7f")).content
    file = tmp_path / "case-file.json"
    file.write_bytes(content)
    first, second = json.loads(content)["cases"]
    every, one, payload = (_run(check.command, tmp_path) for check in CHECKS)
    assert every.split() == ["unchanged", first["sha256"], "unchanged", second["sha256"]]
    assert one.split()[0] == first["sha256"]
    assert payload.split()[0] == first["case"]["status_changes"][0]["payload"]["sha256"]
    file.write_bytes(content.replace(b"Papers differ", b"Papers are fine"))
    assert _run(CHECKS[0].command, tmp_path).startswith("CHANGED")
    assert _run(CHECKS[1].command, tmp_path).split()[0] != first["sha256"]
    page = desk.client.get("/case-file?ref=ACME-1").text
    assert "jq -jcSa" in page


def _run(command: str, directory: Path) -> str:
    return subprocess.run(
        ["sh", "-c", command], cwd=directory, capture_output=True, text=True, check=True
    ).stdout


def test_a_large_case_is_read_in_many_short_transactions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_files, "EVENTS", 2)
    for module in ("dashboard.case_file.reading.EVENTS", "dashboard.case_file.reading.ACTIVITIES"):
        monkeypatch.setattr(module, 2)
    monkeypatch.setattr(case_files, "ACTIVITIES", 2)
    monkeypatch.setattr(giving, "HELD", 100)
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", ("NOT_STARTED", *("IN_PROGRESS", "IN_REVIEW") * 4))
        for n in range(5):
            add_event(
                connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None, at=NOON + n * HOUR
            )
            note(connection, Kind.NOTED, "ana@example.com", NOON, ref_id="ACME-1", detail=f"Note {n}")
    (given_out,) = _given(desk.signed_in("viewer"), "ACME-1")["cases"]
    case = given_out["case"]
    assert [each["place"] for each in case["status_changes"]] == list(range(8))
    assert not [each for each in case["status_changes"] if each["remarks"]]
    assert len(case["other_checks"]) == 5
    assert [each["detail"] for each in case["activities"]] == [f"Note {n}" for n in range(5)]
    assert hashlib.sha256(canonical(case)).hexdigest() == given_out["sha256"]
    assert [(each.subject, each.detail) for each in _noted(desk)] == [
        (None, "JSON, one case, begun"),
        (given_out["sha256"], "JSON, one case"),
    ]


def _a_note_comes(connection: Connection) -> None:
    note(connection, Kind.NOTED, "ben@example.com", NOON, ref_id="ACME-1", detail="Meanwhile")


def _a_try_begins(connection: Connection) -> None:
    connection.execute(update(runs).values(state=RunState.RUNNING, tries=runs.c.tries + 1))


def _a_try_ends_as_the_last_one_did(connection: Connection) -> None:
    connection.execute(update(runs).values(tries=runs.c.tries + 1, finished_at=NOON + HOUR))


def _a_task_is_closed_again(connection: Connection) -> None:
    connection.execute(update(runs).values(closed_at=NOON + HOUR))


def _a_delivery_is_repeated(connection: Connection) -> None:
    connection.execute(update(events).values(delivery_count=events.c.delivery_count + 1))


def _another_check_comes(connection: Connection) -> None:
    add_event(connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None)


def _the_business_is_edited(connection: Connection) -> None:
    add_business(connection, "ACME-1", name="Acme")


def _vove_is_asked(connection: Connection) -> None:
    _add_view(connection)


def _another_case_moves(connection: Connection) -> None:
    add_run(connection, add_case(connection, "ACME-2")[0])
    add_business(connection, "ACME-2", name="Acme")
    note(connection, Kind.NOTED, "ben@example.com", NOON, ref_id="ACME-2", detail="Meanwhile")


@pytest.mark.parametrize(
    ("what_happens", "is_said"),
    [
        (_a_note_comes, True),
        (_a_try_begins, True),
        (_a_try_ends_as_the_last_one_did, True),
        (_a_task_is_closed_again, True),
        (_a_delivery_is_repeated, True),
        (_another_check_comes, True),
        (_the_business_is_edited, True),
        (_vove_is_asked, True),
        (_another_case_moves, False),
    ],
    ids=lambda given: given.__name__.strip("_") if callable(given) else str(given),
)
def test_a_case_that_moves_while_it_is_read_says_so(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    what_happens: Callable[[Connection], None],
    is_said: bool,
) -> None:
    for module in ("dashboard.case_file.reading.EVENTS", "dashboard.queries.case_files.EVENTS"):
        monkeypatch.setattr(module, 2)
    monkeypatch.setattr(giving, "HELD", 10)
    with writing(database) as connection:
        add_run(connection, add_case(connection, "ACME-1")[0])

    async def made() -> bytes:
        readers, writer = database.page_readers(), database.page_writer()
        pieces, moved = [], False
        async for piece in json_file(readers, writer, Asked(["ACME-1"], [], "ana@example.com")):
            pieces.append(piece)
            if b"status_changes" in piece and not moved:
                moved = True
                with writing(database) as connection:  # a reader still open would keep it from being written
                    what_happens(connection)
        await readers.dispose()
        await writer.dispose()
        return b"".join(pieces)

    assert json.loads(asyncio.run(made()))["cases"][0]["moved_while_read"] is is_said


def test_every_database_reads_a_usual_case_at_one_moment(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(any_database) as connection:
        add_run(connection, add_case(connection, "ACME-1")[0])
    find_activities = case_files.find_activities

    async def find_after_a_change(*asked: Any) -> Any:
        if any_database.journal_mode != "delete":  # where nobody can write meanwhile
            with writing(any_database) as connection:
                _a_note_comes(connection)
        return await find_activities(*asked)

    monkeypatch.setattr(case_files, "find_activities", find_after_a_change)

    async def made() -> bytes:
        readers, writer = any_database.page_readers(), any_database.page_writer()
        pieces = [
            piece async for piece in json_file(readers, writer, Asked(["ACME-1"], [], "ana@example.com"))
        ]
        await readers.dispose()
        await writer.dispose()
        return b"".join(pieces)

    (given_out,) = json.loads(asyncio.run(made()))["cases"]
    assert given_out["case"]["activities"] == []
    assert given_out["moved_while_read"] is False


def test_every_database_stamps_a_case(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_case_with_all(connection)
        add_business(connection, "BOLT-1")

    def stamp() -> Any:
        return read(any_database, lambda connection: case_files.find_stamp(connection, ref_key("ACME-1")))

    before = stamp()
    assert stamp() == before
    with writing(any_database) as connection:
        _a_try_begins(connection)
    assert stamp() != before


def test_a_page_prints_a_bounded_part_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PRINTED", 2)
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    page = desk.signed_in("viewer").client.get("/case-file?ref=ACME-1").text
    digest = _given(desk, "ACME-1")["cases"][0]["sha256"]
    assert digest in page
    assert "1 more are in the JSON file" in page
    monkeypatch.setattr(printing, "LARGE", 2)
    page = desk.client.get("/case-file?ref=ACME-1").text
    assert digest not in page
    assert "its digest stands in the JSON file" in page


def test_a_list_of_references_leads_to_their_file_and_unknown_ones_are_named(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        add_business(connection, "BOLT, 1", name="Bolt")
    client = desk.signed_in("viewer").client
    form = {"refs": "ACME-1; nobody-7\r\nBOLT, 1\r\nACME-1"}
    answer = client.post("/case-files", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/case-file?ref=ACME-1&ref=nobody-7&ref=BOLT%2C+1",
    )
    page = client.get(answer.headers["Location"]).text
    assert "Nothing is known of 1 reference" in page
    assert "nobody-7" in page
    assert "2 cases" in page
    file = client.get(answer.headers["Location"].replace("/case-file?", "/case-file.json?")).json()
    assert file["unknown"] == ["nobody-7"]
    assert [each["case"]["ref_id"] for each in file["cases"]] == ["ACME-1", "BOLT, 1"]


def test_what_can_not_be_one_file_is_said_beside_the_form(desk: Desk) -> None:
    client = desk.signed_in("viewer").client
    for refs, says in [
        (" \n;", "Write at least one reference."),
        ("\n".join(f"R-{n}" for n in range(asking.MOST_CASES + 1)), "At most 100 go into one file."),
        ("x" * 9000 + "\n" + "y" * 9000, "too long for one file"),
    ]:
        answer = client.post("/case-files", data={"refs": refs}, headers=SAME_ORIGIN)
        assert answer.status_code == 422
        assert says in answer.text
        assert refs.strip()[:100] in answer.text


def test_a_file_of_nothing_or_of_too_much_is_refused(desk: Desk) -> None:
    client = desk.signed_in("viewer").client
    assert client.get("/case-file").headers["Location"] == "/case-files"
    assert client.get("/case-file?ref=nobody").status_code == 404
    assert client.get("/case-file.json?ref=nobody").status_code == 404
    assert client.get("/case-file.json").status_code == 400
    assert client.get("/case-file?" + "&".join(f"ref={n}" for n in range(101))).status_code == 400
    assert client.get("/case-file?ref=%00").status_code == 404


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_business(connection, HOSTILE, name=HOSTILE, notes=HOSTILE)
        event_id = add_case(connection, HOSTILE, ("NOT_STARTED", HOSTILE), reason=HOSTILE)[-1]
        run_id = add_run(connection, event_id, handler=HOSTILE)
        add_attempt(
            connection, run_id, error=HOSTILE, output=HOSTILE, traceback=HOSTILE, requested_by=HOSTILE
        )
        add_message(connection, run_id, subject=HOSTILE, text=HOSTILE, recipient=HOSTILE)
        note(connection, Kind.NOTED, HOSTILE, NOON, ref_id=HOSTILE, detail=HOSTILE)
    page = desk.signed_in("viewer").client.get(f"/case-file?ref={quote(HOSTILE, safe='')}").text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page


def test_a_case_file_is_given_and_noted_only_where_a_person_takes_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    client = desk.signed_in("viewer").client
    for path, way in {"/case-file": "Open the case file", "/case-file.json": "Take the case file"}.items():
        here = f"{path}?ref=ACME-1"
        head = client.head(here)
        assert (head.status_code, head.text) == (200, "")
        assert head.headers["Content-Type"] == client.get(here).headers["Content-Type"]
        assert len(_noted(desk)) == 1
        answer = client.get(here, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert f'<a href="{here}" hx-boost="false">{way}</a>' in answer.text
        assert len(_noted(desk)) == 1
        with writing(desk.database) as connection:
            connection.execute(delete(activities))


def test_a_stranger_gets_no_case_file(desk: Desk) -> None:
    for path in ("/case-files", "/case-file?ref=A", "/case-file.json?ref=A"):
        assert desk.client.get(path).status_code == 303


def test_every_database_knows_which_references_there_are(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1")
        add_business(connection, "BOLT-1", name="Bolt")
        add_event(connection, "CHECK-1", "NO_MATCH", family="aml", place=None, link=None)
    asked = ["ACME-1", "BOLT-1", "CHECK-1", "nobody"]
    known = read(any_database, lambda connection: case_files.find_known(connection, asked))
    assert known == {"ACME-1", "BOLT-1", "CHECK-1"}


def test_every_database_gives_the_same_file(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_case_with_all(connection)

    async def made() -> bytes:
        readers, writer = any_database.page_readers(), any_database.page_writer()
        try:
            asked = Asked(["ACME-1"], [], "ana@example.com")
            return b"".join([piece async for piece in json_file(readers, writer, asked)])
        finally:
            await readers.dispose()
            await writer.dispose()

    (case,) = json.loads(asyncio.run(made()))["cases"]
    assert hashlib.sha256(canonical(case["case"])).hexdigest() == case["sha256"]
    assert len(case["case"]["status_changes"]) == 3
    assert case["case"]["status_changes"][-1]["payload"]["content"] == BODY.decode()


def _add_case_with_all(connection: Connection) -> None:
    add_handler(connection, title="Tell the customer")
    add_business(connection, "ACME-1", name="ACME Ltd", email="owner@acme.example")
    add_reason(connection, "DOCUMENT_MISMATCH", en="Your papers differ.")
    connection.exec_driver_sql("UPDATE reasons SET label = 'Papers differ'")
    ids = [
        add_event(connection, "ACME-1", "IN_PROGRESS", previous_status="NOT_STARTED", at=NOON - 2 * HOUR),
        add_event(connection, "ACME-1", "IN_REVIEW", place=1, link=Link.FOLLOWS, at=NOON - HOUR),
        add_event(
            connection,
            "ACME-1",
            "REJECTED",
            previous_status="COMPLETED",
            reason="DOCUMENT_MISMATCH",
            place=2,
            link=Link.GAP,
            body=BODY,
            body_sha256=hashlib.sha256(BODY).digest(),
            verified_by="a1b2c3",
            delivery_count=2,
        ),
    ]
    same: dict[str, Any] = {
        "body_sha256": hashlib.sha256(BODY).digest(),
        "verified_by": "a1b2c3",
        "event_id": ids[-1],
    }
    add_delivery(connection, **same)
    other = b"\xff\x00"
    add_delivery(connection, "conflict", event_id=ids[-1], body=other)
    add_event(connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None, previous_status=None)
    add_case_row(connection, "ACME-1", "REJECTED", ids, reason="DOCUMENT_MISMATCH", gap=True)
    run_id = add_run(connection, ids[-1], RunState.SUCCEEDED)
    changes = json.dumps([["account_status", "active", "suspended"]])
    add_attempt(
        connection,
        run_id,
        Outcome.SUCCEEDED,
        started_by="person",
        requested_by="ben@example.com",
        output="sent\n",
        changes=changes,
    )
    add_message(connection, run_id)
    note(
        connection, Kind.NOTED, "ben@example.com", NOON, ref_id="ACME-1", detail="Called them: " + "x" * 5000
    )
    _add_view(connection)


def _add_view(connection: Connection) -> None:
    connection.execute(
        insert(vove_views).values(
            ref_id="ACME-1",
            ref_key=ref_key("ACME-1"),
            status="COMPLETED",
            name="ACME Ltd",
            checked_at=NOON,
            checked_by="ana@example.com",
            differs=True,
        )
    )


def _given(desk: Desk, *ref_ids: str) -> Any:
    answer = desk.client.get(_address(*ref_ids))
    assert answer.status_code == 200
    return answer.json()


def _address(*ref_ids: str) -> str:
    return "/case-file.json?" + urlencode([("ref", ref_id) for ref_id in ref_ids])


def _noted(desk: Desk) -> list[Any]:
    with writing(desk.database) as connection:
        query = select(activities).where(activities.c.kind == Kind.CASE_FILE).order_by(activities.c.id)
        return list(connection.execute(query).all())
