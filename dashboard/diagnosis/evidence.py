"""What was kept of one delivery."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """`timestamp` is the header's number; `signature` is kept of refused deliveries only, `verified_by`, a
    secret's fingerprint, of the others."""

    received_at: datetime
    cause: str | None
    svix_id: str | None
    timestamp: int | None
    signature: str | None = field(repr=False)
    verified_by: str | None
    body: bytes | None
    body_size: int
    body_sha256: bytes | None
    header_names: tuple[str, ...]
    content_type: str | None

    @property
    def whole_body(self) -> bytes | None:
        """The bytes as they came, or None: of what did not verify only the first 64 KiB are kept."""
        if self.body is None or len(self.body) != self.body_size:
            return None
        return self.body if self.body_sha256 in {None, hashlib.sha256(self.body).digest()} else None

    @property
    def seconds_off(self) -> int | None:
        """How much earlier than by our clock it was signed; negative: later."""
        return None if self.timestamp is None else int(self.received_at.timestamp()) - self.timestamp
