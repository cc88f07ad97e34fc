"""What the sender still tries: the formulas against a plain simulation of each message's tries."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboard.sender import (
    DISABLED_AFTER,
    SCHEDULES,
    SVIX,
    VOVE,
    Failing,
    Schedule,
    merged,
    outlook,
    still_matters,
)
from tests.factories import DAY, HOUR, MINUTE, NOON, SECOND

spans = st.timedeltas(SECOND, timedelta(days=8))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


def first_try_after(end: datetime, first_sent: datetime, schedule: Schedule) -> datetime | None:
    return next((first_sent + tried for tried in schedule.tries if first_sent + tried >= end), None)


@given(spans, st.floats(0, 1, exclude_max=True))
def test_every_message_is_tried_again_by_then_or_was_lost(lasted: timedelta, share: float) -> None:
    failing = Failing(NOON, NOON + lasted)
    first_sent = NOON + lasted * share
    told = outlook(failing, SVIX)
    again = first_try_after(failing.ended_at, first_sent, SVIX)
    if again is None:
        assert told.lost_before is not None
        assert first_sent < told.lost_before
    else:
        assert told.lost_before is None or first_sent >= told.lost_before
        assert told.through_by is not None
        assert again <= told.through_by


@given(spans)
def test_the_time_by_which_all_is_through_is_not_a_minute_too_late(lasted: timedelta) -> None:
    """Some message really waits that long: one whose try failed just before the end."""
    failing = Failing(NOON, NOON + lasted)
    told = outlook(failing, SVIX)
    worst = [
        first_try_after(failing.ended_at, first_sent, SVIX)
        for tried in SVIX.tries
        if (first_sent := max(NOON, failing.ended_at - tried - timedelta(microseconds=1))) < failing.ended_at
    ]
    latest = max(again for again in worst if again is not None)
    assert told.through_by is not None
    assert timedelta(0) <= told.through_by - latest <= MINUTE


@given(spans)
def test_the_first_message_is_lost_just_where_its_tries_ended_before(lasted: timedelta) -> None:
    failing = Failing(NOON, NOON + lasted)
    for schedule in SCHEDULES:
        told = outlook(failing, schedule)
        assert told.first_until == NOON + schedule.within
        assert (told.lost_before is not None) == (failing.ended_at > told.first_until)


@given(st.lists(st.tuples(moments, spans), max_size=8))
def test_merged_times_cover_the_same_and_never_touch(given: list[tuple[datetime, timedelta]]) -> None:
    times = [Failing(began, began + lasted) for began, lasted in given]
    found = merged(times)
    assert all(a.ended_at < b.began_at for a, b in pairwise(found))
    assert all(any(m.began_at <= t.began_at and t.ended_at <= m.ended_at for m in found) for t in times)
    assert merged(found) == found


def test_the_published_numbers_are_these() -> None:
    assert SVIX.within == timedelta(hours=27, minutes=35, seconds=5)
    assert len(SVIX.tries) == 8
    assert VOVE.within == DAY


def test_while_it_lasts_nothing_is_said_of_an_end() -> None:
    told = outlook(Failing(NOON, NOON + HOUR, lasts=True), SVIX)
    assert told.through_by is None
    assert not told.is_over(NOON + 100 * DAY)


def test_after_a_short_one_all_is_through_within_the_next_delay() -> None:
    """Off for ten minutes: who was tried 5 min in waits 30 more."""
    told = outlook(Failing(NOON, NOON + 10 * MINUTE), SVIX)
    assert told.through_by == NOON + 40 * MINUTE
    assert told.is_over(NOON + 41 * MINUTE)


def test_refused_messages_are_not_tried_again_by_vove_s_page() -> None:
    told = outlook(Failing(NOON, NOON + HOUR, refused=True), VOVE)
    assert told.lost_before == NOON + HOUR
    assert outlook(Failing(NOON, NOON + HOUR, refused=True), SVIX).lost_before is None


def test_the_endpoint_may_be_disabled_after_five_days_of_failures() -> None:
    assert Failing(NOON, NOON + HOUR).disabled_from is None
    assert Failing(NOON, NOON + HOUR, lasts=True).disabled_from == NOON + DISABLED_AFTER
    assert Failing(NOON, NOON + 6 * DAY).disabled_from == NOON + 5 * DAY


def test_an_outage_is_told_of_until_all_has_come() -> None:
    short = Failing(NOON, NOON + MINUTE)
    assert still_matters(short, NOON + HOUR)
    assert not still_matters(short, NOON + 2 * DAY)
    long = Failing(NOON, NOON + 3 * DAY)
    assert still_matters(long, NOON + 9 * DAY)
    assert not still_matters(long, NOON + 11 * DAY)
