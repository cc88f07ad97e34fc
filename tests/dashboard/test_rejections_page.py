"""The rejections' page, and a reason's: what is seen, who may say what, what is told when it goes wrong."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from dashboard.pages import rejections
from dashboard.periods import By, last_periods
from receiver.database import Database
from receiver.models import activities, reason_texts, reasons, to_microseconds
from receiver.reasons import WrittenText, approve_text, describe_reason, note_seen, write_text
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, PARTIAL, SAME_ORIGIN, Desk
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    NOON,
    add_business,
    add_case,
    add_failure,
    add_handler,
    add_reason,
    add_run,
    writing,
)

CODE, BEN = "DOCUMENT_MISMATCH", "ben@example.com"
REASON = f"/rejections/reason?code={CODE}"


def now() -> datetime:
    return datetime.now(UTC)


def posted(desk: Desk, verb: str, code: str = CODE, **form: Any) -> httpx.Response:
    address = f"/rejections/reason/{verb}?code={quote(code, safe='')}"
    return desk.client.post(address, data=form, headers=SAME_ORIGIN)


def described(desk: Desk, **form: Any) -> httpx.Response:
    return posted(desk, "describe", **{"label": "", "explanation": "", "updated_at": ""} | form)


def seen(desk: Desk, path: str = REASON) -> str:
    """The page's text, without its mark-up."""
    page = desk.client.get(path)
    assert page.status_code == 200, page.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])).split())


def write(desk: Desk, text: str = "Please", by: str = BEN, language: str = "en", approve: str = "") -> int:
    with writing(desk.database) as connection:
        text_id = write_text(connection, CODE, WrittenText(language, text, by), NOON)
        if approve:
            approve_text(connection, text_id, approve, NOON)
    return text_id


def rows(database: Database, table: Any) -> list[Any]:
    with writing(database) as connection:
        return list(connection.execute(select(table)).all())


@pytest.mark.parametrize("approve", ["", EMAIL])
def test_tasks_that_failed_for_lack_of_a_text_are_led_to(desk: Desk, approve: str) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        cause = {"kind": "NoRetry", "cause": f"no text {CODE}"}
        failure = add_failure(connection, **cause)
        for ref_id in ("acme", "oak"):
            add_run(connection, add_case(connection, ref_id)[-1], fingerprint=failure)
        add_run(connection, add_case(connection, "other")[-1])
    write(desk.signed_in(), approve=approve)
    said = seen(desk)
    assert "2 tasks failed for lack of a text (“Notify customer”)." in said
    assert ("Now there is one: see them and re-process" in said) is bool(approve)
    assert f"failure={failure}" in desk.client.get(REASON).text
    assert "tasks failed" not in seen(desk, "/rejections/reason?code=OTHER")


def test_reasons_stand_with_counts_shares_and_their_latest_cases(
    any_database: Database, open_desk: OpenDesk
) -> None:
    desk = open_desk(any_database).signed_in("viewer")
    with writing(any_database) as connection:
        for number in range(3):
            add_case(connection, f"case-{number}", at=now() - number * DAY, reason=CODE)
        add_case(connection, "other", at=now() - HOUR, reason="PEP_MATCH")
        add_case(connection, "without", at=now() - HOUR)
        add_business(connection, "case-0", name="ACME")
        describe_reason(connection, CODE, EMAIL, NOON, label="Documents don't match")
    page = seen(desk, "/rejections")
    assert "5 rejections in 12 weeks" in page
    assert re.search(r"Documents don't match DOCUMENT_MISMATCH 3 60 % .*ACME , case-1 , case-2", page)
    assert re.search(r"PEP match PEP_MATCH 1 20 % .*other", page)
    assert re.search(r"No reason given 1 20 % .*without", page)
    text = desk.client.get("/rejections").text
    assert f'href="/cases?status=REJECTED&amp;reason={CODE}"' in text
    assert 'href="/rejections/reason?code=PEP_MATCH"' in text
    assert "5 rejections in 12 months" in seen(desk, "/rejections?by=month")
    part = desk.client.get("/rejections", headers=PARTIAL).text
    assert part.startswith('<section id="rejections"')


def test_weeks_are_the_readers(desk: Desk) -> None:
    desk.signed_in()
    far = ZoneInfo("Pacific/Kiritimati")  # fourteen hours ahead
    began = {zone: last_periods(By.WEEK, now(), zone)[0].start for zone in (UTC, far)}
    with writing(desk.database) as connection:  # within the weeks of one zone, before those of the other
        add_case(connection, "acme", at=min(began.values()) + HOUR, reason=CODE)
    in_utc = "1 rejection in" in seen(desk, "/rejections")
    desk.client.cookies.update({"times": "local", "zone": str(far)})
    in_far = "1 rejection in" in seen(desk, "/rejections")
    assert (in_utc, in_far) == (began[UTC] < began[far], began[far] < began[UTC])


def test_without_rejections_the_page_says_so(desk: Desk) -> None:
    desk.signed_in()
    assert "No rejections in the last 12 weeks." in seen(desk, "/rejections")
    assert "See all rejected cases" in seen(desk, "/rejections?by=month")
    assert "nobody has described" not in seen(desk, "/rejections?by=anything")


def test_reasons_never_seen_before_stand_out(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        for number in range(7):
            note_seen(connection, [(f"NEW_{number}", f"case-{number}")], now() - number * HOUR)
    page = seen(desk, "/rejections")
    assert "7 reasons that nobody has described yet NEW_0 first seen" in page
    assert "NEW_4" in page
    assert "NEW_5" not in page
    assert "NEW_6" in seen(desk, "/rejections?new=all")
    with writing(desk.database) as connection:
        for number in range(6):
            describe_reason(connection, f"NEW_{number}", EMAIL, NOON, label="Known")
    assert "1 reason that nobody has described yet NEW_6 first seen 6 h ago with case-6" in seen(
        desk, "/rejections"
    )


def test_of_many_rejections_the_page_comes_before_its_figures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejections, "AT_ONCE", 2)
    desk.signed_in()
    with writing(desk.database) as connection:
        for number in range(3):
            add_case(connection, f"case-{number}", at=now(), reason=CODE)
    page = desk.client.get("/rejections?by=month")
    assert 'hx-trigger="load"' in page.text
    assert "3 rejections" not in page.text
    assert 'href="/rejections?by=month&amp;counted=1"' in page.text
    assert "3 rejections in 12 months" in seen(desk, "/rejections?by=month&counted=1")
    part = desk.client.get("/rejections?by=month", headers=PARTIAL).text
    assert 'hx-trigger="load"' not in part
    assert "<strong>3 rejections</strong>" in part


def test_a_reasons_page_says_what_it_means_what_customers_are_told_and_who_wrote_it(desk: Desk) -> None:
    desk.signed_in("viewer")
    with writing(desk.database) as connection:
        add_case(connection, "acme", at=now(), reason=CODE)
        note_seen(connection, [(CODE, "acme")], now() - DAY)
        describe_reason(connection, CODE, BEN, NOON, label="Documents don't match", explanation="Ask for it.")
    write(desk, "The first.", approve=EMAIL)
    write(desk, "The second.", approve=EMAIL)
    write(desk, "The third.")
    page = seen(desk)
    assert "Documents don't match VOVE's code: DOCUMENT_MISMATCH" in page
    assert "first seen 1 d ago with acme" in page
    assert "Ask for it. Last changed by ben@example.com" in page
    assert re.search(
        r"Approved written by ben@example.com .*, approved by ana@example.com .* The second\.", page
    )
    assert re.search(r"Waits for approval written by ben@example.com .* The third\.", page)
    assert re.search(r"1 older version .*The first\.", page)
    assert "German de No text yet" in page
    assert "1 rejection in 12 weeks" in page
    for action in ("Edit", "Write a", "Approve:", "Never tell customers"):
        assert action not in page


def test_an_unknown_reason_is_read_as_its_code_in_words(desk: Desk) -> None:
    desk.signed_in()
    page = seen(desk, "/rejections/reason?code=UBO_MISSING")
    assert "Nobody has described this reason yet. Until then its code is read as “UBO missing”." in page
    assert "Describe it" in page
    assert "No case is rejected for it at present." in page


def test_rejections_without_a_reason_have_a_page_too(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        add_case(connection, "acme", at=now())
    page = seen(desk, "/rejections/reason?code=")
    assert "No reason given" in page
    assert "1 rejection in 12 weeks" in page
    assert "acme" in page
    assert "What customers are told" not in page


@pytest.mark.parametrize("code", ["x" * 201, "%00", "a%00b"])
def test_what_can_be_no_code_has_no_page(desk: Desk, code: str) -> None:
    desk.signed_in("admin")
    assert desk.client.get(f"/rejections/reason?code={code}").status_code == 404
    for form in ("describe", "text"):
        assert desk.client.get(f"/rejections/reason/{form}?code={code}").status_code == 404
        assert desk.client.get(f"/rejections/reason/{form}").status_code == 404
    assert desk.client.get("/rejections/reason/mail?text=4711").status_code == 404
    assert desk.client.get("/rejections/reason/mail?text=x").status_code == 404


@pytest.mark.parametrize(
    ("role", "edits", "approves"),
    [("viewer", 403, 403), ("operator", 303, 403), ("lead", 303, 303), ("admin", 303, 303)],
)
def test_who_may_what(desk: Desk, role: str, edits: int, approves: int) -> None:
    desk.signed_in(role)
    text_id = write(desk, approve="")
    assert described(desk, label="Known").status_code == edits
    assert posted(desk, "text", language="de", text="Bitte", seen="").status_code == edits
    assert posted(desk, "approve", text=text_id).status_code == approves
    assert posted(desk, "never-tell", never="yes").status_code == approves
    for form in ("describe", "text"):
        assert (desk.client.get(f"/rejections/reason/{form}?code={CODE}").status_code == 200) is (
            edits == 303
        )
    (reason,) = rows(desk.database, reasons)
    texts = {text.language: text for text in rows(desk.database, reason_texts)}
    assert (reason.label, "de" in texts) == (("Known", True) if edits == 303 else (None, False))
    assert (texts["en"].approved_by, reason.never_tell) == (
        (EMAIL, True) if approves == 303 else (None, False)
    )


def test_what_is_done_stands_in_the_activities_once(desk: Desk) -> None:
    desk.signed_in("lead")
    text_id = write(desk)
    for _ in range(2):
        assert described(desk, label="Known", explanation="Ask.").status_code == 303
        assert posted(desk, "text", language="de", text="Bitte", seen="").status_code == 303
        assert posted(desk, "approve", text=text_id).status_code == 303
        assert posted(desk, "never-tell", never="yes").status_code == 303
    done = [(row.by, row.kind, row.subject, row.detail) for row in rows(desk.database, activities)]
    assert done == [
        (BEN, "text written", CODE, "en"),
        (EMAIL, "described", CODE, "label “Known”, explanation"),
        (EMAIL, "text written", CODE, "de"),
        (EMAIL, "text approved", CODE, "en"),
        (EMAIL, "described", CODE, "never tell the customer"),
    ]


def test_the_writer_of_a_text_can_not_approve_it(desk: Desk) -> None:
    desk.signed_in("admin")
    text_id = write(desk, by=EMAIL)
    assert "You have written it: a second person has to approve it." in seen(desk)
    assert "Approve:" not in seen(desk)
    refused = posted(desk, "approve", text=text_id)
    assert refused.status_code == 403
    assert "You have written this text yourself" in refused.text
    assert rows(desk.database, reason_texts)[0].approved_by is None


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 30])
def test_an_approval_of_nothing_is_not_found(desk: Desk, text: str) -> None:
    desk.signed_in("lead")
    assert posted(desk, "approve", text=text).status_code == 404


def test_texts_that_are_never_told_are_shown_as_not_used(desk: Desk) -> None:
    desk.signed_in("lead")
    write(desk, approve=EMAIL)
    assert posted(desk, "never-tell", never="yes").status_code == 303
    page = seen(desk)
    assert "Never tell the customer. The texts below are not used" in page
    assert "Not used: never tell" in page
    assert "Let customers be told" in page
    other = seen(desk, "/rejections/reason?code=document-mismatch")
    assert "The mark stands on a code that differs from this one only in capitals or signs." in other
    assert "Let customers be told" not in other
    assert posted(desk, "never-tell", never="no").status_code == 303
    assert "Never tell the customer." not in seen(desk)


def test_a_field_that_is_wrong_comes_back_with_what_was_typed(desk: Desk) -> None:
    desk.signed_in()
    refused = described(desk, label="two\nlines", explanation="x" * 5001)
    assert refused.status_code == 422
    assert "Label must be one line of at most 200 characters." in refused.text
    assert "Explanation is longer than 5,000 characters: it has 5,001." in refused.text
    assert "x" * 5001 in refused.text
    refused = posted(desk, "text", language="german", text="  ", seen="")
    assert refused.status_code == 422
    assert "Language must be a language code" in refused.text
    assert "Text is empty." in refused.text
    assert 'value="german"' in refused.text
    refused = posted(desk, "text", language="en", text="y" * 5002, seen="")
    assert "Text is longer than 5,000 characters: it has 5,002." in refused.text
    assert "y" * 5002 in refused.text
    assert rows(desk.database, reasons) == []


def test_who_comes_second_reads_what_has_changed_and_can_save_again(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        describe_reason(connection, CODE, BEN, NOON, label="Ben's", explanation="Ask.")
    refused = described(desk, label="Mine", explanation="Ask.")
    assert refused.status_code == 409
    assert "ben@example.com changed it" in refused.text
    assert "<q>Ben&#39;s</q>" in refused.text
    assert 'value="Mine"' in refused.text
    assert f'name="updated_at" value="{to_microseconds(NOON)}"' in refused.text
    assert (
        described(desk, label="Mine", explanation="Ask.", updated_at=to_microseconds(NOON)).status_code == 303
    )
    assert rows(desk.database, reasons)[0].label == "Mine"


def test_who_writes_over_a_text_that_they_have_not_seen_is_shown_it_first(desk: Desk) -> None:
    desk.signed_in()
    text_id = write(desk, "Ben's text")
    refused = posted(desk, "text", language="en", text="Mine", seen="")
    assert refused.status_code == 409
    assert "ben@example.com wrote another text in this language" in refused.text
    assert "Ben&#39;s text" in refused.text
    assert f'name="seen" value="{text_id}"' in refused.text
    assert posted(desk, "text", language="en", text="Mine", seen=text_id).status_code == 303
    assert [text.text for text in rows(desk.database, reason_texts)] == ["Ben's text", "Mine"]


def test_a_text_is_shown_in_the_mail_that_it_would_stand_in(desk: Desk) -> None:
    desk.signed_in("lead")
    page = seen(desk, f"/rejections/reason/mail?text={write(desk, 'Bitte neu senden.', language='de-at')}")
    assert "Bitte neu senden." in page
    assert "Example Ltd" in page
    assert "Approve: customers read this" in page
    page = seen(desk, f"/rejections/reason/mail?text={write(desk, 'Por favor', language='pt')}")
    assert "There is no mail in this language yet" in page


def test_a_long_text_as_a_reason_is_described_by_its_first_characters(desk: Desk) -> None:
    desk.signed_in()
    whole = "The document " + "ü" * 300
    with writing(desk.database) as connection:
        add_case(connection, "acme", at=now(), reason=whole)
    code = whole[:200]
    link = f"/rejections/reason?code={quote(code)}".replace("%20", "+")
    assert link in unescape(desk.client.get("/rejections").text).replace("%20", "+")
    assert "acme" in seen(desk, f"/rejections/reason?code={quote(code)}")
    assert (
        posted(desk, "describe", code, label="Unreadable", explanation="", updated_at="").status_code == 303
    )
    assert "Unreadable" in seen(desk, "/rejections")


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    desk.signed_in("lead")
    with writing(desk.database) as connection:
        for number in range(2):
            add_case(connection, f"{HOSTILE}{number}", at=now(), reason=HOSTILE)
        note_seen(connection, [(HOSTILE, HOSTILE), (f"{HOSTILE}?", HOSTILE)], now())
        describe_reason(connection, HOSTILE, HOSTILE, NOON, label=HOSTILE, explanation=HOSTILE)
        add_business(connection, f"{HOSTILE}0", name=HOSTILE)
        text_id = write_text(connection, HOSTILE, WrittenText("en", HOSTILE, HOSTILE), NOON)
    code = quote(HOSTILE, safe="")
    pages = [
        *(desk.client.get(path) for path in ("/rejections", f"/rejections/reason?code={code}")),
        *(
            desk.client.get(f"/rejections/reason/{form}?code={code}&language=en")
            for form in ("describe", "text")
        ),
        desk.client.get(f"/rejections/reason/mail?text={text_id}"),
        posted(desk, "describe", HOSTILE, label=HOSTILE, explanation=HOSTILE, updated_at="1"),
        posted(desk, "text", HOSTILE, language="en", text=f"{HOSTILE}!", seen=""),
    ]
    for number, page in enumerate(pages):
        assert page.status_code < 500
        assert "alert(1)" in page.text, number
        assert "<script>alert" not in page.text, number
        assert "<b>&" not in page.text, number
        typed = r'data-copy="[^"]*"| value="[^"]*"|<textarea[^>]*>[^<]*</textarea>'  # the very text
        assert "\u202e" not in re.sub(typed, "", page.text), number


def test_an_approved_text_of_the_factories_is_in_use(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        add_reason(connection, CODE, en="Please", fr="S'il vous plaît")
    assert seen(desk).count("Approved written by") == 2
