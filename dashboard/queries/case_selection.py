"""Which cases a list shows: its filters as SQL, and which of them leave few."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.needs import SETTLING, Need
from dashboard.queries.search import Search, reason_is
from receiver.models import WRONG, cases, runs

FEW = 1000  # cases: so many are sorted as they are; more are walked in the order of an index
FAILED = 2 * FEW  # runs that are read to find the cases that they are of
NOBODY = "nobody"
IS_FAILED = text("runs.state = 'failed'")  # as text: it is the condition of a partial index


class Sort(StrEnum):
    CHANGED = "changed"  # last changed first
    AGE = "age"  # longest in its status first


@dataclass(frozen=True, slots=True)
class Selection:
    """`assigned` is an e-mail address or NOBODY; `over`, by status: a case is over its limit since then.
    `since`: it has been in its status since then, or for longer. `settled`: see UNDER_WAY; what came into its
    status after that may still be on its way."""

    search: Search | None = None
    status: str = ""
    reason: str = ""
    needs: tuple[Need, ...] = ()
    assigned: str = ""
    over: Mapping[str, datetime] = field(default_factory=dict)
    sort: Sort = Sort.CHANGED
    since: datetime | None = None
    settled: datetime | None = None

    def conditions(self, case: Any) -> list[ColumnElement[bool]]:
        """`case`: the columns of `cases`, or of a query of that name."""
        given = [case.status == self.status] if self.status else []
        given += [reason_is(case.reason, [self.reason])] if self.reason else []
        given += [self._is_assigned(case)] if self.assigned else []
        given += [self._needs(need, case) for need in self.needs]
        given += [case.status_since <= self.since] if self.since else []
        return given + ([self.search.fits(case)] if self.search else [])

    def _is_assigned(self, case: Any) -> ColumnElement[bool]:
        if self.assigned == NOBODY:
            return case.assigned_to.is_(None)  # type: ignore[no-any-return]
        return and_(case.assigned_to == self.assigned, case.assigned_to.is_not(None))

    def _needs(self, need: Need, case: Any) -> ColumnElement[bool]:
        if need is Need.PERSON:
            return select(runs.c.id).where(runs.c.ref_key == case.ref_key, IS_FAILED).exists()
        if need is Need.LIMIT:
            return self.is_over(case)
        return and_(*is_wrong(need, case, self.settled))

    def is_over(self, case: Any) -> ColumnElement[bool]:
        """Of nothing, where no status has a limit."""
        over = [and_(case.status == status, case.status_since <= at) for status, at in self.over.items()]
        return or_(*over) if over else case.id.is_(None)

    @property
    def statuses(self) -> list[str] | None:
        """The only ones that its cases can have; None: any."""
        if self.status:
            return [self.status]
        if Need.LIMIT in self.needs:
            return list(self.over)
        if Need.NOT_ENABLED in self.needs:
            return ["COMPLETED"]
        return ["REJECTED"] if Need.NOT_TOLD in self.needs else None


def is_wrong(need: Need, case: Any, settled: datetime | None) -> list[ColumnElement[bool]]:
    """As text, as the condition of a partial index stands; and not only since a moment ago."""
    is_settled = [case.status_since <= settled] if need in SETTLING and settled else []
    return [text(f"({WRONG[need]})"), *is_settled]


async def find_few(connection: AsyncConnection, selection: Selection) -> list[int] | None:
    """The ids of all cases that one of the filters leaves, where these are few."""
    if Need.PERSON in selection.needs:
        keys = select(runs.c.ref_key).where(IS_FAILED).order_by(runs.c.ref_key).limit(FAILED)
        failed = (await connection.execute(keys)).scalars().all()
        if len(failed) < FAILED and len(set(failed)) <= FEW:
            of_these = select(cases.c.id).where(cases.c.ref_key.in_(set(failed)))
            return list((await connection.execute(of_these)).scalars())
    for query in _selective(selection):
        ids = (await connection.execute(query.limit(FEW + 1))).scalars().all()
        if len(ids) <= FEW:
            return list(ids)
    return None


def _selective(selection: Selection) -> Iterator[Select[Any]]:
    """Each reads an index, and of that no more than it is asked for."""
    found, case = select(cases.c.id), cases.c
    if selection.search and not selection.search.many:
        yield found.where(case.ref_key.in_(selection.search.keys))
    for need in selection.needs:
        if need in WRONG:
            yield found.where(*is_wrong(need, case, selection.settled)).order_by(case.status_since, case.id)
    if selection.assigned and selection.assigned != NOBODY:
        mine = case.assigned_to == selection.assigned, case.assigned_to.is_not(None)
        yield found.where(*mine).order_by(case.changed_at, case.id)
    if selection.reason:
        yield found.where(reason_is(case.reason, [selection.reason])).order_by(case.changed_at, case.id)
    if Need.LIMIT in selection.needs:
        yield found.where(selection.is_over(case))
    if selection.status:
        yield found.where(case.status == selection.status).order_by(case.changed_at, case.id)
