"""What VOVE's API said: bytes to cases. Pure.

The shape of its list is not documented, so each that is usual is read: a list, or an object that holds one.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from receiver.cases import KNOWN_STATUSES
from receiver.directory.fields import MAX_NAME
from receiver.event import MAX_STATUS, UNSTORABLE, is_ref_id

LISTS = ("data", "items", "results", "cases", "docs", "records")
TOTALS = ("total", "totalCount", "count")
BESIDE = ("meta", "pagination")  # objects that may hold the total
MAX_VOVE_ID = 200  # characters


class NotAListError(ValueError):
    """The answer is no list of cases, in no shape that we know."""


@dataclass(frozen=True)
class VoveCase:
    """A case as VOVE's API tells it. Of its documents and beneficial owners nothing is kept."""

    ref_id: str
    status: str  # one that we don't know as it came
    name: str | None = None
    vove_id: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Page:
    cases: Sequence[VoveCase]
    skipped: int  # entries without a usable refId or status
    total: int | None  # of all pages, where VOVE says so
    digest: bytes = field(repr=False)  # of the entries: the same page again has the same

    @property
    def is_empty(self) -> bool:
        return not self.cases and not self.skipped


def read_page(body: bytes) -> Page:
    """Raises NotAListError; of an entry that can't be used it only counts."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, numbers of 5,000 digits, depth
        raise NotAListError("it is no JSON") from None
    entries = _entries(said)
    if entries is None:
        raise NotAListError("it holds no list of cases")
    cases = [case for case in map(_case, entries) if case]
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).digest()
    return Page(cases, len(entries) - len(cases), _total(said), digest)


def newest(cases: Iterable[VoveCase]) -> VoveCase | None:
    """Of cases with the same refId the one that counts: changed last; the first where VOVE does not say."""
    return max(cases, key=lambda case: case.changed_at or datetime.min.replace(tzinfo=UTC), default=None)


def _entries(said: Any, deeper: bool = True) -> list[Any] | None:
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        return None
    found = [said[name] for name in LISTS if isinstance(said.get(name), list)]
    if found:
        return list(found[0])
    return _entries(said.get("data"), deeper=False) if deeper else None


def _total(said: Any) -> int | None:
    if not isinstance(said, dict):
        return None
    places = [said, *(said[name] for name in (*BESIDE, "data") if isinstance(said.get(name), dict))]
    totals = [place[name] for place in places for name in TOTALS if name in place]
    return next((total for total in totals if type(total) is int and total >= 0), None)


def _case(entry: Any) -> VoveCase | None:
    if not isinstance(entry, dict):
        return None
    ref_id, status = _exactly(entry.get("refId")), _exactly(entry.get("status"))
    if ref_id is None or status is None:
        return None
    if not is_ref_id(ref_id) or len(status) > MAX_STATUS:
        return None
    return VoveCase(
        ref_id,
        _status(status),
        name=_text(entry.get("businessName"), MAX_NAME),
        vove_id=_text(entry.get("id"), MAX_VOVE_ID),
        changed_at=_moment(entry.get("updatedAt")),
    )


def _exactly(value: Any) -> str | None:
    return value if isinstance(value, str) and value and not UNSTORABLE.search(value) else None


def _status(status: str) -> str:
    """The webhooks' statuses are in capitals; that the API's are is not documented."""
    plain = status.strip().upper().replace("-", "_").replace(" ", "_")
    return plain if plain in KNOWN_STATUSES else status


def _text(value: Any, most: int) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**18 else ""
    if not isinstance(value, str) or UNSTORABLE.search(value):
        return None
    return " ".join(value.split())[:most].strip() or None


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
