"""Cases as rows: appended to in constant time where that is certain, else computed anew from their events.

A case's row and its events' places are a cache of the rules in receiver/cases.py over the events, written in
the transaction that adds an event: no reader sees one without the other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from receiver.cases import CaseState, Link, Move, Placed, appends, message_time, state_of
from receiver.event import Family
from receiver.ledger.sql import execute_many, insert, lock_rows, select_in, select_where
from receiver.models import from_microseconds, to_microseconds

CASE_COLUMNS = (
    "ref_id, ref_key, status, reason, status_since, gap, uncertain, began_before, event_count, "
    "undated_count, last_event_id, newest_message_at, changed_at"
)


class RacedError(Exception):
    """Another receiver has created one of these cases a moment ago. To wait for it now, out of order, could
    be a deadlock: all is to be written anew, and then it is there."""


@dataclass(frozen=True, slots=True)
class NewMove:
    """A KYB event that this transaction has added."""

    event_id: int
    ref_id: str
    ref_key: bytes
    received_at: datetime
    move: Move


class CaseRow(NamedTuple):
    """The columns of `cases`, in their order; times in microseconds."""

    ref_id: str
    ref_key: bytes
    status: str
    reason: str | None
    status_since: int
    gap: bool
    uncertain: bool
    began_before: bool
    event_count: int
    undated_count: int
    last_event_id: int
    newest_message_at: int | None
    changed_at: int


@dataclass(frozen=True, slots=True)
class Place:
    event_id: int
    place: int
    link: str
    late: bool


@dataclass(frozen=True, slots=True)
class Computed:
    """What the rules make of a case's events."""

    row: CaseRow
    places: tuple[Place, ...]


def lock(connection: Connection, keys: Iterable[bytes]) -> None:
    """Before their events are changed, and all at once: PostgreSQL writers then wait for each other in one
    order. On SQLite the whole file is ours already."""
    if connection.dialect.name == "postgresql":
        locked_rows(connection, sorted(keys))


def apply(connection: Connection, moves: Iterable[NewMove], stale: Iterable[bytes]) -> None:
    """Bring the cases of these moves up to date, and those whose keys are stale; sorted, so that two writers
    never wait for each other crosswise."""
    stale = set(stale)
    by_case: dict[bytes, list[NewMove]] = {key: [] for key in stale}
    for move in moves:
        by_case.setdefault(move.ref_key, []).append(move)
    before = locked_rows(connection, sorted(by_case))
    computed = [
        _brought_up_to_date(connection, before.get(key), key, added, anew=key in stale)
        for key, added in sorted(by_case.items())
    ]
    if write(connection, before, computed):
        raise RacedError
    count(connection, before, computed)


def _brought_up_to_date(
    connection: Connection, before: CaseRow | None, key: bytes, added: Sequence[NewMove], anew: bool
) -> Computed:
    if anew:
        return recomputed(connection, key, added)
    if before is None:
        return _first(added)
    return _appended(before, added) or recomputed(connection, key, added)


def write(connection: Connection, before: dict[bytes, CaseRow], computed: Sequence[Computed]) -> list[bytes]:
    """Write cases and their events' places; `before` holds the rows that exist. Returns the keys of those
    that it could not create, because another receiver has."""
    raced = _insert(connection, [case for case in computed if case.row.ref_key not in before])
    written = [case for case in computed if case.row.ref_key not in raced]
    _update(connection, [case.row for case in written if case.row.ref_key in before])
    _write_places(connection, [place for case in written for place in case.places])
    return raced


def count(connection: Connection, before: dict[bytes, CaseRow], computed: Iterable[Computed]) -> None:
    """Keep the counts of cases by status; once in a transaction, so that the order of statuses holds."""
    deltas: Counter[str] = Counter()
    for case in computed:
        deltas[case.row.status] += 1
        if case.row.ref_key in before:
            deltas[before[case.row.ref_key].status] -= 1
    execute_many(
        connection,
        "INSERT INTO case_counts (status, n) VALUES (?, ?) "
        "ON CONFLICT (status) DO UPDATE SET n = case_counts.n + excluded.n",
        [(status, n) for status, n in sorted(deltas.items()) if n],
    )


def locked_rows(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, CaseRow]:
    rows = select_in(
        connection, f"SELECT {CASE_COLUMNS} FROM cases WHERE ref_key", keys, lock_rows(connection, "ref_key")
    )
    return {row.ref_key: CaseRow(*row) for row in rows}  # SQLite's 0 and 1 equal False and True


def _first(added: Sequence[NewMove]) -> Computed:
    state = state_of(new.move for new in added)
    return _computed(added[0].ref_id, added[0].ref_key, state, _ids(added), _latest(added), ())


def _appended(row: CaseRow, added: Sequence[NewMove]) -> Computed | None:
    """The case with its new moves at its end, or None where only a recomputation is certain."""
    places = []
    for new in sorted(added, key=lambda new: (new.move.message_at or new.received_at, new.move.svix_id)):
        newest = None if row.newest_message_at is None else from_microseconds(row.newest_message_at)
        if not appends(
            new.move, status=row.status, newest_message_at=newest, undated_count=row.undated_count
        ):
            return None
        places.append(Place(new.event_id, row.event_count, str(Link.FOLLOWS), late=False))
        row = _moved(row, new)
    return Computed(row, tuple(places))


def _moved(row: CaseRow, new: NewMove) -> CaseRow:
    assert new.move.message_at is not None
    message_at = to_microseconds(new.move.message_at)
    return row._replace(
        status=new.move.status,
        reason=new.move.reason,
        status_since=message_at,
        event_count=row.event_count + 1,
        last_event_id=new.event_id,
        newest_message_at=message_at,
        changed_at=max(row.changed_at, to_microseconds(new.received_at)),
    )


def recomputed(connection: Connection, key: bytes, added: Sequence[NewMove] = ()) -> Computed:
    """A case from its events alone. `added` are those that were not known a moment ago: they may be late."""
    rows = select_where(
        connection,
        "SELECT id, ref_id, svix_id, status, previous_status, reason, first_attempt_at, message_at, "
        "received_at, adopted_by FROM events WHERE ref_key",
        key,
        f" AND family = '{Family.KYB}'",
    )
    state = state_of(_move(row) for row in rows)
    ids = {row.svix_id: row.id for row in rows}
    changed_at = max(row.received_at for row in rows)
    return _computed(rows[0].ref_id, key, state, ids, changed_at, {new.event_id for new in added})


def _move(row: Any) -> Move:
    return Move(
        svix_id=row.svix_id,
        status=row.status,
        previous_status=row.previous_status,
        reason=row.reason,
        first_attempt_at=from_microseconds(row.first_attempt_at),
        message_at=None if row.message_at is None else from_microseconds(row.message_at),
        adopted=row.adopted_by is not None,
    )


def _computed(
    ref_id: str, key: bytes, state: CaseState, ids: dict[str, int], changed_at: int, added: Iterable[int]
) -> Computed:
    placed = state.placed
    dated = [item.move.message_at for item in placed if item.move.message_at is not None]
    row = CaseRow(
        ref_id=ref_id,
        ref_key=key,
        status=state.status,
        reason=state.reason,
        status_since=to_microseconds(state.status_since),
        gap=state.gap,
        uncertain=state.uncertain,
        began_before=state.began_before,
        event_count=len(placed),
        undated_count=len(placed) - len(dated),
        last_event_id=ids[state.last.svix_id],
        newest_message_at=to_microseconds(max(dated)) if dated else None,
        changed_at=changed_at,
    )
    return Computed(row, _places(placed, ids, set(added)))


def _places(placed: Sequence[Placed], ids: dict[str, int], added: set[int]) -> tuple[Place, ...]:
    event_ids = [ids[item.move.svix_id] for item in placed]
    last_known = max((n for n, event_id in enumerate(event_ids) if event_id not in added), default=-1)
    return tuple(
        Place(event_id, n, str(item.link), late=event_id in added and n < last_known)
        for n, (event_id, item) in enumerate(zip(event_ids, placed, strict=True))
    )


def _ids(added: Iterable[NewMove]) -> dict[str, int]:
    return {new.move.svix_id: new.event_id for new in added}


def _latest(added: Iterable[NewMove]) -> int:
    return max(to_microseconds(new.received_at) for new in added)


def _insert(connection: Connection, created: Sequence[Computed]) -> list[bytes]:
    """The keys of those that another receiver has created meanwhile, sorted."""
    inserted = insert(
        connection,
        f"cases ({CASE_COLUMNS})",
        CASE_COLUMNS.count(",") + 1,
        [computed.row for computed in created],
        "ON CONFLICT (ref_key) DO NOTHING RETURNING ref_key",
    )
    keys = {bytes(key) for (key,) in inserted}
    _note_active_accounts(connection, keys)
    return sorted({computed.row.ref_key for computed in created} - keys)


def _note_active_accounts(connection: Connection, created: Iterable[bytes]) -> None:
    """The directory may have known the business before its case began; from now on it keeps this itself."""
    active = select_in(
        connection,
        "SELECT ref_key FROM businesses WHERE account_status = 'active' AND ref_key",
        sorted(created),
    )
    execute_many(
        connection,
        "UPDATE cases SET account_active = TRUE WHERE ref_key = ?",
        [(bytes(row.ref_key),) for row in active],
    )


def _update(connection: Connection, rows: Iterable[CaseRow]) -> None:
    """All but who it is: to set a key anew, even to what it was, costs its index another write. Of another
    status, or of the same one again, nobody was told yet."""
    assignments = ", ".join(f"{column} = ?" for column in CASE_COLUMNS.split(", ")[2:])
    told = "told_at = CASE WHEN status = ? AND status_since = ? THEN told_at END"
    execute_many(
        connection,
        f"UPDATE cases SET {assignments}, {told} WHERE ref_key = ?",
        [(*row[2:], row.status, row.status_since, row.ref_key) for row in rows],
    )


def _write_places(connection: Connection, places: Iterable[Place]) -> None:
    """Only what has changed is written: a late event moves all that stand after it, an append nothing."""
    execute_many(
        connection,
        "UPDATE events SET place = ?, link = ?, late = (late OR ?) WHERE id = ? "
        "AND (place IS NULL OR place <> ? OR link <> ? OR (? AND NOT late))",
        [
            (place.place, place.link, place.late, place.event_id, place.place, place.link, place.late)
            for place in places
        ],
    )


def redate(connection: Connection, svix_ids: dict[str, int]) -> set[bytes]:
    """Note earlier first attempts (microseconds); returns the keys of the cases this may reorder."""
    rows = select_in(
        connection, "SELECT id, svix_id, family, ref_key FROM events WHERE svix_id", sorted(svix_ids)
    )
    execute_many(
        connection,
        "UPDATE events SET first_attempt_at = ?, message_at = ? WHERE id = ? AND first_attempt_at > ?",
        [
            (at, _message_at(row.svix_id, at), row.id, at)
            for row in rows
            for at in [svix_ids[row.svix_id]]  # another receiver may have noted an earlier one since
        ],
    )
    return {bytes(row.ref_key) for row in rows if row.family == Family.KYB}


def _message_at(svix_id: str, first_attempt_at: int) -> int | None:
    message_at = message_time(svix_id, from_microseconds(first_attempt_at))
    return None if message_at is None else to_microseconds(message_at)
