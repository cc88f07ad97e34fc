"""What the keyboard does, and whether it does: single letters are in the way of some."""

from litestar import Response, get, post
from litestar.response import Redirect

from dashboard.aliases import AnyRequest, Reader
from dashboard.pages.times import back, remembered
from dashboard.render import KEYS, OFF, render


@get("/keys")
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    return await render(request, reader, "keys/index.html", "keys/_keys.html")


@post("/keys", status_code=303)
async def choose(request: AnyRequest) -> Redirect:
    form = await request.form()
    choice = OFF if form.get("keys") == OFF else "on"
    return Redirect(back(request, "/keys"), status_code=303, cookies=[remembered(request, KEYS, choice)])


routes = [show, choose]
