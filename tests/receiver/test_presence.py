import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert

from receiver import database as receiver_database
from receiver import presence
from receiver.database import Database
from receiver.models import workers
from receiver.presence import HOST, Presence
from tests.receiver.ledgers import rows, written_by_another
from tests.receiver.serving import wait_until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BEAT", 0.01)


@pytest.fixture
def present(lasting_database: Database, engine: Engine) -> Iterator[Presence]:
    with engine.begin() as connection:
        connection.execute(delete(workers))
    here = Presence(lasting_database, "worker")
    yield here
    here.stop()


def there(engine: Engine) -> list[tuple[str, str, int]]:
    return [(row.role, row.host, row.pid) for row in rows(engine, workers)]


def add(engine: Engine, seen_at: datetime | None = None, **given: Any) -> None:
    values = {"role": "worker", "host": HOST, "pid": os.getpid(), "started_at": datetime.now(UTC)}
    with engine.begin() as connection:
        connection.execute(insert(workers).values(values | {"seen_at": seen_at or datetime.now(UTC)} | given))


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_role_is_there_from_its_start_to_its_end(present: Presence, engine: Engine) -> None:
    present.start()
    wait_until(lambda: there(engine) == [("worker", HOST, os.getpid())])
    assert rows(engine, workers)[0].error is None

    present.stop()
    assert there(engine) == []


@pytest.mark.usefixtures("quick")
def test_it_says_again_and_again_that_it_is_there(present: Presence, engine: Engine) -> None:
    present.start()
    wait_until(lambda: there(engine))
    first = rows(engine, workers)[0]

    wait_until(lambda: rows(engine, workers)[0].seen_at > first.seen_at)
    assert rows(engine, workers)[0].started_at == first.started_at


def test_why_it_cannot_work_is_kept_also_after_its_end(present: Presence, engine: Engine) -> None:
    present.start()
    present.report("acme.handlers can't be imported")
    present.stop()

    assert [row.error for row in rows(engine, workers)] == ["acme.handlers can't be imported"]


def test_it_takes_the_place_of_one_that_died_here(present: Presence, engine: Engine) -> None:
    add(engine, pid=dead_pid(), error="acme.handlers can't be imported")
    add(engine, pid=os.getppid())
    add(engine, pid=dead_pid(), host="another host")
    add(engine, pid=dead_pid(), role="dashboard")

    present.start()
    wait_until(lambda: ("worker", HOST, os.getpid()) in there(engine))

    assert len(there(engine)) == 4  # one alive, one elsewhere, another role, and ours


@pytest.mark.usefixtures("quick")
def test_what_was_not_seen_for_a_day_is_forgotten(present: Presence, engine: Engine) -> None:
    add(engine, host="old host", seen_at=datetime.now(UTC) - timedelta(days=1, seconds=1))
    add(engine, host="new host", seen_at=datetime.now(UTC) - timedelta(hours=23))

    present.start()
    wait_until(lambda: {host for _, host, _ in there(engine)} == {"new host", HOST})


@pytest.mark.usefixtures("quick")
def test_a_locked_database_ends_nothing(
    present: Presence,
    engine: Engine,
    lasting_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if lasting_database.path is None:
        pytest.skip("another writer is in nobody's way there")
    monkeypatch.setattr(receiver_database, "BUSY_TIMEOUT", 0.01)
    with written_by_another(lasting_database):
        present.start()
        wait_until(lambda: "could not note that the worker is there" in caplog.text)
    wait_until(lambda: there(engine))


def test_one_that_never_started_can_be_stopped(present: Presence, engine: Engine) -> None:
    present.stop()

    assert there(engine) == []
