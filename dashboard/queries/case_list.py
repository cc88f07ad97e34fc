"""One page of the list of cases, by whatever filters and in either order, quick however many there are.

Where one filter leaves few cases, these are sorted. Else an index is walked in the order of the list, and
the rest is asked of each case on the way: of WALK at most, and then the reader is offered to look further.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.needs import Need
from dashboard.queries.case_selection import IS_FAILED, NOBODY, Selection, Sort, find_few
from dashboard.queries.paging import Cursor, Way, cursor_from
from dashboard.queries.search import reason_is
from receiver.models import WRONG, businesses, case_counts, cases, record, runs, seen_reasons

PAGE = 50
WALK = 5000  # cases
WALK_SEARCHING = 2500  # of which each one's texts are read
CODES = 100  # to choose from
LEAST_WALK = 500  # of them in each status, where several are walked side by side
SHOWN = ("id", "ref_id", "ref_key", "status", "status_since", "changed_at", "gap", "uncertain", "assigned_to")
ASKED = (*SHOWN, "account_active", "told_at")
REASON = func.substr(cases.c.reason, text("1"), text("200")).label(
    "reason"
)  # it may be as long as a delivery

Key = tuple[int, int]  # of the order, and the case's id


@dataclass(frozen=True, slots=True)
class CaseRow:
    id: int
    ref_id: str
    ref_key: bytes
    name: str | None  # the business's, where the directory knows it
    status: str
    reason: str | None
    status_since: datetime
    changed_at: datetime
    gap: bool
    uncertain: bool
    assigned_to: str | None
    wrong: Collection[str]  # as in models.WRONG
    needs_person: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    """`looked_through`: so many cases were, and then no more; `further` is where to go on."""

    rows: Sequence[CaseRow]
    next: str | None = None
    previous: str | None = None
    looked_through: int | None = None
    further: str | None = None


@dataclass(frozen=True, slots=True)
class _Walked:
    """The first keys of what fits, and how far that is all: None, as far as it goes or a page holds."""

    keys: Sequence[Key]
    until: Key | None = None
    looked_through: int = 0


async def find_cases(
    connection: AsyncConnection, selection: Selection | None = None, at: str | None = None, size: int = PAGE
) -> CasePage:
    order = _Order(selection or Selection(), cursor_from(at, 2), size)
    few = await find_few(connection, order.selection)
    walked = await (_walk(connection, order) if few is None else _sort(connection, order, few))
    return await _page(connection, order, walked)


@dataclass(frozen=True, slots=True)
class _Order:
    """Of the list; or the other way round, towards the page before."""

    selection: Selection
    cursor: Cursor | None
    size: int

    @property
    def backwards(self) -> bool:
        return self.cursor is not None and self.cursor.way is Way.PREVIOUS

    @property
    def descending(self) -> bool:
        return (self.selection.sort is Sort.CHANGED) is not self.backwards

    def key(self, case: Any) -> list[ColumnElement[Any]]:
        at = case.changed_at if self.selection.sort is Sort.CHANGED else case.status_since
        return [type_coerce(at, BigInteger), type_coerce(case.id, BigInteger)]

    def beyond(self, case: Any) -> list[ColumnElement[bool]]:
        """What comes after the cursor."""
        if self.cursor is None:
            return []
        bound = tuple_(*(literal(part, BigInteger) for part in self.cursor.key))
        return [tuple_(*self.key(case)) < bound if self.descending else tuple_(*self.key(case)) > bound]

    def ordered(self, query: Select[Any], case: Any) -> Select[Any]:
        return query.order_by(*(key.desc() if self.descending else key.asc() for key in self.key(case)))

    def sorted(self, keys: Iterable[Any]) -> list[Key]:
        return sorted(((at, number) for at, number in keys), reverse=self.descending)


async def _sort(connection: AsyncConnection, order: _Order, ids: Collection[int]) -> _Walked:
    case = cases.c
    fitting = select(*order.key(case)).where(
        case.id.in_(ids), *order.selection.conditions(case), *order.beyond(case)
    )
    return _Walked(order.sorted(await connection.execute(fitting))[: order.size + 1])


async def _walk(connection: AsyncConnection, order: _Order) -> _Walked:
    """One index, or that of each status side by side. What one of them found beyond the point where another
    one stopped is not yet shown: what comes between is not known."""
    ways = await _ways(connection, order.selection)
    is_slow = order.selection.search is not None and order.selection.search.many
    room = max(LEAST_WALK, (WALK_SEARCHING if is_slow else WALK) // max(1, len(ways)))
    walked = [await _walk_one(connection, order, way, room) for way in ways]
    stops = order.sorted(each.until for each in walked if each.until is not None)
    keys = order.sorted(key for each in walked for key in each.keys)
    if stops:
        keys = [key for key in keys if (key >= stops[0] if order.descending else key <= stops[0])]
    if len(keys) > order.size or not stops:
        return _Walked(keys[: order.size + 1])
    return _Walked(keys, stops[0], room * len(stops))


async def _walk_one(
    connection: AsyncConnection, order: _Order, way: Sequence[ColumnElement[bool]], room: int
) -> _Walked:
    """The inner query's order is the outer one's, which takes from it until it has enough."""
    within = [*way, *order.beyond(cases.c)]
    asked = select(*(cases.c[name] for name in ASKED), REASON).where(*within)
    walked = order.ordered(asked, cases.c).limit(room).subquery("cases")
    fitting = select(*order.key(walked.c)).where(*order.selection.conditions(walked.c)).limit(order.size + 1)
    keys = order.sorted(await connection.execute(fitting))
    if len(keys) > order.size:
        return _Walked(keys)
    last = order.ordered(select(*order.key(cases.c)).where(*within), cases.c).offset(room - 1).limit(1)
    stop = (await connection.execute(last)).one_or_none()
    return _Walked(keys, None if stop is None else (stop[0], stop[1]))


async def _ways(connection: AsyncConnection, selection: Selection) -> list[list[ColumnElement[bool]]]:
    """Conditions that an index of this order has: as few cases as possible are then on the way."""
    case, statuses = cases.c, selection.statuses
    if selection.sort is Sort.CHANGED:
        if selection.assigned and selection.assigned != NOBODY:
            return [[case.assigned_to == selection.assigned, case.assigned_to.is_not(None)]]
        if selection.reason:
            return [[reason_is(case.reason, [selection.reason])]]
        return [[]] if statuses is None else [[case.status == status] for status in statuses]
    for need in (need for need in selection.needs if need in WRONG):
        return [[text(WRONG[need])]]  # type: ignore[list-item]  # a condition all the same
    if statuses is None:
        statuses = list((await connection.execute(select(case_counts.c.status))).scalars())
    over = selection.over if Need.LIMIT in selection.needs else {}
    return [
        [case.status == status, *([case.status_since <= over[status]] if status in over else [])]
        for status in statuses
    ]


async def _page(connection: AsyncConnection, order: _Order, walked: _Walked) -> CasePage:
    more, keys = len(walked.keys) > order.size, list(walked.keys[: order.size])
    if order.backwards:
        keys.reverse()
    onward = more or order.backwards
    first, last = (keys[0], keys[-1]) if keys else (None, None)
    further = walked.until and str(Cursor(order.cursor.way if order.cursor else Way.NEXT, walked.until))
    return CasePage(
        rows=await _read_rows(connection, [number for _, number in keys]),
        next=str(Cursor(Way.NEXT, last)) if last and onward else None,
        previous=str(Cursor(Way.PREVIOUS, first)) if first and _has_before(order, more) else None,
        looked_through=walked.looked_through if walked.until else None,
        further=further,
    )


def _has_before(order: _Order, more: bool) -> bool:
    return more if order.backwards else order.cursor is not None


async def _read_rows(connection: AsyncConnection, ids: Sequence[int]) -> list[CaseRow]:
    """In this order."""
    wrong = [
        literal_column(f"({condition})", Boolean).label(f"is_{name}") for name, condition in WRONG.items()
    ]
    query = (
        select(*(cases.c[name] for name in SHOWN), REASON, businesses.c.name, *wrong)
        .outerjoin_from(cases, businesses, businesses.c.ref_key == cases.c.ref_key)
        .where(cases.c.id.in_(ids))
    )
    rows = {row.id: row for row in await connection.execute(query)} if ids else {}
    failing = await _find_failing(connection, [row.ref_key for row in rows.values()])
    return [_row(rows[number], failing) for number in ids]


def _row(row: Any, failing: Collection[bytes]) -> CaseRow:
    wrong = {name for name in WRONG if getattr(row, f"is_{name}")}
    return record(CaseRow, row, wrong=wrong, needs_person=row.ref_key in failing)


async def _find_failing(connection: AsyncConnection, keys: Collection[bytes]) -> set[bytes]:
    failed = select(runs.c.id).where(runs.c.ref_key == cases.c.ref_key, IS_FAILED)
    query = select(cases.c.ref_key).where(cases.c.ref_key.in_(keys), failed.exists())
    return set((await connection.execute(query)).scalars()) if keys else set()


async def find_codes(connection: AsyncConnection) -> Sequence[str]:
    """Of the reasons that VOVE has given of late."""
    seen = select(seen_reasons.c.code).order_by(seen_reasons.c.last_at.desc()).limit(CODES)
    return (await connection.execute(seen)).scalars().all()
