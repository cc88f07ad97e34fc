"""Rows of a file into the directory: what they would change, and all of them or none.

Every function takes a connection inside a transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from receiver import search
from receiver.activity import Kind, note
from receiver.database import upsert
from receiver.directory.csv_file import Row
from receiver.directory.csv_text import FIELDS
from receiver.directory.rows import Change, note_accounts
from receiver.event import UNSTORABLE, ref_key
from receiver.models import businesses

MAX_FILE_NAME = 300  # characters
ASKED_AT_ONCE = 500  # keys in one question


@dataclass(frozen=True, slots=True)
class Difference:
    """What a row changes: of a business that the directory does not yet know, all that it says."""

    row: Row
    is_new: bool
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many businesses were entered, changed (and which of their fields), and left as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)


def compare(connection: Connection, rows: Sequence[Row]) -> list[Difference]:
    """What these rows would change, in their order; nothing is written."""
    known = _find(connection, [ref_key(row.ref_id) for row in rows])
    return [_difference(row, known.get(ref_key(row.ref_id))) for row in rows]


def import_rows(
    connection: Connection, rows: Sequence[Row], by: str, now: datetime, file: str | None = None
) -> Imported:
    """Write what is different. `by` says who, as in rows.change; `file` is what the rows came in."""
    by_key = {ref_key(row.ref_id): row for row in rows}
    known = _find(connection, by_key, lock=True)
    missing = by_key.keys() - known.keys()
    entered = _enter(connection, {key: by_key[key] for key in missing}, by, now)
    known |= _find(connection, missing - entered, lock=True)  # somebody else entered them in this moment
    differences = {key: _difference(by_key[key], row) for key, row in known.items()}
    changed = {key: difference for key, difference in differences.items() if difference.changes}
    _change(connection, changed, known, by, now)
    _note_accounts(
        connection, {key for key in entered | changed.keys() if "account_status" in by_key[key].fields}
    )
    search.note_references(connection, {key: by_key[key].ref_id for key in entered})
    named = {key for key in entered | changed.keys() if "name" in by_key[key].fields}
    search.note_names(connection, {key: by_key[key].fields["name"] for key in named})
    fields = Counter(each.field for difference in changed.values() for each in difference.changes)
    imported = Imported(len(entered), len(changed), len(rows) - len(entered) - len(changed), fields)
    if entered or changed:
        note(connection, Kind.IMPORTED, by, now, subject=_called(file), detail=_in_words(imported))
    return imported


def _called(file: str | None) -> str | None:
    return file and UNSTORABLE.sub("", file)[:MAX_FILE_NAME]


def _in_words(imported: Imported) -> str:
    fields = ", ".join(f"{name} of {count:,}" for name, count in imported.fields.items())
    return f"{imported.new:,} new, {imported.changed:,} changed{f' ({fields})' if fields else ''}"


def _note_accounts(connection: Connection, keys: Collection[bytes]) -> None:
    for some in _batches(sorted(keys)):
        note_accounts(connection, some)


def count(differences: Sequence[Difference]) -> Imported:
    """What importing them would come to."""
    changed = [difference for difference in differences if difference.changes and not difference.is_new]
    new = sum(difference.is_new for difference in differences)
    fields = Counter(each.field for difference in changed for each in difference.changes)
    return Imported(new, len(changed), len(differences) - new - len(changed), fields)


def _difference(row: Row, known: Any) -> Difference:
    before = {name: getattr(known, name, None) for name in row.fields}
    changes = [
        Change(name, before[name], value) for name, value in row.fields.items() if before[name] != value
    ]
    return Difference(row, known is None, changes)


def _find(connection: Connection, keys: Collection[bytes], lock: bool = False) -> dict[bytes, Any]:
    """In the order of the keys, so that two who lock some of the same never wait for each other."""
    columns = [businesses.c[name] for name in ("ref_key", *FIELDS)]
    found = {}
    for some in _batches(sorted(keys)):
        query = select(*columns).where(businesses.c.ref_key.in_(some)).order_by(businesses.c.ref_key)
        for row in connection.execute(query.with_for_update() if lock else query):
            found[bytes(row.ref_key)] = row
    return found


def _enter(connection: Connection, rows: Mapping[bytes, Row], by: str, now: datetime) -> set[bytes]:
    """Returns the keys of those that nobody else entered meanwhile."""
    statement = upsert(connection, businesses).on_conflict_do_nothing().returning(businesses.c.ref_key)
    entered: set[bytes] = set()
    for some in _batches(sorted(rows)):
        values = [_as_new(key, rows[key], by, now) for key in some]
        entered.update(bytes(key) for key in connection.execute(statement, values).scalars())
    return entered


def _as_new(key: bytes, row: Row, by: str, now: datetime) -> dict[str, Any]:
    entered = {
        "ref_id": row.ref_id,
        "ref_key": key,
        "access_granted": False,
        "updated_at": now,
        "updated_by": by,
    }
    return {name: row.fields.get(name) for name in FIELDS} | entered


def _change(
    connection: Connection,
    differences: Mapping[bytes, Difference],
    known: Mapping[bytes, Any],
    by: str,
    now: datetime,
) -> None:
    statement = (
        update(businesses)
        .where(businesses.c.ref_key == bindparam("key"))
        .values({name: bindparam(f"new_{name}") for name in FIELDS} | {"updated_at": now, "updated_by": by})
    )
    for some in _batches(list(differences)):
        connection.execute(statement, [_values(key, differences[key], known[key]) for key in some])


def _values(key: bytes, difference: Difference, known: Any) -> dict[str, Any]:
    """Of all fields: one statement serves every row, which is locked, so others are written as they are."""
    new = {name: getattr(known, name) for name in FIELDS} | dict(difference.row.fields)
    return {"key": key} | {f"new_{name}": value for name, value in new.items()}


def _batches(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), ASKED_AT_ONCE):
        yield keys[start : start + ASKED_AT_ONCE]
