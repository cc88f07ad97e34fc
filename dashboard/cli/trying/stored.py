"""What `kybdesk try-handler` reads in the database, which it never writes."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import click
from sqlalchemy import Connection, or_, select
from sqlalchemy.exc import SQLAlchemyError

from dashboard.cli.common import database
from receiver.database import DatabaseError
from receiver.executor import Call
from receiver.handlers import Reason
from receiver.models import events, runs
from receiver.reasons import find_reason
from receiver.runs import call_of

MOST_DIGITS = 18  # more are no number of an event, and too large for a database

T = TypeVar("T")


def call_for(handler: str, event: str) -> Call:
    """What the handler would get to see of a stored event now; `event` is its svix-id, or its number."""
    return _read(lambda connection: _call_for(connection, handler, event))


def _call_for(connection: Connection, handler: str, event: str) -> Call:
    event_id = _find(connection, event)
    if event_id is None:
        raise click.UsageError(f"There is no event {event}: give its svix-id, or its number.")
    of_its_run = runs.c.event_id == event_id, runs.c.handler == handler
    its_run = select(runs.c.repeats, runs.c.tries).where(*of_its_run)
    run = connection.execute(its_run).one_or_none()
    if run is None:
        return call_of(connection, event_id, handler)
    return call_of(connection, event_id, handler, run.repeats, run.tries + 1)


def _find(connection: Connection, event: str) -> int | None:
    named = events.c.svix_id == event
    if event.isascii() and event.isdigit() and len(event) <= MOST_DIGITS:
        named = or_(named, events.c.id == int(event))
    found = select(events.c.id).where(named).order_by(events.c.svix_id != event).limit(1)
    return connection.execute(found).scalar()


def reason(code: str | None) -> Reason | None:
    """What the company says of it; where there is no database, nothing but its code."""
    if code is None:
        return None
    try:
        return _read(lambda connection: find_reason(connection, code))
    except (DatabaseError, SQLAlchemyError) as error:
        click.echo(f"The reason is not looked up: {_line(error)}", err=True)
        return Reason(code)


def _line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).partition("\n")[0]


def _read(look: Callable[[Connection], T]) -> T:
    database().check_schema()
    return asyncio.run(_look(look))


async def _look(look: Callable[[Connection], T]) -> T:
    engine = database().page_readers()  # they can't write
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()
