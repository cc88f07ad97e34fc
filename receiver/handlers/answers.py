"""What a service's answer means: done, try again, or no use. Pure."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from receiver.handlers import NoRetry, RetryAfter, TryAgain, words
from receiver.retry_after import wait_asked_for

LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
LONGEST_WAIT = timedelta(days=1)  # that a service may ask for: then a person should hear of it
LONGEST_SAID = 200  # characters of what it says, in a line that people read
SAYING = ("detail", "message", "error_description", "error", "title")  # what JSON answers call it


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None = None  # the header
    text: str = ""  # the beginning of its body

    def __str__(self) -> str:
        """`409 Conflict: this business is closed`"""
        with suppress(ValueError):
            return ": ".join(filter(None, (f"{self.status} {HTTPStatus(self.status).phrase}", self.said)))
        return ": ".join(filter(None, (str(self.status), self.said)))

    @property
    def said(self) -> str:
        """In one line; nothing where it is a page for browsers."""
        text = self.text.strip()
        if text.startswith("<"):
            return ""
        said = words.line(_in_json(text) or text.partition("\n")[0])
        return said if len(said) <= LONGEST_SAID else said[:LONGEST_SAID] + "…"


def _in_json(text: str) -> str | None:
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, dict):
            return next((found[name] for name in SAYING if isinstance(found.get(name), str)), None)
    return None


def require_done(name: str, setting: str, answer: Answer, scheduled: float, now: datetime) -> None:
    """Return where the answer means done. Raises NoRetry, RetryAfter or TryAgain.

    name, setting  of the service, and of what holds its address
    scheduled      seconds after which it would be tried again in any case: a service that is out of order
                   and asks for less would use up all tries at once
    """
    if 200 <= answer.status < 300:
        return
    asked = _asked(answer.retry_after, now)
    why = f"{name} {_verb(answer, asked)}: {answer}"
    if not _is_for_now(answer, asked):
        advice = f". Its address ({setting}) has to be put right" if answer.status < 400 else ""
        raise NoRetry(why + advice)
    if asked is not None and asked > timedelta(seconds=scheduled):
        raise RetryAfter(asked, why)
    raise TryAgain(why)


def _is_for_now(answer: Answer, asked: timedelta | None) -> bool:
    if answer.status in LATER or 500 <= answer.status < 600:
        return True
    return 400 <= answer.status < 500 and asked is not None


def _verb(answer: Answer, asked: timedelta | None) -> str:
    if 500 <= answer.status < 600:
        return "is out of order"
    if _is_for_now(answer, asked):
        return "asks for some time"
    if 300 <= answer.status < 400:
        return "sends us elsewhere, where we don't go"
    return "refused" if 400 <= answer.status < 500 else "gave an answer that means nothing"


def _asked(retry_after: str | None, now: datetime) -> timedelta | None:
    wait = wait_asked_for(retry_after, now)
    return None if wait is None else min(wait, LONGEST_WAIT)
