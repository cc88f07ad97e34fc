"""What stands around every page and changes by itself: does everything run, does anything need a person?"""

from litestar import Response, get

from dashboard.aliases import AnyRequest, Reader
from dashboard.layout import layout
from dashboard.render import render_alone


@get("/notices")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    return render_alone(request, "_notices.html", **await layout(reader), alone=True)


routes = [show]
