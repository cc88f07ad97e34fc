"""How functions register as handlers."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from receiver.event import Family
from receiver.handlers.values import Context, Event

Function = Callable[[Event, Context], Any]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Effect(StrEnum):
    """What of a case a handler is there for, so that the case's page can say whether it was done."""

    ACCOUNT = "account"  # it enables or suspends the business's account
    CUSTOMER = "customer"  # it tells the customer


@dataclass(frozen=True)
class Registered:
    """A handler as tables and pages know it. No statuses: every event of every family."""

    name: str
    title: str
    statuses: tuple[str, ...]
    once: bool
    module: str
    leaving: tuple[str, ...] = field(
        default=(), kw_only=True
    )  # called as well when a case leaves one of these
    effect: str | None = field(default=None, kw_only=True)  # see Effect

    def concerns(self, family: str, status: str, left: Iterable[str | None]) -> bool:
        """Whether it is to be called for an event; `left` are the statuses that it may have left.

        Without statuses for every event; else for the named statuses of KYB: an AML REJECTED is none of them.
        """
        if not self.statuses and not self.leaving:
            return True
        return family == Family.KYB and (
            status in self.statuses or any(status != was and was in self.leaving for was in left)
        )


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


def handles(
    *statuses: str,
    leaving: Iterable[str] = (),
    once: bool = False,
    title: str | None = None,
    effect: str | None = None,
) -> Callable[[Decorated], Decorated]:
    """Registers `def` or `async def` f(event, context) for KYB events of these statuses; none: all events.

    leaving  statuses; it is called as well when a case moves from one of these to another
    once     its effect can be neither taken back nor made idempotent: where an attempt is lost, nobody knows
             whether it took place, so it is not tried again but needs a person
    title    the task in plain words, for the pages; by default from the function's name, which must be unique
    effect   "account" or "customer": the case's page then says, by this handler, whether the account is
             enabled or the customer was told

    Returns the function as it is. Raises TypeError on what can be no handler, ValueError on a name taken.
    """
    leaving = (leaving,) if isinstance(leaving, str) else tuple(leaving)
    _check_statuses((*statuses, *leaving))
    if effect is not None and effect not in set(Effect):
        raise TypeError(f"@handles: the effect is one of {', '.join(Effect)}, not {effect!r}")
    if title is not None and (not isinstance(title, str) or not title.strip()):
        raise TypeError(f"@handles: the title must be a text, not {title!r}")

    def register(function: Decorated) -> Decorated:
        _check_function(function)
        name, module = function.__name__, function.__module__
        chosen = tuple(dict.fromkeys(statuses))
        handler = Handler(
            name,
            title or title_of(name),
            chosen,
            bool(once),
            module,
            function,
            leaving=tuple(dict.fromkeys(leaving)),
            effect=effect,
        )
        registry.add(handler)
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
