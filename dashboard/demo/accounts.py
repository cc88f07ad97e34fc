"""An invented account service: what a company builds to let KYB Desk enable its customers' accounts.

It believes what is signed, does for each idempotency key what is asked once, and makes trouble where the
story of a business says so.
"""

import threading
from collections import Counter

from standardwebhooks import Webhook, WebhookVerificationError

from dashboard.demo.businesses import Trouble, find_business
from dashboard.demo.serving import Answer, Request, Service

STATES = {"business.activate": "active", "business.suspend": "suspended"}
SLOW_CALLS = 3  # as many as KYB Desk tries by itself
SLOWNESS = 20.0  # seconds: longer than anybody waits


class Accounts(Service):
    """`POST /kyb` enables or suspends, `GET /accounts` tells what there is."""

    def __init__(self, secret: str, stopping: threading.Event) -> None:
        super().__init__(self._answer)
        self._signing = Webhook(secret)
        self._stopping = stopping
        self._lock = threading.Lock()
        self._states: dict[str, str] = {}  # by refId
        self._done: dict[str, Answer] = {}  # by idempotency key
        self._calls: Counter[str] = Counter()  # by refId

    @property
    def hook(self) -> str:
        return f"{self.address}/kyb"

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/accounts":
                with self._lock:
                    return Answer.of_json(200, self._states)
            case "POST", "/kyb":
                return self._hear(request)
        return Answer.of_json(404, {"message": "There is nothing here"})

    def _hear(self, request: Request) -> Answer:
        try:
            said = self._signing.verify(request.body, dict(request.headers))
            kind, ref_id = said["type"], said["data"]["refId"]
            state = STATES[kind]
        except (WebhookVerificationError, ValueError):  # the second: a signature or a body that is none
            return Answer.of_json(401, {"message": "The signature is not right"})
        except (KeyError, TypeError):
            return Answer.of_json(422, {"message": "This says nothing that we understand"})
        key = request.headers.get("idempotency-key", "")
        if not key:
            return Answer.of_json(400, {"message": "Idempotency-Key is missing"})
        return self._trouble(ref_id, state) or self._do(key, ref_id, state)

    def _trouble(self, ref_id: str, state: str) -> Answer | None:
        found = find_business(ref_id)
        if found is None or state != "active":
            return None
        with self._lock:
            self._calls[ref_id] += 1
            call = self._calls[ref_id]
        match found.story.trouble:
            case Trouble.BUSY if call == 1:
                return Answer.of_json(503, {"message": "restarting, one moment please"})
            case Trouble.NO_TAX_NUMBER if call == 1:
                why = "the business has no tax number yet; a colleague adds it now, so re-process this"
                return Answer.of_json(409, {"message": why})
            case Trouble.SLOW if call <= SLOW_CALLS:
                self._stopping.wait(SLOWNESS)
                return Answer.of_json(504, {"message": "that took too long"})
        return None

    def _do(self, key: str, ref_id: str, state: str) -> Answer:
        """A repeat of a call whose answer got lost is answered as the call was, and does nothing."""
        with self._lock:
            if key not in self._done:
                self._states[ref_id] = state
                self._done[key] = Answer.of_json(200, {"message": f"{ref_id} is {state}"})
            return self._done[key]
