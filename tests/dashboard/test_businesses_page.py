"""The directory on the pages: a file is imported, a business edited, names shown and found."""

import base64
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select

from dashboard.pages.imports import MAX_BODY
from receiver.database import Database
from receiver.directory.csv_text import MAX_BYTES
from receiver.models import RunState, businesses, to_microseconds
from tests.dashboard.conftest import OpenDesk
from tests.dashboard.desk import EMAIL, SAME_ORIGIN, Desk
from tests.factories import (
    HOSTILE,
    NOON,
    add_attempt,
    add_business,
    add_case,
    add_delivery,
    add_run,
    writing,
)

FILE = "refId,name,email,notes\nACME-1,ACME Ltd,,\nOAK-1,Oakfield,hello@oak.example,Call back\n"
QUOTED = '"' + HOSTILE.replace('"', '""') + '"'


def previewed(desk: Desk, content: str | bytes = FILE) -> httpx.Response:
    file = ("businesses.csv", content if isinstance(content, bytes) else content.encode(), "text/csv")
    return desk.client.post("/businesses/import/preview", files={"file": file}, headers=SAME_ORIGIN)


def confirmed(desk: Desk, content: str) -> httpx.Response:
    """What the preview's form sends."""
    return desk.client.post("/businesses/import", files={"content": (None, content)}, headers=SAME_ORIGIN)


def content_of(page: str) -> str:
    [content] = re.findall(r'name="content" value="([^"]*)"', page)
    return str(content)


def saved(desk: Desk, ref_id: str = "ACME-1", **fields: Any) -> httpx.Response:
    form = dict.fromkeys(("name", "email", "language", "account_status", "notes", "updated_at"), "") | fields
    address = f"/businesses/edit?ref={quote(ref_id, safe='')}"
    return desk.client.post(address, data=form, headers=SAME_ORIGIN)


def known(database: Database, ref_id: str = "ACME-1") -> Any:
    with writing(database) as connection:
        return connection.execute(select(businesses).where(businesses.c.ref_id == ref_id)).one_or_none()


def count(database: Database) -> int:
    with writing(database) as connection:
        return len(connection.execute(select(businesses.c.id)).all())


def test_a_file_is_looked_at_before_it_is_imported(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in()
    with writing(any_database) as connection:
        add_business(connection, "ACME-1", name="ACME")
    preview = previewed(desk)
    assert preview.status_code == 200
    assert "1 business new, 1 changed, 0 as they are" in preview.text
    assert "<del>ACME</del>" in preview.text
    assert "hello@oak.example" in preview.text
    assert (count(any_database), known(any_database).name) == (1, "ACME")
    done = confirmed(desk, content_of(preview.text))
    assert (done.status_code, done.headers["location"]) == (
        303,
        "/businesses/import?new=1&changed=1&unchanged=0&name=1",
    )
    page = desk.client.get(done.headers["location"]).text
    assert "Imported: 1 business is new, 1 was changed (name of 1), 0 stayed as they were." in page
    acme, oak = known(any_database), known(any_database, "OAK-1")
    assert (acme.name, acme.updated_by, oak.name, oak.notes) == ("ACME Ltd", EMAIL, "Oakfield", "Call back")


def test_the_file_that_is_confirmed_is_the_one_that_was_shown_byte_by_byte(desk: Desk) -> None:
    content = f'\ufeffrefId;name;notes\r\n" a b ";{QUOTED};"two\r\nlines\n\rthree"\r\n'.encode()
    sent = content_of(previewed(desk.signed_in(), content).text)
    assert base64.b64decode(sent) == content
    assert confirmed(desk, sent).status_code == 303
    row = known(desk.database, " a b ")
    assert (row.name, row.notes) == (HOSTILE, "two\r\nlines\n\rthree")


def test_confirming_twice_imports_once_and_says_so(desk: Desk) -> None:
    sent = content_of(previewed(desk.signed_in()).text)
    assert "new=2" in confirmed(desk, sent).headers["location"]
    again = confirmed(desk, sent).headers["location"]
    assert "new=0&changed=0&unchanged=2" in again
    assert "Nothing was changed" in desk.client.get(again).text


def test_a_file_with_nothing_new_offers_no_import(desk: Desk) -> None:
    confirmed(desk.signed_in(), content_of(previewed(desk).text))
    page = previewed(desk).text
    assert "All that the file says is in the directory already." in page
    assert 'name="content"' not in page


def test_each_error_stands_with_its_line_and_column_and_nothing_is_imported(desk: Desk) -> None:
    content = "refId,name,email\nok,Fine,\nbad,Bad,nobody\nok,Again,\n"
    page = previewed(desk.signed_in(), content)
    assert page.status_code == 422
    assert "Nothing was imported: 2 things are wrong with the file." in page.text
    assert "&#39;nobody&#39; is no e-mail address" in page.text
    assert "stands in line 2 already, and again in line 4" in page.text
    assert 'name="content"' not in page.text
    refused = confirmed(desk, base64.b64encode(content.encode()).decode())
    assert refused.status_code == 422
    assert count(desk.database) == 0


def test_of_many_errors_the_first_are_shown(desk: Desk) -> None:
    page = previewed(desk.signed_in(), "refId,email\n" + "".join(f"r{n},x\n" for n in range(250))).text
    assert "250 things are wrong" in page
    assert page.count("is no e-mail address") == 100
    assert "The first 100 of 250 are shown." in page


@pytest.mark.parametrize(
    "content", ["", "=", "no base64!", "é" * 9, "QUJD\n", base64.b64encode(b"refId").decode()]
)
def test_a_confirmation_that_was_tampered_with_imports_nothing(desk: Desk, content: str) -> None:
    assert confirmed(desk.signed_in(), content).status_code == 422
    assert count(desk.database) == 0


def test_without_a_file_it_is_said(desk: Desk) -> None:
    desk.signed_in()
    for files in ({"file": ("", b"")}, {"other": (None, "x")}):
        answer = desk.client.post("/businesses/import/preview", files=files, headers=SAME_ORIGIN)
        assert answer.status_code == 422
        assert "none was chosen" in answer.text
    answer = desk.client.post("/businesses/import/preview", data={"file": "x"}, headers=SAME_ORIGIN)
    assert answer.status_code == 422


def test_a_file_that_is_too_large_is_told_so(desk: Desk) -> None:
    desk.signed_in()
    page = previewed(desk, b"refId,name\n" + b"x" * MAX_BYTES)
    assert (page.status_code, "is larger than 5 MiB" in page.text) == (422, True)


def test_a_body_beyond_all_measure_is_not_read(desk: Desk) -> None:
    desk.signed_in()
    assert previewed(desk, b"x" * MAX_BODY).status_code == 413


def test_a_large_file_of_one_mebibyte_and_more_is_taken(desk: Desk) -> None:
    content = "refId,name,notes\n" + "".join(f"ref-{n},Name {n},{'n' * 500}\n" for n in range(5000))
    preview = previewed(desk.signed_in(), content)
    assert "5,000 businesses new" in preview.text
    assert "The first 100 of 5,000 are shown; all are imported." in preview.text
    assert "new=5000" in confirmed(desk, content_of(preview.text)).headers["location"]
    assert count(desk.database) == 5000


def test_a_reference_with_a_space_at_its_end_is_pointed_at(desk: Desk) -> None:
    page = previewed(desk.signed_in(), "refId,name\nacme,x\nacme ,y\n").text
    assert "begins or ends with a space in line 3" in page


def test_only_numbers_in_the_address_are_said(desk: Desk) -> None:
    desk.signed_in()
    for query in (
        "new=1",
        "new=x&changed=1&unchanged=1",
        "new=1&changed=1&unchanged=<b>",
        "new=9999999&changed=1&unchanged=1",
    ):
        assert 'id="done"' not in desk.client.get(f"/businesses/import?{query}").text


def test_who_comes_back_to_the_preview_is_led_to_the_choice(desk: Desk) -> None:
    answer = desk.signed_in().client.get("/businesses/import/preview")
    assert (answer.status_code, answer.headers["location"]) == (303, "/businesses/import")


def test_a_viewer_neither_sees_nor_may_do_any_of_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "ACME-1")
        add_business(connection, "ACME-1", name="ACME")
    desk.signed_in("viewer")
    assert "/businesses/" not in desk.client.get("/cases").text
    assert "/businesses/" not in desk.client.get("/cases/ACME-1").text
    answers = [
        desk.client.get("/businesses/import"),
        desk.client.get("/businesses/import/preview"),
        desk.client.get("/businesses/edit?ref=ACME-1"),
        previewed(desk),
        confirmed(desk, base64.b64encode(FILE.encode()).decode()),
        saved(desk, name="Mine", updated_at=str(to_microseconds(NOON))),
    ]
    for answer in answers:
        assert answer.status_code == 403
        assert "You may look, but not edit" in answer.text
    assert known(desk.database).name == "ACME"


@pytest.mark.parametrize("role", ["operator", "lead", "admin"])
def test_the_other_roles_may(desk: Desk, role: str) -> None:
    desk.signed_in(role)
    assert 'href="/businesses/import"' in desk.client.get("/cases").text
    assert saved(desk, name="ACME").status_code == 303


@pytest.mark.parametrize(
    "path", ["/businesses/import", "/businesses/import/preview", "/businesses/edit?ref=a"]
)
def test_another_site_can_do_none_of_it(desk: Desk, path: str) -> None:
    assert desk.signed_in().client.post(path, data={"name": "x"}).status_code == 403
    assert count(desk.database) == 0


def test_a_business_is_edited_and_says_who_changed_it(any_database: Database, open_desk: OpenDesk) -> None:
    desk = open_desk(any_database).signed_in()
    with writing(any_database) as connection:
        add_case(connection, "ACME-1")
        add_business(connection, "ACME-1", name="ACME", notes="old", account_status="active")
    page = desk.client.get("/businesses/edit?ref=ACME-1").text
    [updated_at] = re.findall(r'name="updated_at" value="(\d+)"', page)
    assert 'value="ACME"' in page
    answer = saved(
        desk,
        name="ACME Ltd",
        email="a@acme.example",
        language="PT_br",
        notes="one\r\ntwo",
        updated_at=updated_at,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/ACME-1?saved=yes")
    row = known(any_database)
    assert (row.name, row.email, row.language) == ("ACME Ltd", "a@acme.example", "pt-br")
    assert (row.account_status, row.notes, row.updated_by) == (None, "one\ntwo", EMAIL)
    case = desk.client.get("/cases/ACME-1").text
    assert "<bdi>ACME Ltd</bdi></h1>" in case
    assert f"Changed by {EMAIL}" in case
    assert "a@acme.example" in case


def test_wrong_fields_are_named_beside_them_and_what_was_typed_is_kept(desk: Desk) -> None:
    answer = saved(
        desk.signed_in(), name="n" * 301, email="nobody", language="x!", notes="  keep this\r\nand this"
    )
    assert answer.status_code == 422
    assert "Nothing was saved yet: 3 fields can&#39;t be as typed." in answer.text.replace(
        "can't", "can&#39;t"
    )
    assert "Name is longer than 300 characters: it has 301." in answer.text
    assert "E-mail &#39;nobody&#39; is no e-mail address." in answer.text
    assert 'value="nobody"' in answer.text
    assert "  keep this\nand this</textarea>" in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert count(desk.database) == 0


def test_notes_that_are_too_long_are_kept_whole_with_their_count(desk: Desk) -> None:
    answer = saved(desk.signed_in(), notes="n" * 10_001)
    assert answer.status_code == 422
    assert "longer than 10,000 characters: it has 10,001." in answer.text
    assert "n" * 10_001 in answer.text


def test_who_is_slower_keeps_what_was_typed_and_sees_what_it_says_now(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        add_business(connection, "ACME-1", name="ACME", email="a@acme.example")
    page = desk.client.get("/businesses/edit?ref=ACME-1").text
    [as_shown] = re.findall(r'name="updated_at" value="(\d+)"', page)
    assert saved(desk, name="Faster", email="a@acme.example", updated_at=as_shown).status_code == 303
    late = saved(desk, name="Slower", email="a@acme.example", updated_at=as_shown)
    assert late.status_code == 409
    assert "It says now: <q>Faster</q>" in late.text
    assert late.text.count("It says now") == 1
    assert 'value="Slower"' in late.text
    assert known(desk.database).name == "Faster"
    [now_shown] = re.findall(r'name="updated_at" value="(\d+)"', late.text)
    assert saved(desk, name="Slower", email="a@acme.example", updated_at=now_shown).status_code == 303
    assert known(desk.database).name == "Slower"


def test_a_field_that_is_wrong_does_not_hide_that_somebody_was_faster(desk: Desk) -> None:
    desk.signed_in()
    with writing(desk.database) as connection:
        add_business(connection, "ACME-1", name="ACME")
    as_shown = str(to_microseconds(NOON))
    assert saved(desk, name="Faster", updated_at=as_shown).status_code == 303
    wrong = saved(desk, name="Slower", email="nobody", updated_at=as_shown)
    assert (wrong.status_code, f'name="updated_at" value="{as_shown}"' in wrong.text) == (422, True)
    assert saved(desk, name="Slower", updated_at=as_shown).status_code == 409
    assert known(desk.database).name == "Faster"


def test_a_form_that_is_sent_twice_is_saved_once(desk: Desk) -> None:
    desk.signed_in()
    assert [saved(desk, name="ACME").status_code for _ in range(2)] == [303, 303]


@pytest.mark.parametrize("updated_at", ["", "x", "-1", "٣", "1" * 17, "1" * 40, "0"])
def test_a_moment_that_it_was_not_changed_at_saves_nothing(desk: Desk, updated_at: str) -> None:
    with writing(desk.database) as connection:
        add_business(connection, "ACME-1", name="ACME")
    assert saved(desk.signed_in(), name="Mine", updated_at=updated_at).status_code == 409
    assert known(desk.database).name == "ACME"


@pytest.mark.parametrize("query", ["", "?ref=", "?ref=a%00b", "?ref=" + "x" * 10_241])
def test_what_no_business_could_be_called_has_no_form(desk: Desk, query: str) -> None:
    desk.signed_in()
    assert desk.client.get(f"/businesses/edit{query}").status_code == 404
    answer = desk.client.post(f"/businesses/edit{query}", data={"name": "x"}, headers=SAME_ORIGIN)
    assert answer.status_code == 404
    assert count(desk.database) == 0


def test_who_saved_is_led_to_the_task_that_waits_for_it(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_run(connection, add_case(connection, "ACME-1")[-1])
        add_case(connection, "ACME-2")
    desk.signed_in()
    waits = "A task of this case needs a person: re-process it below."
    for ref_id, led in (("ACME-1", True), ("ACME-2", False)):
        location = saved(desk, ref_id, name="ACME").headers["location"]
        page = desk.client.get(location).text
        assert "Saved." in page
        assert (waits in page) is led
        assert "Saved." not in desk.client.get(f"/cases/{ref_id}").text


@pytest.mark.parametrize("ref_id", ["a/b/", "a b?c#d", "100%", "a+b", ".", "..", "///", HOSTILE, "é" * 5_000])
def test_every_reference_can_be_edited_from_its_case(desk: Desk, ref_id: str) -> None:
    with writing(desk.database) as connection:
        add_business(connection, ref_id, name="Before")
    desk.signed_in()
    as_a_parameter = ref_id in {".", "..", "///"}
    case = ("/cases?ref=" if as_a_parameter else "/cases/") + quote(ref_id, safe="")
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in desk.client.cookies.jar)
    page = desk.get_raw(case, Cookie=cookie).text
    [link] = re.findall(r'href="(/businesses/edit\?ref=[^"]*)"', page)
    assert 'value="Before"' in desk.client.get(link).text
    answer = saved(desk, ref_id, name="After", updated_at=str(to_microseconds(NOON)))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{case}{'&' if '?' in case else '?'}saved=yes",
    )
    assert "<bdi>After</bdi></h1>" in desk.get_raw(answer.headers["location"], Cookie=cookie).text


def test_a_business_without_a_case_has_a_page(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_business(connection, "ACME-1", name="ACME Ltd")
    answer = desk.signed_in().client.get("/cases/ACME-1")
    assert answer.status_code == 200
    assert "Nothing has come from VOVE for this business yet." in answer.text
    assert "ACME Ltd" in answer.text
    assert 'id="timeline"' not in answer.text
    assert desk.client.get("/cases/ACME-2").status_code == 404


def test_a_name_stands_beside_the_reference_wherever_that_is(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, "ACME-1")[-1]
        add_business(connection, "ACME-1", name="Zephyr Travel")
        run = add_run(connection, event)
        add_attempt(connection, run)
        delivery = add_delivery(connection, event_id=event)
    desk.signed_in()
    for path in (
        "/cases",
        "/cases/ACME-1",
        "/runs?view=list",
        f"/runs/{run}",
        "/deliveries",
        f"/deliveries/{delivery}",
    ):
        page = desk.client.get(path).text
        assert "<bdi>Zephyr Travel</bdi>" in page, path
        assert "<bdi>ACME-1</bdi>" in page, path
    for path in ("/cases/ACME-1", f"/runs/{run}"):
        assert "Zephyr Travel" in desk.client.get(path).text.partition("</title>")[0]


def test_a_search_names_also_businesses_without_a_case(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection, "with")
        add_business(connection, "with", name="Acme with")
        add_business(connection, "without", name="Acme without")
    desk.signed_in()
    page = desk.client.get("/cases?q=acme").text
    with_one, _, others = page.partition('id="without_case"')
    assert "Acme with<" in with_one
    assert "Acme without<" not in with_one
    assert "Acme without<" in others
    assert "Acme with<" not in others
    for query in ("", "?q=acme&status=REJECTED", "?q=nothing"):
        assert "without_case" not in desk.client.get(f"/cases{query}").text


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        event = add_case(connection, HOSTILE)[-1]
        run = add_run(connection, event, RunState.FAILED)
        add_business(connection, HOSTILE, name=HOSTILE, notes=HOSTILE, review_status=HOSTILE)
        add_business(connection, "other", name=HOSTILE)
    desk.signed_in()
    ref = quote(HOSTILE, safe="")
    content = f"refId,name,notes,{QUOTED}\n1,2,3,4\n"
    pages = [
        *(
            desk.client.get(path).text
            for path in ("/cases", "/cases?q=alert", f"/cases/{ref}", "/runs?view=list", f"/runs/{run}")
        ),
        desk.client.get("/deliveries").text,
        desk.client.get(f"/businesses/edit?ref={ref}").text,
        saved(desk, HOSTILE, name=HOSTILE, email=HOSTILE, language=HOSTILE, notes=HOSTILE).text,
        saved(desk, HOSTILE, name="x", notes="y").text,
        previewed(desk, content).text,
        previewed(desk, f"refId,name,email,notes\n{QUOTED},{QUOTED},{QUOTED},{QUOTED}\n").text,
        previewed(desk, f"refId,name,notes\n{QUOTED},{QUOTED}x,{QUOTED}\n").text,
        previewed(
            desk,
            f"refId,name,notes\n{QUOTED},new,new\nnew{QUOTED},{QUOTED},{QUOTED}\n".replace('new"', '"new'),
        ).text,
    ]
    for number, page in enumerate(pages):
        assert "<script>alert" not in page, number
        assert "<b>&" not in page, number
        typed = r'data-copy="[^"]*"| value="[^"]*"|<textarea[^>]*>[^<]*</textarea>'  # the very text
        assert "\u202e" not in re.sub(typed, "", page), number
    assert sum("alert(1)" in page for page in pages) >= len(pages) - 1
