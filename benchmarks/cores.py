"""One core for the server, one for the sender: they must not take each other's time."""

import os
from pathlib import Path


def stay_on(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):  # not on macOS: figures vary more there
        os.sched_setaffinity(0, {core})


def first_and_last() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 1]
    return cores[0], cores[-1]


def seconds_used(process: int) -> float:
    """By all its threads so far; not a number where the system does not say."""
    status = Path(f"/proc/{process}/stat")
    if not status.exists():
        return float("nan")
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
