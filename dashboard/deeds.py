"""What a task does, in words of the business: by its handler's effect, else by its title."""

import re
from dataclasses import dataclass, replace

from dashboard.queries.runs import Run
from dashboard.words import clause, in_a_sentence
from receiver.handlers import Effect

ENABLING = "COMPLETED"  # the status for which an account is enabled; for any other it is suspended


@dataclass(frozen=True, slots=True)
class Deed:
    """For a sentence `{what} {business} was not {done}`, and a button `Re-process: {act}`. What will go out
    is `one` or `many` of it, such as `e-mails to customers`."""

    what: str
    done: str
    act: str
    one: str
    many: str


MAIL = Deed("The e-mail to", "sent", "send the e-mail", "e-mail to a customer", "e-mails to customers")
ENABLE = Deed("The account of", "enabled", "enable the account", "account enabled", "accounts enabled")
SUSPEND = Deed(
    "The account of", "suspended", "suspend the account", "account suspended", "accounts suspended"
)


def deed_of(run: Run, was_done: bool = False) -> Deed:
    """`was_done`: a try of this run has done it."""
    known = _by_effect(run.effect, run.became)
    again = " again" if was_done or (run.is_done and not known) else ""
    deed = known or _by_title(run.title, in_a_sentence(run.title))
    return replace(deed, act=deed.act + again)


def why_not(summary: str) -> str:
    """As it stands after “was not sent:”, which the words of a failure may begin with too."""
    return re.sub("^Nothing was sent[.:] ", "", clause(summary))


def deed_for(effect: str | None, status: str, title: str) -> Deed:
    """Of any run of a handler for this status."""
    return _by_effect(effect, status) or _by_title(title, in_a_sentence(title))


def _by_effect(effect: str | None, status: str) -> Deed | None:
    if effect == Effect.CUSTOMER:
        return MAIL
    if effect == Effect.ACCOUNT:
        return ENABLE if status == ENABLING else SUSPEND
    return None


def _by_title(title: str, act: str) -> Deed:
    called = f"“{title}”"
    return Deed(f"{called} for", "done", act, f"call of {called}", f"calls of {called}")
