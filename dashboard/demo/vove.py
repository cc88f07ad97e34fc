"""An invented VOVE: sends genuine signed requests over HTTP, and all that goes wrong between two systems."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import httpx

from dashboard import sending
from dashboard.demo.businesses import NAMES, Move, history

log = logging.getLogger(__name__)

PAST_PACE = 0.08  # seconds between two messages while it sends again what happened over the last days
LIVE_PACE = 1.2  # seconds between two afterwards
PAST_BUSINESSES = 24
OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret of somebody else").decode()


class Vove:
    """Plays until `stopping` is set. What happens is the same each time; when is not."""

    def __init__(self, url: str, secret: str, stopping: threading.Event) -> None:
        self._url = url
        self._secret = secret
        self._stopping = stopping
        self._random = Random(2026)  # noqa: S311
        self._client = httpx.Client(timeout=15)

    def play(self) -> None:
        with self._client:
            for _ in self._past():
                if self._stopping.wait(PAST_PACE):
                    return
            while True:
                for _ in self._live():
                    if self._stopping.wait(LIVE_PACE * self._random.uniform(0.5, 1.5)):
                        return

    def _past(self) -> Iterator[None]:
        """What happened over the last days, message by message, with what usually goes wrong."""
        for number, name in enumerate(NAMES[:PAST_BUSINESSES]):
            moves = history(name, number, self._random)
            at = datetime.now(UTC) - timedelta(days=self._random.uniform(2, 9))
            dated = []
            for move in moves:
                dated.append((move, at))
                at += timedelta(hours=self._random.uniform(2, 30))
            if number % 8 == 6:
                del dated[1]  # lost on the way: the case shows a gap
            if number % 8 == 3:
                dated[-1], dated[-2] = dated[-2], dated[-1]  # a retry of the older came after the newer: late
            for move, made_at in dated:
                self._send(move, min(made_at, datetime.now(UTC)))
                yield
        yield from self._strangers()

    def _live(self) -> Iterator[None]:
        """A few businesses at a time move on before one's eyes; now and then something is off."""
        run = self._random.randrange(10_000, 99_999)
        under_way = [
            history(f"{name}", run + number, self._random)
            for number, name in enumerate(self._random.sample(NAMES, 6))
        ]
        while any(under_way):
            moves = self._random.choice([moves for moves in under_way if moves])
            svix_id = self._send(moves[0], datetime.now(UTC))
            yield
            if self._random.random() < 0.15:  # our answer got lost: the same message again
                self._send(moves[0], datetime.now(UTC), svix_id)
                yield
            moves.pop(0)
            if self._random.random() < 0.04:
                yield from self._strangers()

    def _strangers(self) -> Iterator[None]:
        """Signed with another secret, no JSON, another family's result, one id with two contents."""
        body = sending.payload(f"{self._random.choice(NAMES)}-2003", "COMPLETED")
        self._post(sending.sign(body, OTHER_SECRET, sending.new_message_id()))
        yield
        self._post(sending.sign(b'{"refId": "half a mess', self._secret, sending.new_message_id()))
        yield
        number = self._random.randrange(PAST_BUSINESSES)
        aml = json.dumps({"refId": f"{NAMES[number]}-{2000 + number}", "status": "NO_MATCH"}).encode()
        self._post(sending.sign(aml, self._secret, sending.new_message_id()))
        yield
        same_id = sending.new_message_id()
        for status in ("IN_PROGRESS", "IN_REVIEW"):
            body = sending.payload(f"{NAMES[-1]}-2099", status)
            self._post(sending.sign(body, self._secret, same_id))
            yield

    def _send(self, move: Move, made_at: datetime, svix_id: str | None = None) -> str:
        body = sending.payload(move.ref_id, move.status, move.previous_status, move.reason)
        svix_id = svix_id or sending.new_message_id(made_at)
        self._post(sending.sign(body, self._secret, svix_id))
        return svix_id

    def _post(self, signed: sending.SignedRequest) -> None:
        """Like Svix, try again where there is no 2xx; a refusal it would repeat for a day, we do not."""
        for delay in (1.0, 2.0, 5.0, 10.0):
            try:
                answer = self._client.post(self._url, content=signed.body, headers=signed.headers)
                if answer.status_code < 500:
                    return
            except httpx.HTTPError as error:
                log.warning("not delivered: %s", type(error).__name__)
            if self._stopping.wait(delay):
                return
