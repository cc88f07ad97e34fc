"""What a handler returned or raised, to a report of plain values. Its own tests are judged by it as well."""

import asyncio
import inspect
import os
import traceback
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from receiver.directory.fields import to_json
from receiver.executor import faults
from receiver.executor.calls import Limits
from receiver.handlers import Context, Done, Event, InDoubt, NoRetry, RetryAfter, TryAgain, words
from receiver.handlers.registering import Function

LONGEST_RESULT = 2000  # characters: a short text
LONGEST_TRACEBACK = 32_000  # characters
ON_PURPOSE = (NoRetry, TryAgain, RetryAfter, InDoubt)  # people read what they say, without the type
MACHINERY = tuple(str(Path(file).parent) + os.sep for file in (__file__, asyncio.__file__))

Report = dict[str, Any]


def returned_by(function: Function, event: Event, context: Context) -> object:
    """What `def` or `async def` returns."""
    returned: Any = function(event, context)
    return asyncio.run(returned) if inspect.iscoroutine(returned) else returned


def of_returned(returned: object) -> Report:
    if returned is None or isinstance(returned, str):
        returned = Done(returned)
    if isinstance(returned, Done):
        return _success(returned)
    why = f"returned {type(returned).__name__}: a handler returns None, a text or Done(…)"
    return {"error": why, "no_retry": True}  # it came to its end: what it does is done, and would be again


def _success(done: Done) -> Report:
    return {
        "result": done.text and words.shorten(done.text, LONGEST_RESULT),
        "business": to_json(done.business),
        "messages": [asdict(message) for message in done.messages],
    }


def of_raised(error: BaseException, limits: Limits, module: str) -> Report:
    """`module` is the handler's."""
    return {
        "error": _in_words(error, limits),
        "kind": faults.kind_of(error),
        "place": faults.place_of(error, module),
        "cause": _cause(error),
        "traceback": words.shorten(words.read(_format, error), LONGEST_TRACEBACK),
        "no_retry": isinstance(error, NoRetry),
        "in_doubt": isinstance(error, InDoubt),
        "retry_at": _retry_at(error),
    }


def _cause(error: BaseException) -> str | None:
    cause = getattr(error, "cause", None) if isinstance(error, NoRetry | TryAgain) else None
    return cause if isinstance(cause, str) else None  # a company's subclass may have none


def _retry_at(error: BaseException) -> str | None:
    at = getattr(error, "at", None) if isinstance(error, RetryAfter) else None
    return at.isoformat() if isinstance(at, datetime) else None  # a company's subclass may have none


def _in_words(error: BaseException, limits: Limits) -> str:
    if isinstance(error, MemoryError):
        return f"needed more than {limits.memory} MiB of memory"
    if isinstance(error, ON_PURPOSE):
        return words.line(words.read(str, error)) or type(error).__name__
    return words.of_exception(error)


def _format(error: BaseException) -> str:
    """The traceback, from the handler's own frame on."""
    frame = error.__traceback__
    while frame and frame.tb_frame.f_code.co_filename.startswith(MACHINERY):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame))
