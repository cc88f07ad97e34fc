"""The rules of a case: from its events to their order, its status, its gaps.

Arrival order means nothing: a retry comes up to 28 hours late. What tells is when the sender made a
message, which its id holds, and that each event names the status before it.
"""

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import reduce
from heapq import merge
from itertools import pairwise, product, takewhile
from math import prod
from typing import NamedTuple

NOT_STARTED = "NOT_STARTED"
KNOWN_STATUSES = frozenset({NOT_STARTED, "IN_PROGRESS", "IN_REVIEW", "COMPLETED", "REJECTED"})

AHEAD = timedelta(seconds=5)  # a message may seem made this long after its first attempt: clocks differ
BEHIND = timedelta(days=100)  # … and this long before it: Svix replays for 90 days
CLOSE = timedelta(seconds=2)  # neighbours less than this apart may stand in the wrong order
CLUSTER_SIZE = 6  # a longer chain of close neighbours stays in time order: six take 0.4 ms, twelve would 100
MERGE_STEPS = 50_000  # at worst 60 ms of a delivery's nine seconds, in which nothing else is written

KSUID_EPOCH = datetime(2014, 5, 13, 16, 53, 20, tzinfo=UTC)
BASE62 = {
    character: n
    for n, character in enumerate(string.digits + string.ascii_uppercase + string.ascii_lowercase)
}
MESSAGE_ID = re.compile(r"msg_([0-9A-Za-z]{27})")  # the decoder pads a shorter one and dates it 2014


class Link(StrEnum):
    """What an event's place says about the event before it."""

    START = "start"  # the first known event, and the case starts with it
    BEGAN_BEFORE = "began before"  # the first known event, but the case began before we listened
    FOLLOWS = "follows"
    REPEAT = "repeat"  # the same move and reason again
    GAP = "gap"  # an event is missing between the two


@dataclass(frozen=True, slots=True)
class Move:
    """One KYB event, as the rules see it."""

    svix_id: str
    status: str
    previous_status: str
    reason: str | None
    first_attempt_at: datetime  # the earliest signed timestamp seen; aware, whole seconds
    message_at: datetime | None  # see message_time; None: undated
    adopted: bool = False  # taken over from VOVE's API: a status at a time, its reason not known


@dataclass(frozen=True, slots=True)
class Placed:
    move: Move
    link: Link


@dataclass(frozen=True, slots=True)
class CaseState:
    status: str
    reason: str | None
    status_since: datetime  # of the first event of the closing run of repeats
    gap: bool  # an event is missing somewhere
    uncertain: bool  # undated events leave open which event is the last
    began_before: bool  # the first known event does not start at NOT_STARTED
    placed: tuple[Placed, ...]  # every event, in its order

    @property
    def last(self) -> Move:
        """The one that gives the status and its reason."""
        return _telling(_closing(self.placed))


def message_time(svix_id: str, first_attempt_at: datetime) -> datetime | None:
    """When the sender made the message, by its id; None where the id does not tell.

    It tells if it is `msg_` and a KSUID whose time is at most 5 s after the first attempt and at most
    100 days before it. Svix does not promise the format, so any text may be given, and none raises.
    Decoded by hand: Svix's own decoder, to which the tests hold it, takes four times as long.
    """
    match = MESSAGE_ID.fullmatch(svix_id)
    if match is None:
        return None
    number = reduce(lambda number, character: number * 62 + BASE62[character], match[1], 0)
    if number >> 160:  # 27 characters can say more than a KSUID's 20 bytes
        return None
    seconds, ticks = divmod(number >> 120, 256)  # its first five bytes
    message_at = KSUID_EPOCH + timedelta(seconds=seconds, milliseconds=ticks * 4 % 1000)
    return message_at if -BEHIND <= message_at - first_attempt_at <= AHEAD else None


def state_of(moves: Iterable[Move]) -> CaseState:
    """The state of a case by all its events, which may come in any order; one given twice counts once.

    Raises ValueError if there are none.
    """
    known = sorted({move.svix_id: move for move in moves}.values(), key=_time_and_id)
    if not known:
        raise ValueError("a case has at least one event")
    order, uncertain = _order(known)
    placed = tuple(
        Placed(move, _link(before, move)) for before, move in zip([None, *order], order, strict=False)
    )
    closing = _closing(placed)
    return CaseState(
        status=order[-1].status,
        reason=_telling(closing).reason,
        status_since=_time(closing[0]),
        gap=any(each.link is Link.GAP for each in placed),
        uncertain=uncertain,
        began_before=placed[0].link is Link.BEGAN_BEFORE,
        placed=placed,
    )


def _closing(placed: Sequence[Placed]) -> list[Move]:
    """The last event with those that it repeats, in their order."""
    repeats = sum(1 for _ in takewhile(lambda last: last.link is Link.REPEAT, reversed(placed)))
    return [each.move for each in placed[-1 - repeats :]]


def _telling(closing: Sequence[Move]) -> Move:
    """Of events that say the same, the last that VOVE sent: one that was adopted gives no reason."""
    return next((move for move in reversed(closing) if not move.adopted), closing[-1])


def appends(move: Move, *, status: str, newest_message_at: datetime | None, undated_count: int) -> bool:
    """Whether the move is sure to stand last in its case, with Link.FOLLOWS, and to change nothing before it.

    `status`, `newest_message_at` and `undated_count` are the case's, without the move. False where that
    can't be told from these alone; state_of over all events tells then.
    """
    return (
        undated_count == 0
        and newest_message_at is not None
        and move.message_at is not None
        and move.message_at - newest_message_at >= CLOSE
        and move.previous_status == status != move.status  # a move to where it is may be a repeat
    )


def _time(move: Move) -> datetime:
    return move.message_at or move.first_attempt_at


def _time_and_id(move: Move) -> tuple[datetime, str]:
    return _time(move), move.svix_id


def _link(before: Move | None, move: Move) -> Link:
    if before is None:
        return Link.START if move.previous_status == NOT_STARTED else Link.BEGAN_BEFORE
    if _repeats(before, move):
        return Link.REPEAT
    return Link.GAP if _breaks(before, move) else Link.FOLLOWS


def _repeats(before: Move, move: Move) -> bool:
    """Whether it says the same again. What was adopted stands for a message that had not come, whatever that
    gave as the status before and the reason: should it come after all, it is the same move."""
    if before.adopted or move.adopted:
        return move.status == before.status
    return _says(move) == _says(before)


def _says(move: Move) -> tuple[str, str, str | None]:
    return move.previous_status, move.status, move.reason


def _breaks(before: Move | None, move: Move) -> bool:
    """Whether the move does not fit the one before it; nothing before it is NOT_STARTED. What was adopted
    fits any: a person has said that it holds from there on."""
    if before is None:
        return move.previous_status != NOT_STARTED
    return not move.adopted and move.previous_status != before.status and not _repeats(before, move)


def _order(known: Sequence[Move]) -> tuple[Sequence[Move], bool]:
    """All events in order, and whether it is uncertain which of them is the last.

    What was adopted holds in spite of all that had come by then: none of that stands after it.
    """
    adopted = max((n for n, move in enumerate(known) if move.adopted), default=0)
    earlier = _order(known[:adopted])[0] if adopted else []
    before, rest = earlier[-1] if earlier else None, known[adopted:]
    dated = _mended([move for move in rest if move.message_at], before)
    undated = [move for move in rest if not move.message_at]
    order, uncertain = _merged(dated, undated, before) if undated else (dated, False)
    return [*earlier, *order], uncertain


def _mended(dated: Sequence[Move], before: Move | None) -> list[Move]:
    """Time order, but where close neighbours have fewer gaps in another one, that.

    Senders reorder within moments: a third of moves follow within 20 ms. benchmarks/order.py shows what this
    mends, and what it costs where an event is truly missing.
    """
    order: list[Move] = []
    for cluster, following in pairwise([*_clusters(dated), []]):
        order += _settled(order[-1] if order else before, cluster, following[0] if following else None)
    return order


def _clusters(dated: Iterable[Move]) -> Iterator[list[Move]]:
    cluster: list[Move] = []
    for move in dated:
        if cluster and _time(move) - _time(cluster[-1]) >= CLOSE:
            yield cluster
            cluster = []
        cluster.append(move)
    yield cluster


def _settled(before: Move | None, cluster: list[Move], after: Move | None) -> list[Move]:
    """The order with the fewest gaps, entry and exit counted; of several the one nearest to time order."""
    if not 1 < len(cluster) <= CLUSTER_SIZE or _fits(before, cluster, after):
        return cluster
    return _walked(min(_ways(_lanes(cluster), before), key=lambda way: way.cost(after)))


def _fits(before: Move | None, cluster: Sequence[Move], after: Move | None) -> bool:
    steps = zip([before, *cluster], [*cluster, after], strict=True)
    return not any(move and _breaks(earlier, move) for earlier, move in steps)


def _merged(dated: Sequence[Move], undated: Sequence[Move], before: Move | None) -> tuple[list[Move], bool]:
    """The undated events among the dated, which keep their order, with the fewest gaps; then by time.

    Uncertain where orders with as few gaps end differently, or where there are too many orders to tell.
    """
    lanes = [lane for lane in (dated, *_lanes(undated)) if lane]
    if prod(len(lane) + 1 for lane in lanes) * len(lanes) ** 2 > MERGE_STEPS:
        return list(merge(dated, undated, key=_time_and_id)), True
    ways = _ways(lanes, before)
    best = min(ways, key=_Way.cost)
    ends = {(way.last.status, way.last.reason) for way in ways if way.last and way.gaps == best.gaps}
    return _walked(best), len(ends) > 1


def _lanes(moves: Iterable[Move]) -> list[list[Move]]:
    """Moves that say the same, each in time order: between them nothing but time could tell."""
    lanes: dict[tuple[str, str, str | None], list[Move]] = {}
    for move in moves:
        lanes.setdefault(_says(move), []).append(move)
    return list(lanes.values())


class _Way(NamedTuple):
    """One way through some of the events, by its last: what it has cost, and the way to the one before."""

    gaps: int
    inversions: int  # neighbours that stand against time
    last: Move | None
    before: "_Way | None"

    def cost(self, following: Move | None = None) -> tuple[int, int]:
        if following is None:
            return self.gaps, self.inversions
        inverted = self.last is not None and _time(following) < _time(self.last)
        return self.gaps + _breaks(self.last, following), self.inversions + inverted


def _ways(lanes: Sequence[Sequence[Move]], before: Move | None = None) -> list[_Way]:
    """For each lane that can give the last event, the cheapest way through all lanes, each in its order.

    Of ways that cost the same, the one where earlier lanes come earlier: never a matter of arrival.
    """
    ways = {(0,) * len(lanes): [_Way(0, 0, before, None)]}
    for reached in product(*(range(len(lane) + 1) for lane in lanes)):
        for i in reversed(range(len(lanes))):
            if reached[i]:
                move = lanes[i][reached[i] - 1]
                earlier = ways[*reached[:i], reached[i] - 1, *reached[i + 1 :]]
                way = min(earlier, key=lambda way: way.cost(move))
                ways.setdefault(reached, []).append(_Way(*way.cost(move), move, way))
    return ways[tuple(len(lane) for lane in lanes)]


def _walked(way: _Way) -> list[Move]:
    order: list[Move] = []
    while way.last and way.before:
        order.append(way.last)
        way = way.before
    return order[::-1]
