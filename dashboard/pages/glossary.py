"""What the words on the pages mean."""

from litestar import Response, get

from dashboard.aliases import AnyRequest, Reader
from dashboard.glossary import CHAPTERS
from dashboard.render import render


@get("/glossary")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    return await render(request, reader, "glossary/index.html", chapters=CHAPTERS)


routes = [show]
