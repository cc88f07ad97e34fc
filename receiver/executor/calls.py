"""What is asked of an executor, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.handlers import Business, Case, Event, Message, Reason
from receiver.models import Outcome


@dataclass(frozen=True)
class Call:
    """One attempt: the handler's name and all that it gets to see."""

    handler: str
    event: Event
    case: Case | None
    idempotency_key: str
    try_number: int
    case_moved_on: bool
    business: Business
    reason: Reason | None = None
    requested_by: str | None = None
    said_before: bool = False


@dataclass(frozen=True)
class Limits:
    timeout: float  # seconds
    memory: int  # MiB, beyond what importing the handlers took


@dataclass(frozen=True)
class Ended:
    """How a call ended. All texts are bounded and can be stored in any database."""

    outcome: Outcome
    result: str | None = None  # what the handler returned
    error: str | None = None  # one line, in words
    traceback: str | None = None
    output: str | None = None  # what it logged and printed
    kind: str | None = None  # of what it raised, the type; none: it raised nothing
    place: str | None = None  # where in the company's code: `module.function`
    cause: str | None = None  # what it says itself that it is told apart by
    no_retry: bool = False  # it raised NoRetry
    retry_at: datetime | None = None  # it raised RetryAfter; UTC
    business: Mapping[str, Any] = field(default_factory=dict)  # what it changes in the directory, checked
    messages: Sequence[Message] = ()  # what it sent
