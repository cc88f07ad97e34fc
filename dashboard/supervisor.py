"""Starts the roles as processes of their own, restarts one that dies, and ends them in order."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from receiver.handlers.loading import without_secrets

log = logging.getLogger(__name__)

ROLES = ("receiver", "dashboard", "worker")
STOP_ORDER = ("receiver", "worker", "dashboard")  # what brings work first, what shows it last
STOP_LIMIT = 30.0  # seconds from SIGTERM to SIGKILL: a worker drains for 20
POLL = 0.2  # seconds
FIRST_DELAY, LONGEST_DELAY = 1.0, 15.0  # seconds before a dead role starts again: pages miss it after 30
STEADY = 60.0  # seconds up, after which an old failure is forgotten


@dataclass
class _Role:
    name: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = field(default_factory=time.monotonic)
    delay: float = FIRST_DELAY


class Supervisor:
    """`kybdesk serve`: one process for each role.

    A role holds the read end of a pipe of which only the supervisor has the write end: when that closes, by
    kill -9 too, the role stops.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, directory: Path | None = None) -> None:
        self._environment = dict(environment)
        self._directory = directory
        self._roles = [_Role(name) for name in ROLES]
        self._stopping = threading.Event()
        self._alive, self._held = os.pipe()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Keep the roles up until `stop`, then end them in order."""
        while not self._stopping.wait(POLL):
            for role in self._roles:
                self._look_after(role)
        for name in STOP_ORDER:
            for role in self._roles:
                if role.name == name:
                    _end(role)
        os.close(self._held)
        os.close(self._alive)

    def _look_after(self, role: _Role) -> None:
        now = time.monotonic()
        if role.process is None:
            if now >= role.start_at:
                self._start(role)
        elif (code := role.process.poll()) is not None:
            if now - role.started_at > STEADY:
                role.delay = FIRST_DELAY
            log.error("the %s ended (%s); starting it again in %.0f s", role.name, _words(code), role.delay)
            role.process, role.start_at = None, now + role.delay
            role.delay = min(role.delay * 2, LONGEST_DELAY)

    def _start(self, role: _Role) -> None:
        verifies = role.name != "worker"  # only who verifies holds the webhook's secret
        environment = self._environment if verifies else without_secrets(self._environment)
        role.process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-m", "dashboard.cli", "serve", role.name, "--alive-fd", str(self._alive)],
            pass_fds=[self._alive],
            env=environment,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
        )
        role.started_at = time.monotonic()


def stop_with_supervisor(alive_fd: int) -> None:
    """Called in a role: SIGTERM to ourselves once the supervisor has gone."""

    def watch() -> None:
        os.read(alive_fd, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    os.set_inheritable(alive_fd, False)
    threading.Thread(target=watch, name="alive", daemon=True).start()


def _end(role: _Role) -> None:
    if role.process is None:
        return
    role.process.terminate()
    try:
        role.process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        log.error("the %s did not end within %.0f s and was killed", role.name, STOP_LIMIT)
        role.process.kill()
        role.process.wait()


def _words(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
