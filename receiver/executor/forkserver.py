"""The worker's side of the fork server: starts it, asks it for calls, hears how they went."""

import os
import pickle
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import IO

from receiver.executor.calls import Call, Limits
from receiver.handlers.loading import in_python, without_secrets

MESSAGE = Struct(
    "=iqqq"
)  # kind, serial number of the call, two numbers; so small that it is sent in one piece
MESSAGES_AT_ONCE = 64
LONGEST_IMPORT = 60  # seconds, as when the worker registers the handlers
PATIENCE = 5  # seconds for it to end its calls and itself, when asked to


class Kind(IntEnum):
    START = 1  # with three descriptors: the call, its report, its output
    END = 2
    STARTED = 3  # process id, microseconds of the monotonic clock
    ENDED = 4  # exit code as subprocess has it, microseconds that it lasted
    NOT_STARTED = 5  # errno of the fork


@dataclass(frozen=True)
class Message:
    kind: Kind
    serial: int
    first: int = 0
    second: int = 0

    def pack(self) -> bytes:
        return MESSAGE.pack(self.kind, self.serial, self.first, self.second)

    @staticmethod
    def unpack(received: bytes) -> "Iterator[Message]":
        for kind, serial, first, second in MESSAGE.iter_unpack(received):
            yield Message(Kind(kind), serial, first, second)


class ForkServer:
    """A process that has imported the handler modules, without our secrets, and forks a child for each call.

    It ends by itself, and ends its calls, as soon as this side of the socket is closed, by kill -9 too.
    """

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
                in_python(
                    "receiver.executor.forking", "main", str(theirs.fileno()), str(LONGEST_IMPORT), *modules
                ),
                stdin=subprocess.DEVNULL,
                env=without_secrets(),
                pass_fds=[theirs.fileno()],
            )
        self.socket.setblocking(False)

    def start(self, serial: int, call: Call, limits: Limits, report: int, output: int) -> None:
        """Ask for a call; never waits. Raises OSError where the server is gone or stuck."""
        with _file_of(pickle.dumps((call, limits))) as file:
            socket.send_fds(
                self.socket, [Message(Kind.START, serial).pack()], [file.fileno(), report, output]
            )

    def end(self, serial: int) -> None:
        """Ask for a call's end: with all that it has started, at once. It is told as ENDED."""
        with suppress(OSError):  # gone, and heard of soon; stuck: the call's own alarm ends it
            self.socket.send(Message(Kind.END, serial).pack())

    def hear(self) -> list[Message] | None:
        """What it has told since; none: it is gone."""
        try:
            received = self.socket.recv(MESSAGE.size * MESSAGES_AT_ONCE)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return list(Message.unpack(received)) if received else None

    def close(self) -> int:
        """End it and all its calls; its exit code."""
        self.socket.close()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> int:
        """End it where it is gone or stuck; its exit code, as it was if it is gone. Its calls may go on."""
        self.socket.close()
        self._process.kill()
        return self._process.wait()


def _file_of(content: bytes) -> IO[bytes]:
    """A file in memory where there is such a thing: an event is nobody's business but the handler's."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("call"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(content)
    file.seek(0)
    return file
