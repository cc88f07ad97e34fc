"""What the company has set up to be done when a case moves, how that goes, and the brake."""

from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ValidationException
from litestar.response import Redirect

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_pause
from dashboard.errors import PageError
from dashboard.queries.handlers import find_handlers, is_there
from dashboard.queries.pauses import find_paused
from dashboard.render import render
from receiver import runs
from receiver.event import UNSTORABLE


@get("/handlers")
async def index(request: AnyRequest, reader: Reader) -> Response[str]:
    found = await find_handlers(reader, datetime.now(UTC))
    return await render(
        request,
        reader,
        "handlers/index.html",
        "handlers/_handlers.html",
        handlers=[handler for handler in found if handler.removed_at is None],
        gone=[handler for handler in found if handler.removed_at is not None],
        pause_of_all=next((each for each in await find_paused(reader) if each.handler == runs.ALL), None),
        max_reason=runs.MAX_REASON,
    )


@post("/handlers/pause", guards=[may_pause], status_code=303)
async def pause(request: AnyRequest) -> Redirect:
    """Who comes second changes nothing, and reads who was first.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    form = await request.form()
    handler, reason, now = _handler(form), _text(form, "reason"), datetime.now(UTC)
    async with request.app.state.writer.begin() as writer:
        if handler != runs.ALL and not await is_there(writer, handler):
            raise PageError(404, "No such handler", "It was never set up here. Nothing was paused.")
        try:
            await writer.run_sync(runs.pause, handler, reason=reason, by=request.user.email, now=now)
        except runs.ReasonError as error:
            raise PageError(400, "Nothing was paused", f"{error}.") from None
    return Redirect("/handlers", status_code=303)


@post("/handlers/resume", guards=[may_pause], status_code=303)
async def resume(request: AnyRequest) -> Redirect:
    handler = _handler(await request.form())
    async with request.app.state.writer.begin() as writer:
        await writer.run_sync(runs.resume, handler, by=request.user.email, now=datetime.now(UTC))
    return Redirect("/handlers", status_code=303)


def _handler(form: FormMultiDict) -> str:
    handler = _text(form, "handler")
    if not handler or UNSTORABLE.search(handler):
        raise ValidationException("handler names none")
    return handler


def _text(form: FormMultiDict, name: str) -> str:
    text = form.get(name)
    return text if isinstance(text, str) else ""


routes = [index, pause, resume]
