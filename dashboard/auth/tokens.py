"""Random texts that open something. Tables keep their SHA-256: a stolen table opens nothing."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
