"""What stands in a timeline. `part` names the template of an entry, `anchor` where a link to it leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from dashboard import words
from dashboard.filters import shorten
from dashboard.kinds import kind_in_words
from dashboard.queries.acts import Act
from dashboard.queries.attempts import Attempt, may_have_been_done
from dashboard.queries.events import EventDelivery, EventRow
from dashboard.queries.runs import Run
from receiver.activity import Kind
from receiver.cases import Link
from receiver.runs import CloseReason

LATE = timedelta(minutes=1)  # Svix's first attempts follow within seconds

short = partial(shorten, length=120)


@dataclass(frozen=True, slots=True)
class Task:
    run: Run
    attempts: Sequence[Attempt]

    @property
    def may_have_been_done(self) -> bool:
        return may_have_been_done(self.run, self.attempts)


@dataclass(frozen=True, slots=True)
class Entry:
    """A status change, or the result of another check. `round`: what the one that begins here is called."""

    event: EventRow
    before: EventRow | None
    deliveries: Sequence[EventDelivery] = ()
    tasks: Sequence[Task] = ()
    round: str | None = None

    @property
    def part(self) -> str:
        return "cases/_change.html"

    @property
    def anchor(self) -> str:
        return f"event_{self.event.id}"

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def moves_the_case(self) -> bool:
        return self.event.place is not None

    @property
    def delay(self) -> timedelta | None:
        """How much later than it was made it came, where that is worth a word."""
        delay = self.event.received_at - self.event.at
        return delay if self.event.dated and delay >= LATE else None

    @property
    def is_adopted(self) -> bool:
        """A person took it over from VOVE's API: it was never delivered."""
        return self.event.adopted_by is not None

    @property
    def is_first_known(self) -> bool:
        return self.event.link == Link.BEGAN_BEFORE

    @property
    def is_repeat(self) -> bool:
        return self.event.link == Link.REPEAT

    @property
    def missing(self) -> str | None:
        """The sentence for the gap before this entry."""
        if self.event.link != Link.GAP:
            return None
        came_to = words.status(self.event.previous_status).text
        if self.before is None or self.before.status == self.event.previous_status:
            way = f"to “{came_to}”"
        else:
            way = f"from “{words.status(self.before.status).text}” to “{came_to}”"
        return f"A status change is missing here: how the case came {way} never reached us."


@dataclass(frozen=True, slots=True)
class Doing:
    """What a person did about the case."""

    act: Act

    @property
    def part(self) -> str:
        return "cases/_note.html" if self.act.kind == Kind.NOTED else "cases/_doing.html"

    @property
    def anchor(self) -> str:
        return f"activity_{self.act.id}"

    @property
    def at(self) -> datetime:
        return self.act.at

    @property
    def missing(self) -> None:
        return None

    @property
    def round(self) -> None:
        return None

    @property
    def sentence(self) -> str:
        """What follows the person's name."""
        return _sentence(self.act)

    @property
    def sign(self) -> str:
        return kind_in_words(self.act.kind).sign


def _sentence(act: Act) -> str:
    task = f"“{short(act.title or '')}”"
    status = short(words.status(act.subject).text)
    sentences: dict[str, str] = {
        Kind.NOTED: "wrote a note",
        Kind.ASSIGNED: _assigned(act),
        Kind.REPROCESSED: f"re-processed {task}",
        Kind.CLOSED: f"closed {task} without retrying",
        Kind.TOLD: _told(act),
        Kind.REOPENED: f"met the same failure again: {task} is open again",
        Kind.EDITED: "edited the business",
        Kind.ADOPTED: f"took over what VOVE says: {status}",
        Kind.EXPORTED: "exported it",
        Kind.CASE_FILE: "gave out the case file",
    }
    return sentences.get(act.kind) or f"{act.kind} {short(act.subject or '')}".strip()


def _told(act: Act) -> str:
    must_not = act.subject == CloseReason.NOT_TOLD
    return f"wrote down that the customer {'must not be told' if must_not else 'was told by hand'}"


def _assigned(act: Act) -> str:
    if act.subject is None:
        return "took the assignment away: the case is nobody's"
    return "took the case" if act.subject == act.by else f"assigned the case to {short(act.subject)}"
