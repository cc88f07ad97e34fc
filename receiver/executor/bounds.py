"""The bounds that a child sets itself: signals that don't end it, alarms that do, and memory."""

import faulthandler
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from receiver.executor.calls import Limits

GRACE = 2  # seconds past its deadline; by then the worker has ended it, or is gone
LAST_GRACE = 3  # the same for code that never comes back to the interpreter
MEBIBYTE = 1024 * 1024
MOST_MEMORY = resource.getrlimit(resource.RLIMIT_AS)[1]  # below 0: no bound
UNBOUNDED = (MOST_MEMORY, MOST_MEMORY)
REQUESTS_TO_END = (signal.SIGTERM, signal.SIGINT)  # who stops a worker may send them to all processes around


def set_bounds(limits: Limits) -> None:
    _ignore_requests_to_end()
    _set_alarms(limits.timeout)
    _bound_memory(limits.memory)


def _ignore_requests_to_end() -> None:
    for number in REQUESTS_TO_END:
        signal.signal(number, ignore)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the fork server's, which the child has inherited
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_heed_requests_to_end)


def ignore(*_: object) -> None:
    """Not SIG_IGN: commands that a handler runs would inherit that, and could not be terminated."""


def _heed_requests_to_end() -> None:
    """In what a handler forks: `with multiprocessing.Pool()` ends its processes by SIGTERM, and waits."""
    if signal.getsignal(signal.SIGTERM) is ignore:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is ignore:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _release()


def _hold() -> None:
    """A request that comes before the fork heeds it would be lost, and whoever sent it wait forever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS_TO_END)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS_TO_END)


def _set_alarms(timeout: float) -> None:
    """For when the worker can't end it any more: it may have been killed, and the fork server with it."""
    signal.signal(signal.SIGALRM, _end_group)
    signal.setitimer(signal.ITIMER_REAL, timeout + GRACE)
    faulthandler.enable(file=2)  # where it was when it crashed
    faulthandler.dump_traceback_later(timeout + LAST_GRACE, exit=True, file=2)


def _end_group(*_: object) -> None:
    os.killpg(0, signal.SIGKILL)


def _bound_memory(mebibytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound = _mapped() + mebibytes * MEBIBYTE
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(
            resource.RLIMIT_AS, (bound if MOST_MEMORY < 0 else min(bound, MOST_MEMORY), MOST_MEMORY)
        )


def _mapped() -> int:
    """Bytes of address space in use: a library like numpy maps hundreds of MiB that it never touches."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0


def lift_memory() -> None:
    """Make room to say what has happened. It takes none itself, for there may be none."""
    resource.setrlimit(resource.RLIMIT_AS, UNBOUNDED)
