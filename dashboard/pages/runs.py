"""What the company's handlers owe: by what it failed with, as a list, and one run with its tries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.errors import PageError
from dashboard.filters import address
from dashboard.left_out import TEXT, left_out, one_of
from dashboard.pages.reprocesses import refusal_of
from dashboard.queries.attempts import find_attempts, may_have_been_done
from dashboard.queries.failures import find_failure, find_groups
from dashboard.queries.handlers import find_registered
from dashboard.queries.runs import count_runs, find_run, find_runs
from dashboard.render import render, wants_part
from dashboard.results import CLOSE_REASONS
from receiver.models import RunState, to_microseconds

TABS = {
    "person": (RunState.FAILED,),
    "retrying": (RunState.RETRYING,),
    "waiting": (RunState.QUEUED, RunState.RUNNING),
    "done": (RunState.SUCCEEDED, RunState.CLOSED),
}
GROUPED = ("person", "retrying")  # what has failed, and may be looked at by what it failed with
COUNTED_TABS = ("person", "retrying", "waiting")  # what is done only grows: nobody asks how many
MAX_FILTER = 1000  # characters
PARAMETERS = {
    "tab": one_of(TABS, "is no tab"),
    "view": one_of(("groups", "list"), "is no view"),
    "failure": TEXT,
    "handler": TEXT,
    "case": TEXT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs an address, or a form, asks for. Texts are empty where they choose nothing."""

    tab: str
    view: str  # "groups" or "list"
    failure: str
    handler: str
    case: str

    @classmethod
    def of(cls, asked: Any) -> "Wanted":
        """From the parameters of an address, or the fields of a form."""
        given = {name: _text(asked.get(name)) for name in ("tab", "view", "failure", "handler", "case")}
        tab = given["tab"] if given["tab"] in TABS else "person"
        failure = given["failure"] if tab in GROUPED else ""
        in_groups = tab in GROUPED and not failure and not given["case"] and given["view"] != "list"
        return cls(tab, "groups" if in_groups else "list", failure, given["handler"], given["case"])

    @property
    def filters(self) -> dict[str, str]:
        """Of the address of the same list; those that say something."""
        view = "list" if self.view == "list" and self.tab in GROUPED and not self._is_narrow else ""
        named = {"view": view, "failure": self.failure, "handler": self.handler, "case": self.case}
        return {"tab": self.tab} | {name: text for name, text in named.items() if text}

    @property
    def _is_narrow(self) -> bool:
        return bool(self.failure or self.case)

    def but(self, *names: str) -> dict[str, str]:
        """The filters without these."""
        return {name: text for name, text in self.filters.items() if name not in names}


def _text(field: object) -> str:
    return field.replace("\0", "")[:MAX_FILTER] if isinstance(field, str) else ""


@get("/runs")
async def index(request: AnyRequest, reader: Reader, at: FromQuery[str] = "") -> Response[str]:
    wanted, shown = Wanted.of(request.query_params), datetime.now(UTC)
    # How many need a person at all stands in the frame of a page: it is asked once.
    counted = COUNTED_TABS if wanted.handler or wanted.case or wants_part(request) else COUNTED_TABS[1:]
    return await render(
        request,
        reader,
        "runs/index.html",
        "runs/_runs.html",
        wanted=wanted,
        tab=wanted.tab,
        here=address("/runs", **wanted.filters, at=at),
        shown=to_microseconds(shown),
        none_ticked=request.query_params.get("ticked") == "none",
        counts={name: await _count(reader, wanted, TABS[name]) for name in counted},
        handlers=await find_registered(reader),
        at=at,
        left_out=left_out(request.query_params, PARAMETERS),
        **await _listed(reader, wanted, at),
    )


async def _count(reader: AsyncConnection, wanted: Wanted, states: Sequence[RunState]) -> int:
    return await count_runs(reader, states, handler=wanted.handler or None, ref_id=wanted.case or None)


async def _listed(reader: AsyncConnection, wanted: Wanted, at: str) -> dict[str, Any]:
    if wanted.view == "groups":
        groups = await find_groups(reader, TABS[wanted.tab][0], wanted.handler or None)
        return {"groups": groups, "found": None, "failure": None}
    found = await find_runs(
        reader,
        TABS[wanted.tab],
        at,
        failure=wanted.failure or None,
        handler=wanted.handler or None,
        ref_id=wanted.case or None,
    )
    failure = await find_failure(reader, wanted.failure) if wanted.failure else None
    return {"groups": None, "found": found, "failure": failure}


@get("/runs/{run_id:int}")
async def show(request: AnyRequest, reader: Reader, run_id: FromPath[int]) -> Response[str]:
    return await show_run(request, reader, run_id)


async def show_run(
    request: AnyRequest,
    reader: AsyncConnection,
    run_id: int,
    status: int = 200,
    trouble: str = "",
    typed: dict[str, str] | None = None,
) -> Response[str]:
    """`trouble` is what was wrong with the form to close it, which comes back as it was `typed`."""
    found = await find_run(reader, run_id)
    if found is None:
        raise PageError(404, "No such task", "The address is mistyped: tasks are never removed.")
    tries = await find_attempts(reader, run_id)
    return await render(
        request,
        reader,
        "runs/show.html",
        "runs/_run.html",
        status=status,
        owed=found,
        run=found.run,
        attempts=tries,
        may_have_been_done=may_have_been_done(found.run, tries),
        here=f"/runs/{run_id}",
        refusal=refusal_of(request),
        close_reasons=CLOSE_REASONS,
        trouble=trouble,
        typed=typed or {},
    )


routes = [index, show]
