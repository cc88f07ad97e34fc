"""What went wrong in the company's code, in words that anybody can read and any database can store."""

import signal
from collections.abc import Callable
from typing import Any

from receiver.event import UNSTORABLE

LONGEST_ERROR = 2000  # characters: one line to read, the traceback has the rest
CUT = "… cut …"
GUESSES = {
    signal.SIGKILL: ": perhaps the machine ran out of memory",
    **dict.fromkeys((signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE), ": it crashed"),
    signal.SIGABRT: ": it crashed",
}


def of_exception(error: BaseException) -> str:
    """One line: the exception's type and what it says, whatever its own code does when asked."""
    if isinstance(error, SystemExit):
        return f"called sys.exit({'' if error.code is None else line(read(repr, error.code))})"
    said = line(read(str, error.msg if isinstance(error, SyntaxError) else error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def of_exit(code: int) -> str:
    """What became of a process, from its exit code as `subprocess` has it: below 0 it is a signal."""
    if code >= 0:
        return f"its process ended by itself with exit code {code}"
    try:
        number = signal.Signals(-code)
    except ValueError:  # a real-time signal
        return f"its process was killed by signal {-code}"
    return f"its process was killed by signal {number.value} ({number.name}){GUESSES.get(number, '')}"


def read(show: Callable[[Any], str], value: object) -> str:
    try:
        return show(value)
    except BaseException as error:  # an exception's __str__ is the company's code too
        return f"(its text cannot be read: {type(error).__name__})"


def line(text: str) -> str:
    return " ".join(storable(shorten(text, LONGEST_ERROR)).split())


def shorten(text: str, most: int) -> str:
    """The first and the last part of a text of more than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}\n{CUT}\n{text[-(most // 2) :]}"


def storable(text: str) -> str:
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
