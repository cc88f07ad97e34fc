"""The switch between UTC and local time, which stands above every page."""

from urllib.parse import urlsplit

from litestar import post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from dashboard.aliases import AnyRequest
from dashboard.auth.origins import is_secure
from dashboard.paths import local_path
from dashboard.zones import CHOICE, LOCAL

A_YEAR = 365 * 86400  # seconds
UTC = "utc"


@post("/times", status_code=303)
async def choose(request: AnyRequest) -> Redirect:
    form = await request.form()
    choice = LOCAL if form.get("times") == LOCAL else UTC
    return Redirect(
        back(request, form.get("next")), status_code=303, cookies=[remembered(request, CHOICE, choice)]
    )


def back(request: AnyRequest, wanted: object) -> str:
    """To the page as it stands in the browser, where that says it: filters change its address."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.path and came_from.netloc == request.headers.get("Host"):
        return local_path(came_from._replace(scheme="", netloc="").geturl())
    return local_path(wanted if isinstance(wanted, str) else "")


def remembered(request: AnyRequest, name: str, choice: str) -> Cookie:
    return Cookie(
        key=name, value=choice, max_age=A_YEAR, secure=is_secure(request), httponly=True, samesite="lax"
    )


routes = [choose]
