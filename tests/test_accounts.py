"""From a signed request to the company's account service, the business's directory entry, and the page that
says what became of it. Over real sockets, with real processes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from dashboard import sending
from tests.account_service import AccountService, account_service, answers, hangs, resets
from tests.desk import Desk, eventually, running, signed_in
from tests.receiver.factories import SECRET


@pytest.fixture(scope="module")
def service() -> Iterator[AccountService]:
    with account_service() as service:
        yield service


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, service: AccountService) -> Iterator[Desk]:
    settings = {
        "KYBDESK_HANDLERS": "record_progress, activate_business, forward",
        "KYBDESK_ACCOUNT_URL": service.url,
        "KYBDESK_ACCOUNT_SECRET": SECRET,
        "KYBDESK_ACCOUNT_SUSPEND": "yes",
        "KYBDESK_FORWARD_TO": f"http://{service.place}/forwarded REJECTED",
    }
    with running(Desk(tmp_path_factory.mktemp("desk"), **settings)) as desk:
        yield desk


@pytest.fixture(scope="module")
def browser(desk: Desk) -> Iterator[httpx.Client]:
    with signed_in(desk) as browser:
        yield browser


@pytest.fixture(autouse=True)
def fresh(service: AccountService) -> None:
    service.behaves(answers(200))
    service.received.clear()


RUN = """SELECT runs.* FROM runs JOIN events ON events.id = runs.event_id
         WHERE events.ref_id = ? AND events.status = ? AND runs.handler LIKE ? || '%'"""


def ended(
    desk: Desk, ref_id: str, status: str, handler: str = "activate_business", state: str = "succeeded"
) -> Any:
    """The run of this handler, once it is in that state."""
    (run,) = eventually(lambda: desk.rows(f"{RUN} AND state = ?", ref_id, status, handler, state))
    return run


def attempts(desk: Desk, run: Any) -> list[Any]:
    return desk.rows("SELECT * FROM attempts WHERE run_id = ? ORDER BY number", run["id"])


def business(desk: Desk, ref_id: str) -> dict[str, Any]:
    rows = desk.rows("SELECT * FROM businesses WHERE ref_id = ?", ref_id)
    return dict(rows[0]) if rows else {}


def test_a_business_is_enabled_when_its_case_is_completed_and_suspended_when_it_leaves_there(
    desk: Desk, service: AccountService, browser: httpx.Client
) -> None:
    desk.send("acme 1/2", "IN_PROGRESS")
    desk.send("acme 1/2", "IN_REVIEW")
    ended(desk, "acme 1/2", "IN_REVIEW", "record_progress")
    assert business(desk, "acme 1/2")["review_status"] == "IN_REVIEW"
    assert business(desk, "acme 1/2")["account_status"] is None

    service.behaves(answers(201, json.dumps({"message": "account 42"})))
    desk.send("acme 1/2", "COMPLETED")
    run = ended(desk, "acme 1/2", "COMPLETED")
    told = business(desk, "acme 1/2")
    assert (told["account_status"], told["access_granted"]) == ("active", 1)
    assert (told["review_status"], told["updated_by"]) == ("COMPLETED", "activate_business")
    assert told["verified_at"] is not None
    page = browser.get(f"/runs/{run['id']}").text
    assert "The account was enabled: the account service answered 201 Created: account 42" in page

    desk.send("acme 1/2", "REJECTED", previous_status="COMPLETED", reason="DOCUMENT_MISMATCH")
    ended(desk, "acme 1/2", "REJECTED")
    told = business(desk, "acme 1/2")
    assert (told["account_status"], told["access_granted"], told["verified_at"]) == ("suspended", 0, None)

    ended(desk, "acme 1/2", "REJECTED", "forward_to_127_0_0_1")
    calls = [request for request in service.received if request.path == "/kyb"]
    assert [call.said["type"] for call in calls] == ["business.activate", "business.suspend"]
    assert calls[1].said["data"]["reason"] == "DOCUMENT_MISMATCH"
    for call in calls:
        Webhook(SECRET).verify(call.body, call.headers)
    assert len({call.headers["idempotency-key"] for call in calls}) == 2
    [forwarded] = [request for request in service.received if request.path == "/forwarded"]
    [event] = desk.rows("SELECT * FROM events WHERE ref_id = 'acme 1/2' AND status = 'REJECTED'")
    assert (forwarded.body, forwarded.headers["webhook-id"]) == (event["body"], event["svix_id"])


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answers(500), "The account service is out of order: 500 Internal Server Error"),
        (resets, "connection reset by peer"),
        (hangs, "The account service did not answer within 1.4 s"),
    ],
    ids=["500", "reset", "hang"],
)
def test_what_passes_is_tried_again_under_the_same_key(
    behaviour: Any, words: str, desk: Desk, service: AccountService, request: pytest.FixtureRequest
) -> None:
    ref_id = request.node.name
    service.behaves(behaviour, answers(200))
    desk.send(ref_id, "COMPLETED")
    first, second = attempts(desk, ended(desk, ref_id, "COMPLETED"))
    assert (first["outcome"], second["outcome"]) == ("failed", "succeeded")
    assert words in first["error"]
    assert business(desk, ref_id)["account_status"] == "active"
    assert len(service.received) == 2
    assert len({call.headers["idempotency-key"] for call in service.received}) == 1


def test_a_service_that_asks_for_time_gets_it(desk: Desk, service: AccountService) -> None:
    service.behaves(answers(429, retry_after="1"), answers(200))
    desk.send("busy", "COMPLETED")
    first, second = attempts(desk, ended(desk, "busy", "COMPLETED"))
    assert second["started_at"] - first["finished_at"] > 500_000  # microseconds: the schedule's is a tenth


def test_a_refusal_waits_for_a_person_who_then_has_it_done(
    desk: Desk, service: AccountService, browser: httpx.Client
) -> None:
    service.behaves(answers(409, "there is no contract"))
    desk.send("refused", "COMPLETED")
    run = ended(desk, "refused", "COMPLETED", state="failed")
    assert run["tries"] == 1
    assert business(desk, "refused").get("account_status") is None
    words = "The account service refused: 409 Conflict: there is no contract"
    assert words in browser.get(f"/runs/{run['id']}").text
    assert words in browser.get("/cases/refused").text

    service.behaves(answers(200))
    assert browser.post(f"/runs/{run['id']}/reprocess", data={"tries": 1}).status_code == 303
    ended(desk, "refused", "COMPLETED")
    assert business(desk, "refused")["account_status"] == "active"


def test_a_late_step_undoes_nothing(desk: Desk) -> None:
    now = datetime.now(UTC)
    desk.send("late", "COMPLETED", sending.new_message_id(now))
    ended(desk, "late", "COMPLETED")
    desk.send("late", "IN_REVIEW", sending.new_message_id(now - timedelta(hours=1)))
    run = ended(desk, "late", "IN_REVIEW", "record_progress")
    assert run["summary"] == "Nothing to record: the case has moved on to “Completed”"
    told = business(desk, "late")
    assert (told["review_status"], told["account_status"]) == ("COMPLETED", "active")


def test_where_the_order_is_uncertain_a_person_says_whether_to_enable(
    desk: Desk, service: AccountService, browser: httpx.Client
) -> None:
    desk.send("unsure", "REJECTED", "msg_withoutATimeA")
    desk.send("unsure", "COMPLETED", "msg_withoutATimeB")
    run = ended(desk, "unsure", "COMPLETED", state="failed")
    assert "not certain" in run["summary"]
    assert [call for call in service.received if call.path == "/kyb"] == []

    assert browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]}).status_code == 303
    ended(desk, "unsure", "COMPLETED")
    assert business(desk, "unsure")["account_status"] == "active"


def test_outside_production_and_off_the_list_nobody_is_called(tmp_path: Any, service: AccountService) -> None:
    settings = {
        "KYBDESK_HANDLERS": "activate_business",
        "KYBDESK_ACCOUNT_URL": service.url,
        "KYBDESK_ENVIRONMENT": "staging",
        "KYBDESK_ALLOWED_ADDRESSES": "accounts.internal, 127.0.0.1:1",
    }
    with running(Desk(tmp_path, **settings)) as desk:
        desk.send("acme", "COMPLETED")
        run = ended(desk, "acme", "COMPLETED", state="failed")
        assert run["summary"].startswith("The account service was not contacted: this is “staging”")
        assert service.received == []


def test_a_handler_that_is_not_set_up_says_which_setting_it_needs(tmp_path: Any) -> None:
    desk = Desk(tmp_path, KYBDESK_HANDLERS="forward")
    listed = desk.command("handlers")
    assert listed.returncode != 0
    assert "forward: KYBDESK_FORWARD_TO is not set" in listed.stderr
