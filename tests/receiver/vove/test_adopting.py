"""A person takes over VOVE's word: once, in the case's order, on each database; what was lost comes later."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, select

from receiver import runs
from receiver.cases import Link
from receiver.database import Database
from receiver.directory.rows import find
from receiver.handlers import Registered
from receiver.ledger import Delivery, case_rows
from receiver.ledger.case_rows import RacedError
from receiver.models import activities, case_counts, cases, events, revision
from receiver.models import runs as runs_table
from receiver.vove import adopting, views
from receiver.vove.adopting import Adopted, Refusal, Seen
from receiver.vove.answers import VoveCase
from receiver.vove.listing import Found
from tests.factories import add_business
from tests.receiver.factories import NOON, delivery, message_id
from tests.receiver.ledgers import assert_rebuilding_changes_nothing, rows, write

BY = "ana@example.com"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
ASKED = NOON + 6 * HOUR
NOW = ASKED + MINUTE
WAY = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")


def message(before: str, status: str, at: datetime, dated: bool = True, **fields: Any) -> Delivery:
    svix_id = message_id(at) if dated else f"msg_{status}_{int(at.timestamp())}"
    return delivery(svix_id=svix_id, at=at, ref_id="acme", status=status, previousStatus=before, **fields)


def arrive(engine: Engine, way: Sequence[str] = WAY, dated: bool = True) -> None:
    for hours, (before, status) in enumerate(pairwise(way)):
        write(engine, message(before, status, NOON + hours * HOUR, dated))


def vove_says(engine: Engine, status: str | None, name: str | None = None, **given: Any) -> None:
    said = VoveCase("acme", status, name, "kyb_1", given.get("changed_at")) if status else None
    with engine.begin() as connection:
        views.keep_one(connection, "acme", Found(said, False, given.get("asked_at", ASKED)), BY)


def seen(engine: Engine) -> Seen:
    with engine.begin() as connection:
        compared = views.compare(connection, "acme")
    assert compared is not None
    return Seen(compared.last_event_id, compared.status, compared.name, compared.our_name)


def adopt(engine: Engine, what: Seen | None = None, now: datetime = NOW, **given: Any) -> Adopted | Refusal:
    what = what or seen(engine)
    with engine.begin() as connection:
        return adopting.adopt(connection, "acme", what, BY, now, **given)


def case(engine: Engine) -> Any:
    (found,) = rows(engine, cases)
    return found


def links(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.begin() as connection:
        found = connection.execute(select(events.c.status, events.c.link).order_by(events.c.place))
        return [(row.status, row.link) for row in found]


def test_who_took_over_what_is_noted_once(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", "ACME Ltd")
    for _press in range(2):
        adopt(engine, seen(engine))
    (noted,) = rows(engine, activities)
    assert (noted.kind, noted.by, noted.ref_id) == ("adopted", BY, "acme")
    assert (noted.subject, noted.detail) == ("COMPLETED", "and its name")


def test_a_name_that_was_taken_over_alone_is_noted_as_an_edit(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "IN_REVIEW", "ACME Ltd")
    adopt(engine)
    (noted,) = rows(engine, activities)
    assert (noted.kind, noted.detail) == ("edited", "name, as VOVE has it")


def test_vove_s_status_becomes_ours_as_an_event_of_its_own_kind(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", changed_at=NOON + 3 * HOUR)
    before = rows(engine, revision)[0].n

    adopted = adopt(engine)

    event = rows(engine, events)[-1]
    assert adopted == Adopted(event.id, name=False)
    assert (event.adopted_by, event.family, event.status) == (BY, "kyb", "COMPLETED")
    assert (event.previous_status, event.reason, event.link) == ("IN_REVIEW", None, Link.FOLLOWS)
    assert (event.message_at, event.received_at, event.dispatched_at) == (NOON + 3 * HOUR, NOW, NOW)
    assert event.svix_id.startswith("adopted_")
    assert json.loads(event.body)["status"] == "COMPLETED"
    assert (case(engine).status, case(engine).status_since) == ("COMPLETED", NOON + 3 * HOUR)
    assert (case(engine).gap, case(engine).uncertain, case(engine).last_event_id) == (False, False, event.id)
    counts = {row.status: row.n for row in rows(engine, case_counts) if row.n}
    assert counts == {"COMPLETED": 1}
    assert rows(engine, revision)[0].n > before
    assert_rebuilding_changes_nothing(engine)


def test_a_case_that_we_did_not_know_began_before_we_listened(engine: Engine) -> None:
    vove_says(engine, "IN_REVIEW", "ACME Ltd")

    adopt(engine)

    assert (case(engine).status, case(engine).began_before, case(engine).gap) == ("IN_REVIEW", True, False)
    assert_rebuilding_changes_nothing(engine)


def test_the_name_comes_with_it_and_alone_needs_no_event(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "IN_REVIEW", "ACME Ltd")
    assert adopt(engine) == Adopted(None, name=True)
    with engine.begin() as connection:
        add_business(connection, "acme", name="Acme", email="owner@acme.example")
    vove_says(engine, "COMPLETED", "ACME Ltd", asked_at=ASKED + SECOND)

    adopted = adopt(engine)

    assert isinstance(adopted, Adopted)
    assert adopted.event_id is not None
    assert adopted.name
    with engine.begin() as connection:
        business = find(connection, "acme")
    assert business is not None
    assert (business.name, business.email) == ("ACME Ltd", "owner@acme.example")


def test_twice_is_once(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", "ACME Ltd")
    what = seen(engine)

    first, second = adopt(engine, what), adopt(engine, what)

    assert isinstance(first, Adopted)
    assert second is Refusal.AGREES
    assert len(rows(engine, events)) == 3


@pytest.mark.parametrize("known", [True, False], ids=["a case of ours", "an unknown one"])
def test_of_several_people_at_once_one_takes_it_over(engine: Engine, known: bool) -> None:
    if known:
        arrive(engine)
    vove_says(engine, "COMPLETED")
    what, together, answers = seen(engine), threading.Barrier(4), []

    def press() -> None:
        together.wait()
        for _ in range(3):
            try:
                answers.append(adopt(engine, what))
                return
            except RacedError:
                continue

    people = [threading.Thread(target=press) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert len(answers) == 4
    assert len([answer for answer in answers if isinstance(answer, Adopted)]) == 1
    assert len(rows(engine, events)) == (3 if known else 1)
    assert_rebuilding_changes_nothing(engine)


def test_a_webhook_that_creates_the_case_meanwhile_wins(
    postgresql_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgresql_database.writer()
    vove_says(engine, "COMPLETED")
    what, apply = seen(engine), case_rows.apply

    def apply_after_a_webhook(*given: Any, **others: Any) -> None:
        monkeypatch.undo()
        arrive(engine)
        apply(*given, **others)

    monkeypatch.setattr(case_rows, "apply", apply_after_a_webhook)

    with pytest.raises(RacedError):
        adopt(engine, what)
    assert adopt(engine, what) is Refusal.MOVED
    assert case(engine).status == "IN_REVIEW"
    engine.dispose()


def test_nothing_is_taken_over_that_is_not_what_the_person_saw(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED")
    what = seen(engine)

    vove_says(engine, "REJECTED", asked_at=ASKED + SECOND)
    assert adopt(engine, what) is Refusal.OTHER
    vove_says(engine, "COMPLETED", asked_at=ASKED + 2 * SECOND)
    write(engine, message("IN_REVIEW", "IN_PROGRESS", NOON + 4 * HOUR))
    assert adopt(engine, what) is Refusal.MOVED
    write(engine, message("IN_PROGRESS", "COMPLETED", NOON + 5 * HOUR))
    assert adopt(engine, what) is Refusal.AGREES

    assert [row.adopted_by for row in rows(engine, events)] == [None] * 4


def test_a_name_that_the_person_did_not_see_is_neither_taken_over_nor_written_over(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", "ACME Ltd")
    what = seen(engine)

    vove_says(engine, "COMPLETED", "Bolt Ltd", asked_at=ASKED + SECOND)
    assert adopt(engine, what) is Refusal.RENAMED
    what = seen(engine)
    with engine.begin() as connection:
        add_business(connection, "acme", name="Typed by a colleague")
    assert adopt(engine, what) is Refusal.RENAMED

    assert len(rows(engine, events)) == 2
    with engine.begin() as connection:
        business = find(connection, "acme")
    assert business is not None
    assert business.name == "Typed by a colleague"


def test_what_vove_does_not_have_or_was_not_asked_of_late_is_not_taken_over(engine: Engine) -> None:
    arrive(engine)
    assert adopt(engine, Seen(None, None)) is Refusal.UNKNOWN
    vove_says(engine, None)
    assert adopt(engine) is Refusal.UNKNOWN
    vove_says(engine, "COMPLETED", asked_at=ASKED + SECOND)
    assert adopt(engine, now=NOW + 2 * HOUR) is Refusal.OLD
    assert len(rows(engine, events)) == 2


@pytest.mark.parametrize(
    ("changed_at", "stands_at"),
    [
        (NOON + 3 * HOUR, NOON + 3 * HOUR),
        (None, ASKED),
        (ASKED + HOUR, ASKED),
        (NOON - HOUR, ASKED),
        (NOON + HOUR, ASKED),
    ],
    ids=["plausible", "not told", "in the future", "before what we know", "at the same moment"],
)
def test_it_stands_where_vove_says_that_it_changed_if_that_can_be(
    engine: Engine, changed_at: datetime | None, stands_at: datetime
) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", changed_at=changed_at)

    adopt(engine)

    assert rows(engine, events)[-1].message_at == stands_at


def test_it_stands_after_all_that_had_come_by_then(engine: Engine) -> None:
    write(engine, message("NOT_STARTED", "IN_PROGRESS", NOON))
    write(engine, message("IN_REVIEW", "REJECTED", NOON + HOUR))
    write(
        engine, message("IN_PROGRESS", "IN_REVIEW", ASKED + 2 * SECOND, dated=False)
    )  # the last of its tries
    vove_says(engine, "COMPLETED")

    adopt(engine)

    assert (case(engine).status, case(engine).uncertain) == ("COMPLETED", False)
    assert_rebuilding_changes_nothing(engine)


def test_it_settles_a_case_whose_order_was_uncertain(engine: Engine) -> None:
    arrive(engine, ("NOT_STARTED", "IN_PROGRESS"), dated=False)
    for number, status in enumerate(("COMPLETED", "REJECTED")):
        write(engine, message("IN_REVIEW", status, NOON + HOUR + number * SECOND, dated=False))
    assert case(engine).uncertain
    other = {"COMPLETED": "REJECTED", "REJECTED": "COMPLETED"}[case(engine).status]
    vove_says(engine, other)

    adopt(engine)

    assert (case(engine).status, case(engine).uncertain) == (other, False)
    assert_rebuilding_changes_nothing(engine)


def test_no_handler_runs_for_it_unless_that_was_chosen(engine: Engine) -> None:
    handler = Registered("activate", "Activate", ("COMPLETED",), False, "acme")
    arrive(engine)
    with engine.begin() as connection:
        runs.dispatch(connection, [handler], NOW)
    vove_says(engine, "COMPLETED")
    adopt(engine)
    with engine.begin() as connection:
        assert runs.dispatch(connection, [handler], NOW) == 0

    vove_says(engine, "IN_REVIEW", asked_at=NOW + SECOND)
    adopt(engine, now=NOW + MINUTE)
    vove_says(engine, "COMPLETED", asked_at=NOW + 2 * MINUTE)
    adopt(engine, now=NOW + 3 * MINUTE, run_handlers=True)

    with engine.begin() as connection:
        assert runs.dispatch(connection, [handler], NOW) == 1
        (run,) = connection.execute(select(runs_table)).all()
    assert run.event_id == rows(engine, events)[-1].id


def test_the_handlers_can_be_run_afterwards_and_once(engine: Engine) -> None:
    handler = Registered("activate", "Activate", ("COMPLETED",), False, "acme")
    arrive(engine)
    vove_says(engine, "COMPLETED")
    adopted = adopt(engine)
    assert isinstance(adopted, Adopted)
    assert adopted.event_id is not None
    webhook = rows(engine, events)[0].id
    with engine.begin() as connection:
        runs.dispatch(connection, [], NOW)
        asked = [adopting.run_handlers(connection, event) for event in (adopted.event_id,) * 2]
        assert asked == [True, False]
        assert runs.dispatch(connection, [handler], NOW) == 1
        assert not adopting.run_handlers(connection, adopted.event_id)
        assert not adopting.run_handlers(connection, webhook)


# The message that was lost comes after all: an endpoint was down, and VOVE repeats for a day.

LATE = [
    pytest.param(NOON + 3 * HOUR - SECOND, id="made before VOVE's time of the change"),
    pytest.param(NOON + 3 * HOUR, id="at that time"),
    pytest.param(NOON + 3 * HOUR + SECOND, id="after it"),
]


@pytest.mark.parametrize("made_at", LATE)
def test_the_lost_message_is_a_repeat_of_what_was_adopted_and_gives_its_reason(
    engine: Engine, made_at: datetime
) -> None:
    arrive(engine)
    vove_says(engine, "REJECTED", changed_at=NOON + 3 * HOUR)
    adopt(engine)
    assert case(engine).reason is None

    write(engine, message("IN_REVIEW", "REJECTED", made_at, reason="DOCUMENT_MISMATCH"))

    found = case(engine)
    assert (found.status, found.reason) == ("REJECTED", "DOCUMENT_MISMATCH")
    assert (found.gap, found.uncertain, found.event_count) == (False, False, 4)
    assert found.last_event_id == rows(engine, events)[-1].id  # the handlers' runs hang there
    assert [link for _, link in links(engine)] == [Link.START, Link.FOLLOWS, Link.FOLLOWS, Link.REPEAT]
    assert_rebuilding_changes_nothing(engine)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "in the other order"])
@pytest.mark.parametrize("later", [-SECOND, SECOND], ids=["before", "after"])
def test_several_lost_messages_find_their_places(
    engine: Engine, order: tuple[int, int], later: timedelta
) -> None:
    arrive(engine, WAY[:2])
    vove_says(engine, "COMPLETED", changed_at=NOON + 3 * HOUR)
    adopt(engine)
    lost = [
        message("IN_PROGRESS", "IN_REVIEW", NOON + HOUR),
        message("IN_REVIEW", "COMPLETED", NOON + 3 * HOUR + later),
    ]

    for number in order:
        write(engine, lost[number])

    assert [status for status, _ in links(engine)] == ["IN_PROGRESS", "IN_REVIEW", "COMPLETED", "COMPLETED"]
    assert (case(engine).status, case(engine).gap) == ("COMPLETED", False)
    assert_rebuilding_changes_nothing(engine)


def test_where_only_a_part_of_what_was_lost_comes_there_is_no_gap(engine: Engine) -> None:
    arrive(engine, WAY[:2])
    vove_says(engine, "COMPLETED", changed_at=NOON + 3 * HOUR)
    adopt(engine)

    write(engine, message("IN_PROGRESS", "IN_REVIEW", NOON + HOUR))

    assert links(engine)[1:] == [("IN_REVIEW", Link.FOLLOWS), ("COMPLETED", Link.FOLLOWS)]
    assert (case(engine).status, case(engine).gap) == ("COMPLETED", False)
    assert_rebuilding_changes_nothing(engine)


def test_a_lost_message_without_a_time_of_its_own_finds_its_place_too(engine: Engine) -> None:
    arrive(engine, WAY[:2])
    vove_says(engine, "COMPLETED", changed_at=NOON + 3 * HOUR)
    adopt(engine)

    write(engine, message("IN_PROGRESS", "IN_REVIEW", NOON + 8 * HOUR, dated=False))
    write(engine, message("IN_REVIEW", "COMPLETED", NOON + 9 * HOUR, dated=False))

    assert (case(engine).status, case(engine).gap, case(engine).uncertain) == ("COMPLETED", False, False)
    assert_rebuilding_changes_nothing(engine)


def test_a_move_that_vove_made_between_our_question_and_the_word_is_the_newer(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED")  # without a time, asked at ASKED
    adopt(engine, now=ASKED + HOUR)

    write(engine, message("COMPLETED", "REJECTED", ASKED + MINUTE, reason="FRAUD"))

    assert (case(engine).status, case(engine).gap) == ("REJECTED", False)


def test_what_follows_what_was_adopted_is_like_any_other_move(engine: Engine) -> None:
    arrive(engine)
    vove_says(engine, "COMPLETED", changed_at=NOON + 3 * HOUR)
    adopt(engine)

    write(engine, message("COMPLETED", "IN_REVIEW", NOON + 5 * HOUR))
    assert (case(engine).status, case(engine).gap) == ("IN_REVIEW", False)
    write(engine, message("IN_PROGRESS", "REJECTED", NOON + 6 * HOUR))
    assert (case(engine).status, case(engine).gap) == ("REJECTED", True)
    assert_rebuilding_changes_nothing(engine)


def test_the_way_of_a_case_that_began_with_it_is_filled_in_before_it(engine: Engine) -> None:
    vove_says(engine, "IN_REVIEW", changed_at=NOON + 90 * MINUTE)
    adopt(engine)

    arrive(engine)

    assert (case(engine).status, case(engine).began_before, case(engine).gap) == ("IN_REVIEW", False, False)
    assert_rebuilding_changes_nothing(engine)


def test_new_names_are_entered_where_the_directory_has_none(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(5):
            said = VoveCase(f"acme-{number}", "IN_REVIEW", f"Name {number}")
            views.keep(connection, [said], ASKED, BY, since=ASKED)
        add_business(connection, "acme-0", name="Ours")
    after = 0
    while True:
        with engine.begin() as connection:
            taken = adopting.take_new_names(connection, BY, datetime.now(UTC), after, limit=2)
        if not taken:
            break
        after = taken[-1].id

    with engine.begin() as connection:
        names = [getattr(find(connection, f"acme-{number}"), "name", None) for number in range(5)]
    assert names == ["Ours", "Name 1", "Name 2", "Name 3", "Name 4"]
