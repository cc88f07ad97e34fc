"""Where we differ from VOVE: worked out when it is asked, on each database."""

from datetime import datetime

import pytest
from sqlalchemy import Connection, Engine, update

from receiver.event import ref_key
from receiver.models import cases
from receiver.vove import views
from receiver.vove.answers import VoveCase
from receiver.vove.listing import Found
from receiver.vove.views import Comparison
from tests.factories import HOUR, MINUTE, NOON, add_business, add_case, add_event

BY = "ana@example.com"
COMPLETED = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW", "COMPLETED")


def check(
    engine: Engine, said: VoveCase | None, at: datetime = NOON + HOUR, ref_id: str = "acme"
) -> Comparison:
    with engine.begin() as connection:
        return views.keep_one(connection, ref_id, Found(said, several=False, asked_at=at), BY)


def listed(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        return [each.ref_id for each in views.find_differing(connection)]


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ("COMPLETED", "COMPLETED", False),
        ("IN_REVIEW", "COMPLETED", True),
        ("IN_REVIEW", "ON_HOLD", True),
        ("IN_REVIEW", "NOT_STARTED", True),
        ("IN_REVIEW", None, True),
        (None, "COMPLETED", True),
        (None, "NOT_STARTED", False),
        (None, None, False),
    ],
)
def test_the_status_is_compared(engine: Engine, ours: str | None, theirs: str | None, differs: bool) -> None:
    if ours:
        with engine.begin() as connection:
            add_case(connection, "acme", ("NOT_STARTED", ours))

    compared = check(engine, VoveCase("acme", theirs) if theirs else None)

    assert (compared.our_status, compared.status) == (ours, theirs)
    assert (compared.differs_in_status, compared.differs) == (differs, differs)
    assert listed(engine) == ["acme"] * differs


@pytest.mark.parametrize(
    ("ours", "theirs", "differs", "brings"),
    [
        ("ACME Ltd", "ACME Ltd", False, False),
        ("Acme", "ACME Ltd", True, False),
        (None, "ACME Ltd", False, True),
        ("ACME Ltd", None, False, False),
    ],
)
def test_a_name_differs_where_both_have_one(
    engine: Engine, ours: str | None, theirs: str | None, differs: bool, brings: bool
) -> None:
    with engine.begin() as connection:
        add_case(connection, "acme", COMPLETED)
        if ours:
            add_business(connection, "acme", name=ours)

    compared = check(engine, VoveCase("acme", "COMPLETED", theirs))

    assert (compared.differs_in_name, compared.brings_a_name) == (differs, brings)
    assert listed(engine) == ["acme"] * differs


def test_a_difference_that_is_no_more_is_not_shown_as_one(engine: Engine) -> None:
    with engine.begin() as connection:
        add_case(connection, "acme", COMPLETED[:-1])
    assert check(engine, VoveCase("acme", "COMPLETED")).differs

    with engine.begin() as connection:  # the lost message came after all, and made the case what VOVE said
        _move(connection, "COMPLETED", at=NOON + MINUTE)
        compared = views.compare(connection, "acme")

    assert compared is not None
    assert not compared.differs
    assert listed(engine) == []


@pytest.mark.parametrize("status", ["REJECTED", "IN_REVIEW"], ids=["elsewhere", "a repeat"])
def test_where_vove_has_sent_since_it_was_asked_nothing_is_claimed(engine: Engine, status: str) -> None:
    with engine.begin() as connection:
        add_case(connection, "acme", COMPLETED[:-1])
    check(engine, VoveCase("acme", "COMPLETED"))

    with engine.begin() as connection:
        _move(connection, status, at=NOON + 2 * HOUR)
        compared = views.compare(connection, "acme")

    assert compared is not None
    assert (compared.moved_since, compared.differs) == (True, False)
    assert listed(engine) == []


def test_a_late_message_that_leaves_the_difference_leaves_it_in_the_list(engine: Engine) -> None:
    with engine.begin() as connection:
        add_case(connection, "acme", COMPLETED[:2])
    check(engine, VoveCase("acme", "COMPLETED"))

    with engine.begin() as connection:
        _move(connection, "IN_REVIEW", at=NOON + MINUTE)

    assert listed(engine) == ["acme"]


def test_an_older_word_never_takes_the_place_of_a_newer_one(engine: Engine) -> None:
    check(engine, VoveCase("acme", "COMPLETED"), at=NOON + HOUR)

    assert check(engine, VoveCase("acme", "IN_REVIEW"), at=NOON).status == "COMPLETED"
    assert check(engine, None, at=NOON + 2 * HOUR).status is None


def test_within_one_pass_that_case_stays_which_changed_last(engine: Engine) -> None:
    new = VoveCase("acme", "COMPLETED", changed_at=NOON)
    old = VoveCase("acme", "REJECTED", changed_at=NOON - HOUR)
    with engine.begin() as connection:
        for moment, said in ((MINUTE, new), (2 * MINUTE, old), (3 * MINUTE, VoveCase("acme", "IN_REVIEW"))):
            views.keep(connection, [said], NOON + moment, BY, since=NOON)
        compared = views.compare(connection, "acme")
        assert compared is not None
        assert compared.status == "COMPLETED"

        views.keep(connection, [old], NOON + HOUR, BY, since=NOON + HOUR)  # the next pass
        compared = views.compare(connection, "acme")
        assert compared is not None
        assert compared.status == "REJECTED"


def test_a_hostile_reference_is_only_a_reference(engine: Engine) -> None:
    ref_id = "'; DROP TABLE cases; --\u202e%"

    assert check(engine, VoveCase(ref_id, "COMPLETED", "<b>"), ref_id=ref_id).ref_id == ref_id
    assert listed(engine) == [ref_id]


def _move(connection: Connection, status: str, at: datetime) -> None:
    """What a webhook would have made of the case."""
    event_id = add_event(connection, "acme", status, at=at, place=9)
    moved = update(cases).where(cases.c.ref_key == ref_key("acme"))
    connection.execute(moved.where(cases.c.status != status).values(status=status, status_since=at))
    connection.execute(moved.values(newest_message_at=at, last_event_id=event_id))
