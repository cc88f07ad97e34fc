"""What a company imports to say what shall happen on a case's events.

    from receiver.handlers import handles

    @handles("REJECTED", title="Tell the customer")
    def notify_customer(event, context):
        send_mail(event.ref_id, event.reason, key=context.idempotency_key)
        return "mailed"

Each call has a process of its own, so it may hang, leak or crash; the threads and processes that it leaves
behind end with it. It is called at least once for each event, so it hands `context.idempotency_key` on, or
says `once=True`. It returns None or a short text. Any exception fails the attempt, which is tried again by
the schedule; `NoRetry` and `RetryAfter` say otherwise. What it prints or logs is kept with the attempt.
"""

import inspect
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar


@dataclass(frozen=True)
class Event:
    """One verified message of VOVE's, as it came. All times are aware, in UTC."""

    svix_id: str
    family: str  # "kyb", or another family of VOVE's
    ref_id: str
    status: str
    previous_status: str | None
    reason: str | None  # none: not a rejection, or the sender did not say
    message_at: datetime | None  # when VOVE made the message; none: its id does not tell
    received_at: datetime
    body: bytes  # what was signed

    @property
    def payload(self) -> dict[str, Any]:
        """The body, parsed; a new dict each time. Raises ValueError where it is no JSON object."""
        payload = json.loads(self.body)
        if not isinstance(payload, dict):
            raise ValueError("the body is JSON, but no object")
        return payload


@dataclass(frozen=True)
class Case:
    """A case as it stood when the call began; it may be further on than the event."""

    ref_id: str
    status: str
    reason: str | None
    status_since: datetime
    gap: bool  # a move is missing between its events
    uncertain: bool  # the order of its events is not sure
    began_before: bool  # its first event shows that it began before we listened


@dataclass(frozen=True)
class Context:
    """What a handler may want to know beside the event."""

    case: Case | None  # none: the event moves no case, and none is known by its ref_id
    idempotency_key: str  # the same for each retry; a new one where a person repeats a success
    try_number: int  # from 1
    case_moved_on: bool  # the case's state no longer comes from this event
    log: logging.Logger  # from INFO up, kept with the attempt


class NoRetry(Exception):  # noqa: N818  # reads as a sentence: raise NoRetry("no such customer")
    """Fails the attempt for good: a person is needed, at once."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


class RetryAfter(Exception):  # noqa: N818
    """Fails the attempt and says when to try again: after seconds, a timedelta, or at an aware datetime.

    `at` is that moment in UTC. Raises TypeError or ValueError where there is no such moment.
    """

    def __init__(self, when: float | timedelta | datetime, why: str) -> None:
        super().__init__(why)
        self.at = _moment(when)


def _moment(when: float | timedelta | datetime) -> datetime:
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise ValueError("RetryAfter: a datetime must be aware, such as datetime.now(UTC) + …")
        return when.astimezone(UTC)
    if not isinstance(when, int | float | timedelta):
        raise TypeError("RetryAfter: when must be seconds, a timedelta or an aware datetime")
    try:
        return datetime.now(UTC) + (when if isinstance(when, timedelta) else timedelta(seconds=when))
    except OverflowError:
        raise ValueError("RetryAfter: that is beyond the year 9999") from None


Function = Callable[[Event, Context], Any]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Registered:
    """A handler as tables and pages know it. No statuses: every event of every family."""

    name: str
    title: str
    statuses: tuple[str, ...]
    once: bool
    module: str


@dataclass(frozen=True)
class Handler(Registered):
    """One with its function, which only the processes that run the company's code have."""

    function: Function


class Registry:
    """The handlers by name, in the order in which they were registered."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add(self, handler: Handler) -> None:
        if other := self._handlers.get(handler.name):
            raise ValueError(
                f"two handlers have the name {handler.name}: {_where(other)} and {_where(handler)}; "
                "rename one, or name all statuses in one @handles(…)"
            )
        self._handlers[handler.name] = handler

    def get(self, name: str) -> Handler | None:
        return self._handlers.get(name)

    def __iter__(self) -> Iterator[Handler]:
        return iter(tuple(self._handlers.values()))

    def __len__(self) -> int:
        return len(self._handlers)


def _where(handler: Handler) -> str:
    code = inspect.unwrap(handler.function).__code__
    return f"{handler.module} ({code.co_filename}, line {code.co_firstlineno})"


registry = Registry()


def handles(*statuses: str, once: bool = False, title: str | None = None) -> Callable[[Decorated], Decorated]:
    """Registers `def` or `async def` f(event, context) for KYB events of these statuses; none: all events.

    once   its effect can be neither taken back nor made idempotent: where an attempt is lost, nobody knows
           whether it took place, so it is not tried again but needs a person
    title  the task in plain words, for the pages; by default from the function's name, which must be unique

    Returns the function as it is. Raises TypeError on what can be no handler, ValueError on a name taken.
    """
    _check_statuses(statuses)
    if title is not None and (not isinstance(title, str) or not title.strip()):
        raise TypeError(f"@handles: the title must be a text, not {title!r}")

    def register(function: Decorated) -> Decorated:
        _check_function(function)
        name, module = function.__name__, function.__module__
        chosen = tuple(dict.fromkeys(statuses))
        registry.add(Handler(name, title or title_of(name), chosen, bool(once), module, function))
        return function

    return register


def _check_statuses(statuses: tuple[object, ...]) -> None:
    for status in statuses:
        if callable(status):
            raise TypeError("@handles needs parentheses: write @handles() for every event")
        if not isinstance(status, str) or not status or status != status.strip().upper():
            raise TypeError(f'@handles: a status is a text in capitals, such as "REJECTED", not {status!r}')


def _check_function(function: object) -> None:
    if not inspect.isfunction(function) or not function.__name__.isidentifier():
        raise TypeError(f"@handles belongs on a function with a name, not on {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__name__} is a generator: a handler must return, not yield")
    try:
        inspect.signature(function).bind("event", "context")
    except TypeError as error:
        raise TypeError(f"{function.__name__} must take two parameters, event and context: {error}") from None


def title_of(name: str) -> str:
    """What a handler does in words, where nobody gave it a title: its name, read out."""
    words = name.rpartition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:] or name
