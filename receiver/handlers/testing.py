"""Calls a handler in a test, with an event and a context that are made up, and says what came of it.

from receiver.handlers.testing import call_handler

def test_a_rejected_customer_is_told_why():
    called = call_handler(tell_customer, "REJECTED", reason="DOCUMENT_MISMATCH", business={"name": "ACME"})
    assert called.outcome == "succeeded"
    assert called.messages[0].recipient == "owner@acme.example"
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.directory.fields import checked
from receiver.event import Family
from receiver.executor import ending, reporting
from receiver.executor.calls import Limits
from receiver.handlers import Business, Context, Event, Message, Reason
from receiver.handlers.inventing import case_of, invented_event
from receiver.handlers.registering import Function
from receiver.models import Outcome
from receiver.runs import idempotency_key

NONE: Mapping[str, Any] = {}
NO_LIMITS = Limits(timeout=0, memory=0)  # a test has none


@dataclass(frozen=True)
class Called:
    """What came of a call, as a try of it would be recorded."""

    outcome: Outcome  # "succeeded", "failed" or "in doubt"
    text: str | None = None  # what it returned, as people read it
    error: str | None = None  # why it failed, as people read it
    no_retry: bool = False  # a person is needed at once
    retry_at: datetime | None = None  # when RetryAfter has it tried again, UTC
    business: Mapping[str, Any] = field(default_factory=dict)  # the changes of the directory, checked
    messages: Sequence[Message] = ()
    log: Sequence[str] = ()  # of context.log, such as "INFO enabling acme"
    cause: str | None = None  # what NoRetry or TryAgain says that it is told apart by

    @property
    def in_doubt(self) -> bool:
        return self.outcome is Outcome.IN_DOUBT


def call_handler(
    function: Function,
    status: str,
    *,
    previous_status: str | None = None,
    reason: str | None = None,
    label: str | None = None,
    customer_texts: Mapping[str, str] = NONE,
    never_tell: bool = False,
    ref_id: str = "acme-gmbh",
    business: Mapping[str, Any] = NONE,
    case_status: str | None = None,
    case_moved_on: bool = False,
    said_before: bool = False,
    gap: bool = False,
    uncertain: bool = False,
    try_number: int = 1,
    requested_by: str | None = None,
    idempotency_key: str | None = None,
    family: str = Family.KYB,
    **given: Any,
) -> Called:
    """Call `def` or `async def` f(event, context) in this process. All but the status may be left out.

    previous_status  by default the one that usually stands before
    reason           VOVE's code; what the company says of it: `label`, `customer_texts` (by language),
                     `never_tell`
    business         what the directory knows, such as name, email, language (see Business)
    case_status      what the case is now; another than `status` means that it has moved on
    given            other fields of the event: svix_id, message_at, received_at, body

    Returns what came of it, also where it raised NoRetry, TryAgain, RetryAfter or InDoubt. Any other
    exception comes out as it is, so that the test shows its line; where it is meant, use `pytest.raises`.
    Raises TypeError where it returns what no handler may, FieldError on a business that can't be.

    There is no deadline, no bound on memory, no process of its own.
    """
    event = invented_event(ref_id, status, previous_status, reason, family=family, **given)
    moves_a_case = family == Family.KYB
    moved_on = case_moved_on or case_status not in {None, status}
    lines = _Lines()
    context = Context(
        case=case_of(event, case_status, gap, uncertain) if moves_a_case else None,
        idempotency_key=idempotency_key or _key(event, function),
        try_number=try_number,
        case_moved_on=moves_a_case and moved_on,
        log=lines.log(function.__name__),
        business=Business(ref_id, **checked(business)),
        reason=Reason(reason, label, never_tell, dict(customer_texts)) if reason is not None else None,
        requested_by=requested_by,
        said_before=said_before,
    )
    return _called(function, event, context, lines)


def _key(event: Event, function: Function) -> str:
    return idempotency_key(event.svix_id, function.__name__, repeats=0)


def _called(function: Function, event: Event, context: Context, lines: "_Lines") -> Called:
    try:
        report = reporting.of_returned(reporting.returned_by(function, event, context))
        if "error" in report:
            raise TypeError(f"{function.__name__} {report['error']}")
    except reporting.ON_PURPOSE as said:
        report = reporting.of_raised(said, NO_LIMITS, function.__module__)
    ended = ending.from_report(json.dumps(report).encode(), output=None)
    assert ended is not None, "our own report can be read"
    return Called(
        ended.outcome,
        ended.result,
        ended.error,
        ended.no_retry,
        ended.retry_at,
        ended.business,
        ended.messages,
        tuple(lines.kept),
        ended.cause,
    )


class _Lines(logging.Handler):
    """What is logged; pytest's own handlers get it too, and show it where the test fails."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{record.levelname} {record.getMessage()}")

    def log(self, name: str) -> logging.Logger:
        log = logging.Logger(name, logging.INFO)
        log.parent = logging.getLogger()
        log.addHandler(self)
        return log
