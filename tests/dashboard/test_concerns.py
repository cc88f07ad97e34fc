"""What needs a look, and in which order."""

from dataclasses import replace
from datetime import timedelta

from dashboard.concerns import Concern, Figures, concerns
from dashboard.queries.overview import OldestRun
from tests.factories import MINUTE, NOON

ALL_SET_UP = {"account", "customer"}
OLDEST = OldestRun(7, "Notify customer", "ACME-1", None, "retrying", NOON)


def test_on_a_healthy_day_there_is_none() -> None:
    seen = Figures(last_accepted=NOON, effects=ALL_SET_UP)
    assert concerns(seen, NOON + MINUTE) == []


def test_cases_over_their_limit_come_first_then_what_needs_a_person() -> None:
    seen = Figures(failed_runs=3, over_limit=2, new_reasons=1, unverified=4, effects=ALL_SET_UP)
    assert [concern.tone for concern in concerns(seen, NOON)] == ["person", "person", "review", "review"]
    assert _text(concerns(seen, NOON)[0]) == "2 cases are over their limit"


def test_one_is_said_as_one() -> None:
    seen = Figures(failed_runs=1, still_enabled=1, effects=ALL_SET_UP)
    assert [_text(concern) for concern in concerns(seen, NOON)] == [
        "1 task needs a person",
        "1 business is enabled, but no longer completed",
    ]


def test_the_sentence_below_fits_one_and_many() -> None:
    one, many = (
        concerns(Figures(n, None, n, n, n, n, n, n, n, n, n, n, effects=ALL_SET_UP), NOON) for n in (1, 2)
    )
    assert [concern.why for concern in one] == [concern.why for concern in many]
    assert not [
        concern.why for concern in one if {"they", "them", "their"} & set(concern.why.lower().split())
    ]


def test_an_id_with_another_content_is_worth_a_look() -> None:
    (conflict,) = concerns(Figures(in_conflict=2), NOON)
    assert conflict.href == "/deliveries?verdict=conflict"
    assert _text(conflict) == "2 deliveries of the last day have an id that we know, but different content"


def test_where_no_handler_sees_to_it_nothing_is_missing() -> None:
    seen = Figures(not_enabled=5, not_told=5)
    assert concerns(seen, NOON) == []
    told = concerns(replace(seen, effects=ALL_SET_UP), NOON)
    assert [concern.href for concern in told] == ["/cases?needs=not_enabled", "/cases?needs=not_told"]


def test_access_without_approval_is_said_whoever_gave_it() -> None:
    assert concerns(Figures(still_enabled=1), NOON)


def test_a_task_is_old_after_an_hour() -> None:
    assert concerns(Figures(oldest_run=OLDEST), NOON + 59 * MINUTE) == []
    (old,) = concerns(Figures(oldest_run=OLDEST), NOON + 61 * MINUTE)
    assert (old.href, old.at) == ("/runs/7", NOON)


def test_a_day_without_a_delivery_is_worth_a_look() -> None:
    assert concerns(Figures(last_accepted=NOON), NOON + timedelta(hours=23)) == []
    (silence,) = concerns(Figures(last_accepted=NOON), NOON + timedelta(hours=25))
    assert silence.href == "/health"


def test_many_are_not_counted_to_the_end() -> None:
    (many,) = concerns(Figures(failed_runs=1000), NOON)
    assert many.number == "999+"


def _text(concern: Concern) -> str:
    return f"{concern.number} {concern.text}"
