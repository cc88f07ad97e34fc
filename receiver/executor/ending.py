"""How a call ended: what its process said, and how it went, to one outcome in words."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from receiver.executor.calls import Ended, Limits
from receiver.handlers import words
from receiver.models import Outcome


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
    return Ended(
        outcome=Outcome.FAILED if error else Outcome.SUCCEEDED,
        result=_text(report.get("result")),
        error=error,
        traceback=_text(report.get("traceback")),
        output=output,
        no_retry=report.get("no_retry") is True,
        retry_at=_moment(report.get("retry_at")),
    )


def _text(said: Any) -> str | None:
    return words.storable(said) if isinstance(said, str) else None


def _moment(said: Any) -> datetime | None:
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(said).astimezone(UTC)
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
