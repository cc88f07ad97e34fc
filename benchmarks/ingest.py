"""How fast are deliveries received durably, beside what one would use instead? See README.md here.

python -m benchmarks.ingest [ROUNDS [SECONDS]]
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.cores import first_and_last, seconds_used
from benchmarks.load import CONNECTIONS, HOST, Load
from benchmarks.servers import DURABLE, SERVERS

ROUNDS = 3
SECONDS = 4.0
START = 20.0  # seconds that a server may take to listen
SERVER_CORE, SENDER_CORE = first_and_last()


@dataclass(frozen=True)
class Result:
    """What one server has done in one round."""

    load: Load
    server_time: float  # microseconds of its core, for each request


Round = dict[str, Result]


def main(rounds: int, seconds: float) -> None:
    # In the checkout, for /tmp may be memory, where nothing is durable and fsync costs nothing.
    with TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as name:
        directory = Path(name)
        print(
            f"{CONNECTIONS} connections, {rounds} rounds of {seconds:g} s, SQLite {sqlite3.sqlite_version},"
        )
        print(f"one write of 4 KiB and its fsync here: {_fsync(directory):.2f} ms\n")
        measured = [_round(n, directory, seconds) for n in range(1, rounds + 1)]
    _print_table(measured)


def _fsync(directory: Path) -> float:
    """Milliseconds; far below a tenth, the disk is not one, or does not tell the truth."""
    milliseconds = []
    with Path(directory, "fsync").open("wb", buffering=0) as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            milliseconds.append((time.perf_counter() - began) * 1000)
    return median(milliseconds)


def _round(n: int, directory: Path, seconds: float) -> Round:
    results = {name: _measure(name, directory / f"{name} {n}", seconds) for name in SERVERS}
    rates = (f"{name} {result.load.rate:,.0f}" for name, result in results.items())
    print(f"round {n}: {', '.join(rates)} requests/s", flush=True)
    return results


def _measure(name: str, file: Path, seconds: float) -> Result:
    with _serving(name, file) as (port, process):
        began = seconds_used(process)
        command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(SENDER_CORE)]
        load = Load(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
        used = seconds_used(process) - began
    if name in DURABLE and _count_events(file) != load.acknowledged:
        raise SystemExit(f"{name}: {load.acknowledged} acknowledged, {_count_events(file)} in the database")
    return Result(load, used / load.acknowledged * 1_000_000)


@contextmanager
def _serving(name: str, file: Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a server that listens, until the end of the block."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.servers", name, str(port), str(file), str(SERVER_CORE)]
    with subprocess.Popen(command) as server:
        try:
            _wait_until_it_listens(port)
            yield port, server.pid
        finally:
            server.terminate()


def _wait_until_it_listens(port: int) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("a server did not start")


def _count_events(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        count: int = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        return count


def _print_table(measured: list[Round]) -> None:
    print("\n| | requests/s | p50 ms | p99 ms | the receiver does | server, µs/request | sender's core |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in SERVERS:
        loads = [each[name].load for each in measured]
        rate, p50, p99, core_use = (
            median(getattr(load, what) for load in loads) for what in ("rate", "p50", "p99", "core_use")
        )
        server_time = median(each[name].server_time for each in measured)
        ratios = [each["receiver"].load.rate / each[name].load.rate for each in measured]
        print(
            f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} "
            f"| {median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {server_time:,.0f} | {core_use:.0%} |"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, float(sys.argv[2]) if sys.argv[2:] else SECONDS)
