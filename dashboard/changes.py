"""What a try has changed in the directory, as people read it: `Account: not enabled → active`."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard import words
from dashboard.zones import in_zone, zone_name
from receiver.directory.fields import MOMENTS

# Of each field its name on the page, and what stands where it has no value.
FIELDS = {
    "name": ("Name", "none"),
    "email": ("E-mail", "none"),
    "language": ("Language", "none"),
    "account_status": ("Account", "not enabled"),
    "verified_at": ("Verified", "not verified"),
    "access_granted": ("Access", "not granted"),
    "review_status": ("Review", "none"),
    "review_since": ("Review since", "none"),
    "notes": ("Notes", "none"),
}


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str


def changes(kept: str | None) -> list[Change]:
    """Of an attempt's `changes`: a JSON list of [field, before, after]."""
    return [_change(field, before, after) for field, before, after in json.loads(kept or "[]")]


def _change(field: str, before: Any, after: Any) -> Change:
    name, nothing = FIELDS.get(field, (field, "none"))
    return Change(name, _value(field, before, nothing), _value(field, after, nothing))


def _value(field: str, value: Any, nothing: str) -> str:
    if value is None or value is False:
        return nothing
    if field == "access_granted":
        return "granted"
    if field == "review_status":
        return words.status(value).text
    return _moment(value) if field in MOMENTS else str(value)


def _moment(value: str) -> str:
    """To the minute: the second says nothing beside the try's own time."""
    at = datetime.fromisoformat(value)
    return f"{in_zone(at):%-d %b %Y, %H:%M} {zone_name(at)}"
