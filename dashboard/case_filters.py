"""The filters of the list of cases as they stand in its address, and chips that take them away. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar.datastructures import MultiDict

from dashboard import words
from dashboard.filters import plural
from dashboard.left_out import TEXT, Parameter, one_of
from dashboard.needs import NEEDS, UNDER_WAY, Need
from dashboard.queries.case_selection import NOBODY, Selection, Sort
from dashboard.queries.search import Search, cleaned
from receiver.limits import MOST_DAYS

ME = "me"
LONGEST = 200  # characters of a status or a code
DIGITS = 6  # of a number of days
PARAMETERS = {
    "q": TEXT,
    "status": TEXT,
    "reason": TEXT,
    "needs": one_of(Need, "is nothing that a case can need"),
    "assigned": TEXT,
    "sort": one_of(Sort, "is no order"),
    "age": Parameter(lambda given: _days(given) is not None, f"is no number of days from 1 to {MOST_DAYS:,}"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """`href` is the list without it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class CaseFilters:
    q: str = ""
    status: str = ""
    reason: str = ""
    needs: tuple[Need, ...] = ()
    assigned: str = ""  # an e-mail address, ME or NOBODY
    sort: Sort = Sort.CHANGED
    age: int | None = None  # days that it has been in its status, at least

    @classmethod
    def read(cls, query: "MultiDict[Any]") -> "CaseFilters":
        """What can't be is left out."""
        needs = set(query.getall("needs", []))
        return cls(
            q=cleaned(query.get("q", "")),
            status=cleaned(query.get("status", ""))[:LONGEST],
            reason=cleaned(query.get("reason", ""))[:LONGEST],
            needs=tuple(need for need in Need if need in needs),
            assigned=cleaned(query.get("assigned", ""))[:LONGEST],
            sort=Sort.AGE if query.get("sort") == Sort.AGE else Sort.CHANGED,
            age=_days(query.get("age", "")),
        )

    def selection(
        self, search: Search | None, me: str, over: Mapping[str, datetime], now: datetime
    ) -> Selection:
        assigned = me if self.assigned == ME else self.assigned
        since = None if self.age is None else now - timedelta(days=self.age)
        return Selection(
            search, self.status, self.reason, self.needs, assigned, over, self.sort, since, now - UNDER_WAY
        )

    def pairs(self, **others: str) -> list[tuple[str, str]]:
        """As they stand in an address, and in the hidden fields of a form."""
        given = [("q", self.q), ("status", self.status), ("reason", self.reason)]
        given += [("needs", str(need)) for need in self.needs]
        given += [("age", str(self.age or ""))]
        given += [("assigned", self.assigned), ("sort", "" if self.sort is Sort.CHANGED else str(self.sort))]
        return [(name, text) for name, text in [*given, *others.items()] if text]

    def address(self, at: str | None = None, **changed: Any) -> str:
        """Of the list by these filters, but for what is `changed`; of its page `at` this cursor."""
        query = urlencode(replace(self, **changed).pairs(at=at or ""))
        return f"/cases?{query}" if query else "/cases"

    def chips(self, labels: Mapping[str, str]) -> Iterator[Chip]:
        """Not of the status, which has its tabs."""
        if self.q:
            yield Chip(f"Has “{self.q}”", self.address(q=""))
        if self.reason:
            yield Chip(f"Reason: {words.reason(self.reason, labels)}", self.address(reason=""))
        for need in self.needs:
            others = tuple(other for other in self.needs if other is not need)
            yield Chip(NEEDS[need].text, self.address(needs=others))
        if self.age:
            yield Chip(f"At least {plural(self.age, 'day')} in its status", self.address(age=None))
        if self.assigned:
            who = {ME: "you", NOBODY: "nobody"}.get(self.assigned, self.assigned)
            yield Chip(f"Assigned to {who}", self.address(assigned=""))

    @property
    def are_given(self) -> bool:
        return replace(self, sort=Sort.CHANGED) != CaseFilters()

    @property
    def are_beside_status(self) -> bool:
        return replace(self, status="").are_given

    @property
    def only_search(self) -> bool:
        return replace(self, q="", sort=Sort.CHANGED) == CaseFilters()


def _days(text: str) -> int | None:
    """What is no number of days was not asked for."""
    days = int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0
    return days if 1 <= days <= MOST_DAYS else None
