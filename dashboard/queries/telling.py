"""What a case's reason means, and what of it may be said to the customer."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.handlers import Reason
from receiver.reasons import code_of, find_description, find_reason


@dataclass(frozen=True, slots=True)
class Telling:
    """`code` names the reason on its page; its texts are the approved ones, by language."""

    reason: Reason
    code: str
    explanation: str | None

    @property
    def label(self) -> str | None:
        return self.reason.label

    @property
    def never_tell(self) -> bool:
        return self.reason.never_tell

    @property
    def texts(self) -> Mapping[str, str]:
        return self.reason.customer_texts


async def find_telling(connection: AsyncConnection, code: str | None) -> Telling | None:
    """None where there is no reason."""
    return await connection.run_sync(_find, code)


def _find(connection: Connection, code: str | None) -> Telling | None:
    reason = find_reason(connection, code)
    if code is None or reason is None:
        return None
    described = find_description(connection, code_of(code))
    return Telling(reason, code_of(code), described.explanation if described else None)
