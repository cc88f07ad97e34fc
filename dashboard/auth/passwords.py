"""Passwords are kept as argon2id hashes."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106's choice where memory is shared with others: 64 MiB, three passes.
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
# No password has this hash. Comparing with it costs the same, so that timing tells nobody who has an account.
_NOBODY = f"$argon2id$v=19$m={64 * 1024},t=3,p=4${'A' * 22}${'A' * 43}"

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")  # at 64 MiB each


def hashed(password: str) -> str:
    return _hasher.hash(_bytes(password))


async def rehashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, hashed, password)


async def matches(password: str, password_hash: str | None) -> bool:
    """Never, but as slowly, where there is no hash."""
    return await asyncio.get_running_loop().run_in_executor(
        _threads, _verify, password_hash or _NOBODY, password
    )


def alike(one: str, other: str) -> bool:
    return _bytes(one) == _bytes(other)


def outdated(password_hash: str) -> bool:
    """Made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """The same password typed on another keyboard gives the same bytes."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
