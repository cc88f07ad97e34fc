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
from receiver.models import outages, role_signs, workers
from receiver.presence import HOST, Presence
from tests.receiver.ledgers import rows, written_by_another
from tests.receiver.serving import wait_until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BEAT", 0.01)


@pytest.fixture
def present(lasting_database: Database, engine: Engine) -> Iterator[Presence]:
    with engine.begin() as connection:
        for table in (workers, role_signs, outages):
            connection.execute(delete(table))
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


def last_sign(engine: Engine, at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(insert(role_signs).values(role="worker", first_at=at, seen_at=at))


def test_the_first_one_ever_notes_no_outage(present: Presence, engine: Engine) -> None:
    present.start()
    wait_until(lambda: there(engine))
    assert [row.role for row in rows(engine, role_signs)] == ["worker"]
    assert rows(engine, outages) == []


def test_who_comes_back_after_a_silence_notes_it_as_an_outage(present: Presence, engine: Engine) -> None:
    gone_at = datetime.now(UTC) - timedelta(minutes=10)
    last_sign(engine, gone_at)
    present.start()
    wait_until(lambda: there(engine))
    (outage,) = rows(engine, outages)
    assert (outage.role, outage.began_at) == ("worker", gone_at)
    assert outage.ended_at == rows(engine, role_signs)[0].seen_at


@pytest.mark.usefixtures("quick")
def test_it_notes_it_once(present: Presence, engine: Engine) -> None:
    last_sign(engine, datetime.now(UTC) - timedelta(minutes=10))
    present.start()
    wait_until(lambda: there(engine))
    first = rows(engine, workers)[0].seen_at
    wait_until(lambda: rows(engine, workers)[0].seen_at > first)
    assert len(rows(engine, outages)) == 1


def test_a_quick_restart_is_no_outage(present: Presence, engine: Engine) -> None:
    last_sign(engine, datetime.now(UTC) - timedelta(seconds=25))
    present.start()
    wait_until(lambda: there(engine))
    assert rows(engine, outages) == []


def test_an_orderly_stop_leaves_its_last_sign(
    lasting_database: Database, present: Presence, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time until the next start is an outage, where it is long: nobody was there."""
    present.start()
    wait_until(lambda: there(engine))
    present.stop()
    stopped_at = rows(engine, role_signs)[0].seen_at
    monkeypatch.setattr(presence, "SILENCE", timedelta(0))
    again = Presence(lasting_database, "worker")
    again.start()
    wait_until(lambda: there(engine))
    again.stop()
    assert rows(engine, outages)[0].began_at == stopped_at


def test_another_host_of_the_same_role_keeps_it_from_being_missed(present: Presence, engine: Engine) -> None:
    gone_at = datetime.now(UTC) - timedelta(minutes=10)
    add(engine, host="another host", seen_at=gone_at)
    last_sign(engine, datetime.now(UTC) - timedelta(seconds=3))
    present.start()
    wait_until(lambda: len(there(engine)) == 2)
    assert rows(engine, outages) == []


def test_a_sign_of_a_clock_that_was_wrong_is_replaced(present: Presence, engine: Engine) -> None:
    last_sign(engine, datetime.now(UTC) + timedelta(days=400))
    present.start()
    wait_until(lambda: there(engine))
    assert rows(engine, role_signs)[0].seen_at < datetime.now(UTC) + timedelta(minutes=1)
    assert rows(engine, outages) == []


def test_of_two_that_come_back_at_once_one_notes_the_outage(
    lasting_database: Database, present: Presence, engine: Engine
) -> None:
    last_sign(engine, datetime.now(UTC) - timedelta(minutes=10))
    other = Presence(lasting_database, "worker")
    present.start()
    other.start()
    wait_until(lambda: there(engine))
    other.stop()
    present.stop()
    assert len(rows(engine, outages)) == 1
