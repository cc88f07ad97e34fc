"""Handlers under test: called as a company's tests call them, judged as the worker judges them."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from receiver.directory.fields import FieldError
from receiver.event import read
from receiver.handlers import Context, Done, Event, InDoubt, Message, NoRetry, Reason, RetryAfter, TryAgain
from receiver.handlers.testing import Called, call_handler
from receiver.models import Outcome
from receiver.runs import idempotency_key

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
SENT = Message("owner@acme.example", "Your verification", "We could not verify your business.")


def seen(status: str, **given: Any) -> tuple[Event, Context]:
    """What a handler gets to see."""
    found: list[tuple[Event, Context]] = []
    call_handler(lambda event, context: found.append((event, context)), status, **given)
    return found[0]


def test_a_handler_that_says_what_it_did_has_succeeded() -> None:
    def enable(event: Event, context: Context) -> str:
        return f"{event.ref_id} is active"

    assert call_handler(enable, "COMPLETED", ref_id="acme-1") == Called(
        Outcome.SUCCEEDED, text="acme-1 is active"
    )


def test_an_async_handler_is_awaited() -> None:
    async def enable(event: Event, context: Context) -> str:
        await asyncio.sleep(0)
        return "active"

    assert call_handler(enable, "COMPLETED").text == "active"


def test_what_it_changes_and_what_it_sent_are_told_as_they_would_be_kept() -> None:
    def tell(event: Event, context: Context) -> Done:
        return Done("told", business={"email": " owner@acme.example ", "verified_at": NOON}, messages=[SENT])

    called = call_handler(tell, "REJECTED")
    assert called.business == {"email": "owner@acme.example", "verified_at": NOON}
    assert called.messages == (SENT,)


@pytest.mark.parametrize(
    ("raised", "outcome", "no_retry", "in_doubt"),
    [
        (NoRetry("no such account"), "failed", True, False),
        (TryAgain("no such account"), "failed", False, False),
        (InDoubt("no such account"), "in doubt", False, True),
    ],
)
def test_what_it_raises_on_purpose_is_told(
    raised: Exception, outcome: str, no_retry: bool, in_doubt: bool
) -> None:
    def enable(event: Event, context: Context) -> None:
        raise raised

    called = call_handler(enable, "COMPLETED")
    assert (called.outcome, called.no_retry, called.in_doubt) == (outcome, no_retry, in_doubt)
    assert (called.error, called.text) == ("no such account", None)


def test_when_it_wants_to_be_tried_again_is_told() -> None:
    def enable(event: Event, context: Context) -> None:
        raise RetryAfter(NOON.astimezone(), "busy")

    called = call_handler(enable, "COMPLETED")
    assert (called.outcome, called.retry_at, called.no_retry) == ("failed", NOON, False)


def test_an_exception_that_it_did_not_mean_comes_out_with_its_line() -> None:
    def enable(event: Event, context: Context) -> None:
        event.payload["iban"]

    with pytest.raises(KeyError, match="iban") as caught:
        call_handler(enable, "COMPLETED")
    assert caught.traceback[-1].frame.code.name == "enable"


def test_what_no_handler_may_return_is_an_error_in_the_workers_words() -> None:
    def enable(event: Event, context: Context) -> int:
        return 1

    with pytest.raises(TypeError, match=r"enable returned int: a handler returns None, a text or Done\(…\)"):
        call_handler(enable, "COMPLETED")


def test_a_change_that_the_directory_does_not_take_is_an_error_in_the_handlers_line() -> None:
    def enable(event: Event, context: Context) -> Done:
        return Done(business={"account_status": "on"})

    with pytest.raises(FieldError, match="account_status"):
        call_handler(enable, "COMPLETED")


def test_the_event_is_one_that_vove_could_have_sent() -> None:
    event, context = seen("REJECTED", reason="DOCUMENT_MISMATCH")
    told = read(event.body)
    assert (event.family, event.ref_id, event.previous_status) == ("kyb", "acme-gmbh", "IN_REVIEW")
    for name in ("family", "ref_id", "status", "previous_status", "reason"):
        assert getattr(told, name) == getattr(event, name)
    assert event.payload["refId"] == "acme-gmbh"
    assert event.message_at is not None
    assert timedelta(0) <= event.received_at - event.message_at < timedelta(seconds=5)
    assert event.received_at.utcoffset() == timedelta(0)
    assert len(event.svix_id) == len("msg_") + 27
    assert context.idempotency_key == idempotency_key(event.svix_id, "<lambda>", 0)


def test_nothing_is_known_that_was_not_given() -> None:
    _, context = seen("COMPLETED")
    assert context.case is not None
    assert (context.case.status, context.case.gap, context.case.uncertain) == ("COMPLETED", False, False)
    assert (context.business.ref_id, context.business.name) == ("acme-gmbh", None)
    assert (context.reason, context.case_moved_on, context.try_number) == (None, False, 1)
    assert context.requested_by is None


def test_whatever_a_handler_may_see_can_be_given() -> None:
    event, context = seen(
        "REJECTED",
        previous_status="IN_PROGRESS",
        reason="DOCUMENT_MISMATCH",
        label="Documents differ",
        customer_texts=(texts := {"en": "Please send the extract again."}),
        never_tell=True,
        ref_id="acme/1",
        business={"name": " ACME ", "language": "DE"},
        uncertain=True,
        gap=True,
        try_number=3,
        requested_by="ana@example.com",
        idempotency_key="key-1",
        svix_id="msg_1",
        body=b"{}",
    )
    assert (event.previous_status, event.ref_id, event.svix_id, event.body) == (
        "IN_PROGRESS",
        "acme/1",
        "msg_1",
        b"{}",
    )
    assert context.reason == Reason("DOCUMENT_MISMATCH", "Documents differ", True, texts)
    assert (context.business.name, context.business.language) == ("ACME", "de")
    assert context.case is not None
    assert (context.case.uncertain, context.case.gap, context.case.reason) == (
        True,
        True,
        "DOCUMENT_MISMATCH",
    )
    assert (context.try_number, context.requested_by, context.idempotency_key) == (
        3,
        "ana@example.com",
        "key-1",
    )


def test_a_case_that_is_elsewhere_by_now_has_moved_on() -> None:
    _, context = seen("IN_REVIEW", case_status="COMPLETED")
    assert context.case is not None
    assert (context.case_moved_on, context.case.status) == (True, "COMPLETED")


def test_a_case_may_have_moved_on_and_be_where_it_was() -> None:
    _, context = seen("IN_REVIEW", case_moved_on=True)
    assert context.case_moved_on


def test_an_event_of_another_check_moves_no_case() -> None:
    event, context = seen("REJECTED", family="aml")
    assert read(event.body) == read(b'{"refId": "acme-gmbh", "status": "REJECTED"}')
    assert (event.family, context.case, context.case_moved_on) == ("aml", None, False)


def test_a_business_that_cannot_be_is_refused() -> None:
    with pytest.raises(FieldError, match="there is no such field"):
        seen("COMPLETED", business={"mail": "x"})


def test_a_misspelt_field_of_the_event_is_refused() -> None:
    with pytest.raises(TypeError, match="resaon"):
        seen("REJECTED", resaon="X")


def test_what_it_logs_is_told_and_seen_by_pytest(caplog: pytest.LogCaptureFixture) -> None:
    def enable(event: Event, context: Context) -> None:
        context.log.debug("not kept")
        context.log.info("enabling %s", event.ref_id)
        context.log.warning("slow")

    assert call_handler(enable, "COMPLETED").log == ("INFO enabling acme-gmbh", "WARNING slow")
    assert [record.getMessage() for record in caplog.records] == ["enabling acme-gmbh", "slow"]
    assert caplog.records[1].levelno == logging.WARNING
