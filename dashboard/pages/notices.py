"""What stands around every page and changes by itself: does everything run, does anything need a person?"""

from litestar import Response, get
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest
from dashboard.layout import layout
from dashboard.render import render_alone


@get("/notices")
async def show(request: AnyRequest, reader: AsyncConnection) -> Response[str]:
    return render_alone(request, "_notices.html", **await layout(reader), alone=True)


routes = [show]
