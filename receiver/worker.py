"""The loop: register the handlers, dispatch new events, rescue, claim, execute, record."""

import logging
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from receiver import runs
from receiver.database import Database
from receiver.executor import Ended, Executor
from receiver.handlers import Registered
from receiver.handlers.loading import HandlersError, describe
from receiver.models import Outcome
from receiver.presence import Presence
from receiver.runs import LEASE_MARGIN, Claimed
from receiver.settings import Settings

log = logging.getLogger(__name__)

SLOTS = 8  # calls at a time: they mostly wait for somebody else's server
POLL = 0.25  # seconds between two looks for new events, when nothing happens
PAUSE = 1.0  # seconds after the database said no
REST = 0.01  # seconds after each transaction on SQLite, which has no queue: without, others waited up to 4 s
RENEW = 4.0  # seconds between two renewals: well within the ten by which a lease outlasts a deadline
DRAIN = 20.0  # seconds that calls under way have to end once a stop is asked for


class Worker:
    """Runs the company's handlers. `run` returns when `stop` was called or the handlers can't be loaded."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._timeout = timedelta(seconds=settings.handler_timeout)
        self._engine = database.writer()
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # Runs in one transaction: on SQLite all others wait for each, and on PostgreSQL two workers that hold
        # the rows of several could wait for each other crosswise.
        self._at_once = SLOTS if self._is_sqlite else 1
        self._presence = Presence(database, "worker")
        self._registered: tuple[Registered, ...] = ()
        self._names: tuple[str, ...] = ()
        self._claimed: dict[int, Claimed] = {}
        self._ended: dict[int, Ended] = {}  # waiting to be recorded
        self._look_at = 0.0
        self._renew_at = 0.0
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more, let what is under way end, then return from `run`."""
        self._stopping = True

    def run(self) -> bool:
        """Work until stopped. False where the handlers can't be loaded; their events wait."""
        try:
            self._registered = describe(self._settings.handler_modules)
            self._names = tuple(handler.name for handler in self._registered)
        except HandlersError as error:
            log.error("%s", error)  # the message holds the place at fault
            self._presence.report(str(error))
            return False
        executor = Executor(
            self._settings.handler_modules, self._settings.handler_timeout, self._settings.handler_memory
        )
        self._presence.start()
        try:
            self._work(executor)
            self._drain(executor)
        finally:
            executor.close()
            self._presence.stop()
            self._engine.dispose()
        return True

    def _work(self, executor: Executor) -> None:
        while not self._stopping:
            try:
                with self._engine.begin() as connection:
                    runs.register(connection, self._registered, datetime.now(UTC))
                break
            except SQLAlchemyError as error:
                self._pause(error)
        while not self._stopping:
            try:
                self._turn(executor)
            except SQLAlchemyError as error:
                self._pause(error)

    def _turn(self, executor: Executor) -> None:
        self._look()
        self._claim(executor)
        self._ended |= dict(executor.wait(POLL))
        self._record()
        self._renew(executor)

    def _look(self) -> None:
        """For new events, and for what else there is to do: now and then, and again while there is any."""
        if time.monotonic() < self._look_at:
            return
        found = 0
        for see_to in (
            partial(runs.dispatch, registered=self._registered),
            runs.rescue,
            runs.retire,
            runs.advance,
        ):
            with self._transaction() as connection:
                found += see_to(connection, now=datetime.now(UTC))
        self._look_at = 0 if found else time.monotonic() + POLL

    def _claim(self, executor: Executor) -> None:
        while (free := min(self._at_once, SLOTS - len(self._claimed))) > 0:
            claimed = self._claim_some(free)
            for each in claimed:  # at once: of what is claimed nobody would know whether it had begun
                self._claimed[each.run_id] = each
                executor.start(each.run_id, each.call)
            self._rest()
            if len(claimed) < free:
                return

    def _claim_some(self, most: int) -> list[Claimed]:
        pace = self._settings.handler_pace
        with self._engine.begin() as connection:
            claim = partial(runs.claim, connection, self._names, self._timeout, pace=pace)
            return list(islice(iter(lambda: claim(now=datetime.now(UTC)), None), most))

    def _record(self) -> None:
        ended = list(self._ended.items())
        for first in range(0, len(ended), self._at_once):
            some = ended[first : first + self._at_once]
            try:
                self._finish(some)
            except (IntegrityError, DataError, ValueError):
                self._finish_one_by_one(some)

    def _finish_one_by_one(self, ended: Sequence[tuple[int, Ended]]) -> None:
        """What can't be recorded fails nobody else's."""
        for run_id, end in ended:
            try:
                self._finish([(run_id, end)])
            except (IntegrityError, DataError, ValueError) as error:
                self._finish([(run_id, _unkept(end, error))])

    def _finish(self, ended: Sequence[tuple[int, Ended]]) -> None:
        delays, now = self._settings.retry_delays, datetime.now(UTC)
        with self._transaction() as connection:
            counts = {
                run_id: runs.finish(connection, self._claimed[run_id], end, delays, now)
                for run_id, end in ended
            }
        for run_id, end in ended:
            _log_end(self._claimed[run_id], end, counts[run_id])
            del self._ended[run_id], self._claimed[run_id]

    def _renew(self, executor: Executor) -> None:
        """What is under way stays ours, also while the database is slow to take results."""
        if time.monotonic() < self._renew_at or not self._claimed:
            return
        self._renew_at = time.monotonic() + RENEW
        with self._transaction() as connection:
            for claimed in list(self._claimed.values()):
                until = max(claimed.started_at + self._timeout, datetime.now(UTC)) + LEASE_MARGIN
                if not runs.renew(connection, claimed, until):
                    self._give_up(executor, claimed.run_id)

    def _give_up(self, executor: Executor, run_id: int) -> None:
        log.warning("run %d is another worker's now", run_id)
        executor.kill(run_id)
        del self._claimed[run_id]
        self._ended.pop(run_id, None)

    def _drain(self, executor: Executor) -> None:
        """Let the calls under way end; what does not is ended, and recorded as lost."""
        until = time.monotonic() + DRAIN
        while self._claimed and time.monotonic() < until:
            self._ended |= dict(executor.wait(POLL))
            try:
                self._record()
            except SQLAlchemyError as error:
                self._pause(error)
        for run_id, claimed in self._claimed.items():
            executor.kill(run_id)
            self._ended.setdefault(run_id, runs.lost(claimed.once, "The worker was stopped during this try"))
        try:
            self._record()
        except SQLAlchemyError as error:
            log.error("results not recorded, the leases will end: %s", type(error).__name__)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection
        self._rest()

    def _rest(self) -> None:
        if self._is_sqlite:
            time.sleep(REST)

    def _pause(self, error: SQLAlchemyError) -> None:
        log.warning("the database can't be used just now: %s", type(error).__name__)
        time.sleep(PAUSE)


def _log_end(claimed: Claimed, ended: Ended, counts: bool) -> None:
    if counts:
        level = logging.DEBUG if ended.outcome is Outcome.SUCCEEDED else logging.INFO
        log.log(level, "run %d (%s) %s: %s", claimed.run_id, claimed.handler, ended.outcome, ended.error)
    else:
        log.warning("run %d: its lease had ended, so this result does not count", claimed.run_id)


def _unkept(ended: Ended, error: Exception) -> Ended:
    """What the database refuses is refused each time: all other results would wait for this one."""
    log.error("what a handler gave back can't be recorded: %s", type(error).__name__)
    return Ended(
        Outcome.FAILED,
        error=f"what it gave back can't be recorded ({type(error).__name__})",
        result=ended.result,
        output=ended.output,
        no_retry=True,
    )


def serve(settings: Settings, database: Database, supervised: bool = False) -> bool:
    """Run a worker in this process until SIGTERM, or SIGINT where no supervisor orders the stop."""
    worker = Worker(settings, database)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN if supervised else lambda *_: worker.stop())
    return worker.run()
