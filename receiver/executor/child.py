"""The child of one call: bounds itself, runs the handler, tells what came of it as JSON, and ends."""

import asyncio
import inspect
import json
import logging
import os
import pickle
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TextIO

from receiver.directory.fields import to_json
from receiver.executor import bounds
from receiver.executor.calls import Call, Limits
from receiver.handlers import Context, Done, Handler, InDoubt, NoRetry, RetryAfter, registry, words
from receiver.models import record

LONGEST_RESULT = 2000  # characters: a short text
LONGEST_TRACEBACK = 32_000  # characters
MACHINERY = (__file__, str(Path(asyncio.__file__).parent) + os.sep)

Report = dict[str, Any]


def run(file: int, channel: int, output: int, problem: str | None) -> NoReturn:
    """Run the call that is in `file`. `problem`: why the handler modules could not be imported."""
    os.setsid()
    _redirect(output)
    with os.fdopen(file, "rb") as pickled:
        call, limits = pickle.load(pickled)  # noqa: S301  # from our own worker
    telling = _Telling(channel)
    bounds.set_bounds(limits)
    report = _report(call, limits, problem)
    flush()
    telling.tell(report)
    os._exit(0)  # threads that the handler left behind end here


def _redirect(output: int) -> None:
    """All that is printed goes to the pipe, line by line, so that a crash takes no line with it."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    sys.stdout, sys.stderr = _stream(1), _stream(2)


def _stream(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


class _Telling:
    """The channel to the worker, as it was before the handler could get at it."""

    def __init__(self, channel: int) -> None:
        os.set_inheritable(channel, False)
        self._channel, self._identity, self._pid = channel, _identity(channel), os.getpid()

    def tell(self, report: Report) -> None:
        """Write the report on a line of its own, unless this is a fork of the child that came back from the
        handler, or the handler closed the channel and something else has got its number."""
        if os.getpid() != self._pid or _identity(self._channel) != self._identity:
            os._exit(1)
        with os.fdopen(self._channel, "wb") as channel:
            channel.write(b"\n" + json.dumps(report).encode())


def _identity(descriptor: int) -> tuple[int, int]:
    state = os.fstat(descriptor)
    return state.st_dev, state.st_ino


def _report(call: Call, limits: Limits, problem: str | None) -> Report:
    handler = registry.get(call.handler)
    if problem or not handler:
        return {"error": problem or f"no handler of that name: {call.handler}"}
    try:
        returned = _returned(handler, call)
    except BaseException as error:
        bounds.lift_memory()
        return _failure(error, limits)
    if returned is None or isinstance(returned, str):
        returned = Done(returned)
    if isinstance(returned, Done):
        return _success(returned)
    return {"error": f"returned {type(returned).__name__}: a handler returns None, a text or Done(…)"}


def _success(done: Done) -> Report:
    return {
        "result": done.text and words.shorten(done.text, LONGEST_RESULT),
        "business": to_json(done.business),
        "messages": [asdict(message) for message in done.messages],
    }


def _returned(handler: Handler, call: Call) -> object:
    context = record(Context, call, log=_log(call.handler))
    returned: Any = handler.function(call.event, context)
    return asyncio.run(returned) if inspect.iscoroutine(returned) else returned


def _log(name: str) -> logging.Logger:
    """A logger that no configuration of the company's can reach. What its libraries log is kept as well."""
    form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    kept = logging.StreamHandler(sys.stderr)
    kept.setFormatter(form)
    log = logging.Logger(name, logging.INFO)
    for logger in (log, logging.getLogger()):
        if not logger.handlers:
            logger.addHandler(kept)
    return log


def _failure(error: BaseException, limits: Limits) -> Report:
    return {
        "error": _in_words(error, limits),
        "traceback": words.shorten(words.read(_format, error), LONGEST_TRACEBACK),
        "no_retry": isinstance(error, NoRetry),
        "in_doubt": isinstance(error, InDoubt),
        "retry_at": _retry_at(error),
    }


def _retry_at(error: BaseException) -> str | None:
    at = getattr(error, "at", None) if isinstance(error, RetryAfter) else None
    return at.isoformat() if isinstance(at, datetime) else None  # a company's subclass may have none


def _in_words(error: BaseException, limits: Limits) -> str:
    if isinstance(error, MemoryError):
        return f"needed more than {limits.memory} MiB of memory"
    if isinstance(error, NoRetry | RetryAfter | InDoubt):
        return words.line(words.read(str, error)) or type(error).__name__
    return words.of_exception(error)


def _format(error: BaseException) -> str:
    """The traceback, from the handler's own frame on."""
    frame = error.__traceback__
    while frame and frame.tb_frame.f_code.co_filename.startswith(MACHINERY):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame))


def flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        with suppress(Exception):  # the company's code may have put anything in its place
            stream.flush()  # type: ignore[union-attr]  # there may be none
