"""What do a verified delivery's bytes say? Pure: bytes to `Event` or `Unreadable`."""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_REF_ID = 10_240  # bytes of UTF-8: percent-encoded three to one, it still fits a URL that servers take
MAX_STATUS = 200  # characters: statuses are indexed, and PostgreSQL's index rows end at 2,704 bytes
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL's text takes no NUL, UTF-8 no lone surrogate


class Family(StrEnum):
    """What VOVE was checking. Only `kyb` moves a case: an AML REJECTED must never reject a business."""

    KYB = "kyb"
    AML = "aml"
    IDENTITY = "identity"
    OTHER = "other"


class Unreadability(StrEnum):
    """Why signed bytes are quarantined."""

    NOT_JSON = "not_json"
    REPEATED_KEY = "repeated_key"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_REF_ID = "missing_ref_id"
    MISTYPED_REF_ID = "mistyped_ref_id"
    EMPTY_REF_ID = "empty_ref_id"
    REF_ID_TOO_LONG = "ref_id_too_long"
    MISSING_STATUS = "missing_status"
    MISTYPED_STATUS = "mistyped_status"
    STATUS_TOO_LONG = "status_too_long"
    MISTYPED_PREVIOUS_STATUS = "mistyped_previous_status"
    UNSTORABLE_TEXT = "unstorable_text"


@dataclass(frozen=True, slots=True)
class Event:
    """What the sender says. `reason` is None where it gives none, or none that is text."""

    family: Family
    ref_id: str
    status: str
    previous_status: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    cause: Unreadability


def read(body: bytes) -> Event | Unreadable:
    """Read a verified body strictly. Never raises, whatever the bytes are."""
    try:
        return _event(_parse(body))
    except _UnreadableError as error:
        return Unreadable(error.cause)


def ref_key(ref_id: str) -> bytes:
    """16 bytes that stand for a `refId` in indexes: PostgreSQL can't index a text of 10 kB."""
    return hashlib.blake2b(ref_id.encode(), digest_size=16).digest()


def is_ref_id(text: str) -> bool:
    """Whether a case can have this reference."""
    return bool(text) and not UNSTORABLE.search(text) and len(text.encode()) <= MAX_REF_ID


class RepeatedKeyError(ValueError):
    """Of a repeated key two readers may take different values: what was signed is then not one thing."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object from its pairs, for `object_pairs_hook`. Raises RepeatedKeyError."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RepeatedKeyError
    return fields


class _UnreadableError(Exception):
    def __init__(self, cause: Unreadability) -> None:
        self.cause = cause


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = _DECODER.decode(body.decode())
    except RepeatedKeyError:
        raise _UnreadableError(Unreadability.REPEATED_KEY) from None
    except (ValueError, RecursionError):  # bytes that are no UTF-8, NaN, numbers of 5,000 digits, depth
        raise _UnreadableError(Unreadability.NOT_JSON) from None
    if not isinstance(payload, dict):
        raise _UnreadableError(Unreadability.NOT_AN_OBJECT)
    return payload


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=_refuse_constant)


def _event(payload: dict[str, Any]) -> Event:
    ref_id = _text(payload, "refId", Unreadability.MISSING_REF_ID, Unreadability.MISTYPED_REF_ID)
    status = _text(payload, "status", Unreadability.MISSING_STATUS, Unreadability.MISTYPED_STATUS)
    previous_status = None
    if "previousStatus" in payload:
        mistyped = Unreadability.MISTYPED_PREVIOUS_STATUS
        previous_status = _text(payload, "previousStatus", mistyped, mistyped)
    reason = payload.get("reason")
    if not isinstance(reason, str):
        reason = None  # a rejection must never vanish over its reason
    for text in (ref_id, status, previous_status, reason):
        _require_storable(text)
    if not ref_id:
        raise _UnreadableError(Unreadability.EMPTY_REF_ID)
    if len(ref_id.encode()) > MAX_REF_ID:
        raise _UnreadableError(Unreadability.REF_ID_TOO_LONG)
    if len(status) > MAX_STATUS or len(previous_status or "") > MAX_STATUS:
        raise _UnreadableError(Unreadability.STATUS_TOO_LONG)
    return Event(_family(status, previous_status, payload), ref_id, status, previous_status, reason)


def _text(payload: dict[str, Any], key: str, missing: Unreadability, mistyped: Unreadability) -> str:
    if key not in payload:
        raise _UnreadableError(missing)
    value = payload[key]
    if not isinstance(value, str):
        raise _UnreadableError(mistyped)
    return value


def _require_storable(text: str | None) -> None:
    if text is not None and UNSTORABLE.search(text):
        raise _UnreadableError(Unreadability.UNSTORABLE_TEXT)


def _family(status: str, previous_status: str | None, payload: dict[str, Any]) -> Family:
    if status.isupper() and previous_status is not None:
        return Family.KYB
    if previous_status is None and status in {"NO_MATCH", "IN_REVIEW", "CLEARED", "REJECTED"}:
        return Family.AML
    if status in {"in_progress", "pending", "successful", "suspected"} or "userId" in payload:
        return Family.IDENTITY
    return Family.OTHER
