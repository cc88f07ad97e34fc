"""Ends what a call has started. Each call's child leads a session, whose id is the child's process id."""

import os
import signal
import sys
from contextlib import suppress


def kill(pid: int) -> None:
    """Kill a child, which may not yet have come to lead a session, and all that it has started."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    sweep(pid)


def sweep(session: int) -> None:
    """Kill what is left of a session, but for what went into a session of its own.

    Where the leader has been reaped this must come at once: its number may go to another process.
    """
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    for pid in _members(session):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _members(session: int) -> list[int]:
    """A shell's jobs, for one, have process groups of their own within the session."""
    members = []
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208  # a third of the time
        with suppress(ProcessLookupError):
            if name.isdigit() and os.getsid(int(name)) == session:
                members.append(int(name))
    return members
