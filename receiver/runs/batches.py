"""Many runs re-processed, or closed, on one word: exactly those that were counted, in small transactions.

A draft is taken in steps, previewed, and confirmed with its number; the worker carries it out, see
carrying_out.py. What the preview skips is never taken, and what has changed since is skipped when its turn
comes.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from receiver import activity
from receiver.activity import Kind
from receiver.event import UNSTORABLE
from receiver.models import RunState, batch_items, batches, runs
from receiver.runs.closing import Closing
from receiver.runs.conditions import IS_DRAFT, IS_TO_COME
from receiver.runs.judging import Action, Judged, Result, judge
from receiver.runs.selecting import Selection

MOST = 50_000  # runs of one batch
STEP = 300  # runs taken into a draft in one transaction: some 15 ms, for which the receiver waits
KEPT = timedelta(days=1)  # a draft that nobody confirms
MAX_REASON = 300  # characters


class BatchError(ValueError):
    """It can't be started so. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of the preview: so many runs of one handler for one status. `why_not` None: these will be taken."""

    handler: str
    status: str
    why_not: str | None
    n: int


class Draft:
    """Takes the runs of a selection, or those ticked (with the tries that were shown), step by step."""

    def __init__(self, action: Action, what: str, back: str, by: str, now: datetime) -> None:
        self.batch_id = 0
        self._action, self._now = action, now
        self._row = {"action": action, "what": what, "back": back, "created_by": by, "created_at": now}
        self._taken: Counter[tuple[str, str, str | None]] = Counter()

    @property
    def total(self) -> int:
        return self._taken.total()

    def begin(self, connection: Connection) -> None:
        begun = self._row | {"repeat_done": False, "total": 0, "cut": False}
        self.batch_id = connection.execute(insert(batches).values(begun).returning(batches.c.id)).scalar_one()

    def take(self, connection: Connection, selection: Selection, state: RunState, after: int) -> int | None:
        """Of those with a higher id than `after` the next ones; the last one's id, or None at the end."""
        room = min(STEP, MOST - self.total)
        chosen = select(runs.c.id, runs.c.tries).where(*selection.in_state(state), runs.c.id > after)
        rows = connection.execute(chosen.order_by(runs.c.id).limit(room)).all()
        self.take_ticked(connection, [(row.id, row.tries) for row in rows])
        return rows[-1].id if rows and len(rows) == room else None

    def take_ticked(self, connection: Connection, ticked: Sequence[tuple[int, int]]) -> None:
        judged = judge(connection, self._action, [run_id for run_id, _ in ticked])
        items: list[dict[str, Any]] = [
            {"run_id": run_id, "tries": tries, "result": _why_not(judged[run_id], tries)}
            for run_id, tries in dict(ticked).items()
            if run_id in judged
        ]
        if items:
            connection.execute(insert(batch_items).values(batch_id=self.batch_id), items)
        for item in items:
            run = judged[item["run_id"]]
            self._taken[run.handler, run.status, item["result"]] += 1

    def end(self, connection: Connection) -> None:
        """From now on it can be confirmed."""
        preview = json.dumps([[*of, n] for of, n in sorted(self._taken.items(), key=str)])
        ready = {"preview": preview, "total": self.total, "cut": self.total >= MOST}
        connection.execute(update(batches).where(batches.c.id == self.batch_id).values(ready))


def _why_not(run: Judged, tries: int) -> Result | None:
    return run.why_not or (Result.TRIED if run.tries != tries else None)


def parts_of(preview: str) -> list[Part]:
    return [Part(*part) for part in json.loads(preview)]


def number_of(parts: Sequence[Part], repeat_done: bool) -> int:
    """How many will be taken."""
    taken = {None, Result.DONE} if repeat_done else {None}
    return sum(part.n for part in parts if part.why_not in taken)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`number` is what the person was shown, or typed. A `reason` is asked for a repeat, and for closing."""

    number: int | None
    repeat_done: bool
    reason: str
    note: str
    by: str
    now: datetime


def confirm(connection: Connection, batch_id: int, said: Confirmation) -> bool:
    """From now on the worker carries it out. False where that was said before.

    Raises BatchError, CloseError.
    """
    batch = connection.execute(
        select(batches).where(batches.c.id == batch_id, IS_DRAFT).with_for_update()
    ).one_or_none()
    if batch is None:
        return False
    reason = _checked(batch, said)
    started = {
        "confirmed_at": said.now,
        "confirmed_by": said.by,
        "repeat_done": said.repeat_done,
        "reason": reason or None,
        "note": said.note.strip() or None if batch.action == Action.CLOSE else None,
    }
    connection.execute(update(batches).where(batches.c.id == batch_id).values(started))
    if said.repeat_done:
        done = batch_items.c.batch_id == batch_id, batch_items.c.result == Result.DONE
        connection.execute(update(batch_items).where(*done).values(result=None))
    verb = {Action.REPROCESS: "Re-process", Action.CLOSE: "Close"}[Action(batch.action)]
    tasks = "1 task" if said.number == 1 else f"{said.number:,} tasks"
    detail = f"{verb} {tasks}: {batch.what}" + (f" ({reason})" if reason else "")
    activity.note(connection, Kind.BATCH_STARTED, said.by, said.now, subject=str(batch_id), detail=detail)
    return True


def _checked(batch: Any, said: Confirmation) -> str:
    number = number_of(parts_of(batch.preview), said.repeat_done)
    if said.now - batch.created_at > KEPT:
        raise BatchError("This was counted more than a day ago: count again from the list")
    if not number:
        raise BatchError("There is nothing here that could be taken")
    if said.number != number:
        raise BatchError(f"These are {number:,} tasks: type that number to start. Nothing was started")
    if batch.action == Action.CLOSE and said.repeat_done:
        raise BatchError("What was done can't be closed")
    if batch.action == Action.CLOSE:
        return Closing(said.reason, said.note, said.by, said.now).reason
    reason = said.reason.strip()
    if said.repeat_done and not reason:
        raise BatchError("Say why what was done is to be done again")
    if len(reason) > MAX_REASON:
        raise BatchError(f"The reason may have {MAX_REASON} characters, not {len(reason):,}")
    if UNSTORABLE.search(reason):
        raise BatchError("The reason holds a character that can't be stored")
    return reason


def stop(connection: Connection, batch_id: int, by: str, now: datetime) -> bool:
    """What was not taken yet stays as it was. False where it was through, or was never started."""
    stopped = {"stopped_at": now, "stopped_by": by, "finished_at": now}
    under_way = batches.c.id == batch_id, batches.c.confirmed_at.is_not(None), batches.c.finished_at.is_(None)
    if not connection.execute(update(batches).where(*under_way).values(stopped)).rowcount:
        return False
    left = select(func.count()).where(batch_items.c.batch_id == batch_id, IS_TO_COME)
    n = connection.execute(left).scalar_one()
    detail = "One task was left as it was" if n == 1 else f"{n:,} tasks were left as they were"
    activity.note(connection, Kind.BATCH_STOPPED, by, now, subject=str(batch_id), detail=detail)
    return True
