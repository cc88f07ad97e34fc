"""The fork server: a process that imports the handler modules once, and forks a child for each call."""

import ctypes
import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress

from receiver.executor import bounds, child, sessions
from receiver.executor.forkserver import MESSAGE, Kind, Message
from receiver.handlers.loading import HandlersError, load

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(descriptor: str, longest_import: str, *modules: str) -> None:
    os.set_inheritable(int(descriptor), False)
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends with its worker, who may let calls finish first
        signal.signal(number, bounds.ignore)
    problem = _preload(modules, float(longest_import))
    _adopt_orphans()
    _Forks(socket.socket(fileno=int(descriptor)), problem).serve()


def _preload(modules: tuple[str, ...], seconds: float) -> str | None:
    """Import the modules; why that failed. An import that hangs ends the process by the alarm."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        load(modules)
        return None
    except HandlersError as error:
        return str(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        child.flush()  # or each child would print it once more
        gc.collect()
        gc.freeze()  # a collection in a child would copy all that it shares with us


def _adopt_orphans() -> None:
    """In a container without an init, nobody else would reap what the children leave behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class _Forks:
    """Obeys the worker, and tells it of each child's beginning and end."""

    def __init__(self, worker: socket.socket, problem: str | None) -> None:
        self._worker, self._problem = worker, problem
        self._pids: dict[int, int] = {}  # by the call's serial number
        self._began: dict[int, tuple[int, float]] = {}  # by process id: serial number, monotonic time
        self._woken, self._wake = os.pipe()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        self._notice_ends()
        self._selector.register(self._worker, selectors.EVENT_READ)
        while True:
            readable = {key.fileobj for key, _ in self._selector.select()}
            if self._woken in readable:
                os.read(self._woken, 4096)
            self._reap()
            if self._worker in readable:
                self._obey()

    def _notice_ends(self) -> None:
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, bounds.ignore)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def _obey(self) -> None:
        try:
            received, descriptors, _, _ = socket.recv_fds(self._worker, MESSAGE.size, 3)
        except ConnectionResetError:  # it went without having heard all that we told
            received = b""
        if not received:
            self._leave()
        for message in Message.unpack(received):
            if message.kind is Kind.START:
                self._start(message.serial, descriptors)
            elif pid := self._pids.get(message.serial):
                sessions.kill(pid)

    def _leave(self) -> None:
        for pid in self._began:
            sessions.kill(pid)
        os._exit(0)

    def _start(self, serial: int, descriptors: list[int]) -> None:
        began = time.monotonic()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(Message(Kind.NOT_STARTED, serial, error.errno or 0))
        else:
            if pid == 0:
                self._become_child(descriptors)
            self._pids[serial], self._began[pid] = pid, (serial, began)
            self._tell(Message(Kind.STARTED, serial, pid, int(began * 1e6)))
        for descriptor in descriptors:
            os.close(descriptor)

    def _become_child(self, descriptors: list[int]) -> None:
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            self._worker.close()
            os.close(self._woken)
            os.close(self._wake)
            file, channel, output = descriptors
            child.run(file, channel, output, self._problem)
        except BaseException:  # a child never comes back into this loop
            traceback.print_exc()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Reap all that ended: children, and orphans whom we adopted."""
        with suppress(ChildProcessError):  # none left
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if pid in self._began:
                    self._end(pid, os.waitstatus_to_exitcode(status))

    def _end(self, pid: int, exit_code: int) -> None:
        serial, began = self._began.pop(pid)
        del self._pids[serial]
        lasted = time.monotonic() - began
        sessions.sweep(pid)
        self._tell(Message(Kind.ENDED, serial, exit_code, int(lasted * 1e6)))

    def _tell(self, message: Message) -> None:
        with suppress(OSError):  # the worker is gone: the next reading says so
            self._worker.send(message.pack())
