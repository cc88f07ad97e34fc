"""One case's page, as it is served: its header, its rounds, its timeline, its notes and who sees to it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select, update

from receiver import desk_settings, limits
from receiver.activity import Kind, note
from receiver.casework import MAX_NOTE, assign, write_note
from receiver.models import activities, cases, users, vove_views
from receiver.models import desk_settings as settings_table
from receiver.reasons import describe_reason
from tests.dashboard.desk import EMAIL, PARTIAL, SAME_ORIGIN, Desk
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    MINUTE,
    NOON,
    WAY,
    add_case,
    add_event,
    add_reason,
    add_run,
    writing,
)

BEN = "ben@example.com"


# The header


def test_a_case_over_its_limit_says_by_how_much_and_what_to_do(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", WAY[:3])
        limits.set_limit(connection, "IN_REVIEW", 2, False, BEN, NOON)
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert re.search(r"\d+ d over</span>", page)
    assert "its limit for this status: ask VOVE what it waits for." in page


def test_a_reason_says_what_it_means_and_what_may_be_said(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", reason="DOCUMENT_MISMATCH")
        add_reason(connection, en="Please send a newer extract.", de="Bitte neu einreichen.")
        describe_reason(
            connection,
            "DOCUMENT_MISMATCH",
            BEN,
            NOON,
            label="Document does not match",
            explanation="The names differ.",
        )
    page = desk.signed_in().client.get("/cases/ACME-1").text
    reason = page[page.index('id="reason"') :]
    for said in ("Document does not match", "The names differ.", "In German", "Please send a newer extract."):
        assert said in reason
    assert 'href="/rejections/reason?code=DOCUMENT_MISMATCH"' in reason


def test_a_reason_that_must_never_be_told_says_so(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", reason="sanctions")
        add_reason(connection, "SANCTIONS", never_tell=True)  # also in other letters
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "Never tell." in page
    assert "Nothing may be said to the customer" in page


def test_a_case_leads_to_where_it_is_found_elsewhere(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "a/b c")
        desk_settings.set_setting(connection, "vove_link", "https://vove.example/{vove_id}", BEN, NOON)
        desk_settings.set_setting(connection, "crm_link", "https://crm.example/?ref={ref_id}", BEN, NOON)
    desk.signed_in()
    page = desk.client.get("/cases/a%2Fb%20c").text
    assert 'href="https://crm.example/?ref=a%2Fb%20c"' in page
    assert "Open at VOVE" not in page  # its id there is not known
    with writing(desk.database) as connection:
        view = {"ref_id": "a/b c", "status": "REJECTED", "vove_id": "kyb/1", "differs": False}
        key = connection.execute(select(cases.c.ref_key)).scalar_one()
        connection.execute(
            vove_views.insert().values(view | {"ref_key": key, "checked_at": NOON, "checked_by": BEN})
        )
    assert 'href="https://vove.example/kyb%2F1"' in desk.client.get("/cases/a%2Fb%20c").text


def test_a_link_that_is_no_web_address_is_not_shown(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
        link = {
            "name": "crm_link",
            "value": "javascript:alert({ref_id})",
            "updated_at": NOON,
            "updated_by": BEN,
        }
        connection.execute(settings_table.insert().values(link))
    assert "javascript:" not in desk.signed_in().client.get("/cases/ACME-1").text


# Rounds


def test_a_case_that_began_again_says_which_round_it_is(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", (*WAY, "IN_PROGRESS", "IN_REVIEW"))
    desk.signed_in()
    page = desk.client.get("/cases/ACME-1").text
    way, timeline = (
        page[page.index('id="way"') : page.index('id="strip"')],
        page[page.index('id="timeline"') :],
    )
    assert "Round 2</strong>" in way
    assert "2 status changes in this round" in way
    assert "step--been" not in way.split("way__fork")[1]
    assert "Round 2 begins here" in timeline
    assert "Round 1 begins here" in timeline
    earlier = desk.client.get("/cases/ACME-1?round=1").text
    assert "Round 1, which is over</strong>" in earlier
    assert "step--been" in earlier[earlier.index("way__fork") : earlier.index('id="strip"')]
    assert 'href="/cases/ACME-1?order=oldest&amp;round=1"' in earlier


def test_a_case_that_never_began_again_counts_no_rounds(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "Round " not in page
    assert "3 status changes" in page


@pytest.mark.parametrize("number", ["0", "99", "-1", "x", "9" * 400])
def test_a_round_that_there_is_not_is_the_present_one(desk: Desk, number: str) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", (*WAY, "IN_PROGRESS"))
    answer = desk.signed_in().client.get(f"/cases/ACME-1?round={number}")
    assert answer.status_code == 200
    assert "Round 2</strong>" in answer.text


def test_an_unknown_status_is_explained_on_the_way(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1", ("NOT_STARTED", "IN_PROGRESS", "ON_HOLD"))
    page = desk.signed_in().client.get("/cases/ACME-1").text
    assert "step--unknown" in page
    assert "“ON_HOLD”: KYB Desk does not know this status and shows it as VOVE sent it." in page


# The timeline


def test_what_happened_and_what_people_did_stand_in_one_timeline(desk: Desk) -> None:
    with writing(desk.database) as connection:
        *_, event = add_case(connection, "ACME-1")
        run = add_run(connection, event)
        add_event(connection, "ACME-1", "NO_MATCH", family="aml", place=None, link=None, at=NOON + MINUTE)
        write_note(connection, "ACME-1", "Called the owner", EMAIL, NOON + HOUR)
        note(
            connection,
            Kind.CLOSED,
            BEN,
            NOON + 2 * HOUR,
            ref_id="ACME-1",
            run_id=run,
            subject="notify_customer",
            detail="Done by hand",
        )
    page = desk.signed_in().client.get("/cases/ACME-1").text
    timeline = page[page.index('id="timeline"') :]
    order = ["without retrying", "Called the owner", "No match", "Rejected</strong>", "In review</strong>"]
    places = [timeline.index(said) for said in order]
    assert places == sorted(places)
    assert f'href="/runs/{run}"' in timeline
    assert "Done by hand" in timeline
    for anchor in (f'id="event_{event}"', f'id="run_{run}"', 'id="activity_1"'):
        assert anchor in timeline


def test_a_choice_of_kinds_stays_in_every_link(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        write_note(connection, "ACME-1", "Called the owner", EMAIL, NOON)
    desk.signed_in()
    page = desk.client.get("/cases/ACME-1?show=notes&show=checks").text
    assert "Called the owner" in page
    assert 'id="event_' not in page
    assert 'hx-get="/cases/ACME-1?show=checks%2Cnotes"' in page
    assert 'href="/cases/ACME-1?order=oldest&amp;show=checks%2Cnotes"' in page
    hidden = desk.client.get("/cases/ACME-1?show=checks").text
    assert "Nothing of these kinds has happened." in hidden
    assert 'href="/cases/ACME-1"' in hidden


def test_nothing_is_known_of_a_stranger_whatever_the_address_hides(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_event(connection, "aml", family="aml", place=None, link=None)
    desk.signed_in()
    assert desk.client.get("/cases/nobody?show=notes").status_code == 404
    assert desk.client.get("/cases/aml?show=notes").status_code == 200


# Notes


def test_a_note_is_written_and_stands_in_the_timeline(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "a/b")
    desk.signed_in()
    answer = _write(desk, "a/b", "Called the owner")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/a%2Fb#activity_1")
    assert _write(desk, "a/b", "Called the owner").headers["location"] == "/cases/a%2Fb#activity_1"
    page = desk.client.get("/cases/a%2Fb").text
    assert page.count("Called the owner") == 1
    assert 'action="/cases/notes?ref=a%2Fb"' in page


@pytest.mark.parametrize(
    ("text", "why"), [("  ", "Write something first"), ("x" * (MAX_NOTE + 1), "has at most 5,000 characters")]
)
def test_a_note_that_can_t_be_kept_comes_back_as_it_was_typed(desk: Desk, text: str, why: str) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    answer = _write(desk.signed_in(), "ACME-1", text)
    assert answer.status_code == 422
    assert why in answer.text
    assert f"\n{text}</textarea>" in answer.text
    with writing(desk.database) as connection:
        assert connection.execute(select(activities)).all() == []


def test_a_note_is_for_cases_and_by_who_may(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    desk.signed_in("viewer")
    assert _write(desk, "ACME-1", "Called").status_code == 403
    assert _assign(desk, "ACME-1", EMAIL).status_code == 403
    page = desk.client.get("/cases/ACME-1").text
    assert "<textarea" not in page
    assert "Assign to me" not in page


@pytest.mark.parametrize(("ref", "status"), [("nobody", 404), ("", 404), ("\0", 404)])
def test_a_reference_without_a_case_takes_no_note(desk: Desk, ref: str, status: int) -> None:
    desk.signed_in()
    assert _write(desk, ref, "Called").status_code == status
    assert _assign(desk, ref, EMAIL).status_code == status


# Assignment


def test_a_case_is_taken_and_assigned(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    desk.signed_in()
    desk.add_user(email=BEN)
    assert "Assigned to nobody" in desk.client.get("/cases/ACME-1").text
    assert _assign(desk, "ACME-1", EMAIL).headers["location"] == "/cases/ACME-1"
    assert "Assigned to you" in desk.client.get("/cases/ACME-1").text
    _assign(desk, "ACME-1", BEN, seen=EMAIL)
    page = desk.client.get("/cases/ACME-1").text
    assert f"Assigned to <bdi>{BEN}</bdi>" in page
    assert f'<option value="{BEN}" selected>' in page
    assert f"assigned the case to {BEN}" in page


def test_who_comes_second_reads_that_somebody_was_faster(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    desk.signed_in()
    desk.add_user(email=BEN)
    with writing(desk.database) as connection:
        assign(connection, "ACME-1", BEN, None, BEN, NOON)
    answer = _assign(desk, "ACME-1", EMAIL)
    page = desk.client.get(answer.headers["location"]).text
    assert "Nothing was changed: somebody was faster." in page
    assert f"Assigned to <bdi>{BEN}</bdi>" in page


def test_a_case_is_not_assigned_to_who_may_no_longer_sign_in(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    desk.signed_in()
    desk.add_user(email=BEN)
    with writing(desk.database) as connection:
        connection.execute(update(users).where(users.c.email == BEN).values(disabled_at=NOON))
    assert BEN not in desk.client.get("/cases/ACME-1").text
    page = desk.client.get(_assign(desk, "ACME-1", BEN).headers["location"]).text
    assert "this person may no longer sign in" in page


# The next one


def test_the_next_case_is_the_one_whose_limit_ends_first(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "old", WAY[:2], at=NOON - 9 * DAY)
        add_case(connection, "mine", WAY[:3], at=NOON - 4 * DAY, assigned_to=EMAIL)
        add_case(connection, "later", WAY[:3], at=NOON - 2 * DAY)
        add_case(connection, "sooner", WAY[:3], at=NOON - 3 * DAY)
    desk.signed_in()
    assert _next(desk) == "/cases/old"
    with writing(desk.database) as connection:
        limits.set_limit(connection, "IN_REVIEW", 5, False, BEN, NOON)
    assert _next(desk) == "/cases/sooner"


def test_the_one_after_a_case_comes_next_and_after_the_last_the_first(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for name, days in (("first", 3), ("second", 2), ("twin", 2)):
            add_case(connection, name, WAY[:3], at=NOON - days * DAY)
        add_case(connection, "between", WAY[:2], at=NOON - 4 * DAY)
        add_case(connection, "mine", WAY[:3], at=NOON - 3 * DAY, assigned_to=EMAIL)
        add_case(connection, "elsewhere", (*WAY[:2], "ON_HOLD"), at=NOON - 9 * DAY)
        add_case(connection, "last", (*WAY[:2], "ON_HOLD"), at=NOON - 8 * DAY)
        limits.set_limit(connection, "IN_REVIEW", 5, False, BEN, NOON)
        limits.set_limit(connection, "IN_PROGRESS", 6, False, BEN, NOON)
        add_case(connection, "rejected")
    desk.signed_in()
    way = ["between", "first", "second", "twin", "elsewhere", "last"]
    assert _next(desk) == f"/cases/{way[0]}"
    for one, other in pairwise([*way, way[0]]):
        assert _next(desk, one) == f"/cases/{other}", one
    assert _next(desk, "mine") == "/cases/second"  # where it stands, it is walked on from
    assert _next(desk, "rejected") == _next(desk, "unknown") == f"/cases/{way[0]}"
    assert "/cases/next?after=second" in desk.client.get("/cases/second").text


@pytest.mark.parametrize("way", [WAY[:2], WAY[:3]])
def test_there_is_no_other_after_the_only_one(desk: Desk, way: Sequence[str]) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "only", way)
        add_case(connection, "mine", WAY[:2], assigned_to=EMAIL)
        limits.set_limit(connection, "IN_REVIEW", 5, False, BEN, NOON)
    answer = desk.signed_in().client.get("/cases/next?after=only")
    assert answer.status_code == 404
    assert "There is no other" in answer.text


def test_no_case_that_is_done_with_comes_next(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "rejected")
        add_case(connection, "mine", WAY[:2], assigned_to=EMAIL)
    answer = desk.signed_in().client.get("/cases/next")
    assert answer.status_code == 404
    assert "Every case that is under way is assigned to somebody." in answer.text


@pytest.mark.parametrize("ref_id", ["notes", "assignment", "next", "next/", "/notes"])
def test_a_case_may_be_named_like_what_can_be_done_with_one(desk: Desk, ref_id: str) -> None:
    with writing(desk.database) as connection:
        add_case(connection, ref_id)
    desk.signed_in()
    address = f"/cases?ref={quote(ref_id, safe='')}"
    assert f'href="{address}"' in desk.client.get("/cases").text
    page = desk.client.get(address).text
    assert 'id="timeline"' in page
    assert f'<input type="hidden" name="ref" value="{ref_id}">' in page  # a form's action loses its query
    if ref_id in {"notes", "assignment"}:
        assert 'id="timeline"' in desk.client.get(f"/cases/{ref_id}").text


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, HOSTILE, (*WAY[:3], HOSTILE), reason=HOSTILE, assigned_to=HOSTILE)
        add_reason(connection, HOSTILE, en=HOSTILE)
        describe_reason(connection, HOSTILE, HOSTILE, NOON, label=HOSTILE, explanation=HOSTILE)
        write_note(connection, HOSTILE, HOSTILE, HOSTILE, NOON)
        for kind in Kind:
            note(connection, kind, HOSTILE, NOON, ref_id=HOSTILE, subject=HOSTILE, detail=HOSTILE)
    hostile = quote(HOSTILE, safe="")
    page = desk.signed_in().client.get(f"/cases/{hostile}?round={hostile}&show={hostile}").text
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<b>&" not in page
    shown = re.sub(r'(data-copy|value)="[^"]*"', "", page)
    assert "\u202e" not in shown
    assert "\u0007" not in shown


# Who was told without us


def test_a_rejected_customer_whom_no_task_tells_was_told_by_hand(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    page = desk.signed_in("operator").client.get("/cases/ACME-1").text
    assert "They were told, or must not be" in page
    answer = _tell(desk, "ACME-1", _since(page), "By phone <b>&")
    assert answer.headers["location"] == "/cases/ACME-1#statement_customer"
    page = desk.client.get("/cases/ACME-1").text
    assert f"{EMAIL}: By phone &lt;b&gt;&amp;" in page
    assert "wrote down that the customer was told by hand" in page
    assert "They were told, or must not be" not in page
    assert "was told by hand" in desk.client.get("/activity").text
    assert "ACME-1" not in desk.client.get("/cases?needs=not_told").text


def test_what_can_t_be_kept_is_typed_still(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    page = desk.signed_in("operator").client.get("/cases/ACME-1").text
    answer = _tell(desk, "ACME-1", _since(page), "   ")
    assert answer.status_code == 422
    assert "Write something first." in answer.text
    assert re.search(r'value="by hand" required checked', answer.text)
    answer = _tell(desk, "ACME-1", _since(page), "x" * (MAX_NOTE + 1))
    assert answer.status_code == 422
    assert "has at most 5,000 characters; this one has 5,001." in answer.text
    assert "x" * (MAX_NOTE + 1) + "</textarea>" in answer.text


def test_who_says_it_second_is_told_so(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    since = _since(desk.signed_in("operator").client.get("/cases/ACME-1").text)
    _tell(desk, "ACME-1", since, "By phone")
    answer = _tell(desk, "ACME-1", since, "By letter")
    page = desk.client.get(answer.headers["location"]).text
    assert "it was settled meanwhile" in page
    assert "By letter" not in page


def test_a_viewer_says_nothing_of_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    page = desk.signed_in("viewer").client.get("/cases/ACME-1").text
    assert "They were told, or must not be" not in page
    assert _tell(desk, "ACME-1", "0", "By phone").status_code == 403


def test_the_part_is_answered_alone(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
    part = desk.signed_in().client.get("/cases/ACME-1?order=oldest", headers=PARTIAL).text
    assert part.lstrip().startswith('<article id="case"')
    assert "<html" not in part


def _write(desk: Desk, ref_id: str, text: str) -> httpx.Response:
    path = f"/cases/notes?ref={quote(ref_id, safe='')}"
    return desk.client.post(path, data={"text": text}, headers=SAME_ORIGIN)


def _assign(desk: Desk, ref_id: str, to: str, seen: str = "") -> httpx.Response:
    path, form = f"/cases/assignment?ref={quote(ref_id, safe='')}", {"assignee": to, "seen": seen}
    return desk.client.post(path, data=form, headers=SAME_ORIGIN)


def _tell(desk: Desk, ref_id: str, since: str, text: str) -> httpx.Response:
    path, form = f"/cases/telling?ref={ref_id}", {"how": "by hand", "text": text, "since": since}
    return desk.client.post(path, data=form, headers=SAME_ORIGIN)


def _since(page: str) -> str:
    (since,) = re.findall(r'name="since" value="(\d+)"', page)
    return str(since)


def _next(desk: Desk, after: str = "") -> str:
    answer = desk.client.get("/cases/next", params={"after": after})
    assert answer.status_code == 303
    return answer.headers["location"]
