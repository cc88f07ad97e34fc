"""Errors as people meet them."""

import logging

import pytest
from jinja2 import DictLoader
from litestar import get, post
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboard.aliases import AnyRequest, Reader, Writer
from dashboard.errors import PageError
from dashboard.render import render
from receiver.database import Database
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk

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
    return await render(request, reader, "error.html", status=200, title="Read", message="", hint="")


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


def _revision(database: Database) -> int:
    engine = database.writer()
    with engine.connect() as connection:
        n: int = connection.execute(text("SELECT n FROM revision")).scalar_one()
    engine.dispose()
    return n
