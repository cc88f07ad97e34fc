"""Signs and sends one event as Svix does: for `kybdesk send`, the demo and try-outs."""

import json
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from ksuid import KsuidMs
from svix.webhooks import Webhook

USUALLY_BEFORE = {
    "IN_PROGRESS": "NOT_STARTED",
    "IN_REVIEW": "IN_PROGRESS",
    "COMPLETED": "IN_REVIEW",
    "REJECTED": "IN_REVIEW",
}


@dataclass(frozen=True)
class SignedRequest:
    headers: dict[str, str]
    body: bytes

    def as_curl(self, url: str) -> str:
        """The same request as a shell command; its signature holds for five minutes."""
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        lines = [f"curl -i {shlex.quote(url)}", *headers, f"--data-raw {shlex.quote(self.body.decode())}"]
        return " \\\n  ".join(lines)


def new_message_id(at: datetime | None = None) -> str:
    """An id as Svix makes them, which holds the time at which the message was made."""
    return f"msg_{KsuidMs(datetime=at)}"


def payload(ref_id: str, status: str, previous_status: str | None = None, reason: str | None = None) -> bytes:
    """The body of a KYB event; without a previous status, the one that usually stands before."""
    fields = {
        "refId": ref_id,
        "status": status,
        "previousStatus": previous_status or USUALLY_BEFORE.get(status, "IN_REVIEW"),
    }
    if reason is not None:
        fields["reason"] = reason
    return json.dumps(fields).encode()


def sign(body: bytes, secret: str, svix_id: str, at: datetime | None = None) -> SignedRequest:
    """The request that delivers `body`, signed at `at` (now)."""
    at = at or datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "svix-id": svix_id,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": Webhook(secret).sign(svix_id, at, body.decode()),
    }
    return SignedRequest(headers, body)
