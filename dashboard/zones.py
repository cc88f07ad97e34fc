"""In which zone pages tell their times: in UTC, or in the reader's own, as they chose with the switch."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from litestar.handlers import BaseRouteHandler

from dashboard.aliases import AnyConnection

CHOICE = "times"  # cookie: "local", or anything else for UTC
LOCAL = "local"
ZONE = "zone"  # cookie: the browser's own zone, which a script notes; without it the company's is local

_zone: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


@dataclass(frozen=True, slots=True)
class Switch:
    """What the switch above every page shows: `local` is `Europe/Berlin`, `short` what it is called now."""

    told_local: bool
    local: str
    short: str


async def tell_times_as_chosen(connection: AnyConnection, _handler: BaseRouteHandler | None = None) -> None:
    """A guard that never refuses: each request has a context of its own, where its zone stands."""
    _zone.set(local_zone(connection) if tells_local(connection) else UTC)


def switch(connection: AnyConnection, now: datetime) -> Switch:
    zone = local_zone(connection)
    short = now.astimezone(zone).tzname() or zone.key
    return Switch(tells_local(connection), zone.key, "Local" if short == "UTC" else short)


def tells_local(connection: AnyConnection) -> bool:
    return connection.cookies.get(CHOICE) == LOCAL


def local_zone(connection: AnyConnection) -> ZoneInfo:
    try:
        return ZoneInfo(connection.cookies.get(ZONE, ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        company: ZoneInfo = connection.app.state.settings.timezone
        return company


def readers_zone() -> tzinfo:
    return _zone.get()


def in_zone(at: datetime) -> datetime:
    return at.astimezone(_zone.get())


def zone_name(at: datetime) -> str:
    """`UTC`, `CET`, `+08`: of that moment, for a zone has summers."""
    return in_zone(at).tzname() or "UTC"
