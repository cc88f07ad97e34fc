"""What needs a person, or is being retried, by what it failed with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Label, Row, Select, Subquery, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.known_failures import lacks_text
from dashboard.queries.runs import COUNTED
from receiver.handlers import Effect, title_of
from receiver.models import RunState, failures, handlers, record, runs
from receiver.runs.selecting import IN_STATE

GROUPS = 50  # on a page; more kinds of failure at a time nobody sees to one by one


@dataclass(frozen=True, slots=True)
class Failure:
    """What runs of one handler fail with."""

    fingerprint: str
    handler: str
    title: str
    is_gone: bool  # the handler
    kind: str
    place: str | None
    error: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """`count` is at most COUNTED; from there on `cases` are those of the first ones counted, and `next_at`
    the next retry among them."""

    failure: Failure
    count: int
    cases: int
    next_at: datetime | None

    @property
    def is_cut(self) -> bool:
        return self.count >= COUNTED


@dataclass(frozen=True, slots=True)
class Lacking:
    """Tasks that need a person for lack of a text; `count` is at most COUNTED."""

    fingerprint: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Groups:
    rows: Sequence[Group]
    more: bool  # than a page shows


async def find_groups(connection: AsyncConnection, state: RunState, handler: str | None = None) -> Groups:
    """Last seen first."""
    one = select(runs.c.id).where(IN_STATE[state], runs.c.fingerprint == failures.c.fingerprint)
    query = (
        _failures(*_counts(state))
        .where(one.exists())
        .order_by(failures.c.last_at.desc(), failures.c.fingerprint.desc())
        .limit(GROUPS + 1)
    )
    if handler is not None:
        query = query.where(failures.c.handler == handler)
    found = [record(Group, row, failure=_failure(row)) for row in await connection.execute(query)]
    return Groups(found[:GROUPS], len(found) > GROUPS)


async def find_failure(connection: AsyncConnection, fingerprint: str) -> Failure | None:
    query = _failures().where(failures.c.fingerprint == fingerprint)
    row = (await connection.execute(query)).one_or_none()
    return _failure(row) if row else None


async def find_lacking_text(connection: AsyncConnection, code: str) -> list[Lacking]:
    """Of each handler that tells customers."""
    telling = select(handlers.c.name, handlers.c.title).where(handlers.c.effect == Effect.CUSTOMER)
    found = []
    for row in await connection.execute(telling.order_by(handlers.c.name)):
        fingerprint = lacks_text(row.name, code)
        some = select(runs.c.id).where(IN_STATE[RunState.FAILED], runs.c.fingerprint == fingerprint)
        counted = select(func.count()).select_from(some.limit(COUNTED).subquery())
        if count := (await connection.execute(counted)).scalar_one():
            found.append(Lacking(fingerprint, row.title or title_of(row.name), count))
    return found


def _failures(*others: Any) -> Select[Any]:
    is_gone = handlers.c.removed_at.is_not(None).label("is_gone")
    named = select(*failures.c, handlers.c.title, is_gone, *others)
    return named.outerjoin_from(failures, handlers, handlers.c.name == failures.c.handler)


def _failure(row: Row[Any]) -> Failure:
    return record(Failure, row, title=row.title or title_of(row.handler))


def _counts(state: RunState) -> list[Label[Any]]:
    """Of the first runs of a failure: their index has all that is asked."""
    found, of_cases = _first(state, runs.c.id), _first(state, runs.c.ref_key)
    counts = [
        select(func.count()).select_from(found).scalar_subquery().label("count"),
        select(func.count(of_cases.c.ref_key.distinct())).scalar_subquery().label("cases"),
    ]
    if state != RunState.RETRYING:
        return [*counts, null().label("next_at")]
    due = _first(state, runs.c.due_at)
    return [*counts, select(func.min(due.c.due_at)).scalar_subquery().label("next_at")]


def _first(state: RunState, column: Column[Any]) -> Subquery:
    same = runs.c.fingerprint == failures.c.fingerprint
    return select(column).where(IN_STATE[state], same).limit(COUNTED).correlate(failures).subquery()
