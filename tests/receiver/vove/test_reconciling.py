"""A full pass over VOVE's cases, which goes on where it was interrupted."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from receiver.models import reconciliations, vove_views
from receiver.vove import reconciling
from receiver.vove.reconciling import Pass, Result
from receiver.vove.troubles import VoveError
from tests.factories import DAY, HOUR, SECOND, add_business, add_case, count_rows
from tests.receiver.vove.asking import ask
from tests.vove_stand_in import Answer, VoveStandIn, case, vove

BY = "kybdesk reconcile"
MANY = [case(f"acme-{number:03}", "IN_REVIEW") for number in range(120)]


def begin(engine: Engine, **given: Any) -> Pass:
    with engine.begin() as connection:
        return reconciling.begin(connection, BY, given.pop("now", datetime.now(UTC)), **given)


def go_through(engine: Engine, stand_in: VoveStandIn, this: Pass | None = None) -> Result:
    this = this or begin(engine)
    result = ask(
        stand_in, lambda client: reconciling.go_through(engine, client, this, BY, lambda result: None)
    )
    with engine.begin() as connection:
        reconciling.finish(connection, this, datetime.now(UTC))
    return result


def differing(engine: Engine) -> list[tuple[str, str | None, str | None]]:
    return [(each.ref_id, each.our_status, each.status) for each in reconciling.differences(engine)]


def test_a_pass_finds_where_we_differ(engine: Engine) -> None:
    with engine.begin() as connection:
        add_case(connection, "agrees", ("NOT_STARTED", "IN_REVIEW"))
        add_case(connection, "stuck", ("NOT_STARTED", "IN_REVIEW"))
        add_case(connection, "renamed", ("NOT_STARTED", "IN_REVIEW"))
        add_business(connection, "renamed", name="Before Ltd")
    others = [case("unknown", "COMPLETED"), case("not-begun", "NOT_STARTED")]
    ours = [
        case("agrees", "IN_REVIEW"),
        case("stuck", "COMPLETED"),
        case("renamed", "IN_REVIEW", "After Ltd"),
    ]
    with vove(*ours, *others) as stand_in:
        result = go_through(engine, stand_in)

    assert (result.seen, result.is_complete, result.skipped) == (5, True, 0)
    assert sorted(differing(engine)) == [
        ("renamed", "IN_REVIEW", "IN_REVIEW"),
        ("stuck", "IN_REVIEW", "COMPLETED"),
        ("unknown", None, "COMPLETED"),
    ]


def test_an_interrupted_pass_goes_on_at_its_page(engine: Engine) -> None:
    with vove(*MANY) as stand_in:
        stand_in.faults_of_pages = {"2": Answer(401)}
        with pytest.raises(VoveError):
            go_through(engine, stand_in)
        with engine.begin() as connection:
            assert count_rows(connection, vove_views) == 50
        stand_in.faults_of_pages, stand_in.asked = {}, []

        this = begin(engine)
        result = go_through(engine, stand_in, this)

    assert (this.is_resumed, this.next_page, this.seen) == (True, 2, 50)
    assert [asked.parameters["page"] for asked in stand_in.asked] == ["2", "3", "4"]
    assert (result.seen, result.is_complete) == (120, True)
    with engine.begin() as connection:
        assert count_rows(connection, vove_views) == 120


def test_a_finished_pass_an_old_one_and_one_not_wanted_begin_anew(engine: Engine) -> None:
    first = begin(engine)
    _come_to(engine, first, next_page=4, seen=150)
    assert begin(engine).next_page == 4
    assert not begin(engine, now=first.started_at + DAY).is_resumed
    second = begin(engine, fresh=True)
    assert not second.is_resumed
    _come_to(engine, second, next_page=3, seen=100, finished_at=datetime.now(UTC))

    assert begin(engine).next_page == 1


def test_entries_that_cannot_be_used_are_counted_and_stop_nothing(engine: Engine) -> None:
    with vove(case("acme"), {"refId": 7}, {"status": "COMPLETED"}, {}) as stand_in:
        result = go_through(engine, stand_in)

    assert (result.seen, result.skipped, result.is_complete) == (4, 3, True)
    assert differing(engine) == [("acme", None, "COMPLETED")]


@pytest.mark.parametrize("between", [0, 60], ids=["on one page", "on two pages"])
def test_of_two_cases_with_one_reference_the_one_counts_that_changed_last(
    engine: Engine, between: int
) -> None:
    old = case("acme", "REJECTED", id="1", updatedAt="2026-01-01T00:00:00Z")
    new = case("acme", "COMPLETED", id="2", updatedAt="2026-02-01T00:00:00Z")
    others = [case(f"other-{number:03}", "NOT_STARTED") for number in range(between)]
    for pair in ([old, *others, new], [new, *others, old]):
        with vove(*pair) as stand_in:
            result = go_through(engine, stand_in, begin(engine, fresh=True))

        assert result.duplicates == ["acme"]
        assert differing(engine) == [("acme", None, "COMPLETED")]


def test_cases_that_a_pass_did_not_meet_are_told(engine: Engine) -> None:
    before = datetime.now(UTC) - HOUR
    with engine.begin() as connection:
        add_case(connection, "met", ("NOT_STARTED", "IN_REVIEW"), at=before)
        add_case(connection, "gone", ("NOT_STARTED", "IN_REVIEW"), at=before)
    this = begin(engine)
    with engine.begin() as connection:  # while the pass goes on
        add_case(connection, "new", ("NOT_STARTED", "IN_PROGRESS"), at=datetime.now(UTC) + SECOND)
    with vove(case("met", "IN_REVIEW")) as stand_in:
        go_through(engine, stand_in, this)

    assert list(reconciling.not_returned(engine, this)) == [("gone", "IN_REVIEW")]


def test_a_case_met_only_in_an_earlier_pass_is_not_met_in_this_one(engine: Engine) -> None:
    with engine.begin() as connection:
        add_case(connection, "acme", ("NOT_STARTED", "IN_REVIEW"), at=datetime.now(UTC) - HOUR)
    with vove(case("acme", "IN_REVIEW")) as stand_in:
        go_through(engine, stand_in)
        stand_in.cases = []
        this = begin(engine)
        go_through(engine, stand_in, this)

    assert list(reconciling.not_returned(engine, this)) == [("acme", "IN_REVIEW")]


def test_lists_longer_than_one_transaction_are_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "BATCH", 7)
    with engine.begin() as connection:
        for number in range(20):
            add_case(connection, f"gone-{number}", ("NOT_STARTED", "IN_REVIEW"))
    this = begin(engine)
    with vove(*MANY[:20]) as stand_in:
        go_through(engine, stand_in, this)

    assert len(differing(engine)) == 20
    assert len(list(reconciling.not_returned(engine, this))) == 20
    assert reconciling.count_new_names(engine) == 20


def _come_to(engine: Engine, this: Pass, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(reconciliations).where(reconciliations.c.id == this.id).values(**values))
        assert connection.execute(select(reconciliations)).all()
