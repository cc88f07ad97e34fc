"""A batch is carried out once and to its end, whatever becomes of the worker meanwhile: real processes."""

import os
import re
import signal
from pathlib import Path

import httpx

from tests.desk import Desk, eventually, running, signed_in

HANDLERS = """
import pathlib
from receiver.handlers import NoRetry, handles

@handles(title="Forward it")
def forward(event, context):
    with open("calls", "a") as calls:
        calls.write(event.ref_id + "\\\\n")
    if not pathlib.Path("mended").exists():
        raise NoRetry("the CRM is down")
    return "forwarded"
"""
CASES = 120


def test_a_worker_that_dies_in_the_middle_asks_for_none_twice_and_forgets_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HANDLERS)
    with running(desk), signed_in(desk) as browser:
        for n in range(CASES):
            assert desk.send(f"case {n}", "IN_REVIEW").is_success
        eventually(lambda: count(desk, "SELECT 1 FROM runs WHERE state = 'failed'") == CASES, within=90)
        (tmp_path / "mended").touch()
        batch = confirmed(browser)
        eventually(lambda: count(desk, "SELECT 1 FROM batch_items WHERE result IS NOT NULL"))
        for pid in desk.pids("worker"):
            os.kill(pid, signal.SIGKILL)
        assert browser.post(f"{batch}/confirm", data={"number": CASES}).status_code == 303  # a second press
        done = "SELECT 1 FROM runs WHERE state = 'succeeded'"
        eventually(lambda: count(desk, done) == CASES, within=120)
        assert f"Re-processed {CASES} tasks" in browser.get(batch).text
        assert desk.stop() == 0
    assert count(desk, "SELECT 1 FROM batch_items WHERE result = 'taken'") == CASES
    asked = desk.rows(
        "SELECT run_id, COUNT(*) AS n FROM attempts WHERE started_by = 'person' GROUP BY run_id"
    )
    assert {row["n"] for row in asked} == {1}
    assert len(asked) == CASES


def confirmed(browser: httpx.Client) -> str:
    """As a person does it: from the page that counted, by its preview."""
    page = browser.get("/runs").text
    assert f"Re-process {CASES} …" in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split('class="group"')[1]))
    answer = browser.post("/batches", data=fields | {"do": "reprocess all"})
    batch = str(answer.headers["location"])
    assert f"Type the number of tasks, {CASES}, to start" in browser.get(batch).text
    assert browser.post(f"{batch}/confirm", data={"number": CASES}).status_code == 303
    return batch


def count(desk: Desk, statement: str) -> int:
    return len(desk.rows(statement))
