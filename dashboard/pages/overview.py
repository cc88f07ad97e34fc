"""The front door."""

from litestar import get
from litestar.response import Redirect


@get("/")
async def show() -> Redirect:
    return Redirect("/cases", status_code=303)


routes = [show]
