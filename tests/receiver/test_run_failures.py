"""What runs fail with, and that a closed one opens again with the same failure. On each database."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from receiver import runs as runs_room
from receiver.activity import Kind
from receiver.database import Database
from receiver.executor import Ended
from receiver.models import WRONG, Outcome, RunState, activities, cases, events, failures, runs
from receiver.runs import Closed, CloseError, CloseReason, Closing, NotClosed
from receiver.runs.failures import DESK
from tests.receiver.workbench import MINUTE, Workbench, emptied, failed, handler


@pytest.fixture
def bench(lasting_database: Database) -> Iterator[Workbench]:
    with emptied(lasting_database) as engine:
        yield Workbench(engine)


def refused(error: str = "no such user", place: str = "acme.tell", **fields: Any) -> Ended:
    return failed(error, kind="smtplib.SMTPRecipientsRefused", place=place, no_retry=True, **fields)


def failing(bench: Workbench, ended: Ended, ref_id: str = "acme", minute: int = 0) -> int:
    """A run that has failed so; its id."""
    bench.arrive(ref_id, minute)
    bench.dispatch()
    claimed = bench.claimed()
    bench.finish(claimed, ended)
    return claimed.run_id


def fingerprints(bench: Workbench) -> list[str | None]:
    return [run.fingerprint for run in bench.rows(runs)]


def test_the_same_kind_at_the_same_place_is_one_failure_whatever_it_says(bench: Workbench) -> None:
    failing(bench, refused("no such user"))
    first_at = bench.now
    bench.now += MINUTE
    failing(bench, refused("mailbox full"), "bolt")
    one, other = fingerprints(bench)
    assert one == other
    (failure,) = bench.rows(failures)
    assert (failure.fingerprint, failure.handler, failure.kind) == (
        one,
        "tell",
        "smtplib.SMTPRecipientsRefused",
    )
    assert (failure.place, failure.error) == ("acme.tell", "mailbox full")
    assert (failure.first_at, failure.last_at) == (first_at, bench.now)


@pytest.mark.parametrize(
    "ended",
    [
        refused(place="acme.other"),
        failed(kind="ValueError", place="acme.tell"),
        failed("returned int: a handler returns None, a text or Done(…)"),
        *(
            Ended(outcome, error="x")
            for outcome in Outcome
            if outcome not in {Outcome.SUCCEEDED, Outcome.FAILED}
        ),
    ],
    ids=lambda ended: ended.kind or ended.outcome,
)
def test_another_kind_or_place_or_outcome_is_another_failure(bench: Workbench, ended: Ended) -> None:
    failing(bench, refused())
    failing(bench, ended, "bolt")
    assert len(set(fingerprints(bench))) == 2
    assert len(bench.rows(failures)) == 2


def test_what_says_its_cause_is_told_apart_by_that_wherever_it_is_raised(bench: Workbench) -> None:
    failing(bench, refused(cause="no address"))
    failing(bench, refused(cause="no address", place="acme.other"), "bolt")
    failing(bench, refused(cause="no text AML"), "cord")
    failing(bench, refused(), "dash")
    one, same, other, without = fingerprints(bench)
    assert one == same
    assert len({one, other, without}) == 3


def test_no_address_of_one_of_them_stands_above_all(bench: Workbench) -> None:
    run_id = failing(bench, refused("refused owner@acme.example: 550 <owner@acme.example>: no such user."))
    (failure,) = bench.rows(failures)
    assert failure.error == "refused …: 550 <…>: no such user."
    assert "owner@acme.example" in bench.run(run_id).summary


def test_another_handler_s_is_another_failure(bench: Workbench) -> None:
    bench.handlers = (handler("tell"), handler("enable"))
    bench.arrive()
    bench.dispatch()
    for _ in range(2):
        bench.finish(bench.claimed(), refused())
    assert len(set(fingerprints(bench))) == 2


def test_what_succeeds_has_no_failure_any_more(bench: Workbench) -> None:
    run_id = failing(bench, refused())
    bench.reprocess(run_id)
    bench.finish(bench.claimed())
    assert fingerprints(bench) == [None]


def close(bench: Workbench, run_id: int, tries: int = 1, reason: str = "by hand", note: str = "") -> Any:
    with bench.engine.begin() as connection:
        closing = Closing(reason, note, "ben@example.com", bench.now)
        return runs_room.close(connection, run_id, tries, closing)


def test_a_run_is_closed_with_who_why_and_when(bench: Workbench) -> None:
    run_id = failing(bench, refused())
    assert close(bench, run_id, note=" I rang them ") == Closed(run_id)
    run = bench.run(run_id)
    assert (run.state, run.closed_by, run.closed_at) == ("closed", "ben@example.com", bench.now)
    assert (run.close_reason, run.close_note) == ("by hand", "I rang them")
    (told,) = bench.rows(activities)
    assert (told.kind, told.by, told.run_id, told.ref_id) == (Kind.CLOSED, "ben@example.com", run_id, "acme")
    assert told.detail == "by hand: I rang them"


def test_what_is_retried_can_be_closed_and_is_not_tried_again(bench: Workbench) -> None:
    run_id = failing(bench, failed())
    assert bench.run(run_id).state == RunState.RETRYING
    assert close(bench, run_id) == Closed(run_id)
    bench.now += 1000 * MINUTE
    assert bench.claim() is None


def test_who_saw_another_number_of_tries_closes_nothing(bench: Workbench) -> None:
    run_id = failing(bench, refused())
    assert close(bench, run_id, tries=0) == NotClosed(run_id, RunState.FAILED)
    bench.reprocess(run_id)
    assert close(bench, run_id) == NotClosed(run_id, RunState.QUEUED)
    assert close(bench, 4711) == NotClosed(4711, None)
    assert [row.kind for row in bench.rows(activities)] == [Kind.REPROCESSED]


def untold(bench: Workbench) -> bool:
    with bench.engine.begin() as connection:
        return bool(connection.execute(select(cases.c.id).where(text(WRONG["not_told"]))).all())


@pytest.mark.parametrize(
    ("reason", "settles"),
    [("by hand", True), ("not told", True), ("not needed", False), ("duplicate", False)],
)
def test_a_customer_who_was_told_by_hand_or_must_not_be_is_no_longer_untold(
    bench: Workbench, reason: str, settles: bool
) -> None:
    bench.handlers = (handler("tell", effect="customer"),)
    bench.register()
    run_id = failing_rejected(bench)
    assert untold(bench)
    close(bench, run_id, reason=reason)
    assert untold(bench) is not settles


def test_a_rejection_after_that_is_untold_again(bench: Workbench) -> None:
    bench.handlers = (handler("tell", effect="customer"),)
    bench.register()
    close(bench, failing_rejected(bench))
    bench.arrive(minute=4000, status="IN_REVIEW", previousStatus="REJECTED")
    bench.arrive(minute=4001, status="REJECTED", previousStatus="IN_REVIEW")
    assert untold(bench)


def test_what_was_done_by_hand_for_an_earlier_status_or_nobody_tells_nobody(bench: Workbench) -> None:
    bench.handlers = (handler("tell", effect="customer"), handler("enable", effect="account"))
    bench.register()
    bench.arrive(status="REJECTED")
    bench.arrive(minute=1, status="IN_REVIEW", previousStatus="REJECTED")
    bench.arrive(minute=2, status="REJECTED", previousStatus="IN_REVIEW")
    bench.dispatch()
    while claimed := bench.claim():
        bench.finish(claimed, refused())
    ids = {event.id for event in bench.rows(events) if event.place is not None}
    latest = max(run.event_id for run in bench.rows(runs) if run.event_id in ids)
    for run in bench.rows(runs):
        if run.handler == "enable" or run.event_id != latest:
            close(bench, run.id)
    assert untold(bench)
    close(bench, next(run.id for run in bench.rows(runs) if (run.handler, run.event_id) == ("tell", latest)))
    assert not untold(bench)


def failing_rejected(bench: Workbench) -> int:
    bench.arrive(status="REJECTED")
    bench.dispatch()
    claimed = bench.claimed()
    bench.finish(claimed, refused())
    return claimed.run_id


@pytest.mark.parametrize(
    ("reason", "note"),
    [("", ""), ("because", ""), ("other", " "), ("by hand", "x" * 1001), ("by hand", "\0")],
)
def test_a_closing_that_says_too_little_or_too_much_is_none(bench: Workbench, reason: str, note: str) -> None:
    with pytest.raises(CloseError):
        Closing(reason, note, "ben@example.com", bench.now)


def test_the_same_failure_of_the_same_case_opens_it_again(bench: Workbench) -> None:
    closed = failing(bench, refused())
    close(bench, closed)
    bench.now += MINUTE
    failing(bench, refused("again"), minute=1)
    run = bench.run(closed)
    assert (run.state, run.closed_at, run.closed_by, run.close_reason) == ("failed", None, None, None)
    assert run.due_at == bench.now
    told = bench.rows(activities)[-1]
    assert (told.kind, told.by, told.run_id) == (Kind.REOPENED, DESK, closed)


@pytest.mark.parametrize("ref_id", ["acme", "bolt"])
def test_another_failure_or_another_case_opens_nothing(bench: Workbench, ref_id: str) -> None:
    closed = failing(bench, refused())
    close(bench, closed)
    failing(bench, refused(place="acme.tell" if ref_id == "bolt" else "acme.other"), ref_id, minute=1)
    assert bench.run(closed).state == "closed"


def test_a_failure_that_is_retried_opens_nothing_yet(bench: Workbench) -> None:
    closed = failing(bench, refused())
    close(bench, closed)
    failing(bench, failed(kind="smtplib.SMTPRecipientsRefused", place="acme.tell"), minute=1)
    assert bench.run(closed).state == "closed"


def test_a_closed_run_that_a_person_re_processes_is_closed_by_nobody(bench: Workbench) -> None:
    run_id = failing(bench, refused())
    close(bench, run_id, reason=CloseReason.NOT_NEEDED)
    bench.reprocess(run_id)
    run = bench.run(run_id)
    assert (run.state, run.closed_by, run.close_reason) == ("queued", None, None)
    assert [row.kind for row in bench.rows(activities)] == [Kind.CLOSED, Kind.REPROCESSED]


def test_a_pause_and_its_end_are_told(bench: Workbench) -> None:
    bench.pause("tell")
    bench.resume("tell")
    bench.resume("tell")
    told = [(row.kind, row.by, row.subject, row.detail) for row in bench.rows(activities)]
    assert told == [
        (Kind.PAUSED, "ana@example.com", "tell", "looking into it"),
        (Kind.RESUMED, "ana@example.com", "tell", None),
    ]
