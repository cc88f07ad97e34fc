"""Tells open pages that something changed. They ask; a stream would hold a connection of each tab and delay
every stop.

The layout includes `_live.html`, whose element asks `/changed?since={{ revision }}` every three seconds.
While nothing changes the answer is 204 and htmx touches nothing. Else the part takes its own place with the
new revision, so that the next question carries it, and the element fires `ledger-changed`: a region that
shows live facts has `hx-trigger="ledger-changed from:body"`.
"""

from typing import Any

from litestar import Response, get

from dashboard.aliases import AnyRequest, Reader
from dashboard.layout import current_revision
from dashboard.render import render_alone


@get("/changed")
async def changed(request: AnyRequest, reader: Reader) -> Response[Any]:
    revision = await current_revision(reader)
    if revision == _since(request.query_params.get("since", "")):
        return Response(None, status_code=204)
    response = render_alone(request, "_live.html", revision=revision)
    response.headers["HX-Trigger"] = "ledger-changed"
    return response


def _since(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 20 else 0  # it fits a big integer
