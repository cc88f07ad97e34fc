"""A person's request for one more try of a run."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import post
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard import words
from dashboard.aliases import AnyRequest, Writer
from dashboard.auth.guards import may_reprocess
from dashboard.filters import address
from dashboard.paths import local_path
from dashboard.queries.paging import LARGEST
from receiver import runs
from receiver.models import RunState


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run was not re-processed, for the page that the person comes back to."""

    run_id: int
    sentence: str


@post("/runs/{run_id:int}/reprocess", guards=[may_reprocess], status_code=303)
async def create(request: AnyRequest, writer: Writer, run_id: FromPath[int]) -> Redirect:
    """Back to where the button was, where the run shows its new state."""
    if run_id > LARGEST:
        raise NotFoundException
    form = await request.form()
    answer = await writer.run_sync(
        runs.reprocess,
        run_id,
        tries=tries_of(form.get("tries")),
        by=request.user.email,
        now=datetime.now(UTC),
    )
    back = local_path(str(form.get("next") or f"/runs/{run_id}"))
    if isinstance(answer, runs.NotReprocessed):
        back = address(back, refused=_why(answer), run=run_id)
    return Redirect(back, status_code=303)


def _why(answer: runs.NotReprocessed) -> str:
    if answer.state is None:
        raise NotFoundException
    if answer.gone:
        return "gone"
    return answer.state if answer.state in {RunState.QUEUED, RunState.RUNNING} else "tried"


def refusal_of(request: AnyRequest) -> Refusal | None:
    """The address says why, in a word: any other word in its place shows nothing."""
    sentence = words.REFUSALS.get(request.query_params.get("refused", ""))
    run_id = request.query_params.get("run", "")
    return Refusal(int(run_id), sentence) if sentence and re.fullmatch("[0-9]{1,18}", run_id) else None


def tries_of(field: object) -> int:
    if not isinstance(field, str) or not re.fullmatch("[0-9]{1,9}", field):
        raise ValidationException("tries is not a number")
    return int(field)


routes = [create]
