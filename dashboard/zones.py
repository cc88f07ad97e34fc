"""In which zone pages tell their times: in UTC, or in the reader's own, as they chose with the switch."""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from litestar.handlers import BaseRouteHandler

from dashboard.aliases import AnyConnection

CHOICE = "times"  # cookie: "local", or anything else for UTC
ZONE = "zone"  # cookie: the browser's own zone, which a script notes; without it the company's is local

_zone: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


async def tell_times_as_chosen(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """A guard that never refuses: each request has a context of its own, where its zone stands."""
    _zone.set(local_zone(connection) if tells_local(connection) else UTC)


def tells_local(connection: AnyConnection) -> bool:
    return connection.cookies.get(CHOICE) == "local"


def local_zone(connection: AnyConnection) -> tzinfo:
    try:
        return ZoneInfo(connection.cookies.get(ZONE, ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        company: ZoneInfo = connection.app.state.settings.timezone
        return company


def in_zone(at: datetime) -> datetime:
    return at.astimezone(_zone.get())


def zone_name(at: datetime) -> str:
    """`UTC`, `CET`, `+08`: of that moment, for a zone has summers."""
    return in_zone(at).tzname() or "UTC"
