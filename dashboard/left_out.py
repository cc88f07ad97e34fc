"""What an address asks for that can't be: a list goes on without it and says so; no file is taken. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar.datastructures import MultiDict

from dashboard.errors import PageError
from dashboard.filters import shorten, visible
from receiver.event import UNSTORABLE

NAMED = 5  # of those that were left out; an address may have hundreds


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a filter: which texts it takes, and what is said of another."""

    takes: Callable[[str], bool]
    other: str


Parameters = Mapping[str, Parameter]  # by name


def one_of(known: Iterable[str], other: str) -> Parameter:
    return Parameter(frozenset(known).__contains__, other)


TEXT = Parameter(lambda given: bool(UNSTORABLE.sub("", given).strip()), "can't be looked for")


def left_out(asked: "MultiDict[Any]", parameters: Parameters) -> list[str]:
    """Each in quotation marks and what is wrong with it. What is empty was not asked for."""
    wrong = [
        f"“{visible(shorten(given))}” {parameters[name].other}"
        for name, given in asked.multi_items()
        if name in parameters and given.strip() and not parameters[name].takes(given)
    ]
    return list(dict.fromkeys(wrong))[:NAMED]


def refuse_left_out(asked: "MultiDict[Any]", parameters: Parameters) -> None:
    """A file would not hold what was asked for, and the activity would say that it does. Raises PageError."""
    if wrong := left_out(asked, parameters):
        raise PageError(
            400,
            "Nothing has been taken out",
            f"{'. '.join(wrong)}. Without it, the file would not hold what was asked for.",
            "Correct the address, or choose the filters on the page and export from there.",
        )
