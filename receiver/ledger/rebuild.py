"""Every case computed anew from its events, and compared with what the ledger keeps."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from receiver.database import rest_after
from receiver.event import Family
from receiver.ledger import case_rows
from receiver.ledger.case_rows import Computed
from receiver.models import case_counts, cases, events

BATCH = 200  # cases in one transaction: the receiver waits for it


@dataclass
class Rebuilt:
    """How many cases there are, and the ref_ids and statuses whose rows were not what the events say."""

    cases: int = 0
    differing: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)


def rebuild(engine: Engine, write: bool) -> Rebuilt:
    """Recompute and compare; correct what differs where `write`. In short transactions: receiving goes on."""
    result = Rebuilt()
    after = b""
    while True:
        began = time.monotonic()
        with engine.begin() as connection:
            keys = _keys(connection, after)
            for key in keys:
                _compare(connection, key, result, write)
        if not keys:
            break
        after = keys[-1]
        time.sleep(rest_after(began))
    with engine.begin() as connection:
        _compare_counts(connection, result, write)
    return result


def _keys(connection: Connection, after: bytes) -> list[bytes]:
    """From the events, not from the cases: a case that is missing differs too."""
    batch = (
        select(events.c.ref_key)
        .where(events.c.ref_key > after, events.c.family == Family.KYB)
        .distinct()
        .order_by(events.c.ref_key)
        .limit(BATCH)
    )
    return [bytes(key) for (key,) in connection.execute(batch)]


def _compare(connection: Connection, key: bytes, result: Rebuilt, write: bool) -> None:
    result.cases += 1
    before = case_rows.locked_rows(connection, [key])
    computed = case_rows.recomputed(connection, key)
    if before.get(key) == computed.row and _places(connection, key) == _as_computed(computed):
        return
    result.differing.append(computed.row.ref_id)
    if write and not case_rows.write(connection, before, [computed]):
        case_rows.count(connection, before, [computed])


def _compare_counts(connection: Connection, result: Rebuilt, write: bool) -> None:
    by_status = select(cases.c.status, func.count()).group_by(cases.c.status)
    counted = {status: n for status, n in connection.execute(by_status)}  # noqa: C416
    kept = {status: n for status, n in connection.execute(select(case_counts)) if n}
    result.miscounted = [
        status for status in sorted({*counted, *kept}) if counted.get(status, 0) != kept.get(status, 0)
    ]
    if write and result.miscounted:
        connection.execute(delete(case_counts))
        connection.execute(insert(case_counts), [{"status": key, "n": n} for key, n in counted.items()])


def _places(connection: Connection, key: bytes) -> list[tuple[Any, ...]]:
    found = connection.execute(
        select(events.c.id, events.c.place, events.c.link)
        .where(events.c.ref_key == key, events.c.family == Family.KYB)
        .order_by(events.c.place)
    )
    return [tuple(row) for row in found]


def _as_computed(computed: Computed) -> list[tuple[Any, ...]]:
    return [(place.event_id, place.place, place.link) for place in computed.places]
