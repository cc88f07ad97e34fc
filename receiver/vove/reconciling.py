"""A full pass over VOVE's cases: kept page by page, so that an interrupted one goes on where it stopped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, insert, or_, select, update

from receiver.database import raise_revision
from receiver.event import ref_key
from receiver.models import businesses, cases, reconciliations, vove_views
from receiver.vove import views
from receiver.vove.answers import VoveCase, newest
from receiver.vove.client import Client
from receiver.vove.listing import Listed, Walk

STALE = timedelta(days=1)  # VOVE's list has moved on: an older pass is not gone on with
BATCH = 500  # cases in one transaction
MOST_DUPLICATES = 1000  # references that are named


@dataclass(frozen=True)
class Pass:
    """One full pass, as far as it has come. `seen`: entries of VOVE's list."""

    id: int
    started_at: datetime
    next_page: int = 1
    seen: int = 0

    @property
    def is_resumed(self) -> bool:
        return self.next_page > 1


@dataclass
class Result:
    """`is_complete`: VOVE's list was seen to its end, as far as that can be told."""

    seen: int
    total: int | None = None
    skipped: int = 0  # entries without a usable refId or status; only of the pages read now
    duplicates: list[str] = field(default_factory=list)  # references that several of VOVE's cases share
    repeated: bool = False  # VOVE's list gave the same page again
    is_complete: bool = False


def begin(connection: Connection, by: str, now: datetime, fresh: bool = False) -> Pass:
    """The last pass, where it was interrupted within a day; else a new one."""
    columns = reconciliations.c
    last = connection.execute(select(reconciliations).order_by(columns.id.desc()).limit(1)).one_or_none()
    if last and last.finished_at is None and not fresh and now - last.started_at < STALE:
        return Pass(last.id, last.started_at, last.next_page, last.seen)
    begun = insert(reconciliations).values(started_at=now, started_by=by, next_page=1, seen=0)
    return Pass(connection.execute(begun.returning(columns.id)).scalar_one(), now)


async def go_through(
    engine: Engine, client: Client, this: Pass, by: str, tell: Callable[[Result], None]
) -> Result:
    """Ask for page after page, and keep each in a short transaction. On VoveError what was kept stays."""
    walk = Walk(client, entries=this.seen)
    result = Result(this.seen)
    known: dict[bytes, str | None] = {}
    async for listed in walk.pages(this.next_page):
        _look_for_duplicates(listed, known, result)
        result.seen, result.total = walk.entries, walk.total
        result.skipped += listed.page.skipped
        with engine.begin() as connection:
            _keep(connection, this, listed, by, walk.entries)
        tell(result)
    result.total, result.repeated, result.is_complete = walk.total, walk.repeated, walk.is_complete
    return result


def _keep(connection: Connection, this: Pass, listed: Listed, by: str, seen: int) -> None:
    by_key: dict[bytes, list[VoveCase]] = {}
    for found in listed.page.cases:
        by_key.setdefault(ref_key(found.ref_id), []).append(found)
    counting = [one for same in by_key.values() if (one := newest(same))]
    views.keep(connection, counting, listed.asked_at, by, since=this.started_at)
    next_page = {"next_page": listed.number + 1} if listed.number else {}  # page zero comes last of all
    come_to = update(reconciliations).where(reconciliations.c.id == this.id)
    connection.execute(come_to.values(seen=seen, **next_page))


def _look_for_duplicates(listed: Listed, known: dict[bytes, str | None], result: Result) -> None:
    """The same case may come twice, where the list moved on between two pages; another one is told."""
    here: set[bytes] = set()
    for found in listed.page.cases:
        key = ref_key(found.ref_id)
        is_another = key in here or known.setdefault(key, found.vove_id) != found.vove_id
        if is_another and found.ref_id not in result.duplicates and len(result.duplicates) < MOST_DUPLICATES:
            result.duplicates.append(found.ref_id)
        here.add(key)


def finish(connection: Connection, this: Pass, now: datetime) -> None:
    ended = update(reconciliations).where(reconciliations.c.id == this.id)
    connection.execute(ended.values(finished_at=now))
    raise_revision(connection)


def differences(engine: Engine) -> Iterator[views.Comparison]:
    after = 0
    while True:
        with engine.begin() as connection:
            found = views.find_differing(connection, after, BATCH)
        yield from found
        if len(found) < BATCH:
            return
        after = found[-1].id


def count_new_names(engine: Engine) -> int:
    """That VOVE knows, and the directory does not."""
    with engine.begin() as connection:
        new = vove_views.c.name.is_not(None), businesses.c.name.is_(None)
        joined = vove_views.outerjoin(businesses, businesses.c.ref_key == vove_views.c.ref_key)
        return connection.execute(select(func.count()).select_from(joined).where(*new)).scalar_one()


def not_returned(engine: Engine, this: Pass) -> Iterator[tuple[str, str]]:
    """Reference and status of our cases that a complete pass did not meet, though we knew them before it."""
    after = 0
    while True:
        with engine.begin() as connection:
            found = connection.execute(_unmet(this, after)).all()
        yield from ((row.ref_id, row.status) for row in found)
        if len(found) < BATCH:
            return
        after = found[-1].id


def _unmet(this: Pass, after: int) -> Select[Any]:
    unmet = or_(vove_views.c.id.is_(None), vove_views.c.checked_at < this.started_at)
    return (
        select(cases.c.id, cases.c.ref_id, cases.c.status)
        .outerjoin(vove_views, vove_views.c.ref_key == cases.c.ref_key)
        .where(cases.c.id > after, cases.c.changed_at < this.started_at, unmet)
        .order_by(cases.c.id)
        .limit(BATCH)
    )
