"""How a call ended: what its process said, and how it went, to one outcome in words."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from receiver.directory.fields import from_json
from receiver.executor import faults
from receiver.executor.calls import Ended, Limits
from receiver.handlers import Message, words
from receiver.handlers.values import MAX_MESSAGES
from receiver.models import Outcome

LONGEST_TEXT = 40_000  # characters: what our own side of the process tells is shorter


def from_report(said: bytes, output: str | None) -> Ended | None:
    """What the handler's process told on its last line; none: nothing that can be understood.

    The handler could write there as well, so nothing is taken on trust but that it is bounded.
    """
    try:
        report = json.loads(said.rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict):
        return None
    error = _text(report.get("error"))
    try:
        business, messages = ({}, ()) if error else _given_back(report)
    except (TypeError, ValueError) as wrong:
        why = f"gave back what can't be kept: {words.of_exception(wrong)}"
        return Ended(Outcome.FAILED, error=why, output=output, no_retry=True)  # it has come to its end
    return Ended(
        outcome=_outcome(error, report),
        result=_text(report.get("result")),
        error=error,
        traceback=_text(report.get("traceback")),
        kind=_short(report.get("kind")) if error else None,
        place=_short(report.get("place")) if error else None,
        cause=_short(report.get("cause")) if error else None,
        output=output,
        no_retry=report.get("no_retry") is True,
        retry_at=_moment(report.get("retry_at")),
        business=business,
        messages=messages,
    )


def _outcome(error: str | None, report: dict[str, Any]) -> Outcome:
    if error is None:
        return Outcome.SUCCEEDED
    return Outcome.IN_DOUBT if report.get("in_doubt") is True else Outcome.FAILED


def _given_back(report: dict[str, Any]) -> tuple[dict[str, Any], tuple[Message, ...]]:
    """Raises TypeError or ValueError."""
    business, messages = report.get("business") or {}, report.get("messages") or []
    if not isinstance(business, dict) or not isinstance(messages, list):
        raise TypeError("business must be an object, and messages a list")
    if len(messages) > MAX_MESSAGES:
        raise ValueError(f"more than {MAX_MESSAGES} messages")
    return from_json(business), tuple(map(_message, messages))


def _message(said: Any) -> Message:
    if not isinstance(said, dict):
        raise TypeError(f"a message must be an object, not {type(said).__name__}")
    return Message(**{name: words.storable(text) for name, text in said.items()})


def _text(said: Any) -> str | None:
    return words.storable(words.shorten(said, LONGEST_TEXT)) if isinstance(said, str) else None


def _short(said: Any) -> str | None:
    return words.line(said)[: faults.LONGEST] or None if isinstance(said, str) else None


def _moment(said: Any) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError):
        moment = datetime.fromisoformat(said)
        return moment.astimezone(UTC) if moment.utcoffset() is not None else None
    return None


def without_report(exit_code: int, lasted: float, limits: Limits, output: str | None) -> Ended:
    """It ended, or was ended, and told nothing. Its own alarm counts as the deadline."""
    if lasted >= limits.timeout:
        return timed_out(limits, output)
    return crashed(words.of_exit(exit_code), output)


def timed_out(limits: Limits, output: str | None) -> Ended:
    error = f"did not finish within {limits.timeout:g} s"
    return Ended(Outcome.TIMED_OUT, error=error, output=output)


def crashed(error: str, output: str | None = None) -> Ended:
    return Ended(Outcome.CRASHED, error=error, output=output)
