"""The sender: signed deliveries, each a new event, over keep-alive connections.

    python -m benchmarks.load PORT SECONDS CORE

A process of its own, on a core of its own; prints one `Load` as JSON. Requests are signed before they are
timed, and of the answers it reads no more than where they end and whether they are 2xx.
"""

import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from uuid import uuid4

import uvloop

from benchmarks.cores import stay_on
from dashboard import sending
from receiver.webhook import PATH

HOST = "127.0.0.1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONNECTIONS = 64
WARM_UP = 1.0  # seconds, before what is measured; it tells how many requests to sign
MOST_WARM_UP = 5_000  # requests
ROOM = 1.5  # times as many requests as the warm-up's rate would need
CASES_AT_ONCE = 2 * CONNECTIONS  # so that a case's next event is not sent before its last is answered
STAGES = ("IN_PROGRESS", "IN_REVIEW", "COMPLETED")
BETWEEN_STAGES = timedelta(seconds=20)
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What one round has shown. `acknowledged` counts the warm-up's too; times are in milliseconds."""

    acknowledged: int
    rate: float  # requests a second
    p50: float
    p99: float
    core_use: float  # of the sender's core: near 1, it would be the sender that is measured


def main(port: int, seconds: float, core: int) -> None:
    stay_on(core)
    warm_up = uvloop.run(_send(port, list(signed_requests(MOST_WARM_UP)), WARM_UP))
    expected = len(warm_up.milliseconds) / warm_up.seconds * seconds
    requests = list(signed_requests(int(expected * ROOM)))
    gc.freeze()
    gc.disable()
    sent = uvloop.run(_send(port, requests, seconds))
    hundredths = quantiles(sent.milliseconds, n=100)
    load = Load(
        acknowledged=len(warm_up.milliseconds) + len(sent.milliseconds),
        rate=len(sent.milliseconds) / sent.seconds,
        p50=hundredths[49],
        p99=hundredths[98],
        core_use=sent.core_seconds / sent.seconds,
    )
    print(json.dumps(asdict(load)))


def signed_requests(count: int) -> Iterator[bytes]:
    """Whole cases, some at a time, each going through its stages; as bytes for the socket."""
    while count > 0:
        refs = [str(uuid4()) for _ in range(CASES_AT_ONCE)]
        for n, status in enumerate(STAGES):
            made_at = datetime.now(UTC) - (len(STAGES) - n) * BETWEEN_STAGES
            for ref in refs:
                yield _request(sending.payload(ref, status), sending.new_message_id(made_at))
        count -= len(refs) * len(STAGES)


def _request(body: bytes, svix_id: str) -> bytes:
    headers = {
        "host": HOST,
        "user-agent": "Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)",
        "accept": "*/*",
        "content-length": str(len(body)),
        **sending.sign(body, SECRET, svix_id).headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"POST " + PATH + b" HTTP/1.1\r\n" + lines.encode() + b"\r\n" + body


@dataclass
class _Sending:
    """One stretch of sending, shared by its connections."""

    requests: Iterator[bytes]
    until: float
    done: asyncio.Future[None]
    milliseconds: list[float] = field(default_factory=list)
    open: int = CONNECTIONS
    seconds: float = 0
    core_seconds: float = 0

    def leave(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set_result(None)

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


class _Connection(asyncio.Protocol):
    """Sends a request as soon as the one before it is answered."""

    transport: asyncio.Transport

    def __init__(self, sending: _Sending) -> None:
        self._sending = sending
        self._answer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def send(self) -> None:
        self._sent_at = time.perf_counter()
        request = next(self._sending.requests, None)
        if request is None or self._sent_at > self._sending.until:
            self._sending.leave()
        else:
            self.transport.write(request)

    def data_received(self, received: bytes) -> None:
        self._answer += received
        if not _is_whole(self._answer):
            return
        if not self._answer.startswith(b"HTTP/1.1 20"):
            self._sending.fail(f"not acknowledged: {self._answer!r}")
            return
        self._sending.milliseconds.append((time.perf_counter() - self._sent_at) * 1000)
        self._answer = b""
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._sending.fail("a connection was lost")


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = CONTENT_LENGTH.search(head)
    return length is not None and len(body) >= int(length[1])


async def _send(port: int, requests: list[bytes], seconds: float) -> _Sending:
    """Keep all connections busy for so long, or while there are requests; raises if one fails."""
    loop = asyncio.get_running_loop()
    sending = _Sending(iter(requests), 0, loop.create_future())
    connections = [
        (await loop.create_connection(lambda: _Connection(sending), HOST, port))[1]
        for _ in range(CONNECTIONS)
    ]
    core_seconds, began = time.process_time(), time.perf_counter()
    sending.until = began + seconds
    for connection in connections:
        connection.send()
    await sending.done
    sending.seconds = time.perf_counter() - began
    sending.core_seconds = time.process_time() - core_seconds
    for connection in connections:
        connection.transport.abort()
    return sending


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
