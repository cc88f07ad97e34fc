"""What the strip goes by, from the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.attempts import Attempt, find_attempts_of
from dashboard.queries.businesses import Business
from dashboard.queries.cases import Case
from dashboard.queries.handlers import concerning, find_effects, find_registered
from dashboard.queries.messages import SentMessage
from dashboard.queries.present import (
    Present,
    find_account_change,
    find_present,
    find_present_runs,
    find_settled,
)
from dashboard.queries.runs import Run
from dashboard.strip.owed import Owed
from dashboard.strip.statements import Known, Strip, strip_of
from receiver.event import Family
from receiver.handlers import Effect, Registered


@dataclass(frozen=True, slots=True)
class Seen:
    """Beside the strip, all tasks for the status, whatever their effect. `not_called`: the titles of those
    handlers that are set up for it and have none."""

    strip: Strip
    tasks: Sequence[Run]
    not_called: Sequence[str]
    present: Present


async def read_strip(connection: AsyncConnection, case: Case, business: Business | None) -> Seen:
    present = await find_present(connection, case.ref_key)
    runs = await find_present_runs(connection, present)
    tries = await find_attempts_of(connection, [run.id for run in runs])
    registered = await find_registered(connection)
    concerned = concerning(registered, Family.KYB, case.status, present.left)
    effects = await find_effects(connection, [run.handler for run in runs])
    called = {run.handler for run in runs}
    uncalled = [handler for handler in concerned if handler.name not in called]
    known = Known(
        status=case.status,
        owed=[*_owed_by_runs(runs, tries, effects), *_not_called(uncalled, present)],
        messages=_messages(tries),
        settled=await find_settled(connection, case.ref_key),
        account_status=business.account_status if business else None,
        verified_at=business.verified_at if business else None,
        account_change=await find_account_change(connection, case.ref_key),
        has_account_handler=any(handler.effect == Effect.ACCOUNT for handler in registered),
    )
    return Seen(strip_of(known), runs, [handler.title for handler in uncalled], present)


def _messages(tries: dict[int, list[Attempt]]) -> list[SentMessage]:
    """Oldest first: a task of before may have been done again since."""
    sent = [message for attempts in tries.values() for attempt in attempts for message in attempt.messages]
    return sorted(sent, key=lambda message: (message.sent_at, message.id))


def _owed_by_runs(
    runs: Sequence[Run], tries: dict[int, list[Attempt]], effects: dict[str, str]
) -> list[Owed]:
    """The latest run of each handler: one that VOVE's repeat caused stands for the one before."""
    latest = {run.handler: run for run in runs if run.handler in effects}
    return [Owed(run.title, effects[run.handler], run, tries[run.id]) for run in latest.values()]


def _not_called(uncalled: Sequence[Registered], present: Present) -> list[Owed]:
    return [
        Owed(handler.title, handler.effect, dispatched=present.dispatched, adopted_by=present.adopted_by)
        for handler in uncalled
        if handler.effect
    ]
