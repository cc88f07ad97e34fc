"""Signs and sends one event as Svix does: for `kybdesk send`, the demo and try-outs."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from svix.webhooks import Webhook

from receiver.handlers.inventing import new_message_id, payload

__all__ = ["SignedRequest", "new_message_id", "payload", "sign"]


@dataclass(frozen=True)
class SignedRequest:
    headers: dict[str, str]
    body: bytes

    def as_curl(self, url: str) -> str:
        """The same request as a shell command; its signature holds for five minutes."""
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        lines = [f"curl -i {shlex.quote(url)}", *headers, f"--data-raw {shlex.quote(self.body.decode())}"]
        return " \\\n  ".join(lines)


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
