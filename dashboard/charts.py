"""The shapes of small pictures: bars, stacked bars. Pure; `templates/_charts.html` draws them.

A picture is as wide as its values need, in units of its own: each value has a place of `STEP`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEAST = 2.0  # of a bar that stands for something, however little


@dataclass(frozen=True, slots=True)
class Frame:
    """`most`: the value that stands as high as the frame; none: the largest there is."""

    height: float = 32
    bar: float = 10
    gap: float = 4
    most: int | None = None

    @property
    def step(self) -> float:
        return self.bar + self.gap

    def width(self, count: int) -> float:
        return max(0.0, count * self.step - self.gap)

    def rise(self, value: int, most: int) -> float:
        """How high a value stands."""
        return min(self.height, max(LEAST, round(value * self.height / most, 1))) if value and most else 0.0


@dataclass(frozen=True, slots=True)
class Bar:
    value: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def outline(bars: Sequence[Bar]) -> str:
    """All of them as one path: a hundred small pictures on a page are drawn quickly."""
    return "".join(
        f"M{bar.x:g} {bar.y + bar.height:g}v{-bar.height:g}h{bar.width:g}v{bar.height:g}z"
        for bar in bars
        if bar.height
    )


@dataclass(frozen=True, slots=True)
class Stack:
    """The bars of one place, the first of them at the bottom."""

    x: float
    total: int
    bars: Sequence[Bar]


def bars(values: Sequence[int], frame: Frame = Frame()) -> list[Bar]:
    """One beside the other."""
    most = frame.most or max(values, default=0)
    heights = [frame.rise(value, most) for value in values]
    return [
        Bar(value, place * frame.step, frame.height - height, frame.bar, height)
        for place, (value, height) in enumerate(zip(values, heights, strict=True))
    ]


def stacks(rows: Sequence[Sequence[int]], frame: Frame = Frame()) -> list[Stack]:
    """One for each row of values that stand upon each other."""
    most = frame.most or max(map(sum, rows), default=0)
    return [
        Stack(place * frame.step, sum(row), list(_upon_each_other(row, place * frame.step, most, frame)))
        for place, row in enumerate(rows)
    ]


def _upon_each_other(values: Sequence[int], x: float, most: int, frame: Frame) -> Iterator[Bar]:
    """Those above keep the room that they need to be seen."""
    ground = frame.height
    for place, value in enumerate(values):
        room = ground - LEAST * sum(above > 0 for above in values[place + 1 :])
        height = min(frame.rise(value, most), room)
        ground = round(ground - height, 1)
        yield Bar(value, x, ground, frame.bar, height)
