"""Why cases were rejected, and how often, week by week or month by month.

A rejection is counted when it happened, by the sender's clock, and once: not again where VOVE repeats it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    column,
    func,
    literal_column,
    select,
    text,
    union_all,
    values,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.periods import By, Period, last_periods
from dashboard.queries.events import EVENT_TIME
from dashboard.queries.runs import COUNTED
from dashboard.zones import readers_zone
from receiver.models import businesses, cases, events, reasons, record, seen_reasons

TOP = 50  # reasons that are listed: of texts there may be thousands
LATEST = 3  # cases of each
LOOKED_AT = 1000  # of the last rejected cases, for those without a reason: no index has these
happened_at = EVENT_TIME
# As the indexes say them, word by word: else they are not used.
IS_REJECTION = text("events.status = 'REJECTED' AND events.place IS NOT NULL AND events.link <> 'repeat'")
reason_given: ColumnElement[str] = literal_column("substr(events.reason, 1, 200)", Text)
reason_of_case: ColumnElement[str] = literal_column("substr(cases.reason, 1, 200)", Text)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often, in each period. `code` None: no reason was given."""

    code: str | None
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def key(self) -> str:
        """What can stand in a page's ids: a code may be any text."""
        return sha256((self.code or "").encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Rejections:
    """By reason, the most frequent first; what is not among the `top` is summed up in `others`."""

    periods: Sequence[Period]
    top: Sequence[ReasonCount]
    others: ReasonCount
    other_reasons: int  # how many the others are
    all: ReasonCount

    def share(self, reason: ReasonCount) -> float:
        """Of all, in per cent."""
        return reason.total * 100 / self.all.total if self.all.total else 0.0


@dataclass(frozen=True, slots=True)
class LatestCase:
    ref_id: str
    name: str | None
    reason: str | None
    status_since: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class NewReason:
    """One that nobody has described."""

    code: str
    first_at: datetime
    last_at: datetime
    ref_id: str  # of the case that it was first seen with


async def count_some(connection: AsyncConnection, periods: Sequence[Period], most: int) -> int:
    """How many rejections there are in these periods; at most that many."""
    some = select(events.c.id).where(*_within(periods)).limit(most)
    return await connection.scalar(select(func.count()).select_from(some.subquery())) or 0


async def count_rejections(
    connection: AsyncConnection, periods: Sequence[Period], top: int = TOP
) -> Rejections:
    # Period by period: to sort all of them by reason at once takes twice as long.
    queries = [_counted(place, period, reason_given) for place, period in enumerate(periods)]
    counts: dict[str | None, list[int]] = defaultdict(lambda: [0] * len(periods))
    for place, reason, n in await connection.execute(union_all(*queries)):
        counts[reason or None][place] += n
    found = [ReasonCount(code, tuple(each)) for code, each in counts.items()]
    found.sort(key=lambda reason: (-reason.total, reason.code or ""))
    return Rejections(
        periods,
        found[:top],
        _sum(found[top:], len(periods)),
        len(found[top:]),
        _sum(found, len(periods)),
    )


async def find_top_reasons(connection: AsyncConnection, now: datetime, top: int = 5) -> Rejections:
    """Of the last twelve weeks, where the reader is."""
    return await count_rejections(connection, last_periods(By.WEEK, now, readers_zone()), top)


async def count_reason(
    connection: AsyncConnection, code: str | None, periods: Sequence[Period]
) -> ReasonCount:
    """Of one reason; None: of those without one."""
    is_it = func.coalesce(reason_given, "") == (code or "")
    each = [_counted(place, period).where(is_it) for place, period in enumerate(periods)]
    counts = {row.place: row.n for row in await connection.execute(union_all(*each))}
    return ReasonCount(code, tuple(counts[place] for place in range(len(periods))))


def _counted(place: int, period: Period, *by: ColumnElement[str]) -> Select[Any]:
    columns: list[Any] = [literal_column(str(place)).label("place"), *by, func.count().label("n")]
    return select(*columns).select_from(events).where(*_within([period])).group_by(*by)


def _within(periods: Sequence[Period]) -> tuple[Any, ...]:
    return IS_REJECTION, happened_at >= periods[0].start, happened_at < periods[-1].end


def _sum(found: Collection[ReasonCount], length: int) -> ReasonCount:
    return ReasonCount(None, tuple(sum(reason.counts[place] for reason in found) for place in range(length)))


async def find_latest_of_each(
    connection: AsyncConnection, codes: Collection[str | None], latest: int = LATEST
) -> Mapping[str | None, Sequence[LatestCase]]:
    """The cases that are rejected at present, for each of these reasons; what changed last comes first."""
    wanted = values(column("code", Text), name="wanted").data([(code,) for code in codes if code])
    each = wanted.cte("each_of_them")
    ids = select(*(_with_reason(each.c.code).offset(n).limit(1).scalar_subquery() for n in range(latest)))
    found = (await connection.execute(ids.select_from(each))).all() if any(codes) else []
    by_code: dict[str | None, list[LatestCase]] = defaultdict(list)
    for case_ in await _find_cases(connection, [key for row in found for key in row if key is not None]):
        by_code[case_.reason].append(case_)
    if None in codes:
        by_code[None] = await find_latest(connection, None, latest)
    return by_code


async def find_latest(connection: AsyncConnection, code: str | None, latest: int) -> list[LatestCase]:
    """As above, of one reason; None: of those without one, among the last rejected."""
    ids = _with_reason(code) if code else _without_reason()
    return await _find_cases(connection, (await connection.execute(ids.limit(latest))).scalars().all())


async def _find_cases(connection: AsyncConnection, ids: Collection[int]) -> list[LatestCase]:
    query = (
        select(
            cases.c.ref_id,
            businesses.c.name,
            reason_of_case.label("reason"),
            cases.c.status_since,
            cases.c.changed_at,
        )
        .outerjoin_from(cases, businesses, businesses.c.ref_key == cases.c.ref_key)
        .where(cases.c.id.in_(ids))
        .order_by(cases.c.changed_at.desc(), cases.c.id.desc())
    )
    return [record(LatestCase, row) for row in await connection.execute(query)] if ids else []


def _with_reason(code: ColumnElement[str] | str) -> Select[Any]:
    """The partial index wants its condition in words."""
    has_it = and_(text("cases.reason IS NOT NULL"), reason_of_case == code, cases.c.status == "REJECTED")
    return select(cases.c.id).where(has_it).order_by(cases.c.changed_at.desc(), cases.c.id.desc())


def _without_reason() -> Select[Any]:
    last = (
        select(cases.c.id, cases.c.changed_at, cases.c.reason)
        .where(cases.c.status == "REJECTED")
        .order_by(cases.c.changed_at.desc(), cases.c.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    without = func.coalesce(last.c.reason, "") == ""
    return select(last.c.id).where(without).order_by(last.c.changed_at.desc(), last.c.id.desc())


async def find_new_reasons(connection: AsyncConnection, most: int) -> list[NewReason]:
    """The last seen for the first time come first."""
    query = select(seen_reasons).where(_nobody_described())
    last_first = query.order_by(seen_reasons.c.first_at.desc(), seen_reasons.c.code.desc())
    return [record(NewReason, row) for row in await connection.execute(last_first.limit(most))]


async def count_new_reasons(connection: AsyncConnection) -> int:
    """Of those that VOVE has given, how many nobody has described; at most COUNTED."""
    some = select(seen_reasons.c.code).where(_nobody_described()).limit(COUNTED)
    return await connection.scalar(select(func.count()).select_from(some.subquery())) or 0


async def find_first_seen(connection: AsyncConnection, code: str) -> NewReason | None:
    row = (await connection.execute(select(seen_reasons).where(seen_reasons.c.code == code))).one_or_none()
    return record(NewReason, row) if row else None


def _nobody_described() -> ColumnElement[bool]:
    described = select(reasons.c.code).where(
        reasons.c.code == seen_reasons.c.code, reasons.c.label.is_not(None)
    )
    return ~described.exists()
