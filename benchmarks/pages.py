"""How long every page takes where there is much, beside the same page where there is next to nothing.

    python -m benchmarks.pages [CASES] [FILE]

A dashboard is served for each of two databases: one of CASES cases (300,000) and some 1,000,000 deliveries,
made anew unless FILE is there already, and one of 100 cases. Each page is asked for in turn on both, over one
connection; the table gives medians, and the ratio within the run.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import URL

from benchmarks.desk_world import BUSY_CASE, fill
from benchmarks.load import SECRET
from dashboard.auth.users import add_user
from receiver.database import Database

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
TIMES = 15  # each page
AIM = 50  # ms, the median of a list or a case page where there is much
PAGES = (
    "/",
    "/cases",
    "/cases?status=REJECTED",
    "/cases?status=REJECTED&reason=PEP_HIT",
    "/cases?needs=person",
    "/cases?needs=limit",
    "/cases?needs=not_enabled",
    "/cases?needs=still_enabled",
    "/cases?needs=not_told",
    "/cases?needs=with_gap",
    "/cases?needs=uncertain",
    "/cases?assigned=me",
    "/cases?assigned=nobody",
    "/cases?sort=age",
    "/cases?sort=age&status=IN_REVIEW",
    "/cases?assigned=me&needs=not_told&reason=PEP_HIT&sort=age",
    "/cases?q=acme",
    "/cases?q=KYB-0123456",
    "/cases?q=nothing+has+this",
    "/cases?q=ac",
    "/cases?q=%25_",
    "/cases/{one}",
    f"/cases/{BUSY_CASE}",
    f"/cases/{BUSY_CASE}?order=oldest",
    "/rejections",
    "/rejections?by=month",
    "/rejections/reason?code=PEP_HIT",
    "/deliveries",
    "/deliveries?verdict=refused",
    "/deliveries?verdict=duplicate",
    "/deliveries/100",
    "/runs",
    "/runs?view=list",
    "/runs?tab=done",
    "/runs?tab=done&handler=notify_customer",
    "/runs?tab=person&view=list&failure=f1",
    "/runs/100",
    "/activity",
    "/activity?person=ana@example.com",
    "/activity?person=cleo@example.com&kind=paused",
    "/handlers",
    "/health",
    "/settings",
    "/users",
    "/glossary",
    "/differences",
)


def main(cases: int, file: Path | None) -> None:
    with TemporaryDirectory() as directory:
        much = _world(file or Path(directory) / "much.db", cases)
        little = _world(Path(directory) / "little.db", 100)
        with _served(much) as at_much, _served(little) as at_little:
            print(f"{'page':<62} {'much, ms':>9} {'little':>8} {'times':>6}")
            for page in PAGES:
                _compare(page, at_much, at_little, cases)


def _world(path: Path, cases: int) -> Database:
    database = Database(URL.create("sqlite", database=str(path)))
    if path.exists():
        return database
    database.migrate()
    fill(database, cases, busy=20_000 if cases > 1_000 else 20)
    with database.writer().begin() as connection:
        add_user(connection, EMAIL, "admin", PASSWORD)
    return database


def _compare(page: str, at_much: httpx.Client, at_little: httpx.Client, cases: int) -> None:
    much, little = [], []
    for _ in range(TIMES):
        much.append(_took(at_much, page.format(one=_ref_id_near(at_much, cases // 2))))
        little.append(_took(at_little, page.format(one=_ref_id_near(at_little, 50))))
    mark = "" if median(much) <= AIM else f"  over {AIM} ms"
    print(
        f"{page:<62} {median(much):>9.1f} {median(little):>8.1f} {median(much) / median(little):>6.1f}{mark}"
    )


_near: dict[str, str] = {}


def _ref_id_near(client: httpx.Client, number: int) -> str:
    """The generated part of a reference is not guessed: the list's search finds it."""
    url = str(client.base_url)
    if url not in _near:
        page = client.get("/cases", params={"q": f"KYB-{number:07d}"}).text
        _near[url] = page.split('href="/cases/KYB-')[1].split('"')[0]
    return f"KYB-{_near[url]}"


def _took(client: httpx.Client, page: str) -> float:
    started = time.perf_counter()
    answer = client.get(page)
    took = (time.perf_counter() - started) * 1000
    assert answer.status_code == 200, (page, answer.status_code)
    return took


@contextmanager
def _served(database: Database) -> Iterator[httpx.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "KYBDESK_DATABASE_URL": f"sqlite+aiosqlite:///{database.path}",
        "KYBDESK_DASHBOARD_PORT": str(port),
        "VOVE_WEBHOOK_SECRET": SECRET,
    }
    command = [str(Path(sys.executable).parent / "kybdesk"), "serve", "dashboard"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            _sign_in(client)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _sign_in(client: httpx.Client) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            client.get("/healthz")
            break
        except httpx.ConnectError:
            assert time.monotonic() < until, "the dashboard did not start"
            time.sleep(0.1)
    form = {"email": EMAIL, "password": PASSWORD}
    answer = client.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 300_000, Path(given[1]) if len(given) > 1 else None)
