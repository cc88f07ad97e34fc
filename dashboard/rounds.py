"""The rounds of a case: where its status leaves a final one for one that is not, it starts again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.queries.events import Step

FINAL = frozenset({"COMPLETED", "REJECTED"})


@dataclass(frozen=True, slots=True)
class Round:
    """`number` counts from what is known: of a case of very many status changes only the latest are read."""

    number: int
    steps: Sequence[Step]

    @property
    def changes(self) -> int:
        """How many status changes it has: VOVE saying the same again is none."""
        return sum(not step.is_repeat for step in self.steps)

    @property
    def first(self) -> Step:
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Oldest first, at least one; `whole`: they begin with the first status change that we know of."""

    all: Sequence[Round]
    whole: bool = True

    @property
    def present(self) -> Round:
        return self.all[-1]

    @property
    def are_told(self) -> bool:
        """Of one that never began again there is nothing to say."""
        return self.present.number > 1 or not self.whole

    @property
    def beginnings(self) -> dict[int, str]:
        """What each is called, by the event that it begins with."""
        begun = self.all if self.whole else self.all[1:]
        return {each.first.event_id: self.name(each) for each in begun} if self.are_told else {}

    def name(self, one: Round) -> str:
        return f"Round {one.number}" if self.whole else f"Round {one.number} or later"

    def of(self, number: int) -> Round:
        """The present one, where there is none of this number."""
        return next((each for each in self.all if each.number == number), self.present)


def rounds_of(steps: Sequence[Step]) -> Rounds:
    """Of status changes in the order of their places. One that begins by leaving a final status is a later
    round than the first, though nothing is known of that."""
    befores = [None, *steps[:-1]]
    starts = [n for n, (before, step) in enumerate(zip(befores, steps, strict=True)) if begins(before, step)]
    known_from_the_first = starts[:1] == [0]
    starts = starts if known_from_the_first else [0, *starts]
    numbers = range(1 + known_from_the_first, len(starts) + 1 + known_from_the_first)
    ends = [*starts[1:], len(steps)]
    return Rounds(
        [Round(n, steps[i:j]) for n, i, j in zip(numbers, starts, ends, strict=True)],
        whole=not steps or steps[0].place == 0,
    )


def begins(before: Step | None, step: Step) -> bool:
    """Whether the step begins a new round, by the one before it and by the status that it says it left."""
    left = {step.previous_status, before.status if before else None}
    return step.status not in FINAL and not step.is_repeat and not left.isdisjoint(FINAL)
