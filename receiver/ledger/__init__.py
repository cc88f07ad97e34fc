"""The one write: all waiting deliveries in one durable transaction, answered after its commit.

One thread, one synchronous connection, no timer: while a group is being written, the next one gathers.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from receiver.database import Database, file_identity
from receiver.ledger.case_rows import RacedError
from receiver.ledger.delivery import Delivery
from receiver.ledger.group import Group
from receiver.models import Verdict

__all__ = ["Delivery", "Ledger", "Unavailable"]

log = logging.getLogger(__name__)

MAX_WAITING = 1000  # deliveries: at 1,000 a second a second's worth, and far from the sender's 15 s
MAX_WAITING_REFUSED = 200  # of them, so that strangers can't fill the queue
MAX_REPEATS = 4  # of a group that was in another receiver's way
MAX_GROUP = 128  # deliveries in one transaction: its statements stay within SQLite's 32,766 parameters


class Unavailable(Exception):  # noqa: N818  # a state of ours, answered with 503
    """The ledger can't take a delivery now. Nothing is pretended: the sender must send it again."""


@dataclass(slots=True)
class _Waiting:
    delivery: Delivery
    until: float
    future: asyncio.Future[Verdict]

    def give_up(self) -> None:
        if not self.future.done():
            self.future.set_exception(Unavailable("the database is too slow"))


class Ledger:
    """Give it deliveries; it answers each with its verdict once that is on the disk."""

    def __init__(self, database: Database, max_waiting: int = MAX_WAITING) -> None:
        self._database = database
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting] = deque()
        self._refused_waiting = 0
        self._unlogged = 0  # refused deliveries that found no place: only counted
        self._changed = threading.Condition()
        self._checking = asyncio.Lock()
        self._closing = False
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then end. Deliveries that come later are Unavailable."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    async def record(self, delivery: Delivery, until: float) -> Verdict:
        """Log one delivery durably and return its verdict.

        `until` is in seconds of the monotonic clock. Raises Unavailable where the queue is full, the database
        can't take it, or time runs out; it may have been written all the same, which the unique svix-id
        makes safe.
        """
        loop = asyncio.get_running_loop()
        entry = _Waiting(delivery, until, loop.create_future())
        if not self._enqueue(entry):
            return Verdict.REFUSED
        end = loop.call_later(until - time.monotonic(), entry.give_up)  # a third of asyncio.timeout's cost
        try:
            return await entry.future
        finally:
            end.cancel()

    async def check(self) -> None:
        """Raise Unavailable unless a delivery could be written now. One asks at a time."""
        async with self._checking:
            await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        if self._closing:
            raise Unavailable("stopping")
        engine = self._database.writer()
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT n FROM revision")
        except SQLAlchemyError as error:
            raise Unavailable(_first_line(error)) from None
        finally:
            engine.dispose()

    def _enqueue(self, entry: _Waiting) -> bool:
        with self._changed:
            if self._closing:
                raise Unavailable("stopping")
            if entry.delivery.refused and self._refused_waiting >= MAX_WAITING_REFUSED:
                self._unlogged += 1
                return False
            if len(self._waiting) >= self._max_waiting:
                raise Unavailable("the queue is full")
            self._waiting.append(entry)
            self._refused_waiting += entry.delivery.refused is not None
            self._changed.notify()
            return True

    def _run(self) -> None:
        while group := self._next_group():
            alive = [entry for entry in group if entry.until > time.monotonic()]
            if alive:
                self._answer(alive, self._write([entry.delivery for entry in alive]))
        self._disconnect()

    def _next_group(self) -> list[_Waiting]:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
            self._refused_waiting -= sum(entry.delivery.refused is not None for entry in group)
            return group

    def _write(self, deliveries: Sequence[Delivery]) -> list[Verdict | Unavailable]:
        try:
            return list(self._commit_or_repeat(deliveries))
        except Exception as error:  # a fault of ours is never the sender's
            if len(deliveries) > 1 and _is_about_the_data(error):
                return [verdict for delivery in deliveries for verdict in self._write([delivery])]
            log.error("%d deliveries could not be written: %s", len(deliveries), _first_line(error))
            return [Unavailable(_first_line(error))] * len(deliveries)

    def _commit_or_repeat(self, deliveries: Sequence[Delivery]) -> list[Verdict]:
        for _ in range(MAX_REPEATS):
            try:
                return self._commit(deliveries)
            except (DBAPIError, RacedError) as error:
                if not _is_worth_repeating(error):
                    raise
        return self._commit(deliveries)

    def _commit(self, deliveries: Sequence[Delivery]) -> list[Verdict]:
        connection = self._connect()
        with self._changed:
            unlogged, self._unlogged = self._unlogged, 0
        try:
            with connection.begin():
                verdicts = Group(connection, deliveries, unlogged).write()
            self._check_file()
        except BaseException as error:
            with self._changed:
                self._unlogged += unlogged
            if not _is_about_the_data(error):
                self._disconnect()
            raise
        return verdicts

    def _connect(self) -> Connection:
        if self._connection is None:
            path = self._database.path
            self._identity = file_identity(path) if path else None  # first: it may be replaced meanwhile
            self._engine = self._database.writer()
            self._connection = self._engine.connect()
        return self._connection

    def _check_file(self) -> None:
        """SQLite goes on committing into a file that was deleted or replaced."""
        path = self._database.path
        if path is not None and file_identity(path) != self._identity:
            raise Unavailable("the database file is no longer the one that was opened")

    def _disconnect(self) -> None:
        try:
            if self._connection is not None:
                self._connection.close()
            if self._engine is not None:
                self._engine.dispose()
        except SQLAlchemyError as error:
            log.warning("closing the database: %s", _first_line(error))
        self._connection = self._engine = None

    def _answer(self, entries: Sequence[_Waiting], verdicts: Sequence[Verdict | Unavailable]) -> None:
        """Wake the event loop once for the whole group."""
        loop = entries[0].future.get_loop()

        def resolve() -> None:
            for entry, verdict in zip(entries, verdicts, strict=True):
                if entry.future.done():
                    continue  # its time ran out
                if isinstance(verdict, Unavailable):
                    entry.future.set_exception(verdict)
                else:
                    entry.future.set_result(verdict)

        with suppress(RuntimeError):  # the loop is closed: nobody waits, and the next one's must be written
            loop.call_soon_threadsafe(resolve)


def _is_about_the_data(error: BaseException) -> bool:
    """Then its neighbours must not fail with it. A locked, full or lost database is about all of them."""
    if isinstance(error, SQLAlchemyError):
        return type(error) in {IntegrityError, DataError, InterfaceError, ProgrammingError, StatementError}
    return not isinstance(error, (Unavailable, OSError))


def _is_worth_repeating(error: DBAPIError | RacedError) -> bool:
    """PostgreSQL ended a deadlock at our cost or was restarted since the last group, or we lost a race."""
    return (
        isinstance(error, RacedError)
        or error.connection_invalidated
        or type(error.orig).__name__ == "DeadlockDetected"
    )


def _first_line(error: BaseException) -> str:
    """Without the statement and its parameters, which SQLAlchemy would add: they hold people's data."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(cause).__name__}: {cause}".splitlines()[0]
