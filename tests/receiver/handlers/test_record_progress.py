"""Where a review stands, as the directory comes to know it."""

from datetime import UTC, datetime

import pytest

from receiver.handlers import registering
from receiver.handlers.testing import call_handler
from tests.receiver.handlers.conftest import Ship

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 5, 13, tzinfo=UTC)


@pytest.mark.parametrize(("made", "since"), [(NOON, NOON), (None, LATER)])
def test_the_directory_learns_the_step_and_since_when(
    shipped: Ship, made: datetime | None, since: datetime
) -> None:
    record = shipped("record_progress").record_progress
    called = call_handler(record, "IN_REVIEW", message_at=made, received_at=LATER)
    assert (called.outcome, called.text) == ("succeeded", "The review is “In review”")
    assert called.business == {"review_status": "IN_REVIEW", "review_since": since}


def test_a_late_step_undoes_nothing(shipped: Ship) -> None:
    record = shipped("record_progress").record_progress
    called = call_handler(record, "IN_REVIEW", case_status="COMPLETED")
    assert called.text == "Nothing to record: the case has moved on to “Completed”"
    assert called.business == {}


def test_it_is_called_for_the_steps_of_a_review_alone(shipped: Ship) -> None:
    shipped("record_progress")
    [handler] = registering.registry
    assert (handler.name, handler.statuses, handler.leaving) == (
        "record_progress",
        ("IN_PROGRESS", "IN_REVIEW"),
        (),
    )
