"""Any list as a file, with the filters of its address: `/cases.csv`, `/runs.json`. A page follows how far it
has come at `/exports/TOKEN`, by the token that it gave as `token`."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from dashboard.aliases import AnyRequest
from dashboard.exports.files import Format, writer
from dashboard.exports.lists import LISTS
from dashboard.exports.progress import Exports, Progress
from dashboard.exports.streaming import stream
from dashboard.taking import nothing, only_looks, taken_from_here
from dashboard.zones import in_zone
from receiver.activity import Kind, note

TYPES = {Format.CSV: "text/csv; header=present", Format.JSON: "application/json"}
MOST_FILTERS = 1_000  # characters of the address that are noted
FOLLOWED_BY = "token"  # parameter


@get([f"/{name}.{kind}" for name in LISTS for kind in Format], guards=[taken_from_here("Export the list")])
async def show(request: AnyRequest) -> Stream:
    """Who took it out is noted before the first byte leaves."""
    name, _, kind = request.url.path.removeprefix("/").rpartition(".")
    now, chosen = datetime.now(UTC), Format(kind)
    async with request.app.state.readers.begin() as reader:
        wanted = await LISTS[name](request, reader)
    if only_looks(request):
        return nothing(TYPES[chosen])
    async with request.app.state.writer.begin() as connection:
        await connection.run_sync(
            note, Kind.EXPORTED, request.user.email, now, subject=f"{name}.{kind}", detail=_filters(request)
        )
    file = f"{name}-{in_zone(now):%Y-%m-%d-%H%M}.{kind}"
    progress = _exports(request).begin(request.query_params.get(FOLLOWED_BY, ""), request.user.email)
    return Stream(
        stream(request.app.state.readers, wanted.read, writer(chosen, wanted.columns), progress),
        media_type=TYPES[chosen],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@get("/exports/{token:str}")
async def tell(request: AnyRequest, token: FromPath[str]) -> dict[str, object]:
    progress = _found(request, token)
    return {"rows": progress.rows, "state": progress.state}


@post("/exports/{token:str}/stop", status_code=204)
async def stop(request: AnyRequest, token: FromPath[str]) -> None:
    """Who may look at an export may stop it: it is their own."""
    _found(request, token).stop()


def _filters(request: AnyRequest) -> str | None:
    """Of the address as it came; the token is none."""
    asked = parse_qsl(request.url.query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in asked if name != FOLLOWED_BY])[:MOST_FILTERS] or None


def _found(request: AnyRequest, token: str) -> Progress:
    progress = _exports(request).find(token, request.user.email)
    if progress is None:
        raise NotFoundException
    return progress


def _exports(request: AnyRequest) -> Exports:
    exports: Exports = request.app.state.exports
    return exports


routes = [show, tell, stop]
