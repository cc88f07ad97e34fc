"""Who is enabled and who is not, and what the company's account service is told, over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from receiver.handlers import registering
from receiver.handlers.testing import Called, call_handler
from receiver.settings import SettingsError
from tests.account_service import (
    AccountService,
    Behaviour,
    answers,
    drips,
    hangs,
    never_ends,
    resets,
    says,
    says_and_hangs,
)
from tests.receiver.factories import SECRET
from tests.receiver.handlers.conftest import Ship

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
ACTIVE = {"account_status": "active", "access_granted": True, "verified_at": NOON}
Act = Callable[..., Called]


@pytest.fixture
def act(shipped: Ship) -> Act:
    """Without an account service: the directory alone."""
    return _acting(shipped)


@pytest.fixture
def act_suspending(shipped: Ship) -> Act:
    return _acting(shipped, KYBDESK_ACCOUNT_SUSPEND="yes")


@pytest.fixture
def act_at(shipped: Ship, service: AccountService) -> Act:
    """With the service, and half a second for it to answer."""
    return _acting(shipped, **_settings(service))


def _settings(service: AccountService, **others: str) -> dict[str, str]:
    return {
        "KYBDESK_ACCOUNT_URL": service.url,
        "KYBDESK_ACCOUNT_SECRET": SECRET,
        "KYBDESK_ACCOUNT_SUSPEND": "yes",
        "KYBDESK_HANDLER_TIMEOUT": "0.7",
        **others,
    }


def _acting(shipped: Ship, **settings: str) -> Act:
    activate = shipped("activate_business", **settings).activate_business

    def act(status: str = "COMPLETED", **given: Any) -> Called:
        return call_handler(activate, status, **{"message_at": NOON, **given})

    return act


def leaving(act: Act, to: str = "REJECTED", **given: Any) -> Called:
    return act(to, previous_status="COMPLETED", **given)


def test_it_is_called_when_a_case_is_completed_and_when_it_leaves_there(shipped: Ship) -> None:
    shipped("activate_business")
    [handler] = registering.registry
    assert (handler.statuses, handler.leaving) == (("COMPLETED",), ("COMPLETED",))
    assert (handler.effect, handler.once) == ("account", False)


def test_a_completed_case_enables_its_business(act: Act) -> None:
    called = act("COMPLETED")
    assert (called.outcome, called.text) == (
        "succeeded",
        "The account was enabled in the directory: no account service is set up to be told",
    )
    assert called.business == ACTIVE | {"review_status": "COMPLETED", "review_since": NOON}


def test_a_case_that_has_moved_on_enables_nobody(act_at: Act, service: AccountService) -> None:
    called = act_at("COMPLETED", case_status="REJECTED")
    assert called.text == "Not enabled: the case has moved on to “Rejected”"
    assert (called.business, service.received) == ({}, [])


def test_of_two_completions_the_later_enables(act_at: Act, service: AccountService) -> None:
    called = act_at("COMPLETED", case_moved_on=True)
    assert called.outcome == "succeeded"
    assert called.text is not None
    assert "completed again later" in called.text
    assert (called.business, service.received) == ({}, [])


@pytest.mark.parametrize(("suspends", "status"), [("no", None), ("no", "suspended"), ("yes", "suspended")])
def test_what_an_earlier_try_may_have_enabled_is_for_a_person_to_look_at(
    shipped: Ship, service: AccountService, suspends: str, status: str | None
) -> None:
    act = _acting(shipped, **_settings(service, KYBDESK_ACCOUNT_SUSPEND=suspends))
    moved_on = {"case_status": "REJECTED", "try_number": 2, "business": {"account_status": status}}
    called = act("COMPLETED", **moved_on)
    assert (called.outcome, called.no_retry, service.received) == ("failed", True, [])
    assert called.error is not None
    assert "may have enabled the account" in called.error

    # Once a person has looked and set it to suspended, re-processing ends it.
    looked = {"business": {"account_status": "suspended"}, "requested_by": "ana@example.com"}
    assert act("COMPLETED", **moved_on | looked).outcome == "succeeded"


def test_what_an_earlier_try_may_have_enabled_is_left_to_the_suspension_that_follows(
    act_at: Act, service: AccountService
) -> None:
    called = act_at("COMPLETED", case_status="REJECTED", try_number=2)
    assert called.text == "Not enabled: the case has moved on to “Rejected”"
    assert service.received == []


def test_an_uncertain_order_waits_for_a_persons_word(act_at: Act, service: AccountService) -> None:
    called = act_at("COMPLETED", uncertain=True)
    assert (called.outcome, called.no_retry, called.business) == ("failed", True, {})
    assert called.error is not None
    assert "not certain" in called.error
    assert "re-process" in called.error
    assert service.received == []

    asked = act_at("COMPLETED", uncertain=True, requested_by="ana@example.com")
    assert asked.business["account_status"] == "active"
    assert len(service.received) == 1


def test_whether_to_suspend_is_a_persons_decision_where_it_is_not_switched_on(act: Act) -> None:
    called = leaving(act, business=ACTIVE)
    assert (called.outcome, called.no_retry, called.business) == ("failed", True, {})
    assert called.error is not None
    assert "from “Completed” to “Rejected”" in called.error
    assert "Please decide" in called.error


def test_once_a_person_has_suspended_it_reprocessing_takes_the_rest_back(act: Act) -> None:
    called = leaving(act, business=ACTIVE | {"account_status": "suspended"}, requested_by="ana@example.com")
    assert (called.outcome, called.text) == ("succeeded", "The account was suspended before")
    assert called.business == {
        "access_granted": False,
        "verified_at": None,
        "review_status": "REJECTED",
        "review_since": NOON,
    }


def test_who_was_never_enabled_need_not_be_suspended(act: Act) -> None:
    called = leaving(act)
    assert called.text == "The account was not enabled, so there is nothing to suspend"
    assert "account_status" not in called.business


def test_access_alone_is_reason_enough_to_ask(act: Act) -> None:
    assert leaving(act, business={"access_granted": True}).no_retry


def test_without_a_service_the_directory_is_suspended_alone(act_suspending: Act) -> None:
    called = leaving(act_suspending, business=ACTIVE)
    assert (
        called.text == "The account was suspended in the directory: no account service is set up to be told"
    )
    assert called.business["account_status"] == "suspended"
    assert (called.business["access_granted"], called.business["verified_at"]) == (False, None)


def test_a_service_is_told_to_suspend_even_who_is_not_known_to_be_enabled(
    act_at: Act, service: AccountService
) -> None:
    called = leaving(act_at, reason="DOCUMENT_MISMATCH")
    assert called.business["account_status"] == "suspended"
    assert service.received[0].said["type"] == "business.suspend"
    assert service.received[0].said["data"]["reason"] == "DOCUMENT_MISMATCH"


def test_a_service_is_not_told_twice(act_at: Act, service: AccountService) -> None:
    leaving(act_at, business={"account_status": "suspended"})
    assert service.received == []


def test_a_case_that_came_back_loses_nothing(act_at: Act, service: AccountService) -> None:
    called = leaving(act_at, "IN_REVIEW", case_status="COMPLETED", business=ACTIVE)
    assert (called.text, called.business) == ("Nothing was taken back: the case is completed again", {})
    assert service.received == []


def test_whether_a_case_came_back_is_for_a_person_to_say_where_the_order_is_uncertain(
    act_at: Act, service: AccountService
) -> None:
    came_back = {"case_status": "COMPLETED", "uncertain": True, "business": ACTIVE}
    called = leaving(act_at, "IN_REVIEW", **came_back)
    assert called.no_retry
    assert service.received == []


def test_a_case_that_left_and_went_further_is_suspended_and_its_progress_left_alone(
    act_suspending: Act,
) -> None:
    called = leaving(act_suspending, "IN_REVIEW", case_status="REJECTED", business=ACTIVE)
    assert called.business["account_status"] == "suspended"
    assert "review_status" not in called.business


def test_the_service_is_told_who_is_enabled_signed_and_with_a_key(
    act_at: Act, service: AccountService
) -> None:
    service.behaves(answers(201, json.dumps({"message": "account 42"})))
    called = act_at(
        "COMPLETED",
        ref_id="açme/1",
        business={"name": "ACME", "email": "a@b.example"},
        idempotency_key="key1",
    )
    assert called.text == "The account was enabled: the account service answered 201 Created: account 42"
    [request] = service.received
    assert request.path == "/kyb"
    assert request.said == {
        "type": "business.activate",
        "timestamp": NOON.isoformat(),
        "data": {
            "refId": "açme/1",
            "status": "COMPLETED",
            "previousStatus": "IN_REVIEW",
            "reason": None,
            "name": "ACME",
            "email": "a@b.example",
        },
    }
    assert (request.headers["idempotency-key"], request.headers["webhook-id"]) == ("key1", "msg_key1")
    assert request.headers["content-type"] == "application/json"
    Webhook(SECRET).verify(request.body, request.headers)


def test_each_try_says_the_same_under_the_same_key(act_at: Act, service: AccountService) -> None:
    event = {"svix_id": "msg_1"}
    act_at(**event, try_number=1)
    act_at(**event, try_number=2)
    first, second = service.received
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_without_a_secret_nothing_is_signed(shipped: Ship, service: AccountService) -> None:
    _acting(shipped, KYBDESK_ACCOUNT_URL=service.url)()
    assert "webhook-signature" not in service.received[0].headers


def test_what_signs_in_goes_to_the_service_and_nowhere_else(
    shipped: Ship, service: AccountService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")  # as a company's own module may have it, for all libraries
    service.behaves(answers(401))
    url = service.url.replace("http://", "http://ana:s3cret@") + "?token=t0ken"
    called = _acting(shipped, KYBDESK_ACCOUNT_URL=url)()
    assert service.received[0].headers["authorization"].startswith("Basic ")
    assert service.received[0].path == "/kyb?token=t0ken"
    assert "s3cret" not in f"{called} {caplog.text}"
    assert "t0ken" not in f"{called} {caplog.text}"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answers(409, "this business is closed"), "refused: 409 Conflict: this business is closed"),
        (answers(404), "refused: 404 Not Found"),
        (
            answers(307, location="http://127.0.0.1:1/"),
            "sends us elsewhere, where we don't go: 307 Temporary",
        ),
    ],
)
def test_a_refusal_needs_a_person_at_once(
    behaviour: Behaviour, words: str, act_at: Act, service: AccountService
) -> None:
    service.behaves(behaviour)
    called = act_at()
    assert (called.outcome, called.no_retry, called.business) == ("failed", True, {})
    assert called.error is not None
    assert called.error.startswith(f"The account service {words}")
    assert len(service.received) == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answers(500), "The account service is out of order: 500 Internal Server Error"),
        (answers(429), "The account service asks for some time: 429 Too Many Requests"),
        (hangs, "The account service did not answer within 0.49 s at {place}"),
        (drips, "The account service did not answer within 0.49 s at {place}"),
        (resets, "The account service can't be reached at {place}: connection reset by peer"),
        (says(b""), "The account service can't be reached at {place}: it closed the connection without an"),
        (
            says(b"220 mail.example ESMTP\r\n\r\n"),
            "The account service can't be reached at {place}: what it answers",
        ),
        (says(b"HTTP/1.1 2"), "The account service can't be reached at {place}: it closed the connection"),
        (says(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 10**6), "The account service can't be reached at {place}: "),
    ],
)
def test_what_may_pass_is_tried_again_by_the_schedule(
    behaviour: Behaviour, words: str, act_at: Act, service: AccountService
) -> None:
    service.behaves(behaviour)
    called = act_at()
    assert (called.outcome, called.no_retry, called.retry_at) == ("failed", False, None)
    assert called.error is not None
    assert called.error.startswith(words.format(place=service.place))
    assert called.log


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(200, "y" * 10**6),
        says_and_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nyes"),
        says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nyes"),
        says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk"),
        answers(204),
    ],
)
def test_once_it_has_said_yes_nothing_takes_that_back(
    behaviour: Behaviour, act_at: Act, service: AccountService
) -> None:
    service.behaves(behaviour)
    called = act_at()
    assert called.business["account_status"] == "active"
    assert called.text is not None
    assert len(called.text) < 500


def test_of_an_answer_that_never_ends_only_the_beginning_is_read(
    shipped: Ship, service: AccountService
) -> None:
    service.behaves(never_ends)
    called = _acting(shipped, **_settings(service, KYBDESK_HANDLER_TIMEOUT="60"))()
    assert called.business["account_status"] == "active"
    assert service.sent < 20_000_000  # bytes: what was under way


def test_what_is_packed_is_not_unpacked(act_at: Act, service: AccountService) -> None:
    service.behaves(answers(200, b"\x1f\x8bgarbage", content_encoding="gzip"))
    assert act_at().text == "The account was enabled: the account service answered 200 OK"


def test_a_service_may_say_when_to_come_back(act_at: Act, service: AccountService) -> None:
    service.behaves(answers(503, retry_after="120"))
    called = act_at()
    assert called.retry_at is not None
    assert timedelta(seconds=110) < called.retry_at - datetime.now(UTC) <= timedelta(seconds=120)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:{closed}/", "at 127.0.0.1:{closed}: connection refused"),
        ("http://nobody.invalid/", "at nobody.invalid: no host of that name was found"),
        (f"http://{'a' * 64}.example/", f"at {'a' * 64}.example: no host of that name was found"),
        ("https://127.0.0.1:{open}/", "at 127.0.0.1:{open}: no secure connection could be made"),
    ],
)
def test_a_service_that_cannot_be_reached_is_said_so(
    url: str, words: str, shipped: Ship, service: AccountService
) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        ports = {"closed": nobody.getsockname()[1], "open": service.port}
        called = _acting(shipped, KYBDESK_ACCOUNT_URL=url.format(**ports))()
    assert (called.outcome, called.no_retry) == ("failed", False)
    assert called.error == f"The account service can't be reached {words.format(**ports)}"


def test_a_look_up_that_hangs_is_not_waited_for(shipped: Ship, monkeypatch: pytest.MonkeyPatch) -> None:
    act = _acting(shipped, KYBDESK_ACCOUNT_URL="http://slow.example/", KYBDESK_HANDLER_TIMEOUT="0.7")
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60))
    try:
        began = time.monotonic()
        called = act()
        assert "did not answer within 0.49 s" in (called.error or "")
        assert time.monotonic() - began < 30
    finally:
        answered.set()


def test_outside_production_a_service_that_is_not_listed_is_left_alone(
    shipped: Ship, service: AccountService
) -> None:
    act = _acting(shipped, **_settings(service, KYBDESK_ENVIRONMENT="staging"))
    called = act()
    assert (called.no_retry, called.business, service.received) == (True, {}, [])
    assert called.error is not None
    assert called.error.startswith("The account service was not contacted: this is “staging”")

    listed = _settings(service, KYBDESK_ENVIRONMENT="staging", KYBDESK_ALLOWED_ADDRESSES=service.place)
    assert _acting(shipped, **listed)().outcome == "succeeded"


def test_an_address_that_cannot_be_called_is_found_before_the_first_case(shipped: Ship) -> None:
    with pytest.raises(SettingsError, match="KYBDESK_ACCOUNT_URL holds an address that can't be called"):
        shipped("activate_business", KYBDESK_ACCOUNT_URL="http://\N{SNOWMAN}.example/")
