"""What the company's handlers owe: the list, by what it needs, and one run with its tries."""

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from dashboard.aliases import AnyRequest, Reader
from dashboard.errors import PageError
from dashboard.pages.reprocesses import refusal_of
from dashboard.queries.attempts import find_attempts, may_have_been_done
from dashboard.queries.runs import count_runs, find_run, find_runs
from dashboard.render import render
from receiver.models import RunState

TABS = {
    "person": [RunState.FAILED],
    "retrying": [RunState.RETRYING],
    "waiting": [RunState.QUEUED, RunState.RUNNING],
    "done": [RunState.SUCCEEDED, RunState.CLOSED],
}
COUNTED_TABS = ("person", "retrying", "waiting")  # what is done only grows: nobody asks how many


@get("/runs")
async def index(
    request: AnyRequest, reader: Reader, tab: FromQuery[str] = "person", at: FromQuery[str] = ""
) -> Response[str]:
    tab = tab if tab in TABS else "person"
    return await render(
        request,
        reader,
        "runs/index.html",
        "runs/_runs.html",
        found=await find_runs(reader, TABS[tab], at),
        counts={name: await count_runs(reader, TABS[name]) for name in COUNTED_TABS},
        tab=tab,
        at=at,
    )


@get("/runs/{run_id:int}")
async def show(request: AnyRequest, reader: Reader, run_id: FromPath[int]) -> Response[str]:
    found = await find_run(reader, run_id)
    if found is None:
        raise PageError(404, "No such task", "The address is mistyped: tasks are never removed.")
    tries = await find_attempts(reader, run_id)
    return await render(
        request,
        reader,
        "runs/show.html",
        "runs/_run.html",
        owed=found,
        run=found.run,
        attempts=tries,
        may_have_been_done=may_have_been_done(found.run, tries),
        here=f"/runs/{run_id}",
        refusal=refusal_of(request),
    )


routes = [index, show]
