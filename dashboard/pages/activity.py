"""Who did what, when, on what, and why."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from litestar import Response, get
from litestar.params import FromQuery

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.users import normal_email
from dashboard.kinds import KINDS, kind_in_words, part_of
from dashboard.left_out import TEXT, Parameter, left_out
from dashboard.queries.activities import WALKED, Filters, find_activities, find_people
from dashboard.render import render
from dashboard.zones import readers_zone

MAX_ASKED = 15_000  # characters: a reference may have 10 kB
YEARS = range(1970, 3000)  # others are slips of the keyboard
DAY = timedelta(days=1)
DATE = Parameter(lambda given: _day(given) is not None, "is no date")
PARAMETERS = {"person": TEXT, "kind": TEXT, "case": TEXT, "from": DATE, "to": DATE}


@get("/activity")
async def index(request: AnyRequest, reader: Reader, at: FromQuery[str] = "") -> Response[str]:
    asked, filters = filters_from(request.query_params)
    return await render(
        request,
        reader,
        "activity/index.html",
        "activity/_activity.html",
        found=await find_activities(reader, filters, at),
        people=await find_people(reader),
        kinds=KINDS,
        in_words=kind_in_words,
        part_of=part_of,
        asked=asked,
        at=at,
        walked=WALKED,
        left_out=left_out(request.query_params, PARAMETERS),
    )


def filters_from(query: Mapping[str, str]) -> tuple[dict[str, str], Filters]:
    """What an address asks for: as it stands there, and as it is looked for."""
    first, last = (_day(query.get(name, "")) for name in ("from", "to"))
    asked = {
        "person": _person(_text(query.get("person", "")).strip()),
        "kind": _text(query.get("kind", "")),
        "case": _text(query.get("case", "")),
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
    }
    return asked, Filters(
        asked["person"] or None,
        asked["kind"] or None,
        asked["case"] or None,
        since=_begins(first) if first else None,
        until=_begins(last + DAY) if last else None,
    )


def _person(asked: str) -> str:
    """An address as it stands in the table; a command's name as it was typed."""
    return normal_email(asked) or asked


def _text(asked: str) -> str:
    return asked.replace("\0", "")[:MAX_ASKED]


def _day(text: str) -> date | None:
    """What is no day was not asked for."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _begins(day: date) -> datetime:
    """In the zone in which the page tells its times."""
    return datetime.combine(day, time(), readers_zone()).astimezone(UTC)


routes = [index]
