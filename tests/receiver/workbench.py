"""Runs to work on: events come, are dispatched, claimed and finished, at times that the test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, delete, select, update

from receiver import runs
from receiver.database import Database
from receiver.executor import Ended
from receiver.handlers import Registered
from receiver.ledger.group import Group
from receiver.models import Outcome, RunState, events, metadata, revision
from receiver.models import runs as runs_table
from receiver.runs import Claimed, NotReprocessed, Reprocessed
from tests.desk import eventually
from tests.receiver.factories import NOON, delivery, message_id

TIMEOUT = timedelta(seconds=30)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DELAYS = (5.0, 43_200.0)
AML = b'{"refId": "%s", "status": "REJECTED"}'


def handler(name: str = "tell", *statuses: str, **options: Any) -> Registered:
    return Registered(name, name, statuses, options.pop("once", False), "acme", **options)


def failed(error: str = "no", **fields: Any) -> Ended:
    return Ended(Outcome.FAILED, error=error, **fields)


def succeeded(**fields: Any) -> Ended:
    return Ended(Outcome.SUCCEEDED, **fields)


class Workbench:
    """`now` is what everybody takes the time to be."""

    def __init__(self, engine: Engine, *handlers: Registered) -> None:
        self.engine = engine
        self.handlers = handlers or (handler(),)
        self.now = NOON + DAY
        self._arrived = 0

    def arrive(self, ref_id: str = "acme", minute: int = 0, dated: bool = True, **fields: Any) -> None:
        """A message that VOVE made at that minute after noon; by default it fits any before it badly."""
        at = NOON + minute * MINUTE
        self._arrived += 1
        svix_id = message_id(at, self._arrived) if dated else f"msg_{self._arrived}"
        fields = {"status": f"STATUS_{minute}", "previousStatus": "ELSEWHERE"} | fields
        self._receive(delivery(svix_id=svix_id, at=at, ref_id=ref_id, **fields))

    def arrive_aml(self, ref_id: str = "acme") -> None:
        self._arrived += 1
        svix_id = message_id(NOON, self._arrived)
        self._receive(delivery(AML % ref_id.encode(), svix_id=svix_id))

    def _receive(self, given: Any) -> None:
        with self.engine.begin() as connection:
            Group(connection, [given]).write()

    def register(self) -> None:
        with self.engine.begin() as connection:
            runs.register(connection, self.handlers, self.now)

    def dispatch(self, engine: Engine | None = None) -> int:
        with (engine or self.engine).begin() as connection:
            return runs.dispatch(connection, self.handlers, self.now)

    def claim(self, pace: float = 0, engine: Engine | None = None) -> Claimed | None:
        with (engine or self.engine).begin() as connection:
            return runs.claim(connection, self.names, TIMEOUT, self.now, pace)

    def claimed(self) -> Claimed:
        claimed = self.claim()
        assert claimed is not None
        return claimed

    def finish(self, claimed: Claimed, ended: Ended | None = None, engine: Engine | None = None) -> bool:
        with (engine or self.engine).begin() as connection:
            return runs.finish(connection, claimed, ended or succeeded(), DELAYS, self.now)

    def rescue(self) -> int:
        with self.engine.begin() as connection:
            return runs.rescue(connection, self.now)

    def retire(self) -> int:
        with self.engine.begin() as connection:
            return runs.retire(connection, self.now)

    def reprocess(self, run_id: int, engine: Engine | None = None) -> Reprocessed | NotReprocessed:
        with (engine or self.engine).begin() as connection:
            tries = connection.execute(select(runs_table.c.tries).where(runs_table.c.id == run_id)).scalar()
            return runs.reprocess(connection, run_id, tries or 0, "ana@example.com", self.now)

    def close(self, run_id: int) -> None:
        """As a person does, without another try."""
        with self.engine.begin() as connection:
            closed = update(runs_table).where(runs_table.c.id == run_id).values(state=RunState.CLOSED)
            connection.execute(closed)

    def pause(self, name: str = runs.ALL) -> bool:
        with self.engine.begin() as connection:
            return runs.pause(connection, name, "looking into it", "ana@example.com", self.now)

    def resume(self, name: str = runs.ALL) -> bool:
        with self.engine.begin() as connection:
            return runs.resume(connection, name, "ana@example.com", self.now)

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.handlers]

    def rows(self, table: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))

    def run(self, run_id: int) -> Any:
        (found,) = (run for run in self.rows(runs_table) if run.id == run_id)
        return found

    def run_of(self, status: str, name: str = "tell") -> Any:
        ids = {event.id for event in self.rows(events) if event.status == status}
        (found,) = (run for run in self.rows(runs_table) if run.event_id in ids and run.handler == name)
        return found

    def work_off(self) -> list[str]:
        """The statuses of all that can be claimed now, one after the other."""
        done = []
        while (claimed := self.claim()) is not None:
            self.finish(claimed)
            done.append(claimed.call.event.status)
        return done


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not revision:
                connection.execute(delete(table))


@contextmanager
def emptied(database: Database) -> Iterator[Engine]:
    """Before and after: others write into it too."""
    engine = database.writer()
    empty(engine)
    try:
        yield engine
    finally:
        empty(engine)
        engine.dispose()


def wait_until_it_waits(thread: threading.Thread, engine: Engine) -> None:
    """Until PostgreSQL makes what the thread does wait for another transaction, or it is through without."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def waits() -> bool:
        with engine.connect() as connection:
            return connection.exec_driver_sql(waiting).first() is not None

    eventually(lambda: not thread.is_alive() or waits())
