"""The shapes of pictures, and shares in words."""

import pytest

from dashboard.charts import LEAST, Frame, bars, outline, stacks
from dashboard.filters import percent

FRAME = Frame(height=100, bar=10, gap=4)


def test_the_highest_bar_fills_the_frame_and_stands_on_its_ground() -> None:
    drawn = bars([0, 50, 200], FRAME)
    assert [(bar.x, bar.y, bar.height) for bar in drawn] == [(0, 100, 0), (14, 75, 25), (28, 0, 100)]
    assert (FRAME.width(3), drawn[1].middle) == (38, 19)


def test_what_is_little_is_seen_and_nothing_is_not() -> None:
    assert [bar.height for bar in bars([0, 1, 100_000], FRAME)] == [0, LEAST, 100]
    assert [bar.height for bar in bars([0, 0], FRAME)] == [0, 0]
    assert bars([], FRAME) == []
    assert FRAME.width(0) == 0


def test_bars_of_one_measure_can_be_compared() -> None:
    assert bars([5], Frame(height=100, most=10))[0].height == 50
    assert bars([50], Frame(height=100, most=10))[0].height == 100


def test_many_bars_are_one_path() -> None:
    assert outline(bars([1, 0, 2], FRAME)) == "M0 100v-50h10v50zM28 100v-100h10v100z"


def test_stacked_bars_stand_upon_each_other() -> None:
    one, two = stacks([[10, 0, 30], [5, 5, 0]], FRAME)
    assert (one.total, two.total, two.x) == (40, 10, 14)
    assert [(bar.y, bar.height) for bar in one.bars] == [(75, 25), (75, 0), (0, 75)]
    assert sum(bar.height for bar in two.bars) == 25


def test_stacked_bars_never_leave_the_frame() -> None:
    (stack,) = stacks([[1] * 99 + [1_000_000]], FRAME)
    assert min(bar.y for bar in stack.bars) >= 0


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0.0 %"),
        (0.01, "under 0.1 %"),
        (3.14, "3.1 %"),
        (42, "42 %"),
        (42.9, "42.9 %"),
        (99.99, "99.9 %"),
        (100, "100 %"),
    ],
)
def test_a_share_is_never_all_nor_nothing_where_it_is_not(share: float, said: str) -> None:
    assert percent(share) == said
