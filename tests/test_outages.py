"""A desk that was stopped, and killed: when it is back, it has noted that nobody was there."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.desk import Desk, eventually, running

ROLES = {"receiver", "worker", "dashboard"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_after_a_restart_the_time_without_anybody_is_an_outage(tmp_path: Path, number: int) -> None:
    with running(Desk(tmp_path)) as desk:
        eventually(lambda: signs(desk).keys() >= ROLES)
        desk.stop(number)
        eventually(lambda: not desk.processes())
        assert desk.rows("SELECT * FROM outages") == []
        long_ago(desk)
        before = signs(desk)

        desk.start()
        eventually(lambda: {row["role"] for row in desk.rows("SELECT role FROM outages")} == ROLES)
        for outage in desk.rows("SELECT * FROM outages"):
            assert outage["began_at"] == before[outage["role"]]
            assert outage["ended_at"] > outage["began_at"] + 600 * 1_000_000


def signs(desk: Desk) -> dict[str, int]:
    return {row["role"]: row["seen_at"] for row in desk.rows("SELECT * FROM role_signs")}


def long_ago(desk: Desk) -> None:
    """As if ten minutes had passed."""
    with closing(sqlite3.connect(desk.directory / "kybdesk.db")) as connection:
        connection.execute("UPDATE role_signs SET seen_at = seen_at - 600 * 1000000")
        connection.commit()
