"""What people search cases by: references, names, the ids of messages, and reasons; folded, each with the key
of its case.

It is written beside the way of a delivery, not on it: a trigram index costs an event 32 to 45 µs, of the 190
that the receiver spends on it. The worker writes it as it dispatches an event; what waits for the worker is
read as it stands in `events` (see dashboard/queries/search.py). Names come with each change of the directory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any
from unicodedata import normalize

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text

from receiver.database import upsert
from receiver.models import businesses, events, findables

BATCH = 5_000  # rows that are read and folded at a time
REASON = 200  # characters of a reason, by which it is counted and shown: it may have the length of a delivery


class Kind(StrEnum):
    REFERENCE = "reference"  # one for a business
    NAME = "name"  # one for a business that has a name
    EVENT = "event"  # one for an event: its svix-id, and its reason as it came and in words


def fold(found: str) -> str:
    """As it is compared: without capitals, as Unicode has it (`ß` is `ss`), in one line; however an accent
    was typed, or a full-width letter."""
    return normalize("NFKC", normalize("NFKC", found).casefold()).replace("\n", " ")


def event_text(svix_id: str, reason: str | None) -> str:
    if not reason:
        return fold(svix_id)
    folded = fold(reason[:REASON])
    return "\n".join(dict.fromkeys([fold(svix_id), folded, folded.replace("_", " ")]))


def note_events(connection: Connection, dispatched: Iterable[Any]) -> None:
    """Each once: rows with `ref_id`, `ref_key`, `svix_id`, `reason`, `adopted_by`.

    One that a person adopted has no message; its case may be new all the same.
    """
    dispatched = list(dispatched)
    note_references(connection, {bytes(event.ref_key): event.ref_id for event in dispatched})
    rows = [
        _row(event.ref_key, Kind.EVENT, event_text(event.svix_id, event.reason))
        for event in dispatched
        if event.adopted_by is None
    ]
    if rows:
        connection.execute(insert(findables), rows)


def note_references(connection: Connection, ref_ids: Mapping[bytes, str]) -> None:
    """By key; those that are noted already stay. In the order of the keys, so that two who note some of the
    same never wait for each other crosswise."""
    rows = [_row(key, Kind.REFERENCE, fold(ref_id)) for key, ref_id in sorted(ref_ids.items())]
    if rows:
        connection.execute(upsert(connection, findables).on_conflict_do_nothing(), rows)


def note_names(connection: Connection, names: Mapping[bytes, str | None]) -> None:
    """By key, as they are from now on."""
    named = [_row(key, Kind.NAME, fold(name)) for key, name in sorted(names.items()) if name]
    if named:
        written = upsert(connection, findables)
        renamed = written.on_conflict_do_update(
            index_elements=["ref_key", "kind"],
            index_where=text("kind <> 'event'"),
            set_={"text": written.excluded.text},
            where=findables.c.text != written.excluded.text,
        )
        connection.execute(renamed, named)
    for key in (key for key, name in names.items() if not name):
        connection.execute(delete(findables).where(findables.c.ref_key == key, findables.c.kind == Kind.NAME))


def note_everything(connection: Connection) -> None:
    """That was dispatched, and every business: for a database that was filled without this, once."""
    given = [getattr(events.c, name) for name in ("id", "ref_key", "ref_id", "svix_id", "adopted_by")]
    reason = func.substr(events.c.reason, 1, REASON).label("reason")
    for some in _batches(connection, select(*given, reason).where(events.c.dispatched_at.is_not(None))):
        note_events(connection, some)
    known = select(businesses.c.id, businesses.c.ref_key, businesses.c.ref_id, businesses.c.name)
    for some in _batches(connection, known):
        note_references(connection, {bytes(row.ref_key): row.ref_id for row in some})
        note_names(connection, {bytes(row.ref_key): row.name for row in some if row.name})


def _batches(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    number, after = query.selected_columns[0], 0
    while rows := connection.execute(query.where(number > after).order_by(number).limit(BATCH)).all():
        yield rows
        after = rows[-1][0]


def _row(key: bytes, kind: Kind, folded: str) -> dict[str, Any]:
    return {"ref_key": bytes(key), "kind": kind, "text": folded}
