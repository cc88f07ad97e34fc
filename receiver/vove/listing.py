"""All of VOVE's cases page by page, or the one with a reference: whatever the list's manners are."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from receiver.event import ref_key
from receiver.vove.answers import NotAListError, Page, VoveCase, newest, read_page
from receiver.vove.client import Client
from receiver.vove.troubles import Trouble, VoveError

LIMIT = 50  # cases of one page: none is documented, and fifty are nowhere too many
MAX_PAGES = 20_000  # of all cases: two million, and an end for a list that has none
MAX_SEARCHED = 5  # pages: a search for "1" may find everything
PAST_THE_END = {400, 404, 416, 422}  # answers to a page that there is not


@dataclass(frozen=True)
class Listed:
    """One page, and when it was asked for: VOVE's word is of that moment or of a later one."""

    number: int
    page: Page
    asked_at: datetime


@dataclass
class Walk:
    """Goes through the pages, and knows afterwards whether it saw all."""

    client: Client
    filters: Mapping[str, str] = field(default_factory=dict)
    max_pages: int = MAX_PAGES
    entries: int = 0  # seen, also those that could not be used; of an interrupted walk, those before
    total: int | None = None  # as VOVE last said
    ended: bool = False  # the list came to an end
    repeated: bool = False  # the same came again: which page is asked for seems not to count
    _digests: set[bytes] = field(default_factory=set)
    _keys: set[bytes] = field(default_factory=set)

    async def pages(self, start: int = 1) -> AsyncIterator[Listed]:
        """From this page to the end. A total is not believed: only an empty page, or the same again, ends it.

        That pages count from 1 is not documented: where the list begins at 0, that page comes last.
        """
        for number in range(start, start + self.max_pages):
            listed = await self._ask(number)
            self.ended = listed is None or listed.page.is_empty
            self.repeated = not self.ended and listed is not None and self._is_known(listed.page)
            if listed is None or self.ended or self.repeated:
                break
            self._note(listed.page)
            yield listed
        if (self.ended or self.repeated) and not self.has_all:
            zero = await self._ask_for_page_zero()
            if zero is not None and not zero.page.is_empty and not self._is_known(zero.page):
                self._note(zero.page)
                yield zero

    @property
    def has_all(self) -> bool:
        """Whether what was seen is, by VOVE's own total, all there is."""
        return self.total is not None and self.entries >= self.total

    @property
    def is_complete(self) -> bool:
        return self.has_all or (self.ended and self.total is None)

    async def _ask(self, number: int) -> Listed | None:
        """None where VOVE answers that there is no such page."""
        asked_at = datetime.now(UTC)
        try:
            body = await self.client.get_cases({**self.filters, "page": number, "limit": LIMIT})
            page = read_page(body)
        except NotAListError:
            raise VoveError(Trouble.STRANGE) from None
        except VoveError as error:
            if number > 1 and self.entries and error.status in PAST_THE_END:
                return None
            raise
        self.total = page.total if page.total is not None else self.total
        return Listed(number, page, asked_at)

    async def _ask_for_page_zero(self) -> Listed | None:
        try:
            return await self._ask(0)
        except VoveError:
            return None

    def _is_known(self, page: Page) -> bool:
        keys = {ref_key(case.ref_id) for case in page.cases}
        return page.digest in self._digests or (bool(keys) and keys <= self._keys)

    def _note(self, page: Page) -> None:
        self.entries += len(page.cases) + page.skipped
        self._digests.add(page.digest)
        self._keys.update(ref_key(case.ref_id) for case in page.cases)


@dataclass(frozen=True)
class Found:
    """What VOVE's search says of one reference."""

    case: VoveCase | None  # None: VOVE knows none
    several: bool  # cases with this very reference: the one that changed last is given
    asked_at: datetime


async def find(client: Client, ref_id: str) -> Found:
    """The case with exactly this refId. Raises VoveError, also where the answer leaves it open."""
    asked_at = datetime.now(UTC)
    walk = Walk(client, {"search": ref_id}, MAX_SEARCHED)
    same: list[VoveCase] = []
    async for listed in walk.pages():
        same += [case for case in listed.page.cases if case.ref_id == ref_id]
        if same:
            break
    found_nothing = walk.ended and not walk.entries
    if not same and not found_nothing and not walk.is_complete:
        raise VoveError(Trouble.UNCLEAR)
    return Found(newest(same), len(same) > 1, asked_at)
