"""Which cases a text fits: anywhere in a reference, a name, the id of a message, a reason or its label.

A search of one character or two is for the beginning of a reference or a name: every id of a message begins
alike, and each letter is somewhere in every case. Wildcards that people type are plain characters.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, func, null, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from receiver.event import UNSTORABLE, ref_key
from receiver.models import businesses, cases, events, findables, reasons, record
from receiver.search import REASON, event_text, fold

LONGEST = 1000  # characters: SQLite refuses a pattern of 50,000 bytes
SHORT = 2  # characters that a trigram does not have
TRIGRAMS = 32  # of a longer text, which are looked up; the rest is compared
FEW = 2000  # texts that a search fits: so many are found first, of more each case is asked by itself
SOME = 200  # of many
TAIL = 1000  # events that wait for the worker, and are read as they stand
LABELS = 1000  # of reasons
EVENTS_READ = 2000  # of the cases on a page
WITHOUT_CASE = 5  # beside the cases that a search finds
OF_BUSINESS = text("findables.kind <> 'event'")  # as text: it is the condition of partial indexes


@dataclass(frozen=True, slots=True)
class Search:
    """`keys` are those of all cases that it fits, or, where these are `many`, of some of them."""

    text: str  # folded
    keys: frozenset[bytes]
    many: bool
    codes: Sequence[str] = ()  # of the reasons whose label it fits

    @property
    def is_short(self) -> bool:
        """It is for the beginning of a reference or a name."""
        return len(self.text) <= SHORT

    def fits(self, case: Any) -> ColumnElement[bool]:
        """`case`: the columns of a case, with `ref_key` and `reason`."""
        known = case.ref_key.in_(self.keys)
        has_text = select(findables.c.id).where(findables.c.ref_key == case.ref_key, _has(self.text))
        found = or_(known, has_text.exists()) if self.many else known
        return or_(found, reason_is(case.reason, self.codes)) if self.codes else found


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found of a case, where the list does not show it: one of the two."""

    svix_id: str | None = None
    reason: str | None = None


class CaseShown(Protocol):
    @property
    def ref_id(self) -> str: ...
    @property
    def ref_key(self) -> bytes: ...
    @property
    def name(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Found:
    ref_id: str
    name: str | None


def cleaned(typed: str) -> str:
    """As it is shown in the field again."""
    return UNSTORABLE.sub("", typed).strip()[:LONGEST]


async def read_search(connection: AsyncConnection, typed: str) -> Search | None:
    """None where nothing is searched for."""
    wanted = fold(typed)
    if not wanted:
        return None
    keys, many = await _find_keys(connection, wanted)
    keys += await _find_exact(connection, typed)
    codes: Sequence[str] = ()
    if len(wanted) > SHORT:
        keys += await _find_waiting(connection, wanted)
        codes, rejected = await _find_labelled(connection, wanted)
        keys += rejected
    return Search(wanted, frozenset(map(bytes, keys)), many or bool(codes), codes)


async def _find_keys(connection: AsyncConnection, wanted: str) -> tuple[list[bytes], bool]:
    """Of all that it fits, or of some of the many."""
    fitting = select(findables.c.ref_key).where(_has(wanted))
    if connection.dialect.name == "sqlite" and len(wanted) > SHORT:
        ids = await _find_by_trigrams(connection, wanted)
        some = ids if len(ids) <= FEW else ids[:SOME]
        keys = (await connection.execute(fitting.where(findables.c.id.in_(some)))).scalars().all()
        return list(keys), len(ids) > FEW
    keys = (await connection.execute(fitting.limit(FEW + 1))).scalars().all()
    return list(keys), len(keys) > FEW


async def _find_by_trigrams(connection: AsyncConnection, wanted: str) -> Sequence[int]:
    """The index knows which texts have all its trigrams, not whether side by side."""
    query = text("SELECT rowid FROM findables_trigrams WHERE findables_trigrams MATCH :trigrams LIMIT :most")
    given = {"trigrams": " AND ".join(_trigrams(wanted)), "most": FEW + 1}
    return (await connection.execute(query, given)).scalars().all()


def _trigrams(wanted: str) -> Iterator[str]:
    """As strings of FTS5's language, in which nothing but a quotation mark means anything."""
    last = len(wanted) - 3
    step = max(1, last // TRIGRAMS)
    for start in dict.fromkeys([*range(0, last, step), last]):
        yield '"{}"'.format(wanted[start : start + 3].replace('"', '""'))


def _has(wanted: str) -> ColumnElement[bool]:
    if len(wanted) > SHORT:
        return findables.c.text.contains(wanted, autoescape=True)
    start = func.substr(findables.c.text, text("1"), text("2"))
    return and_(OF_BUSINESS, start >= wanted, start < _after(wanted))


def _after(wanted: str) -> str:
    """The first text, by the codes of its characters, that comes after all that begin so."""
    last = ord(wanted[-1]) + 1
    return wanted[:-1] + chr(0xE000 if last == 0xD800 else min(last, 0x10FFFF))


async def _find_exact(connection: AsyncConnection, typed: str) -> list[bytes]:
    """However many wait for the worker."""
    query = select(events.c.ref_key).where(events.c.svix_id == typed)
    return [ref_key(typed), *(await connection.execute(query)).scalars()]


async def _find_waiting(connection: AsyncConnection, wanted: str) -> list[bytes]:
    """What came last, and is not yet among the findables."""
    reason = func.substr(events.c.reason, 1, REASON).label("reason")
    newest = (
        select(events.c.ref_key, events.c.ref_id, events.c.svix_id, reason)
        .where(text("events.dispatched_at IS NULL"))
        .order_by(events.c.id.desc())
        .limit(TAIL)
    )
    waiting = await connection.execute(newest)
    return [
        event.ref_key
        for event in waiting
        if wanted in fold(event.ref_id) or wanted in event_text(event.svix_id, event.reason)
    ]


async def _find_labelled(connection: AsyncConnection, wanted: str) -> tuple[Sequence[str], list[bytes]]:
    """The codes of reasons whose label it fits, where many cases have one; else the keys of those cases."""
    query = select(reasons.c.code, reasons.c.label).where(reasons.c.label.is_not(None)).limit(LABELS)
    codes = [row.code for row in await connection.execute(query) if wanted in fold(row.label)]
    if not codes:
        return (), []
    rejected = select(cases.c.ref_key).where(reason_is(cases.c.reason, codes)).limit(FEW + 1)
    keys = (await connection.execute(rejected)).scalars().all()
    return (codes, []) if len(keys) > FEW else ((), list(keys))


def reason_is(reason: ColumnElement[str], codes: Sequence[str]) -> ColumnElement[bool]:
    """As the index of cases by reason has it: with the numbers written out, not as parameters."""
    return and_(reason.is_not(None), func.substr(reason, text("1"), text("200")).in_(codes))


async def find_without_case(connection: AsyncConnection, search: Search | None) -> list[Found]:
    """The first few that it fits of which VOVE has given no status: of the directory, or of another check."""
    if search is None:
        return []
    cased = select(cases.c.ref_key).where(cases.c.ref_key.in_(search.keys))
    keys = search.keys - set((await connection.execute(cased)).scalars())
    named = select(businesses.c.ref_id, businesses.c.name).where(businesses.c.ref_key.in_(keys))
    other = select(events.c.ref_id, null().label("name")).where(events.c.ref_key.in_(keys)).distinct()
    found: dict[str, Found] = {}
    for query in (named.order_by(businesses.c.id), other) if keys else ():
        for row in await connection.execute(query.limit(WITHOUT_CASE)):
            found.setdefault(row.ref_id, record(Found, row))
    return list(found.values())[:WITHOUT_CASE]


async def find_hits(
    connection: AsyncConnection, search: Search, shown: Collection[CaseShown]
) -> dict[bytes, Hit]:
    """By key, why these cases were found, where what the list shows of them does not say it."""
    keys = [case.ref_key for case in shown if not _is_seen(search.text, case)]
    reason = func.substr(events.c.reason, 1, REASON).label("reason")
    query = (
        select(events.c.ref_key, events.c.svix_id, reason)
        .where(events.c.ref_key.in_(keys))
        .order_by(events.c.ref_key, events.c.place.desc(), events.c.id.desc())
        .limit(EVENTS_READ)
    )
    hits: dict[bytes, Hit] = {}
    for event in await connection.execute(query) if keys else ():
        if search.text in fold(event.svix_id):
            hits.setdefault(bytes(event.ref_key), Hit(svix_id=event.svix_id))
        elif event.reason and search.text in event_text("", event.reason):
            hits.setdefault(bytes(event.ref_key), Hit(reason=event.reason))
    return hits


def _is_seen(wanted: str, case: CaseShown) -> bool:
    return any(wanted in event_text(said, case.reason) for said in (case.ref_id, case.name or ""))
