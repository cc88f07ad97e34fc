"""A reason's label, its explanation, and whether customers may be told it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from receiver.activity import Kind, note
from receiver.database import raise_revision, upsert
from receiver.handlers import Reason
from receiver.models import reasons, record, seen_reasons
from receiver.reasons.entering import entered
from receiver.reasons.fields import code_of
from receiver.reasons.texts import approved_texts


@dataclass(frozen=True)
class Description:
    code: str
    label: str | None
    explanation: str | None
    never_tell: bool
    updated_at: datetime
    updated_by: str


def find_reason(connection: Connection, code: str | None) -> Reason | None:
    """None where there is no reason; of one that nobody has described, its code.

    One that is longer than a code is known by its first characters, as on the pages.
    """
    if code is None:
        return None
    never_tell = must_not_be_told(connection, code)
    row = find_description(connection, code_of(code))
    if row is None:
        return Reason(code, never_tell=never_tell)
    return Reason(code, row.label, never_tell, approved_texts(connection, row.code))


def find_description(connection: Connection, code: str) -> Description | None:
    row = connection.execute(select(reasons).where(reasons.c.code == code)).one_or_none()
    return record(Description, row) if row else None


def must_not_be_told(connection: Connection, code: str) -> bool:
    """Also where it was typed in other letters, or with other spaces: nobody must be tipped off by a slip."""
    secret = connection.execute(select(reasons.c.code).where(reasons.c.never_tell)).scalars()
    return bool({_loosely(code), _loosely(code_of(code))} & set(map(_loosely, secret)))


def _loosely(code: str) -> str:
    return "".join(re.findall(r"\w", code.casefold())).replace("_", "")


def all_codes(connection: Connection) -> list[str]:
    """Of the reasons that somebody has described, or written a text for."""
    return list(connection.execute(select(reasons.c.code).order_by(reasons.c.code)).scalars())


def describe_reason(
    connection: Connection,
    code: str,
    by: str,
    now: datetime,
    label: str | None = None,
    never_tell: bool | None = None,
    explanation: str | None = None,
) -> None:
    """Set what is given, and take away what is given empty; a reason that was not known is entered.

    Raises ValueError on what can be no code.
    """
    row = entered(connection, code, by, now)
    given = {"label": label, "explanation": explanation, "never_tell": never_tell}
    wanted = {name: None if value == "" else value for name, value in given.items() if value is not None}
    _change(connection, row, wanted, by, now)


def edit_description(
    connection: Connection,
    code: str,
    fields: Mapping[str, str],
    as_of: datetime | None,
    by: str,
    now: datetime,
) -> bool:
    """Change what a person saw and typed anew; False, and nothing, where it has changed in between.

    `as_of` is its `updated_at` as it was seen; none: nobody had described it.
    """
    if not any(fields.values()) and find_description(connection, code) is None:
        return True
    row = entered(connection, code, by, now)
    wanted = {name: value or None for name, value in fields.items()}
    if not (row.updated_at == as_of or (as_of is None and _is_blank(row)) or _is_so(row, wanted)):
        return False
    _change(connection, row, wanted, by, now)
    return True


def _is_blank(row: Row[Any]) -> bool:
    """Entered, but nothing is said of it: somebody has only written a text."""
    return row.label is None and row.explanation is None and not row.never_tell


def _is_so(row: Row[Any], wanted: Mapping[str, Any]) -> bool:
    """As after a double click."""
    return all(getattr(row, name) == value for name, value in wanted.items())


def _change(connection: Connection, row: Row[Any], wanted: Mapping[str, Any], by: str, now: datetime) -> None:
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return
    of_this = update(reasons).where(reasons.c.code == row.code)
    connection.execute(of_this.values(**changed, updated_at=now, updated_by=by))
    note(connection, Kind.DESCRIBED, by, now, subject=row.code, detail=_in_words(changed))


def _in_words(changed: Mapping[str, Any]) -> str:
    said = []
    if "label" in changed:
        said.append(f"label “{changed['label']}”" if changed["label"] else "no label")
    if "explanation" in changed:
        said.append("explanation" if changed["explanation"] else "no explanation")
    if "never_tell" in changed:
        said.append("never tell the customer" if changed["never_tell"] else "the customer may be told")
    return ", ".join(said)


def note_seen(connection: Connection, seen: Iterable[tuple[str, str]], now: datetime) -> None:
    """Reasons of new events, each with its case's `refId`: pages show those that nobody has described.

    In the order of their codes: two workers that wrote them otherwise would wait for each other crosswise.
    """
    first: dict[str, str] = {}
    for reason, ref_id in seen:
        first.setdefault(code_of(reason), ref_id)
    rows = [{"code": code, "first_at": now, "last_at": now, "ref_id": first[code]} for code in sorted(first)]
    if rows:
        new = upsert(connection, seen_reasons)
        again = new.on_conflict_do_update(index_elements=["code"], set_={"last_at": new.excluded.last_at})
        connection.execute(again, rows)
        raise_revision(connection)
