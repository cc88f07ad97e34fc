"""An invented VOVE: sends genuine signed requests over HTTP, and all that goes wrong between two systems."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import httpx

from dashboard import sending
from dashboard.demo.businesses import Business, Move, business
from dashboard.demo.vove_api import Records

log = logging.getLogger(__name__)

PAST_PACE = 0.08  # seconds between two messages while it sends again what happened over the last days
LIVE_PACE = 1.2  # seconds between two afterwards
PAST_BUSINESSES = 24
AT_A_TIME = 6  # businesses that move on before one's eyes
OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret of somebody else").decode()


@dataclass(frozen=True)
class _Webhook:
    move: Move
    made_at: datetime
    came_at: datetime


class Vove:
    """Plays until `stopping` is set. What happens is the same each time; when is not."""

    def __init__(self, url: str, secret: str, stopping: threading.Event, records: Records) -> None:
        self._url = url
        self._secret = secret
        self._stopping = stopping
        self._records = records
        self._random = Random(2026)  # noqa: S311
        self._client = httpx.Client(timeout=15, trust_env=False)

    def play(self) -> None:
        with self._client:
            for _ in self._past():
                if self._stopping.wait(PAST_PACE):
                    return
            for first in count(PAST_BUSINESSES, AT_A_TIME):
                for _ in self._live([business(number) for number in range(first, first + AT_A_TIME)]):
                    if self._stopping.wait(LIVE_PACE * self._random.uniform(0.5, 1.5)):
                        return

    def _past(self) -> Iterator[None]:
        """What happened over the last days, message by message, with what usually goes wrong."""
        webhooks = [each for number in range(PAST_BUSINESSES) for each in self._history(business(number))]
        for webhook in sorted(webhooks, key=lambda webhook: webhook.came_at):
            self._send(webhook.move, webhook.made_at)
            yield
        yield from self._strangers()

    def _history(self, one: Business) -> list[_Webhook]:
        at = datetime.now(UTC) - timedelta(days=self._random.uniform(7, 9))
        webhooks = []
        for move in one.moves():
            webhooks.append(_Webhook(move, made_at=at, came_at=at))
            self._records.note(one, move.status, at)
            at += timedelta(hours=self._random.uniform(2, 30))
        if one.story.lost is not None:
            del webhooks[one.story.lost]
        if one.story.swapped:
            *_, before, last = webhooks
            webhooks[-2:] = [replace(before, came_at=last.came_at), replace(last, came_at=before.came_at)]
        return webhooks

    def _live(self, businesses: list[Business]) -> Iterator[None]:
        """A few at a time move on before one's eyes; now and then something is off."""
        under_way = [(one, list(one.moves())) for one in businesses]
        while under_way:
            one, moves = self._random.choice(under_way)
            move = moves.pop(0)
            self._records.note(one, move.status, datetime.now(UTC))
            svix_id = self._send(move, datetime.now(UTC))
            yield
            if self._random.random() < 0.15:  # our answer got lost: the same message again
                self._send(move, datetime.now(UTC), svix_id)
                yield
            under_way = [(each, left) for each, left in under_way if left]
            if self._random.random() < 0.04:
                yield from self._strangers()

    def _strangers(self) -> Iterator[None]:
        """Signed with another secret, no JSON, another family's result, one id with two contents."""
        body = sending.payload(self._any().ref_id, "COMPLETED")
        self._post(sending.sign(body, OTHER_SECRET, sending.new_message_id()))
        yield
        self._post(sending.sign(b'{"refId": "half a mess', self._secret, sending.new_message_id()))
        yield
        aml = json.dumps({"refId": self._any().ref_id, "status": "NO_MATCH"}).encode()
        self._post(sending.sign(aml, self._secret, sending.new_message_id()))
        yield
        same_id = sending.new_message_id()
        for status in ("IN_PROGRESS", "IN_REVIEW"):
            body = sending.payload("somebody-else-1", status)
            self._post(sending.sign(body, self._secret, same_id))
            yield

    def _any(self) -> Business:
        return business(self._random.randrange(PAST_BUSINESSES))

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
