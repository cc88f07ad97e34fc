"""Many runs on one word: counted, previewed, confirmed with the number, carried out by the worker."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_reprocess
from dashboard.deeds import Deed, deed_for
from dashboard.errors import PageError
from dashboard.filters import address
from dashboard.forms import moment_of, text_of
from dashboard.pages.runs import TABS, Wanted
from dashboard.queries.batches import (
    Batch,
    Progress,
    count_progress,
    find_batch,
    find_batches,
    find_called,
    find_items,
)
from dashboard.queries.failures import find_failure
from dashboard.queries.paging import LARGEST
from dashboard.render import render
from dashboard.results import CLOSE_REASONS
from receiver import runs
from receiver.database import rest_after
from receiver.handlers import title_of

MAX_TICKED = 1000
TYPED_FROM = 100  # tasks: so many are not started by one press, but by typing how many they are
WHAT = {
    "person": "what needs a person",
    "retrying": "what is being retried",
    "waiting": "what waits",
    "done": "what was done",
}
T = TypeVar("T")


@get("/batches")
async def index(request: AnyRequest, reader: Reader) -> Response[str]:
    found = await find_batches(reader)
    return await render(request, reader, "batches/index.html", "batches/_batches.html", batches=found)


@post("/batches", guards=[may_reprocess], status_code=303)
async def create(request: AnyRequest) -> Redirect:
    """To the preview of exactly those that were counted, or ticked, as the page showed them."""
    form = await request.form()
    action, which = _asked(form)
    wanted, ticked, shown = Wanted.of(form), _ticked(form), _moment(form)
    if which == "ticked" and not ticked:
        return Redirect(address("/runs", **wanted.filters, ticked="none"), status_code=303)
    what = _were_ticked(len(ticked)) if which == "ticked" else await _in_words(request, wanted)
    by, now, back = request.user.email, datetime.now(UTC), address("/runs", **wanted.filters)
    draft = runs.Draft(action, what, back, by, now)
    await _written(request, draft.begin)
    if which == "ticked":
        await _written(request, lambda connection: draft.take_ticked(connection, ticked))
    else:
        await _take(request, draft, wanted, shown)
    await _written(request, draft.end)
    return Redirect(f"/batches/{draft.batch_id}", status_code=303)


def _were_ticked(n: int) -> str:
    return "one that was ticked" if n == 1 else f"{n} that were ticked"


async def _take(request: AnyRequest, draft: runs.Draft, wanted: Wanted, shown: datetime) -> None:
    """Step by step, each in a transaction of its own: the receiver waits for none of them for long."""
    chosen = wanted.failure or None, wanted.handler or None, wanted.case or None
    selection = runs.Selection(TABS[wanted.tab], *chosen, until=shown)
    for state in selection.states:
        after: int | None = 0
        while after is not None:
            last, began = after, time.monotonic()
            after = await _written(request, lambda c, s=state, a=last: draft.take(c, selection, s, a))
            await asyncio.sleep(rest_after(began))


async def _written(request: AnyRequest, verb: Callable[..., T]) -> T:
    async with request.app.state.writer.begin() as writer:
        return await writer.run_sync(verb)  # type: ignore[no-any-return]


async def _in_words(request: AnyRequest, wanted: Wanted) -> str:
    said = [WHAT[wanted.tab]]
    if wanted.handler:
        said.append(f"of {wanted.handler}")
    if wanted.case:
        said.append(f"for {wanted.case}")
    if wanted.failure:
        async with request.app.state.readers.begin() as reader:
            failure = await find_failure(reader, wanted.failure)
        said.append(f"with “{failure.title}: {failure.error}”" if failure else "with a failure of its own")
    return ", ".join(said)


@get("/batches/{batch_id:int}")
async def show(
    request: AnyRequest,
    reader: Reader,
    batch_id: FromPath[int],
    at: FromQuery[str] = "",
    only: FromQuery[str] = "",
) -> Response[str]:
    return await _shown(request, reader, batch_id, at=at, only=only if only in set(runs.Result) else "")


@post("/batches/{batch_id:int}/confirm", guards=[may_reprocess], status_code=303)
async def confirm(request: AnyRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Who comes second changes nothing; a number that is not the one shown starts nothing."""
    form = await request.form()
    said = runs.Confirmation(
        number=_number(form.get("number")),
        repeat_done=form.get("repeat_done") == "yes",
        reason=str(form.get("reason") or ""),
        note=text_of(form.get("note")),
        by=request.user.email,
        now=datetime.now(UTC),
    )
    try:
        await _written(request, lambda connection: runs.confirm(connection, _known(batch_id), said))
    except (runs.BatchError, runs.CloseError) as error:
        async with request.app.state.readers.begin() as reader:
            return await _shown(request, reader, batch_id, status=422, trouble=f"{error}.", said=said)
    return Redirect(f"/batches/{batch_id}", status_code=303)


@post("/batches/{batch_id:int}/stop", guards=[may_reprocess], status_code=303)
async def stop(request: AnyRequest, batch_id: FromPath[int]) -> Redirect:
    by, now = request.user.email, datetime.now(UTC)
    await _written(request, lambda connection: runs.stop(connection, _known(batch_id), by, now))
    return Redirect(f"/batches/{batch_id}", status_code=303)


async def _shown(
    request: AnyRequest, reader: AsyncConnection, batch_id: int, status: int = 200, **shown: Any
) -> Response[str]:
    batch = await find_batch(reader, batch_id)
    if batch is None:
        raise PageError(
            404, "No such batch", "Nobody confirmed it within a day, or the address is mistyped.", ""
        )
    at, only = shown.get("at", ""), shown.get("only", "")
    return await render(
        request,
        reader,
        "batches/show.html",
        "batches/_batch.html",
        status=status,
        batch=batch,
        going_out=await _going_out(reader, batch, repeat_done=False),
        going_out_with_done=await _going_out(reader, batch, repeat_done=True),
        progress=await count_progress(reader, batch) if batch.confirmed_at else Progress(),
        found=await find_items(reader, batch_id, at, only or None),
        typed_from=TYPED_FROM,
        most=runs.MOST,
        close_reasons=CLOSE_REASONS,
        max_reason=runs.MAX_BATCH_REASON,
        trouble=shown.get("trouble", ""),
        said=shown.get("said"),
        at=at,
        only=only,
        here=address(f"/batches/{batch_id}", only=only, at=at),
    )


async def _going_out(reader: AsyncConnection, batch: Batch, repeat_done: bool) -> list[tuple[Deed, int]]:
    """How many of what, the most first."""
    called = await find_called(reader, {part.handler for part in batch.parts})
    counts: dict[Deed, int] = {}
    for part in batch.parts:
        if part.why_not is None or (repeat_done and part.why_not == runs.Result.DONE):
            known = called.get(part.handler)
            title, effect = (known.title, known.effect) if known else (title_of(part.handler), None)
            deed = deed_for(effect, part.status, title)
            deed = replace(deed, act="")  # which is of one run
            counts[deed] = counts.get(deed, 0) + part.n
    return sorted(counts.items(), key=lambda item: -item[1])


def _asked(form: FormMultiDict) -> tuple[runs.Action, str]:
    action, _, which = str(form.get("do") or "").partition(" ")
    if action not in set(runs.Action) or which not in {"all", "ticked"}:
        raise ValidationException("do says neither what nor which")
    return runs.Action(action), which


def _ticked(form: FormMultiDict) -> list[tuple[int, int]]:
    """Each as its id and the tries that were shown: `4711.3`."""
    fields = [str(field) for field in form.getall("run", [])]
    if len(fields) > MAX_TICKED or not all(re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,9}", each) for each in fields):
        raise ValidationException("run names no runs")
    return [(int(run_id), int(tries)) for run_id, tries in (each.split(".") for each in fields)]


def _moment(form: FormMultiDict) -> datetime:
    moment = moment_of(text_of(form.get("shown")))
    if moment is None:
        raise ValidationException("shown is no moment")
    return moment


def _number(field: object) -> int | None:
    """As people type it: 1,204 or 1 204."""
    digits = re.sub(r"[\s,.'’]", "", field) if isinstance(field, str) else ""
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else None


def _known(batch_id: int) -> int:
    if batch_id > LARGEST:
        raise NotFoundException
    return batch_id


routes = [index, create, show, confirm, stop]
