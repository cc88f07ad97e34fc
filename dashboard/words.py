"""The code's words as people read them, each with the one sentence that explains it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from receiver.mail.languages import NAMES
from receiver.models import Outcome, RunState, Verdict
from receiver.reasons import code_of

LONGEST = 40  # characters: a word of VOVE's may have any number


@dataclass(frozen=True, slots=True)
class Word:
    """`sign` names an icon of templates/_icons.html, `tone` a hue of static/css/tokens.css."""

    text: str
    sign: str
    tone: str
    meaning: str

    @property
    def anchor(self) -> str:
        """Of its place in the glossary; a status that we don't know has none, and leads to the top."""
        return re.sub("[^a-z0-9]+", "_", self.text[:LONGEST].lower()).strip("_")


STATUSES = {
    "NOT_STARTED": Word(
        "Not started", "not_started", "quiet", "The business has not begun its verification."
    ),
    "IN_PROGRESS": Word(
        "In progress", "in_progress", "progress", "The business is giving its data and documents."
    ),
    "IN_REVIEW": Word("In review", "in_review", "review", "VOVE is checking what the business gave."),
    "COMPLETED": Word("Completed", "completed", "completed", "VOVE approved the business."),
    "REJECTED": Word("Rejected", "rejected", "rejected", "VOVE turned the business down."),
}
# Other checks that VOVE may send to the same address. They never move a case.
OTHER_STATUSES = {
    "NO_MATCH": Word("No match", "completed", "completed", "Nothing was found on the lists."),
    "CLEARED": Word("Cleared", "completed", "completed", "What was found turned out to be harmless."),
    "in_progress": Word("In progress", "in_progress", "progress", "The check is under way."),
    "pending": Word("Pending", "in_review", "review", "The check waits for a decision."),
    "successful": Word("Successful", "completed", "completed", "The check was passed."),
    "suspected": Word("Suspected", "unknown", "unknown", "The check found something that needs a look."),
}
RUN_STATES = {
    RunState.QUEUED: Word("Waiting", "clock", "quiet", "It will be done as soon as the worker is free."),
    RunState.RUNNING: Word("Running", "running", "progress", "It is being done at this moment."),
    RunState.RETRYING: Word("Retrying", "retry", "review", "It did not work; it is tried again by itself."),
    RunState.SUCCEEDED: Word("Done", "completed", "completed", "It was done."),
    RunState.FAILED: Word(
        "Needs a person", "warning", "person", "It did not work, and is not tried again by itself."
    ),
    RunState.CLOSED: Word("Closed", "closed", "quiet", "A person closed it without retrying."),
}
OUTCOMES = {
    Outcome.SUCCEEDED: Word("Done", "completed", "completed", "The try did what it had to do."),
    Outcome.FAILED: Word("Failed", "cross", "review", "The try ended with an error."),
    Outcome.TIMED_OUT: Word("Took too long", "clock", "review", "The try was ended at its time limit."),
    Outcome.CRASHED: Word("Broke off", "cross", "review", "The process that did it died."),
    Outcome.LOST: Word(
        "Lost", "unknown", "review", "The worker stopped during the try: nobody knows whether it was done."
    ),
    Outcome.IN_DOUBT: Word(
        "In doubt", "unknown", "review", "No clear answer came: nobody knows whether it was done."
    ),
}
VERDICTS = {
    Verdict.ACCEPTED: Word("Accepted", "completed", "completed", "Signed by VOVE, understood and new."),
    Verdict.DUPLICATE: Word("Repeat", "repeat", "quiet", "The same message again: nothing more was done."),
    Verdict.CONFLICT: Word(
        "Same id, different content",
        "conflict",
        "unknown",
        "A message with an id that we know, but it says something else. It changed nothing.",
    ),
    Verdict.QUARANTINED: Word(
        "Unreadable", "unreadable", "review", "Signed by VOVE, but not understood. It is kept as it came."
    ),
    Verdict.REFUSED: Word(
        "Unverified",
        "unverified",
        "review",
        "Not signed with one of our secrets, or too old. It was turned away.",
    ),
}
FAMILIES = {
    "kyb": Word("Status change", "cases", "quiet", "A message of VOVE's that moves the case."),
    "aml": Word("AML check", "unverified", "quiet", "Anti-money-laundering: it never moves the case."),
    "identity": Word("Identity check", "person", "quiet", "The check of a person: it never moves the case."),
}
ABBREVIATIONS = {"AML", "ID", "KYB", "KYC", "PEP", "UBO", "VAT"}  # keep their capitals in a reason


# What has happened since the page was shown on which somebody pressed "Re-process".
REFUSALS = {
    "gone": "Its handler was renamed or taken away, so nobody could do it.",
    "queued": "It had been asked for already, waits for its turn, and is done once.",
    "running": "It is running already, and is done once.",
    "tried": "It was tried since the page was shown: see below how that went before you ask again.",
    "succeeded": "It was done since the page was shown.",
    "closed": "It had been closed already.",
}


def status(code: str | None) -> Word:
    """A status as it came where we don't know it: unknown ones are data, not errors."""
    if code is None:
        return Word("Not told", "not_started", "quiet", "VOVE did not say.")
    known = STATUSES.get(code) or OTHER_STATUSES.get(code)
    return known or Word(code, "unknown", "unknown", "A status that KYB Desk does not know, as it came.")


def run_state(code: str) -> Word:
    return RUN_STATES[RunState(code)]


def outcome(code: str) -> Word:
    return OUTCOMES[Outcome(code)]


def verdict(code: str) -> Word:
    return VERDICTS[Verdict(code)]


def family(code: str) -> Word:
    return FAMILIES.get(code) or Word("Other message", "unknown", "unknown", "It never moves the case.")


def language(code: str) -> str:
    """`German`; of one that we can't name, its code."""
    return NAMES.get(code.lower().partition("-")[0]) or code


def reason(code: str | None, labels: Mapping[str, str] = MappingProxyType({})) -> str:
    """A reason in words: its label, where it has one (see queries.reasons.find_labels), else its code without
    capitals and underscores."""
    if not code:
        return "No reason given"
    if label := labels.get(code_of(code)):
        return label
    if not (code.isupper() and code.isascii()):
        return code
    words = " ".join(word if word in ABBREVIATIONS else word.lower() for word in code.split("_"))
    return words[:1].upper() + words[1:]


def clause(sentences: str) -> str:
    """As it stands before what goes on, or before a full stop."""
    return sentences.rstrip().removesuffix(".")


def in_a_sentence(title: str) -> str:
    """`Notify customer` as it stands after a colon; `AML report` keeps its capitals."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
