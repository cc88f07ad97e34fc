"""The tries of runs, with all that they left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.messages import SentMessage, find_messages_of
from dashboard.queries.runs import Run
from receiver.models import Outcome, attempts

ATTEMPTS = 50  # the latest of one run
MESSAGE_SHOWN = 2000  # characters of a message in a timeline; the run's page has all of it


@dataclass(frozen=True, slots=True)
class Attempt:
    id: int
    run_id: int
    number: int
    started_by: str
    requested_by: str | None
    started_at: datetime
    finished_at: datetime
    outcome: str
    result: str | None
    error: str | None
    changes: str | None = None  # of the directory, see dashboard/changes.py
    traceback: str | None = None
    output: str | None = None
    messages: Sequence[SentMessage] = ()

    @property
    def left_something(self) -> bool:
        """In the directory, or with the customer."""
        return bool(self.messages or self.changes)

    @property
    def nobody_knows(self) -> bool:
        """Its process ended before it could say how far it came, or it does not know itself."""
        return self.outcome in {Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.IN_DOUBT}


def may_have_been_done(run: Run, tries: Sequence[Attempt]) -> bool:
    """Its effect can't be taken back, and nobody knows whether it took place."""
    return run.once and not run.is_done and any(attempt.nobody_knows for attempt in tries)


async def find_attempts(connection: AsyncConnection, run_id: int) -> list[Attempt]:
    """The latest tries of one run, newest first, with all that they left."""
    query = (
        select(*_columns())
        .where(attempts.c.run_id == run_id)
        .order_by(attempts.c.number.desc())
        .limit(ATTEMPTS)
    )
    found = [Attempt(**row._mapping) for row in await connection.execute(query)]
    sent = await find_messages_of(connection, [run_id])
    return [_with_messages(attempt, sent) for attempt in found]


async def find_attempts_of(connection: AsyncConnection, run_ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """The tries of several runs, oldest first, without tracebacks and output."""
    found: dict[int, list[Attempt]] = {run_id: [] for run_id in run_ids}
    sent = await find_messages_of(connection, run_ids, shown=MESSAGE_SHOWN)
    query = (
        select(*_columns(without={"traceback", "output"}))
        .where(attempts.c.run_id.in_(run_ids))
        .order_by(attempts.c.run_id, attempts.c.number)
    )
    for row in await connection.execute(query) if run_ids else ():
        found[row.run_id].append(_with_messages(Attempt(**row._mapping), sent))
    return found


def _columns(without: Collection[str] = ()) -> list[ColumnElement[Any]]:
    names = Attempt.__dataclass_fields__
    return [attempts.c[name] for name in names if name in attempts.c and name not in without]


def _with_messages(attempt: Attempt, sent: Mapping[int, Sequence[SentMessage]]) -> Attempt:
    its_own = tuple(message for message in sent[attempt.run_id] if message.number == attempt.number)
    return replace(attempt, messages=its_own)
