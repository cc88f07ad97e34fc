"""Errors as people meet them."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from jinja2 import DictLoader
from litestar import get, post
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery
from sqlalchemy import event, text, update
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboard.aliases import AnyRequest, Reader, Writer
from dashboard.errors import PageError
from dashboard.render import render
from receiver.database import Database
from receiver.models import sessions
from tests.dashboard.desk import EMAIL, PARTIAL, SAME_ORIGIN, Desk
from tests.factories import MINUTE, NOON, add_event, add_run, writing

SECRET = "hunter2"


@get("/raises/{what:str}", opt={"public": True})
async def raises(request: AnyRequest) -> None:
    raise {
        "secret": RuntimeError(SECRET),
        "not-found": NotFoundException(SECRET),
        "broken": HTTPException(SECRET, status_code=500),
        "bad": HTTPException(SECRET, status_code=400),
        "teapot": HTTPException(SECRET, status_code=418),
        "words": PageError(409, "Someone was faster", "Bo has re-processed it.", "Look at the run."),
        "busy": PoolTimeout(SECRET),
    }[request.path_params["what"]]


@get("/counts", opt={"public": True})
async def counts(number: FromQuery[int]) -> str:
    return str(number)


@get("/reads", opt={"public": True})
async def reads(request: AnyRequest, reader: Reader) -> object:
    return await render(request, reader, "error.html", status=200, title="Read", message="", hint="", ways=[])


@post("/writes", opt={"public": True})
async def writes(writer: Writer, then: FromQuery[str]) -> str:
    await writer.execute(text("UPDATE revision SET n = n + 1"))
    if then == "fail":
        raise RuntimeError(SECRET)
    return "written"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    for handler in (raises, counts, reads, writes):
        desk.app.register(handler)
    return desk


TOLD = {
    "secret": (500, "Something went wrong on our side"),
    "broken": (500, "Something went wrong on our side"),
    "not-found": (404, "There is nothing here"),
    "bad": (400, "This was not understood"),
    "teapot": (418, "This was not understood"),
    "busy": (503, "The database can&#39;t be reached"),
}


def test_an_error_is_told_in_calm_words_and_tells_nothing_internal(desk: Desk) -> None:
    for what, (status, words) in TOLD.items():
        for headers in ({}, PARTIAL):
            answer = desk.client.get(f"/raises/{what}", headers=headers)
            assert answer.status_code == status
            assert words in answer.text
            assert SECRET not in answer.text + str(answer.headers)
            assert "Traceback" not in answer.text


def test_a_full_request_gets_a_page_and_a_partial_one_a_flash(desk: Desk) -> None:
    page = desk.client.get("/raises/secret")
    assert "<html" in page.text
    assert "<body" in page.text
    assert "hx-retarget" not in page.headers
    part = desk.client.get("/raises/secret", headers=PARTIAL)
    assert "<html" not in part.text
    assert (part.headers["hx-retarget"], part.headers["hx-reswap"]) == ("#flash", "innerHTML")


def test_an_unexpected_error_is_logged_with_its_traceback(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.client.get("/raises/secret")
    [record] = [record for record in caplog.records if record.name == "dashboard.errors"]
    assert record.getMessage() == "GET /raises/secret failed"
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


def test_an_address_forges_no_line_of_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert desk.database.path is not None
    desk.database.path.rename(desk.database.path.with_suffix(".gone"))
    assert desk.get_raw("/cases/a%0Aforged", Cookie="kybdesk=any").status_code == 503
    [record] = [record for record in caplog.records if record.name == "dashboard.errors"]
    assert record.getMessage() == "The database failed at /cases/a%0Aforged"


def test_a_visitors_mistake_is_not_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.client.get("/raises/not-found")
    desk.client.get("/counts?number=many")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_words_for_a_person_are_shown_as_they_are(desk: Desk) -> None:
    answer = desk.client.get("/raises/words")
    assert answer.status_code == 409
    assert all(
        word in answer.text for word in ("Someone was faster", "Bo has re-processed", "Look at the run")
    )


def test_a_malformed_address_is_the_visitors_mistake(desk: Desk) -> None:
    answer = desk.client.get("/counts?number=many")
    assert answer.status_code == 400
    assert "many" not in answer.text


def test_an_unknown_path_and_a_wrong_method_have_their_pages(desk: Desk) -> None:
    assert "There is nothing here" in desk.client.get("/nowhere").text
    answer = desk.client.delete("/counts", headers=SAME_ORIGIN)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/sign-in", data={"email": "x" * 1_100_000}, headers=SAME_ORIGIN)
    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_a_form_in_an_encoding_that_there_is_not_is_the_visitors_mistake(desk: Desk) -> None:
    part = 'Content-Disposition: form-data; name="email"\r\nContent-Type: text/plain; charset=utf-99'
    headers = SAME_ORIGIN | {"Content-Type": "multipart/form-data; boundary=x"}
    body = f"--x\r\n{part}\r\n\r\nana\r\n--x--\r\n"
    answer = desk.client.post("/sign-in", content=body, headers=headers)
    assert answer.status_code == 400
    assert "This was not understood" in answer.text


def test_a_database_that_is_gone_is_said_in_words(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert desk.database.path is not None
    desk.database.path.rename(desk.database.path.with_suffix(".gone"))
    answer = desk.client.get("/reads")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "The database can&#39;t be reached" in answer.text
    assert "kybdesk.db" not in answer.text
    assert "The database failed at /reads" in caplog.text


def test_a_locked_database_is_said_in_words(desk: Desk) -> None:
    engine = desk.database.writer()
    with engine.begin():
        answer = desk.client.post("/writes?then=go-on", headers=SAME_ORIGIN)
    engine.dispose()
    assert answer.status_code == 503


def test_what_a_handler_writes_is_kept_only_if_it_ends_well(desk: Desk) -> None:
    assert desk.client.post("/writes?then=fail", headers=SAME_ORIGIN).status_code == 500
    assert _revision(desk.database) == 0
    assert desk.client.post("/writes?then=go-on", headers=SAME_ORIGIN).text == "written"
    assert _revision(desk.database) == 1


def test_an_error_page_that_fails_falls_back_to_plain_words(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.app.state.templates.loader = DictLoader({"error.html": "{{ missing }}"})
    answer = desk.client.get("/raises/not-found")
    assert answer.status_code == 404
    assert answer.text.startswith("There is nothing here.")
    assert "The error page can't be rendered" in caplog.text


def test_who_is_signed_in_sees_an_error_inside_the_usual_frame(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_run(connection, add_event(connection, "ACME-1"))
    desk.signed_in()
    for path, status in {
        "/nowhere": 404,
        "/cases/ACME-2": 404,
        "/runs/01": 404,
        "/raises/secret": 500,
    }.items():
        answer = desk.client.get(path)
        assert answer.status_code == status
        assert 'id="rail"' in answer.text
        assert 'id="search"' in answer.text
        assert re.search(r'id="failed_runs" class="count" \s*title="[^"]*">1<', answer.text), path
        assert "/changed?since=1" in answer.text
        assert EMAIL in answer.text
        assert answer.headers["cache-control"] == "no-store"
    answer = desk.client.delete("/cases", headers=SAME_ORIGIN)
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)
    assert 'id="rail"' in answer.text


def test_a_way_on_that_fits_the_address_is_offered(desk: Desk) -> None:
    desk.signed_in()
    assert ways_of(desk, "/nowhere") == {"/": "Go to Overview"}
    assert ways_of(desk, "/runs/4711") == {"/runs": "Go to Runs"}
    assert ways_of(desk, "/batches/4711") == {"/runs": "Go to Runs"}
    assert ways_of(desk, "/deliveries/4711") == {"/deliveries": "Go to Deliveries"}
    assert ways_of(desk, "/cases/a%2Fb%26c%3D%3Cd%3E") == {
        "/cases?q=a%2Fb%26c%3D%3Cd%3E": "Look for it in all cases",
        "/cases": "Go to Cases",
    }
    assert ways_of(desk, "/raises/secret?page=2") == {
        "/raises/secret?page=2": "Try again",
        "/": "Go to Overview",
    }


def ways_of(desk: Desk, path: str) -> dict[str, str]:
    page = desk.client.get(path).text
    [ways] = re.findall('<p class="dead_end__ways">(.*?)</p>', page)
    return {unescape(href): name for href, name in re.findall('<a href="(.*?)" .*?>(.*?)</a>', ways)}


def test_a_stranger_sees_no_frame_and_costs_no_look_up(desk: Desk) -> None:
    with statements(desk) as asked:
        for cookie in ({}, {"Cookie": "kybdesk="}):
            for path in ("/nowhere", "/raises/not-found", "/runs/01"):
                page = desk.client.get(path, headers=cookie).text
                assert 'class="bare"' in page
                assert ways_in(page) == ["/cases"]
                assert not re.search("rail|search|changed", page.partition("<body")[2])
    assert asked == []


def ways_in(page: str) -> list[str]:
    return re.findall('href="(.*?)"', page[page.index("dead_end__ways") :])


def test_a_session_that_is_over_or_invented_shows_a_stranger_and_costs_one_look_up(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        connection.execute(update(sessions).values(used_at=NOON))
    for cookie in ({}, {"Cookie": "kybdesk=invented"}):
        with statements(desk) as asked:
            assert 'class="bare"' in desk.client.get("/nowhere", headers=cookie).text
        assert len([each for each in asked if each.startswith("SELECT")]) == 1


def test_an_error_writes_nothing_and_looks_up_who_is_signed_in_once(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        connection.execute(update(sessions).values(used_at=datetime.now(UTC) - 10 * MINUTE))
    with statements(desk) as asked:
        assert 'id="rail"' in desk.client.get("/nowhere").text
    assert len([each for each in asked if "FROM sessions" in each]) == 1
    assert not [each for each in asked if each.startswith(("UPDATE", "INSERT"))]


def test_a_part_gets_its_flash_and_costs_no_look_up(desk: Desk) -> None:
    desk.signed_in()
    with statements(desk) as asked:
        answer = desk.client.get("/nowhere", headers=PARTIAL)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (404, "#flash")
    assert "rail" not in answer.text
    assert asked == []


def test_an_address_that_is_not_ours_shows_no_frame(desk: Desk) -> None:
    desk.signed_in()
    cookie = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    answer = desk.get_raw("/nowhere", Host="evil.example", Cookie=cookie)
    assert (answer.status_code, 'class="bare"' in answer.text) == (404, True)


def test_where_the_database_is_out_of_reach_an_error_stands_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.signed_in()
    assert desk.database.path is not None
    desk.database.path.rename(desk.database.path.with_suffix(".gone"))
    answer = desk.client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert 'class="bare"' in answer.text
    assert "An error is shown without its frame: OperationalError" in caplog.text


@contextmanager
def statements(desk: Desk) -> Iterator[list[str]]:
    """What pages ask of the database meanwhile."""
    asked: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engines = [desk.app.state.readers.sync_engine, desk.app.state.writer.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listen)


def _revision(database: Database) -> int:
    engine = database.writer()
    with engine.connect() as connection:
        n: int = connection.execute(text("SELECT n FROM revision")).scalar_one()
    engine.dispose()
    return n
