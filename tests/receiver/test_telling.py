"""What a person says of a customer whom no task told, on each database."""

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from receiver.activity import Kind
from receiver.casework import NoteError
from receiver.database import Database
from receiver.models import RunState, activities, cases, events
from receiver.runs import CloseReason
from receiver.telling import TO_BE_DONE, NotSettled, Report, settle
from tests.factories import DAY, NOON, SECOND, WAY, add_case, add_handler, add_run, writing

ANA, BEN = "ana@example.com", "ben@example.com"
LATER = NOON + DAY


@pytest.fixture
def database(any_database: Database) -> Database:
    """With a handler that tells customers, and one that does something else."""
    with writing(any_database) as connection:
        add_handler(connection, "tell", effect="customer")
        add_handler(connection, "audit")
    return any_database


def test_who_was_told_by_hand_is_no_longer_untold(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection)
        assert settle(connection, "ACME-1", _report(connection)) is None
        (activity,) = _told(connection)
        assert _told_at(connection) == LATER
    assert (activity.by, activity.at, activity.ref_id) == (ANA, LATER, "ACME-1")
    assert (activity.subject, activity.detail) == (CloseReason.BY_HAND, "By phone, at noon.")


def test_what_was_settled_before_is_not_written_down_again(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection)
        settle(connection, "ACME-1", _report(connection))
        assert settle(connection, "ACME-1", _report(connection, by=BEN)) is NotSettled.BEFORE
        assert [activity.by for activity in _told(connection)] == [ANA]


def test_pressed_twice_it_is_written_down_once(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection)
        for _press in range(2):
            assert settle(connection, "ACME-1", _report(connection)) is None
        assert len(_told(connection)) == 1


def test_what_the_worker_has_yet_to_see_may_still_be_told_by_a_task(database: Database) -> None:
    with writing(database) as connection:
        *_, event = add_case(connection)
        connection.execute(update(events).where(events.c.id == event).values(dispatched_at=None))
        assert settle(connection, "ACME-1", _report(connection)) is NotSettled.NOT_SEEN
        assert (_told(connection), _told_at(connection)) == ([], None)


def test_two_who_say_it_at_the_same_moment_are_written_down_once(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection)
        reports = [_report(connection, by) for by in (ANA, BEN)]
    together, answers = threading.Barrier(2), list[NotSettled | None]()

    def say(report: Report) -> None:
        together.wait(timeout=30)
        with writing(database) as connection:
            answers.append(settle(connection, "ACME-1", report))

    threads = [threading.Thread(target=say, args=[report]) for report in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(map(str, answers)) == ["None", NotSettled.BEFORE]
    with writing(database) as connection:
        assert len(_told(connection)) == 1


def test_a_case_that_has_moved_on_since_the_page_was_shown_is_left_alone(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection)
        report = _report(connection)
        connection.execute(update(cases).values(status_since=NOON + 2 * DAY))
        assert settle(connection, "ACME-1", report) is NotSettled.MOVED_ON
        assert (_told(connection), _told_at(connection)) == ([], None)


def test_a_case_that_is_not_rejected_has_nobody_to_tell(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection, way=WAY[:3])
        assert settle(connection, "ACME-1", _report(connection)) is NotSettled.MOVED_ON
        assert settle(connection, "nobody", _report(connection)) is NotSettled.MOVED_ON
        assert _told(connection) == []


@pytest.mark.parametrize("state", list(RunState))
def test_what_a_task_is_to_do_is_closed_with_the_task(database: Database, state: RunState) -> None:
    with writing(database) as connection:
        *_, event = add_case(connection)
        add_run(connection, event, state, handler="tell")
        answer = settle(connection, "ACME-1", _report(connection))
    assert answer is (NotSettled.TASK if state in TO_BE_DONE else None)


def test_tasks_of_before_and_of_another_kind_are_in_nobody_s_way(database: Database) -> None:
    with writing(database) as connection:
        ids = add_case(connection)
        add_run(connection, ids[1], RunState.FAILED, handler="tell")
        add_run(connection, ids[-1], RunState.FAILED, handler="audit")
        assert settle(connection, "ACME-1", _report(connection)) is None


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("", "By phone."),
        (CloseReason.NOT_NEEDED, "By phone."),
        (CloseReason.BY_HAND, "  \n"),
        (CloseReason.NOT_TOLD, "x" * 5001),
        (CloseReason.NOT_TOLD, "\x00"),
    ],
)
def test_what_says_nothing_is_refused_in_words(how: str, text: str) -> None:
    with pytest.raises(NoteError):
        Report(how, text, NOON, ANA, NOON)


def _report(connection: Connection, by: str = ANA) -> Report:
    since = connection.execute(select(cases.c.status_since)).scalar_one()
    return Report(CloseReason.BY_HAND, " By phone, at noon. ", since, by, LATER + SECOND * (by == BEN))


def _told(connection: Connection) -> list[Any]:
    return list(connection.execute(select(activities).where(activities.c.kind == Kind.TOLD)))


def _told_at(connection: Connection) -> object:
    return connection.execute(select(cases.c.told_at)).scalar_one()
