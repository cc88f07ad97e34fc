import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ksuid import KsuidMs

from receiver.cases import (
    NOT_STARTED,
    CaseState,
    Link,
    Move,
    Placed,
    appends,
    message_time,
    state_of,
)

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
STARTED = (NOT_STARTED, "IN_PROGRESS")
SUBMITTED = ("IN_PROGRESS", "IN_REVIEW")
SENT_BACK = ("IN_REVIEW", "IN_PROGRESS")
COMPLETED = ("IN_REVIEW", "COMPLETED")
REJECTED = ("IN_REVIEW", "REJECTED")
REOPENED = ("COMPLETED", "IN_REVIEW")


def dated(step: tuple[str, str], at: float, reason: str | None = None, svix_id: str | None = None) -> Move:
    """A move whose message was made `at` seconds after Monday's nine o'clock."""
    made = MONDAY + timedelta(seconds=at)
    return Move(svix_id or f"msg_{step}_{at}", step[1], step[0], reason, made.replace(microsecond=0), made)


def undated(step: tuple[str, str], at: int, reason: str | None = None) -> Move:
    """A move whose id tells no time, first attempted `at` seconds after Monday's nine o'clock."""
    return replace(dated(step, at, reason, f"evt_{step}_{reason}_{at}"), message_at=None)


def history(*steps: tuple[str, str], pause: float = 60) -> list[Move]:
    return [dated(step, number * pause) for number, step in enumerate(steps)]


def steps_of(state: CaseState) -> list[tuple[str, str]]:
    return [(placed.move.previous_status, placed.move.status) for placed in state.placed]


def links_of(state: CaseState) -> list[Link]:
    return [placed.link for placed in state.placed]


def message_id(made: datetime) -> str:
    return f"msg_{KsuidMs(made, bytes(15))}"


# The state of a case


def test_the_last_event_gives_the_status() -> None:
    state = state_of(history(STARTED, SUBMITTED, COMPLETED))

    assert (state.status, state.reason) == ("COMPLETED", None)
    assert state.status_since == MONDAY + timedelta(minutes=2)
    assert (state.gap, state.uncertain, state.began_before) == (False, False, False)
    assert links_of(state) == [Link.START, Link.FOLLOWS, Link.FOLLOWS]


def test_a_case_without_events_is_none() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        state_of([])


def test_a_rejection_brings_its_reason() -> None:
    state = state_of([*history(STARTED, SUBMITTED), dated(REJECTED, 200, "DOCUMENT_MISMATCH")])

    assert (state.status, state.reason) == ("REJECTED", "DOCUMENT_MISMATCH")


def test_a_late_event_takes_its_place_and_does_not_turn_the_case_back() -> None:
    started, submitted, completed = history(STARTED, SUBMITTED, COMPLETED)

    state = state_of([started, completed, submitted])

    assert state.status == "COMPLETED"
    assert [placed.move for placed in state.placed] == [started, submitted, completed]


def test_a_missing_event_shows_as_a_gap() -> None:
    state = state_of([dated(STARTED, 0), dated(COMPLETED, 60)])

    assert state.gap
    assert links_of(state) == [Link.START, Link.GAP]


def test_a_case_met_in_mid_life_began_before_and_has_no_gap() -> None:
    state = state_of(history(SUBMITTED, COMPLETED))

    assert (state.began_before, state.gap) == (True, False)
    assert links_of(state) == [Link.BEGAN_BEFORE, Link.FOLLOWS]


def test_a_case_may_be_sent_back_and_reopened() -> None:
    state = state_of(history(STARTED, SUBMITTED, SENT_BACK, SUBMITTED, COMPLETED, REOPENED))

    assert (state.status, state.gap) == ("IN_REVIEW", False)


def test_unknown_statuses_are_data() -> None:
    state = state_of(history(STARTED, ("IN_PROGRESS", "ON_HOLD"), ("ON_HOLD", "ON_HOLD")))

    assert (state.status, state.gap) == ("ON_HOLD", False)


def test_the_same_move_and_reason_again_is_a_repeat_and_the_status_stands_since_the_first() -> None:
    first = dated(REJECTED, 200, "EXPIRED")
    again = [dated(REJECTED, at, "EXPIRED") for at in (300, 400)]

    state = state_of([*history(STARTED, SUBMITTED), first, *again])

    assert links_of(state)[2:] == [Link.FOLLOWS, Link.REPEAT, Link.REPEAT]
    assert state.status_since == first.message_at
    assert not state.gap


def test_the_same_move_for_another_reason_is_no_repeat() -> None:
    state = state_of(
        [*history(STARTED, SUBMITTED), dated(REJECTED, 200, "EXPIRED"), dated(REJECTED, 300, "OTHER")]
    )

    assert links_of(state)[-1] is Link.GAP
    assert (state.reason, state.status_since) == ("OTHER", MONDAY + timedelta(seconds=300))


def test_a_case_whose_only_events_repeat_stands_since_the_first() -> None:
    state = state_of(history(STARTED, STARTED))

    assert links_of(state) == [Link.START, Link.REPEAT]
    assert state.status_since == MONDAY


# Moments


def test_moves_within_a_moment_stand_where_they_fit() -> None:
    swapped = [dated(STARTED, 0), dated(COMPLETED, 60.004), dated(SUBMITTED, 60.012)]

    state = state_of(swapped)

    assert steps_of(state) == [STARTED, SUBMITTED, COMPLETED]
    assert (state.status, state.gap) == ("COMPLETED", False)


def test_the_event_before_tells_the_order_where_the_moves_themselves_do_not() -> None:
    state = state_of([dated(STARTED, 0), dated(SENT_BACK, 60), dated(SUBMITTED, 60.012)])

    assert steps_of(state) == [STARTED, SUBMITTED, SENT_BACK]


def test_the_event_after_tells_the_order_of_a_case_met_in_mid_life() -> None:
    state = state_of([dated(SUBMITTED, 0), dated(SENT_BACK, 0.012), dated(COMPLETED, 60)])

    assert steps_of(state) == [SENT_BACK, SUBMITTED, COMPLETED]
    assert not state.gap


def test_the_event_after_tells_a_loop_from_a_repeat() -> None:
    looped = [dated(SUBMITTED, 60), dated(SUBMITTED, 60.004), dated(SENT_BACK, 60.008)]

    state = state_of([dated(STARTED, 0), *looped, dated(COMPLETED, 120)])

    assert steps_of(state) == [STARTED, SUBMITTED, SENT_BACK, SUBMITTED, COMPLETED]
    assert not state.gap


def test_moves_that_fit_in_time_order_stay_there() -> None:
    around = (STARTED, SUBMITTED, SENT_BACK, SUBMITTED, COMPLETED)

    assert steps_of(state_of(history(*around, pause=0.004))) == list(around)


def test_of_orders_that_fit_the_nearest_to_time_order_is_taken() -> None:
    expired, other = dated(REJECTED, 60.004, "EXPIRED"), dated(REJECTED, 60.012, "OTHER")
    again = dated(("REJECTED", "IN_REVIEW"), 60.016)

    state = state_of([*history(STARTED, SUBMITTED, pause=50), expired, other, again])

    assert [placed.move for placed in state.placed][2:] == [expired, again, other]


def test_moves_two_seconds_apart_stay_in_time_order_and_show_the_gap() -> None:
    state = state_of([dated(STARTED, 0), dated(COMPLETED, 60), dated(SUBMITTED, 62)])

    assert steps_of(state) == [STARTED, COMPLETED, SUBMITTED]
    assert state.gap


def test_a_long_chain_of_close_moves_stays_in_time_order() -> None:
    turns = [STARTED, *[SUBMITTED, SENT_BACK] * 3]
    crowd = history(*turns, pause=0.1)
    crowd[1], crowd[2] = dated(SUBMITTED, 0.2), dated(SENT_BACK, 0.1)

    assert steps_of(state_of(crowd))[1:3] == [SENT_BACK, SUBMITTED]
    assert steps_of(state_of(crowd[:5]))[1:3] == [SUBMITTED, SENT_BACK]


def test_moves_of_the_same_instant_stand_where_they_fit_whatever_their_ids() -> None:
    for first, second in permutations(["msg_a", "msg_b"]):
        twins = [dated(STARTED, 0, svix_id=first), dated(SUBMITTED, 0, svix_id=second)]

        assert steps_of(state_of(twins)) == [STARTED, SUBMITTED]


# Undated events


@pytest.mark.parametrize("arrival", list(permutations([STARTED, SUBMITTED, COMPLETED])))
def test_undated_events_stand_where_they_fit(arrival: Sequence[tuple[str, str]]) -> None:
    state = state_of(undated(step, at) for at, step in enumerate(arrival))

    assert steps_of(state) == [STARTED, SUBMITTED, COMPLETED]
    assert (state.status, state.gap, state.uncertain) == ("COMPLETED", False, False)


def test_an_undated_event_closes_the_gap_among_dated_ones() -> None:
    state = state_of([dated(STARTED, 0), undated(SUBMITTED, 99_999), dated(COMPLETED, 60)])

    assert steps_of(state) == [STARTED, SUBMITTED, COMPLETED]
    assert (state.gap, state.uncertain) == (False, False)
    assert state.status_since == MONDAY + timedelta(seconds=60)


def test_an_undated_last_event_gives_its_first_attempt_as_the_time_of_the_status() -> None:
    state = state_of([*history(STARTED, SUBMITTED), undated(COMPLETED, 500)])

    assert (state.status, state.status_since) == ("COMPLETED", MONDAY + timedelta(seconds=500))


def test_a_case_is_uncertain_where_undated_events_could_end_differently() -> None:
    rejections = [undated(REJECTED, 2, "EXPIRED"), undated(REJECTED, 4, "OTHER")]
    again = undated(("REJECTED", "IN_REVIEW"), 3)

    state = state_of([*history(STARTED, SUBMITTED, pause=1), *rejections, again])

    assert state.uncertain
    assert (state.reason, state.gap) == ("OTHER", False)  # the one that was first attempted last


def test_undated_events_of_as_good_places_stand_by_their_first_attempts() -> None:
    around = [STARTED, SUBMITTED, SENT_BACK, SUBMITTED, REJECTED]
    moves = [undated(step, at, f"{step}") for at, step in enumerate(around)]

    assert [placed.move for placed in state_of(reversed(moves)).placed] == moves


def test_of_places_as_good_for_undated_events_the_one_nearest_to_time_is_taken() -> None:
    known = [*history(STARTED, SUBMITTED), dated(REJECTED, 500, "EXPIRED")]
    earlier = [undated(REJECTED, 200, "OTHER"), undated(("REJECTED", "IN_REVIEW"), 300)]

    state = state_of([*known, *earlier])

    assert (state.reason, state.uncertain, state.gap) == ("EXPIRED", True, False)


def test_with_too_many_undated_events_to_tell_they_stand_by_their_first_attempts_uncertain() -> None:
    wide = [undated((f"S{number}", f"S{number + 1}"), number) for number in range(12)]
    wide[5] = dated(("S5", "S6"), 5)

    state = state_of(reversed(wide))

    assert [placed.move for placed in state.placed] == wide
    assert (state.status, state.uncertain) == ("S12", True)


# Properties

STATUSES = st.sampled_from([NOT_STARTED, "IN_PROGRESS", "IN_REVIEW"])
PAUSES = st.sampled_from([0, 4, 12, 1996, 2000, 5000])  # milliseconds


@st.composite
def any_moves(draw: st.DrawFn, *, undated_too: bool = True, at_most: int = 8) -> list[Move]:
    """Moves in time order that need not fit each other at all."""
    moves: list[Move] = []
    made = MONDAY
    for number in range(draw(st.integers(1, at_most))):
        made += timedelta(milliseconds=draw(PAUSES))
        moves.append(
            Move(
                f"msg_{draw(st.integers(0, 9))}{number}",
                draw(STATUSES),
                draw(STATUSES),
                draw(st.sampled_from([None, "EXPIRED"])),
                made.replace(microsecond=0),
                None if undated_too and draw(st.integers(0, 3)) == 0 else made,
            )
        )
    return moves


@st.composite
def well_formed(draw: st.DrawFn) -> list[tuple[str, str]]:
    """The steps of a case from its start, each from the status before."""
    ways = {
        NOT_STARTED: ["IN_PROGRESS"],
        "IN_PROGRESS": ["IN_REVIEW", "REJECTED"],
        "IN_REVIEW": ["IN_PROGRESS", "COMPLETED", "REJECTED"],
        "COMPLETED": ["IN_REVIEW"],
        "REJECTED": ["IN_PROGRESS"],
    }
    steps: list[tuple[str, str]] = []
    status = NOT_STARTED
    for _ in range(draw(st.integers(1, 10))):
        before, status = status, draw(st.sampled_from(ways[status]))
        steps.append((before, status))
    return steps


@given(any_moves(), st.data())
def test_any_arrival_order_with_duplicates_gives_the_same_state(
    moves: list[Move], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(moves), max_size=3))
    arrival = data.draw(st.permutations([*moves, *again]))

    assert state_of(arrival) == state_of(moves)


@given(well_formed(), st.data())
def test_a_well_spaced_history_is_told_exactly_and_a_lost_event_leaves_a_gap(
    steps: list[tuple[str, str]], data: st.DataObject
) -> None:
    moves = history(*steps, pause=2)
    state = state_of(data.draw(st.permutations(moves)))
    assert ([placed.move for placed in state.placed], state.gap) == (moves, False)

    for lost in range(1, len(moves) - 1):
        if steps[lost + 1][0] != steps[lost - 1][1] and steps[lost + 1] != steps[lost - 1]:
            assert state_of(moves[:lost] + moves[lost + 1 :]).gap


@given(well_formed(), st.data())
def test_a_few_milliseconds_of_disorder_show_no_gap(
    steps: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Machines follow on at once; what a person does stands alone."""
    by_person = {SENT_BACK, REOPENED, ("REJECTED", "IN_PROGRESS")}
    at, moves = 0.0, []
    for before, step in pairwise([STARTED, *steps]):
        at += 5 if {before, step} & by_person else 0.010
        moves.append(dated(step, at + data.draw(st.integers(0, 6)) * 0.004))

    state = state_of(moves)

    assert (steps_of(state), state.gap) == (steps, False)


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
def test_ids_that_tell_no_time_work_alone_and_among_others(arrival: list[int], telling: set[int]) -> None:
    steps = [STARTED, SUBMITTED, SENT_BACK, ("IN_PROGRESS", "ON_HOLD"), ("ON_HOLD", "COMPLETED")]
    moves = [
        dated(steps[number], number * 60) if number in telling else undated(steps[number], at)
        for at, number in enumerate(arrival)
    ]

    state = state_of(moves)

    assert (steps_of(state), state.gap, state.uncertain) == (steps, False, False)


def breaks(order: Iterable[Move]) -> int:
    """Gaps counted once more, plainly: a move fits the status before it, or is the same again."""
    count = 0
    before: Move | None = None
    for move in order:
        fits = move.previous_status == (before.status if before else NOT_STARTED)
        same = (
            before is not None
            and replace(
                before,
                svix_id=move.svix_id,
                first_attempt_at=move.first_attempt_at,
                message_at=move.message_at,
            )
            == move
        )
        count += not fits and not same
        before = move
    return count


@given(any_moves(at_most=6))
def test_no_other_place_for_undated_events_has_fewer_gaps(moves: list[Move]) -> None:
    state = state_of(moves)
    found = [placed.move for placed in state.placed]
    fixed = [move for move in found if move.message_at]

    orders = [order for order in permutations(moves) if [move for move in order if move.message_at] == fixed]
    fewest = min(map(breaks, orders))
    ends = {(order[-1].status, order[-1].reason) for order in orders if breaks(order) == fewest}

    assert breaks(found) == fewest
    assert state.uncertain == (len(ends) > 1)


@given(any_moves(undated_too=False, at_most=6))
def test_no_other_order_of_a_moment_has_fewer_gaps(moves: list[Move]) -> None:
    moment = [
        replace(move, message_at=MONDAY + timedelta(milliseconds=4 * n)) for n, move in enumerate(moves)
    ]

    found = [placed.move for placed in state_of(moment).placed]

    assert breaks(found) == min(map(breaks, permutations(moment)))


# Appending in constant time


def appended(state: CaseState, move: Move) -> CaseState:
    assert move.message_at is not None
    return replace(
        state,
        status=move.status,
        reason=move.reason,
        status_since=move.message_at,
        placed=(*state.placed, Placed(move, Link.FOLLOWS)),
    )


def can_append(state: CaseState, move: Move) -> bool:
    times = [placed.move.message_at for placed in state.placed]
    return appends(
        move,
        status=state.status,
        newest_message_at=max((at for at in times if at), default=None),
        undated_count=times.count(None),
    )


def test_the_next_move_appends() -> None:
    *earlier, last = history(STARTED, SUBMITTED, COMPLETED, pause=2)

    assert can_append(state_of(earlier), last)


@pytest.mark.parametrize(
    "move",
    [
        dated(COMPLETED, 61.996),
        dated(COMPLETED, 30),
        undated(COMPLETED, 120),
        dated(REOPENED, 120),
        dated(SUBMITTED, 120),
        dated(("IN_REVIEW", "IN_REVIEW"), 120),
    ],
    ids=["within a moment", "late", "undated", "after a gap", "a repeat", "to where it is"],
)
def test_a_move_that_may_stand_elsewhere_or_not_follow_does_not_append(move: Move) -> None:
    assert not can_append(state_of(history(STARTED, SUBMITTED)), move)


def test_nothing_appends_to_a_case_with_undated_events() -> None:
    assert not can_append(state_of([dated(STARTED, 0), undated(SUBMITTED, 60)]), dated(COMPLETED, 120))


@given(any_moves(undated_too=False, at_most=12), st.booleans(), st.booleans(), st.data())
def test_appending_gives_exactly_what_computing_anew_gives(
    moves: list[Move], shuffled: bool, undated_first: bool, data: st.DataObject
) -> None:
    arrival = data.draw(st.permutations(moves)) if shuffled else moves
    known = [undated(SUBMITTED, 0)] if undated_first else []

    state: CaseState | None = None
    for move in arrival:
        can = state is not None and can_append(state, move)
        known.append(move)
        state = appended(state, move) if state and can else state_of(known)
        assert state == state_of(known)


def test_twenty_thousand_events_are_ordered_at_once() -> None:
    around = [SUBMITTED, SENT_BACK] * 10_000
    moves = history(*around, pause=3)

    began = time.process_time()
    state_of(moves)

    assert time.process_time() - began < 1  # 0.05 s here; quadratic work takes a minute


# When a message was made


def test_the_id_tells_when_the_message_was_made() -> None:
    made = message_time("msg_2if9qqkVjQDrS738JZOnax9T7MO", datetime.fromtimestamp(1719870957, UTC))

    assert made == datetime.fromtimestamp(1719870957, UTC) + timedelta(milliseconds=776)


def test_every_tick_of_a_second_is_told_exactly() -> None:
    for tick in range(250):
        made = MONDAY + timedelta(milliseconds=4 * tick)
        inside = made + timedelta(milliseconds=2)  # the library's own floats round a tick's edge down

        assert message_time(message_id(inside), MONDAY) == made


@pytest.mark.parametrize(
    ("attempted", "told"),
    [
        (timedelta(seconds=-5), True),
        (timedelta(seconds=-6), False),
        (timedelta(days=100), True),
        (timedelta(days=100, seconds=1), False),
    ],
)
def test_a_time_far_from_the_first_attempt_is_not_believed(attempted: timedelta, told: bool) -> None:
    assert (message_time(message_id(MONDAY), MONDAY + attempted) == MONDAY) is told


def test_an_id_too_short_for_a_ksuid_tells_nothing_even_in_2014() -> None:
    assert message_time("msg_p5jXN8AQM9LWM0D4loKWxJek", datetime(2014, 5, 14, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "svix_id",
    [
        "msg_p5jXN8AQM9LWM0D4loKWxJek",  # 24 characters, which the decoder would pad
        "msg_zzzzzzzzzzzzzzzzzzzzzzzzzzz",  # more than 20 bytes
        "msg_-if9qqkVjQDrS738JZOnax9T7MO",
        "msg_2if9qqkVjQDrS738JZOnax9T7MO\n",
        "MSG_2if9qqkVjQDrS738JZOnax9T7MO",
        "2if9qqkVjQDrS738JZOnax9T7MO",
        "msg_2IF9QQKVJQDRS738JZONAX9T7MO",
        "msg_",
        "",
    ],
)
def test_an_id_that_is_no_ksuid_of_that_time_tells_nothing(svix_id: str) -> None:
    assert message_time(svix_id, datetime.fromtimestamp(1719870957, UTC)) is None


@given(
    st.text() | st.from_regex(r"msg_[0-9A-Za-z_-]{27}", fullmatch=True),
    st.datetimes(timezones=st.just(UTC)),
)
def test_no_text_and_no_time_make_it_raise(svix_id: str, first_attempt_at: datetime) -> None:
    assert message_time(svix_id, first_attempt_at) is None or svix_id.startswith("msg_")
