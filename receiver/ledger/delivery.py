"""What the webhook hands to the ledger."""

from dataclasses import dataclass
from datetime import datetime

from receiver.event import Event, Unreadable
from receiver.models import Verdict
from receiver.verification import Refused, Verified


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request: its bytes, what is kept of its headers, and what was found out about it.

    `found` is Refused, or what a verified one says. `took` is in microseconds.
    """

    received_at: datetime
    took: int
    http_status: int
    body: bytes
    body_size: int  # of the request; `body` may hold less
    body_sha256: bytes  # of all of it
    content_type: str | None
    user_agent: str | None
    header_names: str
    client: str | None
    verified: Verified | None
    found: Event | Unreadable | Refused

    @property
    def refused(self) -> Refused | None:
        return self.found if isinstance(self.found, Refused) else None

    @property
    def cause(self) -> str | None:
        return None if isinstance(self.found, Event) else self.found.cause

    def verdict_without_event(self) -> Verdict:
        return Verdict.REFUSED if self.refused else Verdict.QUARANTINED
