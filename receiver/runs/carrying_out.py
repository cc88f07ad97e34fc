"""The worker carries out what was confirmed, a little at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from receiver.database import raise_revision
from receiver.models import RunState, batch_items, batches, runs
from receiver.runs.batches import KEPT
from receiver.runs.closing import Closing, close_quietly, settle_telling
from receiver.runs.conditions import IS_TO_COME, IS_UNFINISHED
from receiver.runs.judging import Action, Result, judge
from receiver.runs.reprocessing import Reprocessed, reprocess_quietly

CARRIED_OUT = 20  # runs asked for in one transaction of the worker, for which the receiver waits
CLOSED = 250  # runs closed in one: some 30 ms
AHEAD = 200  # runs of one batch that wait at a time: a stop stops the rest, and news don't queue behind it
AT_A_TIME = 100  # batches under way that are looked at
REMOVED = 2000  # runs of an old draft in one transaction

AsShown = Mapping[int, int]  # the tries of each run that the page showed


def advance(connection: Connection, now: datetime) -> int:
    """Carry out a little of what was confirmed, and remove old drafts. Returns how many runs were seen to.

    Of one batch at a time: who has the cases of one, and wants the runs of another, could wait crosswise.
    """
    for batch in _unfinished(connection, batches.c.confirmed_at.is_not(None), AT_A_TIME):
        if seen_to := _carry_out(connection, batch, now):
            return seen_to
    return sum(_remove(connection, draft.id) for draft in _unfinished(connection, _is_forgotten(now), 1))


def _unfinished(connection: Connection, those: ColumnElement[bool], most: int) -> Sequence[Any]:
    """The oldest first; one whose runs all wait for a paused handler lets the next ones go on."""
    query = select(batches).where(IS_UNFINISHED, those).order_by(batches.c.created_at, batches.c.id)
    return connection.execute(query.limit(most).with_for_update(skip_locked=True)).all()


def _is_forgotten(now: datetime) -> ColumnElement[bool]:
    return and_(batches.c.confirmed_at.is_(None), batches.c.created_at < now - KEPT)


def _carry_out(connection: Connection, batch: Any, now: datetime) -> int:
    most = CLOSED if batch.action == Action.CLOSE else CARRIED_OUT
    items = _next_items(connection, batch.id, most)
    if not items:
        connection.execute(update(batches).where(batches.c.id == batch.id).values(finished_at=now))
        raise_revision(connection)
        return 1
    if batch.action == Action.REPROCESS:
        items = items[: _room(connection, batch.id, items)]
    judged = judge(connection, Action(batch.action), [item.run_id for item in items])
    results = {item.run_id: judged[item.run_id].why_not for item in items}
    as_shown = {item.run_id: item.tries for item in items if results[item.run_id] in _allowed(batch)}
    taken = TAKE[batch.action](connection, batch, as_shown, now)
    results |= {run_id: Result.TAKEN if run_id in taken else Result.TRIED for run_id in as_shown}
    _note(connection, batch.id, results, now)
    return len(results)


def _next_items(connection: Connection, batch_id: int, most: int) -> Sequence[Any]:
    to_come = select(batch_items.c.run_id, batch_items.c.tries).where(
        batch_items.c.batch_id == batch_id, IS_TO_COME
    )
    return connection.execute(to_come.order_by(batch_items.c.run_id).limit(most)).all()


def _room(connection: Connection, batch_id: int, items: Sequence[Any]) -> int:
    """None until there is enough for all of these: one by one they would cost a transaction each."""
    room = AHEAD - _waiting(connection, batch_id, items[0].run_id)
    return room if room >= min(len(items), AHEAD) else 0


def _waiting(connection: Connection, batch_id: int, before: int) -> int:
    """Of those taken last, how many wait for their turn."""
    last = (
        select(batch_items.c.run_id)
        .where(batch_items.c.batch_id == batch_id, batch_items.c.run_id < before)
        .where(batch_items.c.result == Result.TAKEN)
        .order_by(batch_items.c.run_id.desc())
        .limit(AHEAD)
    )
    waiting = select(func.count()).where(runs.c.id.in_(last), (runs.c.state + "") == RunState.QUEUED)
    return connection.execute(waiting).scalar_one()


def _allowed(batch: Any) -> set[Result | None]:
    """As it was shown, or not at all. What was paused since the preview is asked for, and waits."""
    return {None, Result.PAUSED, Result.DONE} if batch.repeat_done else {None, Result.PAUSED}


def _reprocess(connection: Connection, batch: Any, as_shown: AsShown, now: datetime) -> set[int]:
    by = batch.confirmed_by
    return {
        run_id
        for run_id, tries in as_shown.items()
        if isinstance(reprocess_quietly(connection, run_id, tries, by, now), Reprocessed)
    }


def _close(connection: Connection, batch: Any, as_shown: AsShown, now: datetime) -> set[int]:
    closing = Closing(batch.reason, batch.note, batch.confirmed_by, now)
    closed = close_quietly(connection, as_shown, closing)
    settle_telling(connection, closed, closing)
    return closed


TAKE = {Action.REPROCESS: _reprocess, Action.CLOSE: _close}


def _note(connection: Connection, batch_id: int, results: Mapping[int, Result | None], now: datetime) -> None:
    for result in set(results.values()):
        those = [run_id for run_id, became in results.items() if became == result]
        this = batch_items.c.batch_id == batch_id, batch_items.c.run_id.in_(those)
        connection.execute(update(batch_items).where(*this).values(done_at=now, result=result))
    if results:
        raise_revision(connection)


def _remove(connection: Connection, batch_id: int) -> int:
    some = select(batch_items.c.run_id).where(batch_items.c.batch_id == batch_id).limit(REMOVED)
    removed = delete(batch_items).where(batch_items.c.batch_id == batch_id, batch_items.c.run_id.in_(some))
    count: int = connection.execute(removed).rowcount
    if count < REMOVED:
        connection.execute(delete(batches).where(batches.c.id == batch_id))
    return max(1, count)
