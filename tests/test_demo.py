"""`kybdesk demo` as a viewer starts it: a real process, over real sockets, until Ctrl-C."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from dashboard.demo.businesses import LAST, Business, Trouble, business
from dashboard.demo.entries import NOT_APPROVED
from dashboard.filters import address, case_path
from tests.desk import eventually, free_port

FAILED = "SELECT * FROM runs JOIN events ON events.id = event_id WHERE state = 'failed' AND ref_id = ?"
FIELDS = ("name", "email", "language", "account_status", "notes", "updated_at")


def test_a_viewer_of_the_demo_sees_tasks_fail_and_sets_them_right(tmp_path: Path) -> None:
    with running(Demo(tmp_path)) as demo, demo.signed_in() as browser:
        assert demo.said["Open"] == f"http://127.0.0.1:{demo.port}"
        with demo.signed_in("carl@example.com") as colleague:
            assert colleague.get("/rejections").is_success

        # The business is enabled as soon as its account has a tax number.
        refused = one_with(Trouble.NO_TAX_NUMBER)
        run = demo.failed_run(refused)
        assert "no tax number" in browser.get(f"/runs/{run['id']}").text
        reprocess(browser, run)
        eventually(lambda: demo.account_status(refused) == "active")

        # The customer is told as soon as the directory has the address.
        without_address = one_with(Trouble.NO_ADDRESS)
        run = demo.failed_run(without_address)
        assert "no e-mail address" in browser.get(f"/runs/{run['id']}").text
        assert without_address.company.email in browser.get(case_path(without_address.ref_id)).text
        assert without_address.company.email not in demo.mailbox_page()
        edit(browser, without_address, email=without_address.company.email)
        reprocess(browser, run)
        eventually(lambda: without_address.company.email in demo.mailbox_page())
        assert without_address.company.email in browser.get(case_path(without_address.ref_id)).text

        # What may be said for a reason is approved by a command, called where the demo's settings are.
        untold = next(one for one in map(business, range(100)) if one.story.reason == NOT_APPROVED)
        run = demo.failed_run(untold)
        demo.command(
            "reason", "approve", NOT_APPROVED, "--language", "en", "--by", "carl@example.com", "--yes"
        )
        reprocess(browser, run)
        eventually(lambda: untold.company.email in demo.mailbox_page())

        # A webhook that was lost is found by asking VOVE.
        lost = next(one for one in map(business, range(100)) if one.story.lost == LAST)
        assert lost.ref_id in demo.command("reconcile", code=1)

        # Most mails arrive without anybody's help, and most accounts are enabled.
        assert one_with(None).company.email in demo.mailbox_page()
        assert demo.account_status(one_with(None)) == "active"

        assert demo.stop() == 0
        assert demo.processes() == []
        assert list(demo.scratch.iterdir()) == []


class Demo:
    def __init__(self, directory: Path) -> None:
        self.scratch = directory / "scratch"
        self.scratch.mkdir()
        self.log = directory / "log"
        self.port = free_port()
        self.environment = {
            **os.environ,
            "TMPDIR": str(self.scratch),
            "KYBDESK_DASHBOARD_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.said: dict[str, str] = {}

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.cli", "demo"],
                env=self.environment,
                cwd=self.scratch,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self.has_said_where_it_is, within=60)

    def has_said_where_it_is(self) -> bool:
        pattern = r"^ +(Open|Sign in|Password|Mailbox) {2,}(\S+)"
        self.said = dict(re.findall(pattern, self.log.read_text(), re.MULTILINE))
        return len(self.said) == 4

    @contextmanager
    def signed_in(self, email: str | None = None) -> Iterator[httpx.Client]:
        headers = {"Sec-Fetch-Site": "same-origin"}
        with httpx.Client(base_url=self.said["Open"], headers=headers, timeout=15) as browser:
            form = {"email": email or self.said["Sign in"], "password": self.said["Password"]}
            assert browser.post("/sign-in", data=form).status_code == 303
            yield browser

    def mailbox_page(self) -> str:
        return httpx.get(self.said["Mailbox"]).raise_for_status().text

    def rows(self, statement: str, *values: Any) -> list[Any]:
        (path,) = self.scratch.glob("kybdesk-demo-*/kybdesk.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()

    def failed_run(self, one: Business) -> Any:
        (run,) = eventually(partial(self.rows, FAILED, one.ref_id))
        return run

    def account_status(self, one: Business) -> Any:
        (row,) = self.rows("SELECT account_status FROM businesses WHERE ref_id = ?", one.ref_id)
        return row["account_status"]

    def command(self, *arguments: str, code: int = 0) -> str:
        (directory,) = self.scratch.iterdir()
        command = [sys.executable, "-m", "dashboard.cli", *arguments]
        ended = subprocess.run(
            command, cwd=directory, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def processes(self) -> list[int]:
        """Every process that the demo started, and what they started: they have its environment."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"TMPDIR={self.scratch}".encode() in _environment_of(entry):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


def _environment_of(process: Path) -> list[bytes]:
    return (process / "environ").read_bytes().split(b"\0")


@contextmanager
def running(demo: Demo) -> Iterator[Demo]:
    """The demo, up; afterwards nothing of it is left, whatever the test did."""
    try:
        demo.start()
        yield demo
    finally:
        for pid in demo.processes():
            os.kill(pid, signal.SIGKILL)
        if demo.process is not None:
            demo.process.wait()


def one_with(trouble: Trouble | None) -> Business:
    return next(one for one in map(business, range(100)) if one.story.trouble == trouble)


def reprocess(browser: httpx.Client, run: Any) -> None:
    asked = browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
    assert "refused" not in asked.headers["location"]


def edit(browser: httpx.Client, one: Business, **changes: str) -> None:
    """As a person does: the form as it is, with another text in a field."""
    form = address("/businesses/edit", ref=one.ref_id)
    page = browser.get(form).text
    typed = {name: _typed(page, name) for name in FIELDS} | changes
    assert browser.post(form, data=typed).status_code == 303


def _typed(page: str, name: str) -> str:
    for pattern in (
        rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"',
        rf'<textarea[^>]*name="{name}"[^>]*>([^<]*)<',
    ):
        if found := re.search(pattern, page):
            return unescape(found[1])
    return ""
