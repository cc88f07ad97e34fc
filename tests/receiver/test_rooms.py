from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from receiver.ledger import rooms
from receiver.ledger.group import MAX_LOGGED_REFUSED
from receiver.ledger.rooms import SLACK, Kept, Room, sample
from receiver.models import Shape, Verdict, deliveries, delivery_counts, refused_rooms
from receiver.verification import Refusal
from tests.receiver.factories import NOON, delivery, refused_delivery
from tests.receiver.ledgers import rows, write

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def small_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rooms.ROOMS, Shape.SVIX, Room(rows=60, bytes=3000))
    monkeypatch.setitem(rooms.ROOMS, Shape.STRAY, Room(rows=20, bytes=1000))


def kept(engine: Engine, shape: Shape = Shape.SVIX) -> list[tuple[bytes, int]]:
    """The bodies in a room, and the hours after noon in which they came, oldest first."""
    return [
        (row.body, (row.received_at - NOON) // HOUR)
        for row in rows(engine, deliveries)
        if row.shape == str(shape)
    ]


def assert_bounds_hold(engine: Engine) -> None:
    counted = {row.shape: (row.rows, row.bytes) for row in rows(engine, refused_rooms)}
    for shape, room in rooms.ROOMS.items():
        bodies = [body for body, _ in kept(engine, shape)]
        assert counted.get(str(shape), (0, 0)) == (len(bodies), sum(map(len, bodies)))
        assert len(bodies) <= room.rows
        assert sum(map(len, bodies)) <= room.bytes


def test_a_refused_delivery_is_kept_in_the_room_of_its_shape(engine: Engine) -> None:
    write(engine, refused_delivery(b"alike"), refused_delivery(b"stray", shaped=False), delivery())

    assert kept(engine, Shape.SVIX) == [(b"alike", 0)]
    assert kept(engine, Shape.STRAY) == [(b"stray", 0)]
    assert_bounds_hold(engine)


@pytest.mark.parametrize("cause", [Refusal.TOO_LARGE, Refusal.BODY_TIMEOUT])
def test_what_was_not_read_is_kept_in_the_smaller_room(engine: Engine, cause: Refusal) -> None:
    write(engine, refused_delivery(b"", shaped=True, cause=cause))

    assert len(kept(engine, Shape.STRAY)) == 1


def test_of_one_group_twenty_refused_are_kept_and_all_are_counted(engine: Engine) -> None:
    group = [refused_delivery(shaped=number % 2 == 0) for number in range(50)]
    assert write(engine, delivery(), *group) == [Verdict.ACCEPTED] + [Verdict.REFUSED] * 50

    assert Counter(row.verdict for row in rows(engine, deliveries)) == {
        "accepted": 1,
        "refused": MAX_LOGGED_REFUSED,
    }
    assert {row.verdict: row.n for row in rows(engine, delivery_counts)} == {"accepted": 1, "refused": 50}
    assert_bounds_hold(engine)


@pytest.mark.parametrize("size", [0, 10, 100, 400])
def test_however_much_comes_the_bounds_hold(engine: Engine, size: int) -> None:
    for number in range(30):
        at = NOON + number // 3 * HOUR
        group = [refused_delivery(b"x" * size, at, shaped=shaped) for shaped in [True] * 7 + [False] * 4]
        write(engine, *group)
        assert_bounds_hold(engine)

    assert sum(row.n for row in rows(engine, delivery_counts)) == 30 * 11


def test_the_newest_are_always_there(engine: Engine) -> None:
    for number in range(200):
        write(engine, refused_delivery(b"%d" % number, NOON + number * HOUR / 10))

    newest = [body for body, _ in kept(engine)][-27:]
    assert newest == [b"%d" % number for number in range(173, 200)]


def test_a_flood_does_not_wash_out_fridays(engine: Engine) -> None:
    for hour in range(3):
        write(engine, refused_delivery(b"friday", NOON + hour * HOUR))
    for number in range(100):
        write(engine, *[refused_delivery(b"flood", NOON + 48 * HOUR + number * HOUR / 100)] * 10)

    assert [hour for body, hour in kept(engine) if body == b"friday"] == [0, 1, 2]
    assert_bounds_hold(engine)


def test_of_every_hour_of_a_long_flood_something_stays(engine: Engine) -> None:
    for number in range(100):
        write(engine, *[refused_delivery(at=NOON + number * HOUR / 5)] * 10)

    assert {hour for _, hour in kept(engine)} == set(range(20))


def test_a_flood_of_strays_washes_out_no_look_alike(engine: Engine) -> None:
    write(engine, *[refused_delivery(b"alike")] * 20)
    for _ in range(20):
        write(engine, *[refused_delivery(b"stray", shaped=False)] * 20)

    assert kept(engine, Shape.SVIX) == [(b"alike", 0)] * 20
    assert_bounds_hold(engine)


def test_a_flood_touches_nothing_that_was_verified(engine: Engine) -> None:
    write(engine, delivery(), delivery(b"[]", "msg_unreadable"))
    for _ in range(20):
        write(engine, *[refused_delivery(b"x" * 100)] * 20)

    assert [row.verdict for row in rows(engine, deliveries)][:2] == ["accepted", "quarantined"]


def test_an_id_that_was_trimmed_never_comes_back(engine: Engine) -> None:
    seen: set[int] = set()
    for _ in range(10):
        before = {row.id for row in rows(engine, deliveries)}
        write(engine, *[refused_delivery(b"x" * 1000)] * 4)  # more than fits: the last ones go too
        now = {row.id for row in rows(engine, deliveries)}
        assert not (now - before) & seen
        seen |= now


def test_a_room_is_not_trimmed_again_at_once(engine: Engine) -> None:
    for _ in range(7):
        write(engine, *[refused_delivery()] * 9)

    assert len(kept(engine)) == 60 * (100 - SLACK) // 100


# The sample itself


sizes = st.integers(0, 50)
hours = st.integers(0, 8)
small = st.builds(Room, rows=st.integers(0, 40), bytes=st.integers(0, 600))


def newest_first(drawn: list[tuple[int, int]]) -> list[Kept]:
    """Rows of these hours and sizes, as they lie in the table: a clock that was set back does no harm."""
    return [Kept(len(drawn) - number, hour, size) for number, (hour, size) in enumerate(drawn)]


@given(st.lists(st.tuples(hours, sizes), max_size=80), small)
def test_a_sample_fits_its_room(drawn: list[tuple[int, int]], room: Room) -> None:
    found = newest_first(drawn)

    staying = sample(found, room)

    assert staying <= set(found)
    assert len(staying) <= room.rows
    assert sum(row.size for row in staying) <= room.bytes


@given(st.lists(hours, max_size=80), st.integers(0, 40))
def test_a_sample_holds_the_newest_and_is_fair_to_each_older_hour(drawn: list[int], bound: int) -> None:
    found = newest_first([(hour, 1) for hour in drawn])

    staying = sample(found, Room(bound, bytes=1000))

    half = bound * (100 - SLACK) // 200
    older = found[half:]
    assert set(found[:half]) <= staying
    assert len(staying) == min(len(found), 2 * half)
    there = Counter(row.hour for row in older)
    stay = Counter(row.hour for row in older if row in staying)
    for hour in there:
        assert stay[hour] >= min(there[hour], max(stay.values(), default=0) - 1)
        of_the_hour = [row for row in older if row.hour == hour]
        assert set(of_the_hour[: stay[hour]]) <= staying  # of an hour the newest


@given(st.lists(st.tuples(hours, sizes), max_size=60))
def test_where_all_fits_all_stays(drawn: list[tuple[int, int]]) -> None:
    found = newest_first(drawn)

    assert sample(found, Room(rows=200, bytes=10_000)) == set(found)
