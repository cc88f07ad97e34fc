"""What a person should do next about a case: one plain sentence or two, chosen by its state. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard.filters import address, shorten
from dashboard.known_failures import lacks_address
from dashboard.queries.runs import Run
from dashboard.strip.statements import COMPLETED, DONE, NOT_ENABLED, REJECTED, Statement, Strip
from receiver.handlers import Effect, Reason
from receiver.models import RunState
from receiver.reasons import code_of

ON_ITS_WAY = {
    "NOT_STARTED": "the business has not begun yet",
    "IN_PROGRESS": "the business is giving its data and documents",
    "IN_REVIEW": "VOVE is checking it",
}
BEFORE_REVIEW = {"NOT_STARTED", "IN_PROGRESS"}
BY_ITSELF = {RunState.QUEUED, RunState.RUNNING, RunState.RETRYING}


@dataclass(frozen=True, slots=True)
class Standing:
    """What it goes by. `agrees`: VOVE was asked since the last change and says the same; `over`: how far the
    case is over its limit, in words; `earlier`: tasks of earlier statuses that need a person."""

    status: str
    strip: Strip
    tasks: Sequence[Run] = ()
    earlier: int = 0
    reason: Reason | None = None
    uncertain: bool = False
    gap: bool = False
    agrees: bool = False
    differs: bool = False
    over: str | None = None
    undone: bool = False  # it was taken over from VOVE, and no handler was called for it
    is_known: bool = True  # the status is one that KYB Desk knows
    vove: str | None = None  # where VOVE is asked: on this page, or at VOVE


@dataclass(frozen=True, slots=True)
class Todo:
    """`href` leads to where it is done; `sign` and `tone` as those of a Word. `run_id` is the task's, where
    `href` leads elsewhere; `edits`: the business has to be edited."""

    text: str
    href: str | None = None
    link: str | None = None
    sign: str = "next"
    tone: str = "review"
    run_id: int | None = None
    edits: bool = False


def what_to_do(standing: Standing) -> Todo:
    """Of all that could be done, the first that is worth a person's time."""
    return next(todo for choose in _CHOICES if (todo := choose(standing)))


def _uncertain(standing: Standing) -> Todo | None:
    if not standing.uncertain or standing.agrees:
        return None
    return Todo(
        "Compare with VOVE before you act: some status changes came without a time of their own, and another "
        "one may be the last.",
        standing.vove,
        "Compare with VOVE",
        "unknown",
    )


def _differing(standing: Standing) -> Todo | None:
    if not standing.differs:
        return None
    text = "VOVE says something else than what stands here. If VOVE is right, adopt what it says."
    return Todo(text, standing.vove, "See what VOVE says", "conflict")


def _failed(standing: Standing) -> Todo | None:
    failed = [run for run in standing.tasks if run.state == RunState.FAILED]
    if _can_not_be_told(standing):  # to try again would not help
        failed = [run for run in failed if run != standing.strip.customer.run]
    if not failed:
        return None
    first = failed[0]
    called = f"“{shorten(first.title, 60)}” needs a person"
    more = f", and so do {len(failed) - 1} more" if len(failed) > 1 else ""
    how = (
        "its handler is no longer set up: do by hand what it would have done, then close it."
        if first.is_gone
        else "see what went wrong, set it right, and re-process it."
    )
    if first.effect == Effect.CUSTOMER and not first.is_gone:
        how += " If you told the customer yourself, close it as done by hand."
    edits = _lacks_address(standing, first)
    text = f"{called}{more}: {how}"
    return Todo(text, f"/runs/{first.id}", "See the task", "warning", "person", edits=edits)


def _lacks_address(standing: Standing, run: Run | None) -> bool:
    return run is not None and lacks_address(run, standing.reason.code if standing.reason else None)


def _undone(standing: Standing) -> Todo | None:
    if not standing.undone:
        return None
    text = "The status was taken over from VOVE, and nothing is done for it yet. The timeline has the button."
    return Todo(text, "#timeline", "To the timeline")


def _account(standing: Standing) -> Todo | None:
    """At odds with the case, and nothing is under way that would mend it."""
    said = standing.strip.account
    if not said.though or _is_under_way(said):
        return None
    wanted = "enabled" if standing.status == COMPLETED else "suspended"
    href, link = (f"/runs/{said.run.id}", "See the task") if said.run else ("#business", "To the business")
    return Todo(
        f"See to the account: it should be {wanted}, for {said.though}, but the directory says otherwise.",
        href,
        link,
        "warning",
        "person",
    )


def _enabled_by_hand(standing: Standing) -> Todo | None:
    """Nobody but a person knows: the directory goes by what it is told."""
    said = standing.strip.account
    run = said.run
    if standing.status != COMPLETED or said.text != NOT_ENABLED or not run or run.state != RunState.CLOSED:
        return None
    text = "The task that enables the account was closed. If you enabled it by hand, set Account to Active."
    return Todo(text, f"/runs/{run.id}", "See the task", edits=True)


def _is_under_way(said: Statement) -> bool:
    return said.run is not None and said.run.state in BY_ITSELF


def _can_not_be_told(standing: Standing) -> bool:
    """Of a rejection: there is no reason, none that may be told, or no words for it."""
    reason = standing.reason
    return standing.status == REJECTED and (not reason or reason.never_tell or not reason.customer_texts)


def _never_tell(standing: Standing) -> Todo | None:
    if standing.status != REJECTED or not (standing.reason and standing.reason.never_tell):
        return None
    run = standing.strip.customer.run
    if standing.strip.customer.messages:
        return Todo(
            "This reason must never be told, yet the customer was written to. Read what was said, and tell "
            "whoever is responsible.",
            "#statement_customer",
            "Read the message",
            "warning",
            "person",
        )
    text = "Nothing may be said to the customer: this reason must never be told."
    if run and run.state == RunState.FAILED:
        text += f" Close “{shorten(run.title, 60)}” without retrying."
        return Todo(text, f"/runs/{run.id}", "See the task", "closed")
    return Todo(text, sign="closed")


def _untold(standing: Standing) -> Todo | None:
    customer, reason = standing.strip.customer, standing.reason
    if standing.status != REJECTED or customer.messages or customer.text == DONE or _is_under_way(customer):
        return None
    if customer.settled:
        return None
    failed = customer.run if customer.run and customer.run.state == RunState.FAILED else None
    run_id, edits = failed.id if failed else None, _lacks_address(standing, failed)
    if not reason:
        text = "VOVE gave no reason. Ask VOVE for it, then write to the customer by hand"
        then = ", and close the task as done by hand." if failed else ", and say so under “Customer”."
        return Todo(text + then, standing.vove, "Ask VOVE", run_id=run_id, edits=edits)
    if not reason.customer_texts:
        then = " Then re-process the task." if customer.run else ""
        if failed:
            then = " Then re-process the task. If you told the customer yourself, close it as done by hand."
        text = (
            "The customer was not told, and this reason has no approved text: have one written and approved."
        )
        href = address("/rejections/reason", code=code_of(reason.code))
        return Todo(text + then, href, "To the reason", run_id=run_id, edits=edits)
    text = "The customer was not told."
    if customer.run and customer.run.state == RunState.CLOSED:
        text += " The task was closed: if they still have to be told, re-process it."
        return Todo(text, f"/runs/{customer.run.id}", "See the task")
    if customer.run:
        text += " Write to them in the approved words, then close the task as done by hand."
        return Todo(text, "#reason", "See the words", run_id=customer.run.id)
    text += " Write to them in the approved words, for no task does; then say so under “Customer”."
    return Todo(text, "#reason", "See the words")


def _over(standing: Standing) -> Todo | None:
    if not standing.over:
        return None
    asked = "VOVE" if standing.status not in BEFORE_REVIEW else "the business, or VOVE,"
    text = f"It is {standing.over} its limit for this status: ask {asked} what it waits for."
    return Todo(text, standing.vove, "Ask VOVE", "clock")


def _earlier(standing: Standing) -> Todo | None:
    if not standing.earlier:
        return None
    tasks = "A task of an earlier status needs" if standing.earlier == 1 else "Tasks of earlier statuses need"
    return Todo(
        f"{tasks} a person: look whether it still has to be done, then re-process or close it.",
        "#timeline",
        "To the timeline",
        "warning",
    )


def _unknown(standing: Standing) -> Todo | None:
    if standing.is_known:
        return None
    text = "KYB Desk does not know this status: ask VOVE what it means before you act on it."
    return Todo(text, standing.vove, "Ask VOVE", "unknown")


def _gap(standing: Standing) -> Todo | None:
    if not standing.gap or standing.agrees:
        return None
    text = "A status change never reached us. Compare with VOVE: is it what stands here?"
    return Todo(text, standing.vove, "Compare with VOVE", "gap")


def _nothing(standing: Standing) -> Todo:
    text = "Nothing to do."
    if any(run.state in BY_ITSELF for run in standing.tasks):
        text = "Nothing to do: its tasks are being done by themselves."
    elif standing.status in ON_ITS_WAY:
        text = f"Nothing to do at present: {ON_ITS_WAY[standing.status]}."
    return Todo(text, sign="completed", tone="quiet")


_CHOICES: Sequence[Callable[[Standing], Todo | None]] = (
    _uncertain,
    _differing,
    _failed,
    _undone,
    _account,
    _enabled_by_hand,
    _never_tell,
    _untold,
    _over,
    _unknown,
    _gap,
    _earlier,
    _nothing,
)
