"""Events that are handed on to the company's own services, over a real socket."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from receiver.handlers import Handler, registering
from receiver.handlers.testing import Called, call_handler
from receiver.settings import SettingsError
from tests.account_service import AccountService, answers
from tests.receiver.factories import SECRET
from tests.receiver.handlers.conftest import Ship

BODY = b'{"refId":"acme", "status": "COMPLETED",\t"previousStatus":"IN_REVIEW", "more": 1.10}'


def registered(shipped: Ship, to: str) -> list[Handler]:
    shipped("forward", KYBDESK_FORWARD_TO=to)
    return list(registering.registry)


def forwarded(shipped: Ship, to: str, status: str = "COMPLETED", **given: object) -> Called:
    [handler] = registered(shipped, to)
    return call_handler(handler.function, status, **given)  # type: ignore[arg-type]


def test_the_bytes_go_on_as_they_came_signed_anew_as_vove_signs(
    shipped: Ship, service: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYBDESK_FORWARD_SECRET", SECRET)
    service.behaves(answers(202))
    called = forwarded(shipped, service.url, body=BODY, svix_id="msg_1", idempotency_key="key1")
    assert (called.outcome, called.text) == ("succeeded", "Forwarded: the service answered 202 Accepted")
    [request] = service.received
    assert (request.path, request.body) == ("/kyb", BODY)
    assert (request.headers["webhook-id"], request.headers["idempotency-key"]) == ("msg_1", "key1")
    Webhook(SECRET).verify(request.body, request.headers)
    SvixWebhook(SECRET).verify(request.body, request.headers)  # as a receiver of VOVE's webhooks does


def test_each_address_is_a_handler_of_its_own(shipped: Ship) -> None:
    handlers = registered(
        shipped,
        "https://crm.example.com/kyb COMPLETED REJECTED; http://ana:pw@audit.internal:8080/in?token=t",
    )
    assert [(each.name, each.title, each.statuses) for each in handlers] == [
        ("forward_to_crm_example_com_kyb", "Forward to crm.example.com", ("COMPLETED", "REJECTED")),
        ("forward_to_audit_internal_8080_in", "Forward to audit.internal:8080", ()),
    ]
    assert {each.module for each in handlers} == {"receiver.handlers.forward"}
    assert not any(each.once for each in handlers)


def test_addresses_on_one_host_are_told_apart(shipped: Ship) -> None:
    a, b = registered(shipped, "https://crm.example.com/a; https://crm.example.com/b")
    assert (a.title, b.title) == ("Forward to crm.example.com/a", "Forward to crm.example.com/b")


def test_a_name_does_not_change_when_another_address_is_added_behind_it(shipped: Ship) -> None:
    [alone] = registered(shipped, "https://crm.example.com/a-b")
    first, second = registered(shipped, "https://crm.example.com/a-b; https://crm.example.com/a/b")
    assert first.name == alone.name
    assert second.name.startswith(first.name + "_")


def test_a_name_of_any_address_is_one_that_people_can_type(shipped: Ship) -> None:
    [handler] = registered(shipped, "https://crm.example.com/" + "Käse/" * 100)
    assert handler.name.isidentifier()
    assert handler.name.isascii()
    assert len(handler.name) < 100


def test_an_event_of_another_check_goes_where_every_event_goes(
    shipped: Ship, service: AccountService
) -> None:
    assert forwarded(shipped, service.url, "NO_MATCH", family="aml").outcome == "succeeded"
    assert len(service.received) == 1


def test_a_refusal_needs_a_person_and_what_passes_is_tried_again(
    shipped: Ship, service: AccountService
) -> None:
    service.behaves(answers(410, "moved to Oslo"), answers(503, retry_after="120"))
    refused = forwarded(shipped, service.url)
    assert (refused.no_retry, refused.error) == (True, "The service refused: 410 Gone: moved to Oslo")
    later = forwarded(shipped, service.url)
    assert later.retry_at is not None
    assert later.retry_at > datetime.now(UTC)


def test_outside_production_an_address_that_is_not_listed_gets_nothing(
    shipped: Ship, service: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYBDESK_ENVIRONMENT", "staging")
    assert forwarded(shipped, service.url).no_retry
    assert service.received == []


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("", "KYBDESK_FORWARD_TO is not set"),
        (
            "https://crm.example.com/kyb; https://crm.example.com/kyb",
            "names an address at crm.example.com twice",
        ),
        ("https://crm.example.com COMPLETED; https://CRM.example.com:443/ REJECTED", "twice: write it once"),
        ("https://\N{SNOWMAN}.example/", "KYBDESK_FORWARD_TO holds an address that can't be called"),
    ],
)
def test_what_cannot_be_forwarded_to_is_said_before_the_first_event(
    to: str, words: str, shipped: Ship
) -> None:
    with pytest.raises(SettingsError, match=words):
        shipped("forward", KYBDESK_FORWARD_TO=to)
