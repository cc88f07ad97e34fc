"""What stands around every page, and the question whether anything changed."""

from datetime import UTC, datetime, timedelta

import pytest
from litestar import get
from sqlalchemy import insert, update

from dashboard.aliases import AnyRequest, Reader
from dashboard.layout import layout
from receiver.database import Database
from receiver.models import events, revision, runs, workers
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import PARTIAL, Desk


def raise_revision(database: Database, n: int) -> None:
    engine = database.writer()
    with engine.begin() as connection:
        connection.execute(update(revision).values(n=n))
    engine.dispose()


def test_while_nothing_changes_the_answer_is_empty(desk: Desk) -> None:
    desk.signed_in()
    raise_revision(desk.database, 7)
    answer = desk.client.get("/changed?since=7", headers=PARTIAL)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "hx-trigger" not in answer.headers


def test_a_change_is_told_on_every_database(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in()
    raise_revision(any_database, 8)
    answer = desk.client.get("/changed?since=7", headers=PARTIAL)
    assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "ledger-changed")
    assert 'id="live"' in answer.text
    assert "/changed?since=8" in answer.text


def test_a_malformed_question_is_one_from_the_beginning(desk: Desk) -> None:
    desk.signed_in()
    for n, status in ((0, 204), (7, 200)):
        raise_revision(desk.database, n)
        for since in ("", "x", "-1", "7.0", "٧x", "9" * 400, "None"):
            answer = desk.client.get("/changed", params={"since": since}, headers=PARTIAL)
            assert answer.status_code == status, since


def test_a_database_put_back_from_a_backup_is_a_change_too(desk: Desk) -> None:
    desk.signed_in()
    raise_revision(desk.database, 3)
    assert desk.client.get("/changed?since=7", headers=PARTIAL).status_code == 200


@get("/around")
async def around(request: AnyRequest, reader: Reader) -> dict[str, object]:
    return await layout(reader)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.app.register(around)
    return desk


def seen(database: Database, role: str, ago: float, error: str | None = None) -> None:
    engine = database.writer()
    at = datetime.now(UTC) - timedelta(seconds=ago)
    with engine.begin() as connection:
        connection.execute(
            insert(workers).values(role=role, host="h", pid=1, started_at=at, seen_at=at, error=error)
        )
    engine.dispose()


def test_a_role_that_was_seen_of_late_is_not_missed(desk: Desk) -> None:
    desk.signed_in()
    seen(desk.database, "worker", ago=20)
    seen(desk.database, "receiver", ago=20)
    shown = desk.client.get("/around").json()
    assert (shown["worker_down"], shown["receiver_down"], shown["handlers_error"]) == (None, None, None)


def test_a_role_that_was_not_seen_of_late_is_missed_in_words(desk: Desk) -> None:
    desk.signed_in()
    seen(desk.database, "worker", ago=40, error="an old one")
    shown = desk.client.get("/around").json()
    assert "worker is not running" in shown["worker_down"]
    assert "receiver is not running" in shown["receiver_down"]
    assert shown["handlers_error"] is None


def test_what_a_worker_cannot_do_is_said(desk: Desk) -> None:
    desk.signed_in()
    seen(desk.database, "worker", ago=1, error="acme.handlers can't be imported")
    assert desk.client.get("/around").json()["handlers_error"].endswith("acme.handlers can't be imported")


def fail_runs(database: Database, numbers: range) -> None:
    """Failed runs of one event, each of a handler of its own."""
    engine = database.writer()
    with engine.begin() as connection:
        if not numbers.start:
            connection.execute(insert(events).values(EVENT))
        connection.execute(insert(runs), [{**RUN, "handler": f"handler {n}"} for n in numbers])
    engine.dispose()


NOW = datetime.now(UTC)
EVENT = {
    "id": 1,
    "svix_id": "msg_1",
    "family": "kyb",
    "ref_id": "acme",
    "ref_key": b"acme",
    "status": "REJECTED",
    "first_attempt_at": NOW,
    "received_at": NOW,
    "late": False,
    "body": b"{}",
    "body_sha256": b"",
    "delivery_count": 1,
}
RUN = {
    "event_id": 1,
    "once": False,
    "state": "failed",
    "created_at": NOW,
    "due_at": NOW,
    "fence": 0,
    "tries": 1,
    "lost": 0,
    "repeats": 0,
    "started_by": "event",
}


def test_failed_runs_are_counted_up_to_999(desk: Desk) -> None:
    desk.signed_in()
    assert desk.client.get("/around").json()["failed_runs"] == ""
    fail_runs(desk.database, range(999))
    assert desk.client.get("/around").json()["failed_runs"] == "999"
    fail_runs(desk.database, range(999, 1001))
    assert desk.client.get("/around").json()["failed_runs"] == "999+"
