"""What a person may have to see to in a case, in words: on its row, and to filter by. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dashboard.words import Word
from receiver.handlers import Effect
from receiver.models import WRONG


class Need(StrEnum):
    """As it stands in an address. `limit` and those in `WRONG` are known from the case's row alone."""

    PERSON = "person"
    LIMIT = "limit"
    STILL_ENABLED = "still_enabled"
    NOT_ENABLED = "not_enabled"
    NOT_TOLD = "not_told"
    WITH_GAP = "with_gap"
    UNCERTAIN = "uncertain"


NEEDS = {
    Need.PERSON: Word(
        "Has a failed task", "warning", "person", "A task of this case did not work, and needs a person."
    ),
    Need.LIMIT: Word(
        "Over its limit", "clock", "person", "It has been in its status for longer than you set."
    ),
    Need.STILL_ENABLED: Word(
        "Enabled, not completed", "unverified", "person", "The account is enabled, but VOVE does not approve."
    ),
    Need.NOT_ENABLED: Word(
        "Completed, not enabled", "closed", "person", "VOVE approved, but the account is not enabled."
    ),
    Need.NOT_TOLD: Word(
        "Rejected, not told", "unreadable", "person", "VOVE rejected, but no message has gone out since."
    ),
    Need.WITH_GAP: Word("Has a gap", "gap", "quiet", "A status change is missing."),
    Need.UNCERTAIN: Word(
        "Order uncertain", "unknown", "quiet", "The order of its status changes is not certain."
    ),
}
# What has just happened is not yet wrong: its task may be on its way. Of these needs it is told only later.
UNDER_WAY = timedelta(minutes=10)
SETTLING = frozenset({Need.STILL_ENABLED, Need.NOT_ENABLED, Need.NOT_TOLD})
SEEN_TO_BY = {Need.NOT_ENABLED: Effect.ACCOUNT, Need.NOT_TOLD: Effect.CUSTOMER}
assert set(WRONG) <= set(NEEDS)


class Wanting(Protocol):
    """A case, as a list has it: `wrong` are the names of what is wrong with it, as in `WRONG`."""

    @property
    def needs_person(self) -> bool: ...
    @property
    def wrong(self) -> Collection[str]: ...
    @property
    def status_since(self) -> datetime: ...


def needs_of(case: Wanting, effects: Collection[str], now: datetime) -> Iterator[Word]:
    """But for its limit. What no handler is set up for is nothing to see to: it is done elsewhere."""
    is_settled = case.status_since <= now - UNDER_WAY
    wrong = [
        NEEDS[need]
        for need in (Need(name) for name in WRONG if name in case.wrong)
        if (is_settled or need not in SETTLING) and SEEN_TO_BY.get(need) in {None, *effects}
    ]
    if case.needs_person:  # quiet beside what comes of it
        comes_of_it = any(word.tone == "person" for word in wrong)
        yield replace(NEEDS[Need.PERSON], tone="quiet") if comes_of_it else NEEDS[Need.PERSON]
    yield from wrong
