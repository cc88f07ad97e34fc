"""Small worlds for the receiver's tests: signed deliveries, ids that tell their time."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from ksuid import KsuidMs
from svix.webhooks import Webhook

from receiver import event
from receiver.ledger import Delivery
from receiver.verification import Refusal, Refused, Verified

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of 32 bytes ------").decode()
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def message_id(moment: datetime, payload: int = 0) -> str:
    """A message id as Svix makes them: its first bytes are `moment`, in steps of 4 ms."""
    return f"msg_{KsuidMs(datetime=moment, payload=payload.to_bytes(15, 'big'))}"


def body(ref_id: str = "acme", status: str = "IN_PROGRESS", **fields: Any) -> bytes:
    fields = {"previousStatus": "NOT_STARTED"} | fields
    return json.dumps({"refId": ref_id, "status": status} | fields).encode()


def signed(
    content: bytes, svix_id: str, at: datetime, secret: str = SECRET, family: str = "svix"
) -> list[tuple[bytes, bytes]]:
    """The three headers of a genuine delivery."""
    signature = Webhook(secret).sign(svix_id, at, content.decode())
    return [
        (f"{family}-id".encode(), svix_id.encode()),
        (f"{family}-timestamp".encode(), str(int(at.timestamp())).encode()),
        (f"{family}-signature".encode(), signature.encode()),
    ]


def delivery(
    content: bytes | None = None,
    svix_id: str | None = None,
    at: datetime = NOON,
    attempt_at: datetime | None = None,
    **fields: Any,
) -> Delivery:
    """A verified delivery, as the webhook hands it to the ledger."""
    content = body(**fields) if content is None else content
    svix_id = svix_id or message_id(at)
    attempt = int((attempt_at or at).timestamp())
    return _delivery(
        content, Verified(svix_id, attempt, "e9d8d897"), event.read(content), 200, attempt_at or at
    )


def refused_delivery(
    content: bytes = b"{}", at: datetime = NOON, shaped: bool = True, cause: Refusal = Refusal.NO_MATCH
) -> Delivery:
    refused = Refused(cause, "msg_x", int(at.timestamp()), "v1,x", shaped=shaped)
    return _delivery(content, None, refused, 401, at)


def _delivery(content: bytes, verified: Verified | None, found: Any, status: int, at: datetime) -> Delivery:
    return Delivery(
        received_at=at,
        took=100,
        http_status=status,
        body=content,
        body_size=len(content),
        body_sha256=hashlib.sha256(content).digest(),
        content_type="application/json",
        user_agent="Svix-Webhooks/1.0",
        header_names="svix-id svix-timestamp svix-signature",
        client="127.0.0.1",
        verified=verified,
        found=found,
    )
