"""What a person should do next about a case."""

from dataclasses import replace
from typing import Any

import pytest

from dashboard.strip import Standing, Statement, Strip, what_to_do
from receiver.handlers import Reason
from receiver.models import RunState
from receiver.runs.failures import fingerprint_of
from tests.dashboard.test_strip import MESSAGE, RUN

QUIET = Statement("Not enabled", "not_started", "quiet")
NOT_TOLD = Statement("Not told", "warning", "person")
TOLD = Statement("Told", "completed", "completed", messages=[MESSAGE])
REASON = Reason("DOCUMENT_MISMATCH", customer_texts={"en": "Please send another one."})
UNWRITTEN = Reason("NEW_ONE")
SECRET = Reason("SANCTIONS", never_tell=True)
FAILED = replace(RUN, state=RunState.FAILED, title="Tell the customer")


def _todo(
    status: str = "IN_REVIEW", customer: Statement = QUIET, account: Statement = QUIET, **given: Any
) -> str:
    return what_to_do(Standing(status, Strip(account, customer), **given)).text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("NOT_STARTED", "Nothing to do at present: the business has not begun yet."),
        ("IN_PROGRESS", "Nothing to do at present: the business is giving its data and documents."),
        ("IN_REVIEW", "Nothing to do at present: VOVE is checking it."),
        ("COMPLETED", "Nothing to do."),
    ],
)
def test_where_all_is_well_there_is_nothing_to_do(status: str, said: str) -> None:
    assert _todo(status) == said


def test_what_is_being_done_by_itself_needs_nobody() -> None:
    said = _todo("COMPLETED", tasks=[replace(RUN, state=RunState.RETRYING)])
    assert said == "Nothing to do: its tasks are being done by themselves."


def test_a_task_that_needs_a_person_is_named_and_leads_to_it() -> None:
    todo = what_to_do(Standing("COMPLETED", Strip(QUIET, QUIET), tasks=[FAILED, FAILED]))
    assert todo.text == (
        "“Tell the customer” needs a person, and so do 1 more: see what went wrong, set it right, and "
        "re-process it."
    )
    assert (todo.href, todo.tone) == ("/runs/7", "person")


@pytest.mark.parametrize(
    ("cause", "edits"),
    [
        ("no address", True),
        ("recipient refused", True),
        ("no address, no text NEW_ONE", True),
        ("no text NEW_ONE", False),
        (None, False),
    ],
)
def test_where_the_address_is_missing_or_wrong_the_business_is_edited(cause: str | None, edits: bool) -> None:
    fingerprint = fingerprint_of(FAILED.handler, "NoRetry", None, cause)
    run = replace(FAILED, fingerprint=fingerprint, effect="customer")
    customer = replace(NOT_TOLD, run=run)
    todo = what_to_do(Standing("REJECTED", Strip(QUIET, customer), tasks=[run], reason=UNWRITTEN))
    assert (todo.run_id, todo.edits) == (7, edits)
    todo = what_to_do(Standing("REJECTED", Strip(QUIET, customer), tasks=[run], reason=REASON))
    assert todo.text.endswith("If you told the customer yourself, close it as done by hand.")
    assert (todo.href, todo.edits) == ("/runs/7", edits and cause != "no address, no text NEW_ONE")


@pytest.mark.parametrize("settled", [True, False])
def test_who_was_told_by_hand_or_must_not_be_is_nobody_s_task_any_more(settled: bool) -> None:
    closed = replace(NOT_TOLD, run=replace(FAILED, state=RunState.CLOSED), settled=settled)
    said = _todo("REJECTED", closed, reason=REASON)
    assert said.startswith("Nothing to do") is settled
    assert ("re-process it" in said) is not settled


def test_an_account_that_was_enabled_by_hand_is_set_in_the_directory() -> None:
    closed = replace(RUN, state=RunState.CLOSED, close_reason="by hand")
    todo = what_to_do(Standing("COMPLETED", Strip(replace(QUIET, run=closed), TOLD), tasks=[closed]))
    assert todo.text.endswith("If you enabled it by hand, set Account to Active.")
    assert todo.edits


def test_a_task_whose_handler_is_gone_is_done_by_hand() -> None:
    assert "do by hand" in _todo("COMPLETED", tasks=[replace(FAILED, is_gone=True)])


def test_an_uncertain_case_is_compared_before_anything_is_done() -> None:
    assert _todo(uncertain=True, tasks=[FAILED]).startswith("Compare with VOVE before you act")
    assert _todo(uncertain=True, agrees=True).startswith("Nothing to do")


def test_a_gap_is_compared_and_done_with_once_vove_agrees() -> None:
    assert _todo(gap=True).startswith("A status change never reached us.")
    assert _todo(gap=True, agrees=True).startswith("Nothing to do")


def test_where_vove_says_something_else_that_comes_first() -> None:
    assert _todo(differs=True, tasks=[FAILED]).startswith("VOVE says something else")


def test_of_a_reason_that_must_never_be_told_nothing_is_said() -> None:
    said = _todo("REJECTED", NOT_TOLD, reason=SECRET)
    assert said == "Nothing may be said to the customer: this reason must never be told."


def test_the_task_that_would_tell_what_must_never_be_told_is_closed_and_not_tried_again() -> None:
    customer = replace(NOT_TOLD, run=FAILED)
    said = _todo("REJECTED", customer, reason=SECRET, tasks=[FAILED])
    assert said.endswith("Close “Tell the customer” without retrying.")
    other = replace(FAILED, id=8, title="Suspend the account")
    assert _todo("REJECTED", customer, reason=SECRET, tasks=[FAILED, other]).startswith(
        "“Suspend the account”"
    )


def test_who_was_told_what_must_never_be_told_is_looked_at() -> None:
    assert _todo("REJECTED", TOLD, reason=SECRET).startswith("This reason must never be told, yet")


def test_a_rejected_customer_without_an_approved_text_needs_one() -> None:
    said = _todo("REJECTED", replace(NOT_TOLD, run=FAILED), reason=UNWRITTEN, tasks=[FAILED])
    assert said.endswith(
        "have one written and approved. Then re-process the task. "
        "If you told the customer yourself, close it as done by hand."
    )
    assert _todo("REJECTED", NOT_TOLD, reason=UNWRITTEN).endswith("have one written and approved.")


def test_a_rejection_without_a_reason_is_asked_about() -> None:
    assert _todo("REJECTED", NOT_TOLD).startswith("VOVE gave no reason.")


def test_a_rejected_customer_who_was_not_told_is_written_to() -> None:
    assert _todo("REJECTED", NOT_TOLD, reason=REASON).startswith("The customer was not told.")
    assert _todo("REJECTED", TOLD, reason=REASON) == "Nothing to do."
    told_elsewhere = Statement("Done", "completed", "completed")
    assert _todo("REJECTED", told_elsewhere, reason=REASON) == "Nothing to do."
    retried = replace(NOT_TOLD, run=replace(RUN, state=RunState.RETRYING))
    assert _todo("REJECTED", retried, reason=REASON) == "Nothing to do."


def test_an_account_at_odds_is_seen_to_unless_that_is_under_way() -> None:
    enabled = Statement("Enabled", "warning", "person", though="the case is not completed")
    assert "it should be suspended, for the case is not completed" in _todo(
        "REJECTED", TOLD, enabled, reason=REASON
    )
    under_way = replace(enabled, run=replace(RUN, state=RunState.QUEUED))
    assert _todo("REJECTED", TOLD, under_way, reason=REASON) == "Nothing to do."


def test_a_case_over_its_limit_is_asked_about_where_that_can_be_done() -> None:
    assert _todo(over="2 d over") == "It is 2 d over its limit for this status: ask VOVE what it waits for."
    assert "ask the business, or VOVE, what" in _todo("IN_PROGRESS", over="2 d over")
    todo = what_to_do(
        Standing("IN_REVIEW", Strip(QUIET, QUIET), over="1 d over", vove="https://vove.example/1")
    )
    assert todo.href == "https://vove.example/1"


def test_an_unknown_status_is_asked_about() -> None:
    assert _todo("ON_HOLD", is_known=False).startswith("KYB Desk does not know this status")


def test_what_was_taken_over_and_not_done_has_its_button_in_the_timeline() -> None:
    assert "The timeline has the button" in _todo("COMPLETED", undone=True)


def test_tasks_of_earlier_statuses_come_last() -> None:
    assert _todo("COMPLETED", earlier=1).startswith("A task of an earlier status needs a person")
    assert _todo(over="2 d over", earlier=2).startswith("It is 2 d over")
