"""Every word that pages use in a sense of their own: those of words.py, and those that stand for no code."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dashboard import words
from dashboard.people import ROLES, STANDINGS
from dashboard.words import Word

CASES = {
    "case": Word("Case", "cases", "quiet", "One business under verification, by its reference."),
    "reference": Word(
        "Reference",
        "cases",
        "quiet",
        "Your own id of the business (refId), which VOVE sends back with all it says.",
    ),
    "round": Word(
        "Round",
        "retry",
        "quiet",
        "A reference that starts again after a final status begins a new round. Ages are of the round.",
    ),
    "gap": Word(
        "Gap",
        "gap",
        "unknown",
        "A status change is missing: what VOVE said before does not fit what came next.",
    ),
    "late": Word(
        "Late",
        "clock",
        "review",
        "It arrived after newer ones: it takes its place in the timeline and does not turn the case back.",
    ),
    "uncertain": Word(
        "Uncertain",
        "unknown",
        "unknown",
        "Status changes came without a time of their own: which of them is the last is not certain.",
    ),
    "began_before": Word(
        "Began before we listened",
        "about",
        "quiet",
        "The first steps of the case are not known: it was under way already.",
    ),
    "limit": Word(
        "Limit", "clock", "review", "How long a case may stay in a status before it counts as too old."
    ),
    "over_limit": Word(
        "Over its limit", "warning", "person", "The case has been in its status for longer than it may."
    ),
    "in_status_since": Word(
        "In this status", "clock", "quiet", "The time since the last status change of the case."
    ),
    "not_enabled": Word(
        "Completed, not enabled",
        "warning",
        "person",
        "VOVE approved the business, but its account is not active.",
    ),
    "still_enabled": Word(
        "Enabled, not completed",
        "warning",
        "person",
        "The account of the business is active, but VOVE has not approved it, or no longer does.",
    ),
    "not_told": Word(
        "Rejected, not told",
        "warning",
        "person",
        "VOVE turned the business down, and the customer has not been told since.",
    ),
    "assigned_to": Word("Assigned to", "person", "quiet", "The colleague who looks after the case."),
    "note": Word(
        "Note", "about", "quiet", "What a colleague wrote on a case. It is kept, and goes to nobody outside."
    ),
    "business": Word(
        "Business", "cases", "quiet", "What your directory knows of a case: name, e-mail address, account."
    ),
    "adopted": Word(
        "Taken over from VOVE",
        "completed",
        "quiet",
        "A person let the case stand as VOVE's own records have it, where a message never came.",
    ),
    "reason": Word(
        "Reason", "rejected", "quiet", "Why VOVE turned a business down, as a code or in its own words."
    ),
    "new_reason": Word(
        "Never seen before", "unknown", "unknown", "A reason that nobody here has described yet."
    ),
    "customer_text": Word(
        "Customer text",
        "about",
        "quiet",
        "What a customer may read of a reason. A text counts once a second person approved it.",
    ),
    "never_tell": Word("Never tell", "closed", "quiet", "A reason of which customers must read nothing."),
}
TASKS = {
    "task": Word(
        "Task", "runs", "quiet", "What one of your handlers has to do about one status change (a run)."
    ),
    "try": Word("Try", "retry", "quiet", "One time that a task was done, or that it was tried."),
    "handler": Word(
        "Handler", "handlers", "quiet", "What your company has set up to be done when a case moves."
    ),
    "reprocess": Word(
        "Re-process",
        "retry",
        "quiet",
        "A person asks for one more try. The button says what will happen: “send the e-mail”.",
    ),
    "close": Word(
        "Close without retrying",
        "closed",
        "quiet",
        "A person says why a task need not be done. The same failure of that case opens it again.",
    ),
    "failure": Word(
        "Same failure",
        "conflict",
        "quiet",
        "Tasks that failed in the same way: the same handler, kind of error and place in the code.",
    ),
    "batch": Word(
        "Batch",
        "runs",
        "quiet",
        "Many tasks re-processed or closed on one word: exactly those that were counted.",
    ),
    "moved_on": Word(
        "Moved on", "next", "quiet", "The case has another status by now than the one that the task is about."
    ),
    "paused": Word(
        "Paused", "paused", "review", "A person stopped a handler: its tasks wait, and nothing is lost."
    ),
}
DELIVERIES = {
    "delivery": Word(
        "Delivery", "deliveries", "quiet", "One request to your webhook address, kept whatever became of it."
    ),
    "outage": Word("Outage", "warning", "review", "A time in which a part of KYB Desk was not there."),
    "receiver": Word("Receiver", "deliveries", "quiet", "The part that takes what VOVE sends."),
    "worker": Word("Worker", "running", "quiet", "The part that does the tasks."),
    "case_file": Word(
        "Case file",
        "unreadable",
        "quiet",
        "All that is known of one case, for an auditor, with the way to check that it is unchanged.",
    ),
}
# By a key that templates name: `{{ term("gap").meaning }}`.
TERMS = CASES | TASKS | DELIVERIES


@dataclass(frozen=True, slots=True)
class Chapter:
    """`entries`: each word under the anchor of its own; a text that came before under one of this chapter."""

    anchor: str
    title: str
    entries: list[tuple[str, Word]]


def _chapters(*known: tuple[str, str, Iterable[Word]]) -> Iterator[Chapter]:
    taken = {anchor for anchor, _, _ in known}
    for anchor, title, meant in known:
        entries = []
        for word in meant:
            own = word.anchor if word.anchor not in taken else f"{anchor}_{word.anchor}"
            taken.add(own)
            entries.append((own, word))
        yield Chapter(anchor, title, entries)


CHAPTERS = list(
    _chapters(
        ("statuses", "Statuses of a case", words.STATUSES.values()),
        ("cases", "Cases", CASES.values()),
        ("states", "States of a task", words.RUN_STATES.values()),
        ("outcomes", "How a try ended", words.OUTCOMES.values()),
        ("tasks", "Tasks", TASKS.values()),
        ("verdicts", "What became of a delivery", words.VERDICTS.values()),
        ("deliveries", "Deliveries, and KYB Desk itself", DELIVERIES.values()),
        ("people", "People", [*ROLES.values(), *STANDINGS.values()]),
        (
            "others",
            "Other checks that VOVE may send",
            [*words.FAMILIES.values(), *words.OTHER_STATUSES.values()],
        ),
    )
)
