"""What an attempt brought beside its outcome: to the directory, to the customer, to the handlers' page."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, insert, select, update

from receiver.database import upsert
from receiver.directory.rows import change
from receiver.event import ref_key
from receiver.executor import Ended
from receiver.models import (
    Outcome,
    attempt_counts,
    cases,
    day_of,
    events,
    handlers,
    messages,
    to_microseconds,
)
from receiver.runs.claims import Claimed
from receiver.runs.conditions import has_moved_on
from receiver.runs.repeats import tells_customers

REVIEW = frozenset({"review_status", "review_since"})


def change_directory(connection: Connection, claimed: Claimed, ended: Ended, now: datetime) -> str | None:
    """What the handler gave back for the business; as JSON, what is different now."""
    wanted = _as_of_now(connection, claimed, ended.business)
    if not wanted:
        return None
    changes = change(connection, claimed.call.event.ref_id, wanted, by=claimed.handler, now=now)
    if not changes:
        return None
    return json.dumps([[each.field, each.before, each.after] for each in changes], default=str)


def _as_of_now(connection: Connection, claimed: Claimed, business: Mapping[str, Any]) -> dict[str, Any]:
    """Without a step of the review that the case has left during the call: the handlers don't wait for each
    other, so the later step may stand in the directory already."""
    its_event = select(has_moved_on()).where(events.c.id == claimed.event_id)
    if business.keys().isdisjoint(REVIEW) or not connection.execute(its_event).scalar():
        return dict(business)
    return {name: value for name, value in business.items() if name not in REVIEW}


def keep_messages(connection: Connection, claimed: Claimed, ended: Ended, now: datetime) -> None:
    if not ended.messages:
        return
    key = ref_key(claimed.call.event.ref_id)  # the run's own may be none, see models.work
    of_attempt = {"run_id": claimed.run_id, "number": claimed.number, "ref_key": key}
    connection.execute(
        insert(messages), [of_attempt | asdict(message) | {"sent_at": now} for message in ended.messages]
    )


def note_telling(connection: Connection, claimed: Claimed, ended: Ended, now: datetime) -> None:
    """The customer of the present status was written to; or the handler that tells them has done so in a way
    of its own.

    The case is locked first: what a receiver makes of it meanwhile is seen only by a statement that begins
    after, and another rejection is not told yet.
    """
    if not ended.messages and not _has_told(connection, claimed, ended):
        return
    its_case = cases.c.ref_key == ref_key(claimed.call.event.ref_id)
    connection.execute(select(cases.c.id).where(its_case).with_for_update())
    of_now = select(events.c.id).where(
        events.c.id == claimed.event_id, events.c.place.is_not(None), ~has_moved_on()
    )
    connection.execute(update(cases).where(its_case, of_now.exists()).values(told_at=now))


def _has_told(connection: Connection, claimed: Claimed, ended: Ended) -> bool:
    """A success that sent nothing, because VOVE had said the same before, tells nobody anything."""
    if ended.outcome is not Outcome.SUCCEEDED or claimed.call.said_before:
        return False
    return tells_customers(connection, claimed.handler)


def count(connection: Connection, claimed: Claimed, ended: Ended, now: datetime) -> None:
    """For the handlers' page: its rate of success, its times, its last failure."""
    took = max(0, to_microseconds(now) - to_microseconds(claimed.started_at))
    counted = upsert(connection, attempt_counts).values(
        handler=claimed.handler, day=day_of(now), outcome=ended.outcome, n=1, took=took, longest=took
    )
    longer = counted.excluded.longest > attempt_counts.c.longest
    connection.execute(
        counted.on_conflict_do_update(
            index_elements=["handler", "day", "outcome"],
            set_={
                "n": attempt_counts.c.n + 1,
                "took": attempt_counts.c.took + counted.excluded.took,
                "longest": case((longer, counted.excluded.longest), else_=attempt_counts.c.longest),
            },
        )
    )
    if ended.outcome is not Outcome.SUCCEEDED:
        failed = {"last_failed_at": now, "last_failed_run_id": claimed.run_id}
        connection.execute(update(handlers).where(handlers.c.name == claimed.handler).values(failed))
