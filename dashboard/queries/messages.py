"""What went out to businesses, as the tries that sent it said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.models import messages

MESSAGES = 200  # the latest, of all runs of one page: each may be 20,000 characters


@dataclass(frozen=True, slots=True)
class SentMessage:
    """`number` is the attempt's; `cut`: the text is longer than what was asked for."""

    id: int
    run_id: int
    number: int
    channel: str
    recipient: str
    subject: str
    text: str
    cut: bool
    language: str
    sent_at: datetime


async def find_messages_of(
    connection: AsyncConnection, run_ids: Sequence[int], shown: int | None = None
) -> dict[int, list[SentMessage]]:
    """What these runs sent, oldest first; at most `shown` characters of each text."""
    text = func.substr(messages.c.text, 1, shown) if shown else messages.c.text
    query = (
        select(
            *(messages.c[name] for name in SentMessage.__dataclass_fields__ if name not in {"text", "cut"}),
            text.label("text"),
            (func.length(messages.c.text) > func.length(text)).label("cut"),
        )
        .where(messages.c.run_id.in_(run_ids))
        .order_by(messages.c.id.desc())
        .limit(MESSAGES)
    )
    found: dict[int, list[SentMessage]] = {run_id: [] for run_id in run_ids}
    rows = (await connection.execute(query)).all() if run_ids else []
    for row in reversed(rows):
        found[row.run_id].append(SentMessage(**row._mapping))
    return found
