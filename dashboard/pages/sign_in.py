"""`/sign-in` and `/sign-out`."""

import math
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from dashboard.aliases import AnyRequest, Writer
from dashboard.auth import sessions
from dashboard.auth.origins import client_address
from dashboard.auth.signing_in import nobody_can_sign_in, sign_in
from dashboard.auth.users import MAX_EMAIL
from dashboard.paths import local_path
from dashboard.render import render_alone

WRONG = "This e-mail address and password do not belong together."
TOO_OFTEN = "That was tried too often. Wait {minutes} min and try again."
INSECURE = (
    "Passwords are taken over https only. Whoever runs KYB Desk can put a proxy with https in front of it, "
    "with its address in KYBDESK_DASHBOARD_URL and the proxy's own in KYBDESK_TRUSTED_PROXIES."
)


@get("/sign-in", opt={"public": True})
async def show(request: AnyRequest) -> Response[str]:
    error = None if sessions.may_have_cookie(request) else INSECURE
    return await _page(request, 200, request.query_params.get("next", ""), error=error)


@post("/sign-in", opt={"public": True})
async def submit(request: AnyRequest) -> Response[Any]:
    form = await request.form()
    email = _text(form.get("email")).strip().lower()[:MAX_EMAIL]
    wanted = _text(form.get("next"))
    if not sessions.may_have_cookie(request):
        return await _page(request, 403, wanted, email, INSECURE)
    if wait := request.app.state.sign_in_throttle.wait(email, client_address(request)):
        return await _too_often(request, wait, wanted, email)
    token = await _sign_in(request, email, _text(form.get("password")))
    if token is None:
        return await _page(request, 401, wanted, email, WRONG)
    return Redirect(local_path(wanted), status_code=303, cookies=[sessions.cookie(request, token)])


@post("/sign-out", status_code=303)
async def sign_out(request: AnyRequest, writer: Writer) -> Redirect:
    await sessions.end(writer, sessions.token_of(request))
    return Redirect("/sign-in", status_code=303, cookies=[sessions.cookie(request, None)])


async def _sign_in(request: AnyRequest, email: str, password: str) -> str | None:
    state, old_token = request.app.state, sessions.token_of(request)
    with state.sign_in_throttle.trying(email, client_address(request)) as this_try:
        token = await sign_in(state.readers, state.writer, email, password, old_token)
        this_try.was_wrong = token is None
        return token


async def _too_often(request: AnyRequest, wait: float, wanted: str, email: str) -> Response[str]:
    error = TOO_OFTEN.format(minutes=math.ceil(wait / 60))
    response = await _page(request, 429, wanted, email, error)
    response.headers["Retry-After"] = str(math.ceil(wait))
    return response


async def _page(
    request: AnyRequest, status: int, wanted: str, email: str = "", error: str | None = None
) -> Response[str]:
    no_users = await nobody_can_sign_in(request.app.state.readers)
    context = {"email": email, "error": error, "next": local_path(wanted), "no_users": no_users}
    return render_alone(request, "sign_in/index.html", status, **context)


def _text(field: Any) -> str:
    return field if isinstance(field, str) else ""


routes = [show, submit, sign_out]
