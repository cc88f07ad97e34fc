"""How well can a case's events be put in order? Rules for it, side by side, over the same random histories.

    python -m benchmarks.order

Each history is a walk as a case may take it: sent back, rejected, reopened. A third of its moves follow the
one before within 20 ms. Its messages are made a moment late, each by its own delay up to the disorder, and
arrive shuffled. Then the same with one event lost from the middle, where the loss leaves a gap: the price
of an order that closes gaps is that it can close a true one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from random import Random

from receiver import cases
from receiver.cases import NOT_STARTED, Link, Move

HISTORIES = 3_000
DISORDERS = (0, 5, 20, 100, 1000)  # milliseconds
TICK = timedelta(milliseconds=4)  # as finely as an id tells the time
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)

NEXT = {
    NOT_STARTED: ["IN_PROGRESS"],
    "IN_PROGRESS": ["IN_REVIEW"] * 6 + ["COMPLETED", "REJECTED"],
    "IN_REVIEW": ["COMPLETED"] * 4 + ["REJECTED"] * 3 + ["IN_PROGRESS"] * 3,
    "COMPLETED": ["IN_REVIEW"],
    "REJECTED": ["IN_PROGRESS"],
}
REOPENED = 0.3
STILL_OPEN = 0.02  # how likely a history ends after any move

Rule = Callable[[list[Move]], Sequence[Move]]
Settle = Callable[[Move | None, list[Move], list[Move]], Sequence[Move]]


def main() -> None:
    print(f"of {HISTORIES:,} histories            whole:                     one event lost:")
    print("disorder  rule                status  order  false gap   status  order  hidden gap")
    for disorder in DISORDERS:
        whole = list(histories(disorder, lose=False))
        lossy = list(histories(disorder, lose=True))
        for name, rule in RULES.items():
            status, order, gaps = judged(rule, whole)
            lossy_status, lossy_order, lossy_gaps = judged(rule, lossy)
            print(
                f"{disorder:5} ms  {name:18} {status:7} {order:6} {gaps:10}"
                f"  {lossy_status:7} {lossy_order:6} {HISTORIES - lossy_gaps:11}"
            )
        print()


def judged(rule: Rule, examples: Sequence[tuple[list[Move], list[Move]]]) -> tuple[int, int, int]:
    """In how many histories the rule gets the final status wrong, the order wrong, and sees a gap."""
    status = order = gaps = 0
    for true, arrived in examples:
        found = rule(arrived)
        status += ending(found) != ending(true)
        order += [says(move) for move in found] != [says(move) for move in true]
        gaps += breaks(None, found) > 0
    return status, order, gaps


def says(move: Move) -> tuple[str, str, str | None]:
    return move.previous_status, move.status, move.reason


def ending(order: Sequence[Move]) -> tuple[str, str | None]:
    return order[-1].status, order[-1].reason


# The histories


def histories(disorder: int, *, lose: bool) -> Iterator[tuple[list[Move], list[Move]]]:
    """Pairs: the moves as they truly went, and as they arrive."""
    random = Random(7)
    made = 0
    while made < HISTORIES:
        true = history(random)
        if lose and not lost(true, random):
            continue
        arrived = [delayed(move, random.uniform(0, disorder)) for move in true]
        random.shuffle(arrived)
        yield true, arrived
        made += 1


def history(random: Random) -> list[Move]:
    moves: list[Move] = []
    status, at = NOT_STARTED, BEGINNING
    while status not in ("COMPLETED", "REJECTED") or random.random() < REOPENED:
        before, status = status, random.choice(NEXT[status])
        reason = random.choice(["DOCUMENT_MISMATCH", "EXPIRED"]) if status == "REJECTED" else None
        at += pause(random)
        moves.append(Move(f"msg_{random.getrandbits(64):016x}", status, before, reason, at, at))
        if random.random() < STILL_OPEN:
            break
    return moves


def pause(random: Random) -> timedelta:
    if random.random() < 1 / 3:
        return timedelta(milliseconds=random.uniform(0, 20))
    return timedelta(seconds=random.choice([0.5, 5, 300, 86_400]) * random.uniform(0.5, 1.5))


def delayed(move: Move, milliseconds: float) -> Move:
    at = move.first_attempt_at + timedelta(milliseconds=milliseconds)
    at -= (at - BEGINNING) % TICK
    return replace(move, message_at=at, first_attempt_at=at.replace(microsecond=0))


def lost(moves: list[Move], random: Random) -> bool:
    """Take one event from the middle, where that leaves a gap; False where there is none such."""
    neighbours = enumerate(zip(moves, moves[2:], strict=False), start=1)
    leaving = [i for i, (before, after) in neighbours if cases._link(before, after) is Link.GAP]
    if leaving:
        del moves[random.choice(leaving)]
    return bool(leaving)


# The rules


def by_arrival(arrived: list[Move]) -> Sequence[Move]:
    return arrived


def by_time(arrived: list[Move]) -> Sequence[Move]:
    return sorted(arrived, key=cases._time_and_id)


def ours(arrived: list[Move]) -> Sequence[Move]:
    return [placed.move for placed in cases.state_of(arrived).placed]


def clustered(settle: Settle) -> Rule:
    """By time, with each cluster settled by itself, given what stands before and after it."""

    def rule(arrived: list[Move]) -> Sequence[Move]:
        order: list[Move] = []
        for cluster, following in pairwise([*cases._clusters(by_time(arrived)), []]):
            short = 1 < len(cluster) <= cases.CLUSTER_SIZE
            order += settle(order[-1] if order else None, cluster, following[:1]) if short else cluster
        return order

    return rule


def closed_inside(_before: Move | None, cluster: list[Move], _after: list[Move]) -> Sequence[Move]:
    """Another order if it closes every gap between the neighbours themselves."""
    return min([cluster, *closed_orders(cluster)], key=inside)


def closed_with_ends(before: Move | None, cluster: list[Move], after: list[Move]) -> Sequence[Move]:
    """The same, with the gaps at entry and exit counted as well."""
    return min([cluster, *closed_orders(cluster)], key=lambda order: breaks(before, [*order, *after]))


def two_fewer(before: Move | None, cluster: list[Move], after: list[Move]) -> Sequence[Move]:
    """Any other order if it has at least two gaps less: a lost event alone makes but one."""
    best = min(permutations(cluster), key=lambda order: breaks(before, [*order, *after]))
    saved = breaks(before, [*cluster, *after]) - breaks(before, [*best, *after])
    return best if saved >= 2 else cluster


def closed_orders(cluster: list[Move]) -> Iterator[list[Move]]:
    return (list(order) for order in permutations(cluster) if not inside(order))


def inside(order: Sequence[Move]) -> int:
    return breaks(order[0], order[1:])


def breaks(before: Move | None, order: Sequence[Move]) -> int:
    return sum(cases._breaks(earlier, move) for earlier, move in zip([before, *order], order, strict=False))


RULES: dict[str, Rule] = {
    "last arrival": by_arrival,
    "time": by_time,
    "closed inside": clustered(closed_inside),
    "closed with ends": clustered(closed_with_ends),
    "two gaps fewer": clustered(two_fewer),
    "fewest gaps (ours)": ours,
}

if __name__ == "__main__":
    main()
