"""What on the health page needs somebody: sentences, the worst first. None: a calm page. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.queries.health import Outage, Waiting
from dashboard.queries.storage import Storage
from dashboard.sender import SVIX, Failing, outlook

MIB = 1024 * 1024
LITTLE_ROOM = 1024 * MIB  # bytes: some million deliveries
LITTLE_SHARE = 0.05  # of the disk
WAITS_LONG = timedelta(minutes=5)  # the worker takes what is due within seconds

DOWN = {
    "receiver": "The receiver is not running: no status change can arrive. Whoever runs KYB Desk starts it "
    "with “kybdesk serve”.",
    "worker": "The worker is not running: tasks wait until it is back. Whoever runs KYB Desk starts it "
    "with “kybdesk serve”.",
    "dashboard": "The dashboard can't write to the database: it gives no sign of itself.",
}


@dataclass(frozen=True, slots=True)
class Worry:
    """`tone` person: it has to be put right; about: it should be known."""

    text: str
    href: str
    tone: str = "person"


def worries(
    lasting: Sequence[Outage],
    never_seen: Sequence[str],
    failing: Sequence[Failing],
    waiting: Waiting,
    paused: bool,
    storage: Storage,
    now: datetime,
) -> list[Worry]:
    return [
        *(Worry(DOWN[outage.role], "#roles") for outage in lasting if outage.role in DOWN),
        *(Worry(DOWN[role], "#roles") for role in never_seen),
        *_of_the_sender(failing),
        *_of_what_waits(waiting, paused, now),
        *_of_the_room(storage),
    ]


def _of_the_sender(failing: Sequence[Failing]) -> Iterator[Worry]:
    if any(time.lasts and time.refused for time in failing):
        yield Worry("Every delivery that looks like VOVE's is refused: nothing arrives.", "#sender")
    elif any(outlook(time, SVIX).lost_before for time in failing):
        yield Worry("Some of what VOVE sent while the receiver was away may be lost.", "#sender", "about")


def _of_what_waits(waiting: Waiting, paused: bool, now: datetime) -> Iterator[Worry]:
    if waiting.event_since and now - waiting.event_since > WAITS_LONG:
        yield Worry("Status changes wait for their tasks: the worker does not hand them out.", "#incoming")
    if waiting.run_since and now - waiting.run_since > WAITS_LONG and not paused:
        yield Worry("Tasks wait longer than they should.", "/runs?tab=waiting")


def _of_the_room(storage: Storage) -> Iterator[Worry]:
    room = storage.room
    if room and room.free < max(LITTLE_ROOM, int(room.total * LITTLE_SHARE)):
        yield Worry("The disk is nearly full: when it is, deliveries are answered 503.", "#storage")
