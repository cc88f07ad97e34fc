"""A ledger to write into, and what stands in it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select, update

from receiver.database import Database
from receiver.ledger import Delivery, Ledger, Unavailable
from receiver.ledger.group import Group
from receiver.ledger.rebuild import rebuild
from receiver.models import (
    Verdict,
    case_counts,
    cases,
    deliveries,
    delivery_counts,
    events,
    refused_rooms,
    revision,
)


@contextmanager
def running(database: Database, max_waiting: int = 1000) -> Iterator[Ledger]:
    ledger = Ledger(database, max_waiting)
    ledger.start()
    try:
        yield ledger
    finally:
        ledger.close()


def record(ledger: Ledger, *given: Delivery, within: float = 9) -> list[Verdict | Unavailable]:
    """Hand in all of them at once; what is Unavailable is told, not raised."""
    return asyncio.run(recorded(ledger, *given, within=within))


async def recorded(ledger: Ledger, *given: Delivery, within: float = 9) -> list[Verdict | Unavailable]:
    until = time.monotonic() + within
    results = await asyncio.gather(*(ledger.record(each, until) for each in given), return_exceptions=True)
    for result in results:
        if not isinstance(result, Verdict | Unavailable):
            raise result
    return results  # type: ignore[return-value]


async def handed_in(ledger: Ledger, *given: Delivery) -> "asyncio.Task[list[Verdict | Unavailable]]":
    """They stand in the queue when this returns."""
    task = asyncio.create_task(recorded(ledger, *given))
    await asyncio.sleep(0)  # it begins
    await asyncio.sleep(0)  # and hands in each
    return task


@contextmanager
def written_by_another(database: Database) -> Iterator[Connection]:
    """While it lasts, nobody else can write."""
    engine = database.writer()
    with engine.begin() as connection:
        if database.path is None:
            connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        yield connection
        connection.rollback()
    engine.dispose()


def write(engine: Engine, *given: Delivery) -> list[Verdict]:
    """One group, in one transaction."""
    with engine.begin() as connection:
        return Group(connection, given).write()


def rows(engine: Engine, table: Table) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in (deliveries, cases, events, delivery_counts, case_counts, refused_rooms):
            connection.execute(delete(table))
        connection.execute(update(revision).values(n=0))


def assert_kept_counts_are_right(engine: Engine) -> None:
    """Where no delivery was only counted."""
    kept = rows(engine, deliveries)
    counted = dict.fromkeys(Verdict, 0) | Counter(row.verdict for row in kept)
    assert dict.fromkeys(Verdict, 0) | _sums(rows(engine, delivery_counts), "verdict") == counted
    by_event = Counter(row.event_id for row in kept if row.event_id is not None)
    assert {row.id: row.delivery_count for row in rows(engine, events)} == by_event
    statuses = Counter(row.status for row in rows(engine, cases))
    assert +_sums(rows(engine, case_counts), "status") == statuses


def assert_rebuilding_changes_nothing(engine: Engine) -> None:
    found = rebuild(engine, write=False)
    assert (found.differing, found.miscounted) == ([], [])
    assert found.cases == len(rows(engine, cases))


def _sums(found: list[Any], column: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in found:
        sums[getattr(row, column)] += row.n
    return sums
