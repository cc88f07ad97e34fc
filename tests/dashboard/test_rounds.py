"""A case that leaves a final status begins again."""

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest

from dashboard.queries.events import Step
from dashboard.rounds import FINAL, rounds_of
from dashboard.way import Place, Station, way_of
from tests.factories import HOUR, NOON

STATUSES = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW", "COMPLETED", "REJECTED", "ON_HOLD")
FIRST_WAY = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW", "REJECTED")


def steps_of(*way: str, first_place: int = 0) -> list[Step]:
    return [
        Step(100 + n, first_place + n, status, before, NOON + n * HOUR)
        for n, (before, status) in enumerate(pairwise(way))
    ]


def test_a_case_that_never_began_again_has_one_round_of_which_nothing_is_told() -> None:
    rounds = rounds_of(steps_of(*FIRST_WAY))
    assert [(each.number, each.changes) for each in rounds.all] == [(1, 3)]
    assert not rounds.are_told
    assert rounds.beginnings == {}


def test_leaving_a_final_status_begins_a_round() -> None:
    rounds = rounds_of(steps_of(*FIRST_WAY, "IN_PROGRESS", "COMPLETED", "IN_REVIEW"))
    assert [[step.status for step in each.steps] for each in rounds.all] == [
        ["IN_PROGRESS", "IN_REVIEW", "REJECTED"],
        ["IN_PROGRESS", "COMPLETED"],
        ["IN_REVIEW"],
    ]
    assert rounds.beginnings == {100: "Round 1", 103: "Round 2", 105: "Round 3"}
    assert rounds.present.number == 3
    assert rounds.of(2).first.event_id == 103
    assert rounds.of(99) == rounds.present


@pytest.mark.parametrize(("before", "after"), [("COMPLETED", "REJECTED"), ("REJECTED", "COMPLETED")])
def test_from_one_final_status_to_the_other_is_the_same_round(before: str, after: str) -> None:
    assert len(rounds_of(steps_of("IN_REVIEW", before, after)).all) == 1


def test_a_status_that_nobody_knows_begins_a_round_too() -> None:
    assert rounds_of(steps_of("IN_REVIEW", "COMPLETED", "ON_HOLD")).present.number == 2


def test_a_final_status_that_never_reached_us_was_left_all_the_same() -> None:
    first, second = steps_of("NOT_STARTED", "IN_REVIEW"), Step(9, 1, "IN_PROGRESS", "REJECTED", NOON)
    assert rounds_of([*first, second]).present.number == 2


def test_a_case_met_in_a_later_round_says_so() -> None:
    rounds = rounds_of(steps_of("REJECTED", "IN_PROGRESS", "IN_REVIEW"))
    assert [(each.number, each.changes) for each in rounds.all] == [(2, 2)]
    assert rounds.beginnings == {100: "Round 2"}


def test_where_vove_repeats_itself_no_round_begins() -> None:
    completed, again = steps_of("IN_REVIEW", "COMPLETED", "IN_PROGRESS")
    repeat = Step(7, 2, "IN_PROGRESS", "COMPLETED", NOON + 3 * HOUR, is_repeat=True)
    rounds = rounds_of([completed, again, repeat])
    assert len(rounds.all) == 2
    assert rounds.present.changes == 1


def test_of_a_very_long_case_the_numbers_are_the_least_that_they_can_be() -> None:
    rounds = rounds_of(steps_of("IN_REVIEW", "COMPLETED", "IN_PROGRESS", first_place=700))
    assert not rounds.whole
    assert rounds.beginnings == {101: "Round 2 or later"}


def test_whatever_comes_each_step_is_in_one_round_and_each_round_begins_as_the_rule_says() -> None:
    chance = random.Random(4)
    for _world in range(500):
        way = chance.choices(STATUSES, k=chance.randint(2, 40))
        steps = steps_of(*way)
        rounds = rounds_of(steps)
        assert [step for each in rounds.all for step in each.steps] == steps
        firsts = {each.first.event_id for each in rounds.all}
        for step, left in zip(steps, way, strict=False):
            begins = left in FINAL and step.status not in FINAL
            assert (step.event_id in firsts) == (begins or step is steps[0])
        numbers = [each.number for each in rounds.all]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_the_way_of_a_later_round_shows_nothing_of_the_earlier_one() -> None:
    rounds = rounds_of(steps_of(*FIRST_WAY, "IN_PROGRESS"))
    now = way_of(rounds.present.steps, "IN_PROGRESS", NOON)
    assert _places(now.main) == {"NOT_STARTED": "ahead", "IN_PROGRESS": "now", "IN_REVIEW": "ahead"}
    assert _places(now.ends) == {"COMPLETED": "ahead", "REJECTED": "ahead"}
    before = way_of(rounds.of(1).steps, None)
    assert _places(before.main) == {"NOT_STARTED": "been", "IN_PROGRESS": "been", "IN_REVIEW": "been"}
    assert _places(before.ends) == {"COMPLETED": "ahead", "REJECTED": "been"}


def test_an_unknown_status_stands_apart_on_the_way() -> None:
    way = way_of(steps_of("NOT_STARTED", "IN_PROGRESS", "ON_HOLD"), "ON_HOLD", NOON)
    assert _places(way.unknown) == {"ON_HOLD": "now"}
    assert "ON_HOLD" not in _places(way.main)


def _places(stations: Iterable[Station]) -> dict[str, Place]:
    return {station.status: station.place for station in stations}
