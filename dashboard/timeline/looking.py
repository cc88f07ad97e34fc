"""Which part of a case's page somebody looks at, as its address says."""

import re
from dataclasses import dataclass, replace
from typing import Any

from dashboard.aliases import AnyRequest
from dashboard.filters import address, case_path
from dashboard.timeline.kinds import ALL, EntryKind, kinds_from, kinds_in_address

OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Looking:
    """`round`: the one whose way is drawn; none: the present one."""

    ref_id: str
    order: str | None = None
    kinds: frozenset[EntryKind] = ALL
    at: str | None = None
    round: int | None = None

    @classmethod
    def of(cls, request: AnyRequest, ref_id: str) -> "Looking":
        asked = request.query_params
        number = asked.get("round", "")
        return cls(
            ref_id,
            OLDEST if asked.get("order") == OLDEST else None,
            kinds_from(asked.getall("show", [])),
            asked.get("at"),
            int(number) if re.fullmatch("[0-9]{1,6}", number) else None,
        )

    @property
    def newest_first(self) -> bool:
        return self.order is None

    @property
    def is_at_all(self) -> bool:
        """Nothing is hidden, and it is the first page."""
        return self.kinds == ALL and not self.at

    @property
    def here(self) -> str:
        return address(case_path(self.ref_id), **self.parameters, at=self.at)

    @property
    def path(self) -> str:
        return case_path(self.ref_id).partition("?")[0]

    @property
    def by_query(self) -> bool:
        """The reference stands beside the path."""
        return "?" in case_path(self.ref_id)

    @property
    def parameters(self) -> dict[str, Any]:
        """Of each page of it."""
        return {"order": self.order, "show": kinds_in_address(self.kinds), "round": self.round}

    def but(self, **other: Any) -> str:
        """The address of something else than here; of a timeline in another order the first page."""
        return replace(self, **{"at": None, **other}).here

    @property
    def whole(self) -> str:
        """Without anything hidden."""
        return self.but(kinds=ALL)
