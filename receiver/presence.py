"""Each role's row in `workers`: who is there, since when, with what error. Pages read it as "is it down?".

And when nobody was there: the last sign of a role, from whatever host, is kept; whoever gives the next one
after more than SILENCE notes the time between as an outage, also after an orderly stop. What can't be
written can't be noted, so a database that was out of reach is an outage too.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from receiver.database import Database, upsert
from receiver.models import outages, role_signs, workers

log = logging.getLogger(__name__)

HOST = socket.gethostname()
BEAT = 5.0  # seconds; a page calls a role down after 30
SILENCE = timedelta(seconds=30)  # six beats: a slow disk or a quick restart is no outage
FORGOTTEN_AFTER = timedelta(days=1)
SET_BACK = timedelta(minutes=5)  # hosts' clocks differ by less; a sign from later was given by a wrong clock


class Presence:
    """Says every few seconds, from a thread of its own, that this role is there."""

    def __init__(self, database: Database, role: str) -> None:
        self._database = database
        self._role = role
        self._started_at = datetime.now(UTC)
        self._error: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the row away: a role that ends in order is not missed."""
        if self._thread.is_alive():
            self._stopping.set()
            self._thread.join()

    def report(self, error: str) -> None:
        """Write at once, and keep, why the role can't do its work, in words for a page."""
        self._error = error
        engine = self._database.writer()
        self._write(engine, self._beat)
        engine.dispose()

    def _run(self) -> None:
        engine = self._database.writer()
        self._write(engine, self._beat)
        while not self._stopping.wait(BEAT):
            self._write(engine, self._beat)
        if self._error is None:
            self._write(engine, self._leave)
        engine.dispose()

    def _write(self, engine: Engine, write: Callable[[Connection], None]) -> None:
        try:
            with engine.begin() as connection:
                write(connection)
        except SQLAlchemyError as error:
            log.warning("could not note that the %s is there: %s", self._role, type(error).__name__)

    def _beat(self, connection: Connection) -> None:
        now = datetime.now(UTC)
        self._sign(connection, now)
        connection.execute(delete(workers).where(workers.c.seen_at < now - FORGOTTEN_AFTER))
        seen = connection.execute(
            update(workers)
            .where(self._ours())
            .values(seen_at=now, started_at=self._started_at, error=self._error)
        )
        if not seen.rowcount:
            self._enter(connection, now)

    def _sign(self, connection: Connection, now: datetime) -> None:
        """Only forwards, and only whoever replaces the sign that it read notes an outage: two hosts may come
        back at once, and their clocks differ."""
        last = connection.execute(
            select(role_signs.c.seen_at).where(role_signs.c.role == self._role)
        ).scalar_one_or_none()
        if last is None:
            first = upsert(connection, role_signs).values(role=self._role, first_at=now, seen_at=now)
            connection.execute(first.on_conflict_do_nothing())
        elif now > last or last > now + SET_BACK:
            replaced = connection.execute(
                update(role_signs)
                .where(role_signs.c.role == self._role, role_signs.c.seen_at == last)
                .values(seen_at=now)
            )
            if replaced.rowcount and now - last > SILENCE:
                connection.execute(insert(outages).values(role=self._role, began_at=last, ended_at=now))

    def _enter(self, connection: Connection, now: datetime) -> None:
        """A process of this role that died here before us has left its row; ours takes its place."""
        dead = [
            row.id
            for row in connection.execute(select(workers).where(self._role_here()))
            if not _is_alive(row.pid)
        ]
        connection.execute(delete(workers).where(workers.c.id.in_(dead)))
        connection.execute(
            insert(workers).values(
                role=self._role,
                host=HOST,
                pid=os.getpid(),
                started_at=self._started_at,
                seen_at=now,
                error=self._error,
            )
        )

    def _leave(self, connection: Connection) -> None:
        self._sign(connection, datetime.now(UTC))
        connection.execute(delete(workers).where(self._ours()))

    def _ours(self) -> ColumnElement[bool]:
        return and_(self._role_here(), workers.c.pid == os.getpid())

    def _role_here(self) -> ColumnElement[bool]:
        return and_(workers.c.role == self._role, workers.c.host == HOST)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
