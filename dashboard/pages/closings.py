"""A person closes a run without retrying."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.aliases import AnyRequest
from dashboard.auth.guards import may_reprocess
from dashboard.filters import address
from dashboard.forms import text_of
from dashboard.pages.reprocesses import tries_of
from dashboard.pages.runs import show_run
from dashboard.paths import local_path
from dashboard.queries.paging import LARGEST
from receiver import runs
from receiver.models import RunState

UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


@post("/runs/{run_id:int}/close", guards=[may_reprocess], status_code=303)
async def create(request: AnyRequest, run_id: FromPath[int]) -> Response[Any]:
    """Back to where the button was; or the run with the form as it was typed, where a field is wrong.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    if run_id > LARGEST:
        raise NotFoundException
    form, state = await request.form(), request.app.state
    tries = tries_of(form.get("tries"))
    typed = {name: text_of(form.get(name)) for name in ("reason", "note")}
    try:
        closing = runs.Closing(**typed, by=request.user.email, now=datetime.now(UTC))
    except runs.CloseError as error:
        async with state.readers.begin() as reader:
            return await show_run(request, reader, run_id, 422, trouble=f"{error}.", typed=typed)
    async with state.writer.begin() as writer:
        answer = await writer.run_sync(runs.close, run_id, tries=tries, closing=closing)
    back = local_path(str(form.get("next") or f"/runs/{run_id}"))
    if isinstance(answer, runs.NotClosed):
        back = address(back, refused=_why(answer), run=run_id)
    return Redirect(back, status_code=303)


def _why(answer: runs.NotClosed) -> str:
    if answer.state is None:
        raise NotFoundException
    told = {*UNDER_WAY, RunState.CLOSED, RunState.SUCCEEDED}
    return answer.state if answer.state in told else "tried"


routes = [create]
