"""The child of one call: bounds itself, runs the handler, tells what came of it as JSON, and ends."""

import json
import logging
import os
import pickle
import sys
import time
from contextlib import suppress
from typing import NoReturn, TextIO

from receiver.executor import bounds, reporting
from receiver.executor.calls import Call, Limits
from receiver.executor.reporting import Report
from receiver.handlers import Context, registry
from receiver.models import record


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
        context = record(Context, call, log=_log(call.handler))
        return reporting.of_returned(reporting.returned_by(handler.function, call.event, context))
    except BaseException as error:
        bounds.lift_memory()
        return reporting.of_raised(error, limits, handler.module)


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


def flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        with suppress(Exception):  # the company's code may have put anything in its place
            stream.flush()  # type: ignore[union-attr]  # there may be none
