"""What an exception is told apart by: its type, and the place in the company's own code that it went through
last. Without line numbers: an edit elsewhere in the file does not make another failure of it."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from receiver.handlers.loading import LIBRARIES, OURS

EXECUTOR = str(Path(__file__).parent) + os.sep
OUR_PACKAGE = "receiver"
LONGEST = 200  # characters: both stand in a line of a list


def kind_of(error: BaseException) -> str:
    """`smtplib.SMTPRecipientsRefused`; of built-in types and ours the name alone."""
    kind = type(error)
    module = str(kind.__module__)
    known = module == "builtins" or module.partition(".")[0] == OUR_PACKAGE
    return (kind.__qualname__ if known else f"{module}.{kind.__qualname__}")[:LONGEST]


def place_of(error: BaseException, module: str) -> str | None:
    """`module.function` of the innermost own frame, for a handler of this module; none: it has none."""
    own = [frame for frame in _frames(error) if _is_own(frame, module)]
    return f"{_module_of(own[-1])}.{own[-1].f_code.co_qualname}"[:LONGEST] if own else None


def _frames(error: BaseException) -> Iterator[FrameType]:
    """Outermost first."""
    at = error.__traceback__
    while at:
        yield at.tb_frame
        at = at.tb_next


def _is_own(frame: FrameType, module: str) -> bool:
    """What comes with KYB Desk is own to the handlers that come with it, and to no other."""
    file, package = frame.f_code.co_filename, module.partition(".")[0]
    if _module_of(frame).partition(".")[0] == package:
        return not file.startswith(EXECUTOR)
    return package != OUR_PACKAGE and not file.startswith((OURS, "<", *LIBRARIES))


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "?"))
