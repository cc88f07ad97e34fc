"""From what is known of a case to two plain statements. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.queries.messages import SentMessage
from dashboard.queries.present import AccountChange, Settled
from dashboard.queries.runs import Run
from dashboard.strip.owed import Duty, Owed, account_after, weightiest
from receiver.handlers import AccountStatus, Effect
from receiver.models import RunState
from receiver.runs import CloseReason

COMPLETED, REJECTED = "COMPLETED", "REJECTED"
UNDER_WAY = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")  # of these nobody expects a word
NOBODYS = "No handler is set up for this"
DONE = "Done"
NOT_ENABLED = "Not enabled"
STARTED = {Duty.WAITS, Duty.RUNS}
WAITING = {*STARTED, Duty.PAUSED, Duty.RETRIED, Duty.NOT_SEEN}
TOLD = "told"  # the participle of what is owed to a customer
SETTLED_BY = {CloseReason.BY_HAND: "Told by hand", CloseReason.NOT_TOLD: "Not told"}
SETTLED = {Duty.DONE, Duty.NOT_CALLED}  # adds nothing to what is as it should be


@dataclass(frozen=True, slots=True)
class Known:
    """What the statements go by. `messages` are those of the present status, oldest first."""

    status: str
    owed: Sequence[Owed] = ()
    messages: Sequence[SentMessage] = ()
    settled: Settled | None = None
    account_status: str | None = None  # as the directory has it
    verified_at: datetime | None = None
    account_change: AccountChange | None = None
    has_account_handler: bool = False  # for whichever status


@dataclass(frozen=True, slots=True)
class Statement:
    """`sign` and `tone` as those of a Word; `since` None: not known; the `run` says more.

    `though` is what it is at odds with, as the end of a sentence. `settled`: a person said that nobody has to
    tell the customer any more.
    """

    text: str
    sign: str
    tone: str
    why: str | None = None
    since: datetime | None = None
    run: Run | None = None
    messages: Sequence[SentMessage] = ()
    though: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    account: Statement
    customer: Statement


def strip_of(known: Known) -> Strip:
    return Strip(_account(known), _customer(known))


def _account(known: Known) -> Statement:
    owed = weightiest(known.owed, Effect.ACCOUNT)
    if known.account_status is None:
        return _not_enabled(owed) if known.status == COMPLETED else _nothing_due(known, owed)
    if (known.account_status == AccountStatus.ACTIVE) == (known.status == COMPLETED):
        return _as_it_should_be(known, owed)
    return _at_odds(known, owed)


def _as_it_should_be(known: Known, owed: Owed | None) -> Statement:
    enabled = known.status == COMPLETED
    text, sign, tone = ("Enabled", "completed", "completed") if enabled else ("Suspended", "closed", "quiet")
    why, run = _trouble(owed)
    return Statement(text, sign, tone, why, _account_since(known), run)


def _at_odds(known: Known, owed: Owed | None) -> Statement:
    """Somebody has access who should not, or has none who should."""
    completed = known.status == COMPLETED
    text = "Suspended" if completed else "Enabled"
    though = "the case is completed" if completed else "the case is not completed"
    sign, tone = ("running", "review") if owed and owed.duty in STARTED else ("warning", "person")
    why = f"{NOBODYS}: see to the account by hand." if owed is None else owed.why
    if owed and owed.duty is Duty.DONE:
        why = f"{owed.why.removesuffix('.')}. Yet the directory says otherwise."
    run = owed.run if owed else None
    return Statement(text, sign, tone, why, _account_since(known), run, though=though)


def _not_enabled(owed: Owed | None) -> Statement:
    """Of a completed case, whose account should be."""
    if owed is None:
        return Statement(NOBODYS, "about", "quiet")
    if owed.duty is Duty.DONE and owed.enabled_the_account:
        why = f"“{owed.title}” enabled it; the directory was changed since."
        return Statement(NOT_ENABLED, "warning", "person", why, run=owed.run)
    return _by_duty(owed, "enabled")


def _nothing_due(known: Known, owed: Owed | None) -> Statement:
    """Of a case that is not completed, and of whose account nothing is known."""
    if owed is None and not known.has_account_handler:
        return Statement(NOBODYS, "about", "quiet")
    if owed is None or owed.duty in SETTLED:
        why, run = (owed.why, owed.run) if owed else (None, None)
        return Statement(NOT_ENABLED, "not_started", "quiet", why, run=run)
    return _by_duty(owed, "done")


def _customer(known: Known) -> Statement:
    owed = weightiest(known.owed, Effect.CUSTOMER)
    if known.messages:
        why, run = _trouble(owed)
        told_at = known.messages[-1].sent_at
        return Statement("Told", "completed", "completed", why, told_at, run, known.messages)
    if known.settled:
        return _settled(known.settled)
    if owed is None and known.status in UNDER_WAY:
        return Statement("Nothing to tell yet", "not_started", "quiet")
    return Statement(NOBODYS, "about", "quiet") if owed is None else _by_duty(owed, TOLD)


def _settled(said: Settled) -> Statement:
    text, sign, tone = SETTLED_BY[CloseReason(said.subject)], "closed", "quiet"
    return Statement(text, sign, tone, f"{said.by}: {said.detail}", said.at, settled=True)


def can_be_settled(status: str, customer: Statement) -> bool:
    """By a person who says that the customer was told, or must not be. What a task is to do, or may still do,
    is closed with the task."""
    has_task = customer.run is not None and customer.run.state != RunState.CLOSED
    told = customer.messages or customer.settled or customer.text == DONE
    return status == REJECTED and not told and not has_task


def _by_duty(owed: Owed, done: str) -> Statement:
    """What the handler's run says where nothing else does; `done` is the participle of its effect."""
    yet = " yet" if owed.duty in WAITING else ""
    text = DONE if owed.duty is Duty.DONE else f"Not {done}{yet}"
    sign, tone = {
        Duty.FAILED: ("warning", "person"),
        Duty.RETRIED: ("retry", "review"),
        Duty.RUNS: ("running", "progress"),
        Duty.PAUSED: ("paused", "review"),
        Duty.WAITS: ("clock", "quiet"),
        Duty.CLOSED: ("closed", "review"),
        Duty.DONE: ("completed", "completed"),
        Duty.NOT_CALLED: ("unknown", "review"),
        Duty.NOT_SEEN: ("clock", "quiet"),
    }[owed.duty]
    if owed.nobody_knows:
        text, sign = f"May have been {done}", "unknown"
    settled = owed.run if done == TOLD and owed.run and owed.run.is_settled else None
    if settled:
        text, sign, tone = SETTLED_BY[CloseReason(settled.close_reason or "")], "closed", "quiet"
    since = owed.run.finished_at if owed.run and owed.duty is Duty.DONE else None
    return Statement(text, sign, tone, owed.why, since, owed.run, settled=settled is not None)


def _trouble(owed: Owed | None) -> tuple[str | None, Run | None]:
    """What is worth saying beside a statement that is as it should be."""
    return (owed.why, owed.run) if owed and owed.duty not in SETTLED else (None, None)


def _account_since(known: Known) -> datetime | None:
    """By the try that brought it where it is; else, of an enabled one, since when VOVE's approval holds."""
    change = known.account_change
    if change and account_after(change.changes) == known.account_status:
        return change.at
    return known.verified_at if known.account_status == AccountStatus.ACTIVE else None
