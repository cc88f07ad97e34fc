"""The directory in SQL. Every function takes a connection inside a transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from receiver import search
from receiver.activity import Kind, note
from receiver.database import raise_revision, upsert
from receiver.directory.fields import AccountStatus, Business, checked
from receiver.event import ref_key
from receiver.models import businesses, cases, record

VALUE_SHOWN = 300  # characters, in what is kept of an edit: a note may be long


@dataclass(frozen=True)
class Change:
    """What a field was, and what it has become."""

    field: str
    before: Any
    after: Any


def in_words(change: Change) -> str:
    """`account status: none → active`."""
    before, after = (_shown(value) for value in (change.before, change.after))
    return f"{change.field.replace('_', ' ')}: {before} → {after}"


def _shown(value: Any) -> str:
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 1]}…"


def find(connection: Connection, ref_id: str) -> Business | None:
    row = connection.execute(select(businesses).where(businesses.c.ref_key == ref_key(ref_id))).one_or_none()
    return record(Business, row) if row else None


def change(
    connection: Connection, ref_id: str, changes: Mapping[str, Any], by: str, now: datetime
) -> list[Change]:
    """Set these fields of a business, which is entered where the directory does not yet know it.

    `by` says who: a person's e-mail address, a handler's name. Returns what is now different.
    Raises FieldError.
    """
    wanted = checked(changes)
    key = ref_key(ref_id)
    _enter(connection, ref_id, key, by, now)
    row = connection.execute(select(businesses).where(businesses.c.ref_key == key).with_for_update()).one()
    changed = [
        Change(name, getattr(row, name), value)
        for name, value in wanted.items()
        if getattr(row, name) != value
    ]
    if changed:
        values = {each.field: each.after for each in changed}
        connection.execute(
            update(businesses)
            .where(businesses.c.ref_key == key)
            .values(**values, updated_at=now, updated_by=by)
        )
        if "account_status" in values:
            note_accounts(connection, [key])
        if "name" in values:
            search.note_names(connection, {key: values["name"]})
        raise_revision(connection)
    return changed


def note_accounts(connection: Connection, keys: Collection[bytes]) -> None:
    """On their cases, in the transaction that changes them: what is at odds is then found by an index.

    They are locked in the order that the ledger has, so that neither waits for the other crosswise.
    """
    of_these = cases.c.ref_key.in_(keys)
    connection.execute(select(cases.c.id).where(of_these).order_by(cases.c.ref_key).with_for_update())
    active = select(businesses.c.id).where(
        businesses.c.ref_key == cases.c.ref_key, businesses.c.account_status == AccountStatus.ACTIVE
    )
    connection.execute(update(cases).where(of_these).values(account_active=active.exists()))


def edit(
    connection: Connection,
    ref_id: str,
    fields: Mapping[str, Any],
    as_of: datetime | None,
    by: str,
    now: datetime,
) -> bool:
    """Change what a person saw and typed anew; False, and nothing, where it has changed in between.

    `as_of` is its `updated_at` as it was seen; none: the directory did not know it. Raises FieldError.
    """
    wanted = checked(fields)
    if as_of is None and not any(wanted.values()):
        return True
    key = ref_key(ref_id)
    is_new = as_of is None and _enter(connection, ref_id, key, by, now)
    its_row = select(businesses).where(businesses.c.ref_key == key).with_for_update()
    row = connection.execute(its_row).one_or_none()
    if row is None or not (is_new or row.updated_at == as_of or _is_so(row, wanted)):
        return False
    if changed := change(connection, ref_id, wanted, by, now):
        note(connection, Kind.EDITED, by, now, ref_id=ref_id, detail="; ".join(map(in_words, changed)))
    return True


def _is_so(row: Any, wanted: Mapping[str, Any]) -> bool:
    """As after a double click."""
    return all(getattr(row, name) == value for name, value in wanted.items())


def _enter(connection: Connection, ref_id: str, key: bytes, by: str, now: datetime) -> bool:
    """False where the directory knows it already."""
    entered = {"ref_id": ref_id, "ref_key": key, "access_granted": False, "updated_at": now, "updated_by": by}
    new = upsert(connection, businesses).values(entered).on_conflict_do_nothing()
    is_new = connection.execute(new.returning(businesses.c.id)).one_or_none() is not None
    if is_new:
        search.note_references(connection, {key: ref_id})
    return is_new
