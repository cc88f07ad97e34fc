"""kill -9 at any moment, of any role: what was answered is there, every run ends, nothing is left running."""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx

from dashboard import sending
from tests.desk import Desk, eventually, running

HANDLERS = """
import subprocess, time
from receiver.handlers import handles

@handles()
def work(event, context):
    time.sleep(0.2)
    return "done"

@handles("REJECTED")
def hang(event, context):
    subprocess.Popen(["sleep", "1000"])
    time.sleep(1000)

@handles("COMPLETED", once=True)
def send_mail(event, context):
    time.sleep(0.3)
"""
STATUSES = ("IN_PROGRESS", "IN_REVIEW", "COMPLETED", "REJECTED")
KILLS = 6


class Sender(threading.Thread):
    """Like VOVE: sends each message until it is answered with 2xx, and remembers which were."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(daemon=True)
        self.desk = desk
        self.answered: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        for n in range(100_000):
            svix_id = sending.new_message_id()
            while not self.stopping.is_set():
                with suppress(httpx.HTTPError):
                    if self.desk.send(f"case {n % 7}", STATUSES[n % 4], svix_id).is_success:
                        self.answered.append(svix_id)
                        break
            if self.stopping.wait(0.05):
                return

    def has_answers(self, wanted: int) -> bool:
        return len(self.answered) >= wanted

    def stop(self) -> list[str]:
        self.stopping.set()
        self.join()
        return self.answered


def test_nothing_answered_is_lost_and_every_run_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HANDLERS, KYBDESK_HANDLER_TIMEOUT="1", KYBDESK_RETRY_DELAYS="0.1")
    chance = random.Random(4)
    with running(desk):
        sender = Sender(desk)
        sender.start()
        for kill in range(KILLS):
            eventually(partial(sender.has_answers, 10 * (kill + 1)))
            eventually(partial(kill_one_of, desk, ("receiver", "worker", "dashboard")[kill % 3], chance))
        eventually(desk.is_up)
        answered = sender.stop()

        # The supervisor too: its roles end by themselves, and so do the calls under way.
        desk.send("the last one", "REJECTED")
        eventually(lambda: desk.rows("SELECT 1 FROM runs WHERE state = 'running'"))
        assert desk.process is not None
        desk.process.kill()
        desk.process.wait()
        eventually(lambda: not desk.processes())

    with running(desk):
        unended = "SELECT 1 FROM runs WHERE state NOT IN ('succeeded', 'failed')"
        undispatched = "SELECT 1 FROM events WHERE dispatched_at IS NULL"
        eventually(lambda: not desk.rows(undispatched) and not desk.rows(unended), within=120)
        assert desk.stop() == 0
        assert desk.processes() == []

    kept = {row["svix_id"] for row in desk.rows("SELECT svix_id FROM events")}
    assert set(answered) <= kept
    assert desk.rows("PRAGMA integrity_check")[0][0] == "ok"
    assert desk.command("rebuild-cases", "--check").returncode == 0
    assert_every_run_is_told_by_its_attempts(desk)


def kill_one_of(desk: Desk, role: str, chance: random.Random) -> bool:
    pids = desk.pids(role)
    if not pids:
        return False
    os.kill(chance.choice(pids), signal.SIGKILL)
    return True


def assert_every_run_is_told_by_its_attempts(desk: Desk) -> None:
    runs = desk.rows("SELECT * FROM runs")
    attempts = Counter(row["run_id"] for row in desk.rows("SELECT run_id FROM attempts"))
    events = len(desk.rows("SELECT 1 FROM events"))
    assert sum(run["handler"] == "work" for run in runs) == events
    assert all(attempts[run["id"]] == run["tries"] for run in runs)
    assert {run["state"] for run in runs if run["handler"] == "hang"} == {"failed"}
