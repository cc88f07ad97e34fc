"""What a case's page says of the account and of the customer."""

import json
import re
from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, update

from dashboard.queries.attempts import Attempt
from dashboard.queries.businesses import find_business
from dashboard.queries.cases import find_case
from dashboard.queries.messages import SentMessage
from dashboard.queries.present import AccountChange, Settled
from dashboard.queries.runs import Run
from dashboard.strip import Known, Owed, Seen, Statement, read_strip, strip_of
from dashboard.strip.statements import can_be_settled
from receiver.cases import Link
from receiver.database import Database
from receiver.models import Outcome, RunState, events, handlers
from receiver.runs import ALL, CloseReason, pause
from tests.dashboard.desk import Desk
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    NOON,
    SECOND,
    WAY,
    add_attempt,
    add_business,
    add_case,
    add_case_row,
    add_event,
    add_handler,
    add_message,
    add_run,
    writing,
)

COMPLETED = (*WAY[:3], "COMPLETED")
LEFT = (*COMPLETED, "IN_REVIEW")
ENABLED = json.dumps([["account_status", None, "active"]])
SUSPENDED = json.dumps([["account_status", "active", "suspended"]])

RUN = Run(
    id=7,
    event_id=1,
    handler="see_to_it",
    title="See to it",
    once=False,
    state=RunState.SUCCEEDED,
    created_at=NOON,
    due_at=NOON,
    started_at=NOON,
    finished_at=NOON + SECOND,
    tries=1,
    started_by="event",
    requested_by=None,
    requested_at=None,
    summary="503",
    is_gone=False,
    paused_by=None,
    pause_reason=None,
)
ATTEMPT = Attempt(1, 7, 1, "event", None, NOON, NOON + SECOND, Outcome.FAILED, None, "503")
IN_DOUBT = replace(ATTEMPT, outcome=Outcome.IN_DOUBT)
MESSAGE = SentMessage(1, 7, 1, "e-mail", "owner@acme.example", "Hello", "You did it", False, "en", NOON)


def _owed(effect: str, state: str | None, *tries: Attempt, **given: Any) -> Owed:
    run = replace(RUN, state=state, **given) if state else None
    return Owed("See to it", effect, run, tries)


# The state of a handler's run, and what is then said of an account that should be enabled and of a customer
# who should be told.
BY_STATE = [
    (RunState.QUEUED, {}, "Not {} yet", "quiet", "“See to it” waits for its turn."),
    (
        RunState.QUEUED,
        {"paused_by": "ben@example.com", "pause_reason": "Wrong text"},
        "Not {} yet",
        "review",
        "“See to it” is paused by ben@example.com: Wrong text",
    ),
    (
        RunState.RETRYING,
        {"paused_by": "ben@example.com", "pause_reason": "Wrong text"},
        "Not {} yet",
        "review",
        "“See to it” is paused by ben@example.com: Wrong text",
    ),
    (RunState.RUNNING, {}, "Not {} yet", "progress", "“See to it” is being done now."),
    (
        RunState.RETRYING,
        {},
        "Not {} yet",
        "review",
        "“See to it” has not worked yet, and is tried again by itself: 503",
    ),
    (RunState.FAILED, {}, "Not {}", "person", "“See to it” needs a person: 503"),
    (RunState.FAILED, {"summary": None}, "Not {}", "person", "“See to it” needs a person."),
    (RunState.CLOSED, {}, "Not {}", "review", "A person closed “See to it” without retrying."),
    (RunState.SUCCEEDED, {}, "Done", "completed", "“See to it” was done: 503"),
]


@pytest.mark.parametrize(("state", "given", "text", "tone", "why"), BY_STATE)
def test_what_nothing_else_tells_the_run_s_state_tells(
    state: str, given: dict[str, Any], text: str, tone: str, why: str
) -> None:
    owed = [_owed(effect, state, ATTEMPT, **given) for effect in ("account", "customer")]
    strip = strip_of(Known("COMPLETED", owed))
    assert _said(strip.account) == (text.format("enabled"), tone, why)
    assert _said(strip.customer) == (text.format("told"), tone, why)
    assert strip.account.run is owed[0].run
    assert strip.customer.run is owed[1].run


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RETRYING, RunState.FAILED, RunState.CLOSED])
def test_a_try_in_doubt_may_have_done_it(state: str) -> None:
    for outcome in (Outcome.IN_DOUBT, Outcome.LOST, Outcome.TIMED_OUT, Outcome.CRASHED):
        tries = (replace(ATTEMPT, outcome=outcome), replace(ATTEMPT, number=2))
        owed = [_owed(effect, state, *tries) for effect in ("account", "customer")]
        strip = strip_of(Known("COMPLETED", owed))
        assert strip.account.text == "May have been enabled"
        assert strip.customer.text == "May have been told"


def test_a_success_ends_the_doubt() -> None:
    strip = strip_of(Known("COMPLETED", [_owed("customer", RunState.SUCCEEDED, IN_DOUBT, ATTEMPT)]))
    assert strip.customer.text == "Done"


@pytest.mark.parametrize(
    ("given", "text", "tone", "why"),
    [
        (
            {},
            "Not {}",
            "review",
            "“See to it” was not set up yet when the status changed, so it was not called.",
        ),
        ({"dispatched": False}, "Not {} yet", "quiet", "“See to it” waits for the worker."),
        (
            {"adopted_by": "ben@example.com"},
            "Not {}",
            "review",
            "ben@example.com took the status over from VOVE; “See to it” was not called for it.",
        ),
    ],
)
def test_a_handler_that_was_not_called_says_why(given: Any, text: str, tone: str, why: str) -> None:
    owed = [Owed("See to it", effect, **given) for effect in ("account", "customer")]
    strip = strip_of(Known("COMPLETED", owed))
    assert _said(strip.account) == (text.format("enabled"), tone, why)
    assert _said(strip.customer) == (text.format("told"), tone, why)


@pytest.mark.parametrize(
    ("status", "customer"),
    [
        ("NOT_STARTED", "Nothing to tell yet"),
        ("IN_PROGRESS", "Nothing to tell yet"),
        ("IN_REVIEW", "Nothing to tell yet"),
        ("COMPLETED", "No handler is set up for this"),
        ("REJECTED", "No handler is set up for this"),
        ("ON_HOLD", "No handler is set up for this"),
    ],
)
def test_without_handlers_it_says_so_and_does_not_shout(status: str, customer: str) -> None:
    strip = strip_of(Known(status))
    assert _said(strip.customer) == (customer, "quiet", None)
    assert _said(strip.account) == ("No handler is set up for this", "quiet", None)


def test_before_a_case_is_completed_its_account_is_not_enabled_and_that_is_all() -> None:
    strip = strip_of(Known("IN_REVIEW", has_account_handler=True))
    assert _said(strip.account) == ("Not enabled", "quiet", None)


def test_the_account_s_state_is_told_whatever_there_is_to_tell_the_customer() -> None:
    strip = strip_of(Known("IN_PROGRESS", account_status="suspended"))
    assert _said(strip.account) == ("Suspended", "quiet", None)
    assert strip.customer.text == "Nothing to tell yet"


def test_an_enabled_account_says_since_when() -> None:
    known = Known("COMPLETED", account_status="active", verified_at=NOON - DAY)
    assert _said(strip_of(known).account) == ("Enabled", "completed", None)
    assert strip_of(known).account.since == NOON - DAY
    by_a_try = replace(known, account_change=AccountChange(7, NOON, ENABLED))
    assert strip_of(by_a_try).account.since == NOON


def test_what_changed_the_account_before_a_person_did_dates_nothing() -> None:
    known = Known("REJECTED", account_status="suspended", account_change=AccountChange(7, NOON, ENABLED))
    assert strip_of(known).account.since is None
    by_a_try = replace(known, account_change=AccountChange(7, NOON, SUSPENDED))
    assert strip_of(by_a_try).account.since == NOON


@pytest.mark.parametrize(
    ("status", "account", "text"),
    [
        ("IN_REVIEW", "active", "Enabled, though the case is not completed"),
        ("REJECTED", "active", "Enabled, though the case is not completed"),
        ("ON_HOLD", "active", "Enabled, though the case is not completed"),
        ("COMPLETED", "suspended", "Suspended, though the case is completed"),
    ],
)
def test_an_account_at_odds_with_its_case_stands_out(status: str, account: str, text: str) -> None:
    known = Known(status, account_status=account)
    assert _said(strip_of(known).account) == (
        text,
        "person",
        "No handler is set up for this: see to the account by hand.",
    )
    for state, tone in [
        (RunState.QUEUED, "review"),  # it is on its way
        (RunState.RUNNING, "review"),
        (RunState.RETRYING, "person"),
        (RunState.FAILED, "person"),
        (RunState.CLOSED, "person"),
    ]:
        said = strip_of(replace(known, owed=[_owed("account", state, ATTEMPT)])).account
        assert (_whole(said), said.tone) == (text, tone)
        assert said.run is not None
        assert said.run.state == state
    done = strip_of(replace(known, owed=[_owed("account", RunState.SUCCEEDED)])).account
    assert _said(done) == (text, "person", "“See to it” was done: 503. Yet the directory says otherwise.")
    uncalled = strip_of(replace(known, owed=[Owed("See to it", "account")])).account
    assert (_whole(uncalled), uncalled.tone) == (text, "person")


@pytest.mark.parametrize(("status", "account"), [("COMPLETED", "active"), ("REJECTED", "suspended")])
def test_beside_an_account_that_is_as_it_should_be_only_trouble_is_told(status: str, account: str) -> None:
    known = Known(status, account_status=account)
    quiet = strip_of(known).account
    for owed in (_owed("account", RunState.SUCCEEDED), Owed("See to it", "account")):
        assert strip_of(replace(known, owed=[owed])).account == quiet
    failed = strip_of(replace(known, owed=[_owed("account", RunState.FAILED)])).account
    assert (failed.text, failed.tone) == (quiet.text, quiet.tone)
    assert failed.why == "“See to it” needs a person: 503"


def test_an_account_that_was_enabled_and_then_cleared_by_hand_stands_out() -> None:
    owed = _owed("account", RunState.SUCCEEDED, replace(ATTEMPT, outcome=Outcome.SUCCEEDED, changes=ENABLED))
    assert _said(strip_of(Known("COMPLETED", [owed])).account) == (
        "Not enabled",
        "person",
        "“See to it” enabled it; the directory was changed since.",
    )


def test_a_handler_that_finds_nothing_to_suspend_says_so_quietly() -> None:
    owed = _owed("account", RunState.SUCCEEDED, summary="There is nothing to suspend")
    said = strip_of(Known("REJECTED", [owed], has_account_handler=True)).account
    assert _said(said) == ("Not enabled", "quiet", "“See to it” was done: There is nothing to suspend")
    failed = strip_of(
        Known("REJECTED", [_owed("account", RunState.FAILED)], has_account_handler=True)
    ).account
    assert (failed.text, failed.tone) == ("Not done", "person")


def test_who_was_told_was_told_when_and_in_which_words() -> None:
    later = replace(MESSAGE, id=2, sent_at=NOON + HOUR)
    for status, state in product(("COMPLETED", "REJECTED", "IN_PROGRESS"), (RunState.SUCCEEDED, None)):
        owed = [_owed("customer", state)]
        told = strip_of(Known(status, owed, [MESSAGE, later])).customer
        assert _said(told) == ("Told", "completed", None)
        assert told.since == NOON + HOUR
        assert told.messages == [MESSAGE, later]


def test_who_was_told_stays_told_when_telling_again_fails() -> None:
    said = strip_of(Known("REJECTED", [_owed("customer", RunState.FAILED, IN_DOUBT)], [MESSAGE])).customer
    assert _said(said) == ("Told", "completed", "“See to it” needs a person: 503")


@pytest.mark.parametrize(
    ("reason", "text", "settled"),
    [
        (CloseReason.BY_HAND, "Told by hand", True),
        (CloseReason.NOT_TOLD, "Not told", True),
        (CloseReason.DUPLICATE, "Not told", False),
    ],
)
def test_a_task_that_was_closed_says_whether_the_customer_still_has_to_be_told(
    reason: str, text: str, settled: bool
) -> None:
    said = strip_of(Known("REJECTED", [_owed("customer", RunState.CLOSED, close_reason=reason)])).customer
    assert (said.text, said.settled) == (text, settled)
    assert can_be_settled("REJECTED", said) is not settled


def test_a_closing_names_who_when_and_the_note() -> None:
    closed = {"closed_by": "bea@example.com", "closed_at": NOON, "close_note": "Rang them\nat nine"}
    owed = _owed("customer", RunState.CLOSED, close_reason=CloseReason.BY_HAND, **closed)
    assert strip_of(Known("REJECTED", [owed])).customer.why == (
        "bea@example.com closed “See to it” without retrying on 5 Mar 2026, 12:00: it was done by hand. "
        "“Rang them at nine”"
    )


@pytest.mark.parametrize(
    ("how", "text"), [(CloseReason.BY_HAND, "Told by hand"), (CloseReason.NOT_TOLD, "Not told")]
)
def test_what_a_person_said_of_it_stands_with_their_name(how: str, text: str) -> None:
    said = strip_of(Known("REJECTED", settled=Settled(NOON, "ana@example.com", how, "By phone."))).customer
    assert (said.text, said.why, said.since) == (text, "ana@example.com: By phone.", NOON)
    assert said.settled
    assert not can_be_settled("REJECTED", said)


def test_a_message_outweighs_what_a_person_said() -> None:
    said = Settled(NOON, "ana@example.com", CloseReason.NOT_TOLD, "AML")
    assert strip_of(Known("REJECTED", messages=[MESSAGE], settled=said)).customer.text == "Told"


@pytest.mark.parametrize("state", [None, *RunState])
def test_a_person_settles_what_no_task_does_or_did(state: str | None) -> None:
    owed = [_owed("customer", state)] if state else []
    customer = strip_of(Known("REJECTED", owed)).customer
    assert can_be_settled("REJECTED", customer) is (state in {None, RunState.CLOSED})
    assert not can_be_settled("COMPLETED", customer)


def test_of_several_handlers_the_one_that_needs_a_person_speaks() -> None:
    states = [RunState.SUCCEEDED, RunState.RETRYING, RunState.FAILED, RunState.QUEUED, None]
    said = strip_of(Known("REJECTED", [_owed("customer", state) for state in states])).customer
    assert said.text == "Not told"
    assert said.why == "“See to it” needs a person: 503"


def test_what_has_been_done_outweighs_what_was_never_called() -> None:
    owed = [_owed("customer", None), _owed("customer", RunState.SUCCEEDED)]
    assert strip_of(Known("REJECTED", owed)).customer.text == "Done"


def _said(statement: Statement) -> tuple[str, str, str | None]:
    return _whole(statement), statement.tone, statement.why


def _whole(statement: Statement) -> str:
    return f"{statement.text}, though {statement.though}" if statement.though else statement.text


# From the database


def test_the_account_and_the_message_of_a_completed_case_are_found(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        event = add_case(connection, "ACME-1", COMPLETED)[-1]
        enabling = add_run(connection, event, RunState.SUCCEEDED, handler="enable")
        add_attempt(connection, enabling, Outcome.SUCCEEDED, changes=ENABLED)
        telling = add_run(connection, event, RunState.SUCCEEDED, handler="tell")
        add_attempt(connection, telling, Outcome.SUCCEEDED)
        add_message(connection, telling)
        add_business(connection, account_status="active", verified_at=NOON - DAY)
    strip = _read(any_database).strip
    assert (strip.account.text, strip.account.why) == ("Enabled", None)
    assert strip.account.since == NOON + 840_000 * (SECOND / 1_000_000)
    assert strip.customer.text == "Told"
    assert [message.recipient for message in strip.customer.messages] == ["owner@acme.example"]


def test_what_was_said_of_an_earlier_status_tells_nothing_of_the_present_one(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        ids = add_case(connection, "ACME-1", (*WAY, "IN_REVIEW", "COMPLETED"))
        rejected = add_run(connection, ids[2], RunState.SUCCEEDED, handler="tell")
        add_attempt(connection, rejected, Outcome.SUCCEEDED)
        add_message(connection, rejected)
        add_run(connection, ids[-1], RunState.FAILED, handler="tell")
    assert _read(any_database).strip.customer.text == "Not told"


def test_where_vove_repeats_itself_the_first_message_still_counts(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        *_, event = add_case(connection, "ACME-1")
        told = add_run(connection, event, RunState.SUCCEEDED, handler="tell")
        add_attempt(connection, told, Outcome.SUCCEEDED)
        add_message(connection, told)
        repeat = add_event(
            connection, "ACME-1", "REJECTED", previous_status="IN_REVIEW", place=3, link=Link.REPEAT
        )
        again = add_run(connection, repeat, RunState.SUCCEEDED, handler="tell", summary="Told before")
        add_attempt(connection, again, Outcome.SUCCEEDED)
    seen = _read(any_database)
    assert list(seen.present.event_ids) == [repeat, event]
    assert seen.strip.customer.text == "Told"
    assert [run.id for run in seen.tasks] == [told, again]


def test_the_last_message_is_the_latest_whichever_task_sent_it(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        add_handler(connection, "call", "Call the customer", effect="customer")
        *_, event = add_case(connection, "ACME-1")
        for handler, sent_at in (("tell", NOON + HOUR), ("call", NOON)):
            run = add_run(connection, event, RunState.SUCCEEDED, handler=handler)
            add_attempt(connection, run, Outcome.SUCCEEDED)
            add_message(connection, run, sent_at=sent_at)
    customer = _read(any_database).strip.customer
    assert customer.since == NOON + HOUR
    assert [message.sent_at for message in customer.messages] == [NOON, NOON + HOUR]


def test_a_handler_is_concerned_by_what_the_case_has_left(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_handler(connection, "suspend", "Suspend", statuses=[], leaving='["COMPLETED"]', effect="account")
        add_case(connection, "left", LEFT)
        add_case(connection, "never", WAY)
    assert _read(any_database, "left").not_called == ["Suspend"]
    assert _read(any_database, "never").not_called == []


def test_a_handler_that_was_taken_away_concerns_nothing_but_what_it_left_behind(
    any_database: Database,
) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        connection.execute(update(handlers).values(removed_at=NOON))
        event = add_case(connection, "ACME-1", COMPLETED)[-1]
        add_run(connection, event, RunState.FAILED, handler="tell", summary="No longer set up")
    seen = _read(any_database)
    assert seen.not_called == []
    assert seen.strip.account.text == "No handler is set up for this"
    assert seen.strip.customer.text == "Not told"
    assert seen.strip.customer.run is not None
    assert seen.strip.customer.run.is_gone


@pytest.mark.parametrize("paused", ["tell", ALL])
def test_a_pause_of_the_handler_or_of_all_is_the_reason(any_database: Database, paused: str) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        event = add_case(connection, "ACME-1")[-1]
        add_run(connection, event, RunState.QUEUED, handler="tell")
        pause(connection, paused, "The text is wrong", "ben@example.com", NOON)
    why = _read(any_database).strip.customer.why
    assert why == "“Tell the customer” is paused by ben@example.com: The text is wrong"


def test_an_event_that_the_worker_has_not_seen_waits_for_it(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        event = add_case(connection, "ACME-1")[-1]
        connection.execute(update(events).where(events.c.id == event).values(dispatched_at=None))
    assert _read(any_database).strip.customer.why == "“Tell the customer” waits for the worker."


def test_what_was_taken_over_from_vove_says_by_whom(any_database: Database) -> None:
    with writing(any_database) as connection:
        _add_handlers(connection)
        event = add_case(connection, "ACME-1")[-1]
        connection.execute(update(events).where(events.c.id == event).values(adopted_by="ben@example.com"))
    why = _read(any_database).strip.customer.why
    assert why == "ben@example.com took the status over from VOVE; “Tell the customer” was not called for it."


def _add_handlers(connection: Connection) -> None:
    add_handler(connection, "enable", "Enable the account", statuses=["COMPLETED"], effect="account")
    add_handler(
        connection, "tell", "Tell the customer", statuses=["COMPLETED", "REJECTED"], effect="customer"
    )


def _read(database: Database, ref_id: str = "ACME-1") -> Seen:
    async def query(reader: Any) -> Seen:
        case = await find_case(reader, ref_id)
        assert case is not None
        return await read_strip(reader, case, await find_business(reader, ref_id))

    return read(database, query)


# On the page


def test_a_case_page_tells_both(desk: Desk) -> None:
    with writing(desk.database) as connection:
        _add_handlers(connection)
        event = add_case(connection, "ACME-1", COMPLETED)[-1]
        failed = add_run(connection, event, RunState.FAILED, handler="enable", summary="The service said 503")
        told = add_run(connection, event, RunState.SUCCEEDED, handler="tell")
        add_attempt(connection, told, Outcome.SUCCEEDED)
        add_message(connection, told, text="You are\napproved.", language="de")
    page = desk.signed_in().client.get("/cases/ACME-1").text
    strip = page[page.index('id="strip"') : page.index('id="facts"')]
    assert "Not enabled" in strip
    assert "“Enable the account” needs a person: The service said 503" in strip
    assert f'href="/runs/{failed}"' in strip
    assert "to <bdi>owner@acme.example</bdi>, in German" in strip
    assert "You are\napproved." in strip
    assert "5 Mar 2026, 12:00:00 UTC" in strip


def test_hostile_text_of_handlers_and_customers_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, "tell", HOSTILE, statuses=["REJECTED"], effect="customer")
        event = add_case(connection, HOSTILE)[-1]
        run = add_run(connection, event, RunState.RETRYING, handler="tell", summary=HOSTILE)
        changes = json.dumps([["name", None, HOSTILE], ["review_status", HOSTILE, HOSTILE], [HOSTILE, 1, 2]])
        add_attempt(connection, run, error=HOSTILE, result=HOSTILE, changes=changes)
        add_message(
            connection, run, **dict.fromkeys(("recipient", "subject", "text", "language", "channel"), HOSTILE)
        )
        pause(connection, "tell", HOSTILE, HOSTILE, NOON)
    desk.signed_in()
    for path in (f"/cases/{quote(HOSTILE, safe='')}", f"/runs/{run}", "/runs?tab=retrying"):
        page = desk.client.get(path).text
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<b>&" not in page
        assert "\u202e" not in re.sub(r'data-copy="[^"]*"', "", page)  # what is copied is the very text
        assert "{{ 7*7 }}" in page


def test_a_case_of_which_one_step_is_known_has_a_strip(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_event(connection, "ACME-1", "COMPLETED", link=Link.BEGAN_BEFORE)
        add_case_row(connection, "ACME-1", "COMPLETED", [event])
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert page.count("No handler is set up for this") == 2
