"""Agreement with VOVE on the pages: a case is checked, VOVE's view adopted, and where we differ is listed."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, select, update

from dashboard import asking
from receiver import desk_settings
from receiver.database import Database
from receiver.ledger.rebuild import rebuild
from receiver.models import businesses, cases, events, vove_views
from receiver.vove import views
from receiver.vove.answers import VoveCase
from receiver.vove.client import Patience
from receiver.vove.listing import Found
from receiver.vove.troubles import SENTENCES, Trouble
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk
from tests.factories import DAY, HOSTILE, HOUR, add_business, add_case, add_event
from tests.vove_stand_in import KEY, Answer, VoveStandIn, case, vove

OpenDesk = Callable[..., Desk]
NOW = datetime.now(UTC)
WAY = ("NOT_STARTED", "IN_PROGRESS", "IN_REVIEW")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "BRIEF", Patience(one=1, all=2, tries=2, pause=0.01, apart=0))


@pytest.fixture
def engine(any_database: Database) -> Any:
    engine = any_database.writer()
    yield engine
    engine.dispose()


def opened(open_desk: OpenDesk, database: Database, stand_in: VoveStandIn, role: str = "operator") -> Desk:
    return open_desk(database, vove_api_url=stand_in.url, vove_api_key=KEY).signed_in(role)


def check(desk: Desk, ref_id: str = "acme", **headers: str) -> httpx.Response:
    form = {"ref": quote(ref_id), "next": f"/cases/{quote(ref_id, safe='')}"}
    return desk.client.post("/checks", data=form, headers=SAME_ORIGIN | headers, timeout=10)


def adopt(desk: Desk, event: object, status: str, ref_id: str = "acme", **fields: str) -> httpx.Response:
    seen = {"event": str(event or ""), "status": quote(status), "name": "", "our_name": ""}
    form = {"ref": quote(ref_id), **seen, **fields}
    return desk.client.post("/adoptions", data=form, headers=SAME_ORIGIN)


def page(desk: Desk, path: str = "/cases/acme") -> str:
    answer = desk.client.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def add(engine: Engine, ref_id: str = "acme", name: str | None = None, way: tuple[str, ...] = WAY) -> int:
    with engine.begin() as connection:
        if name:
            add_business(connection, ref_id, name=name)
        return add_case(connection, ref_id, way, at=NOW - HOUR)[-1]


def vove_said(engine: Engine, status: str | None, ref_id: str = "acme", **given: Any) -> None:
    said = VoveCase(ref_id, status, given.get("name")) if status else None
    with engine.begin() as connection:
        views.keep_one(connection, ref_id, Found(said, False, given.get("at", NOW)), "ana@example.com")


def test_who_may_not_check_is_led_to_no_box_without_a_button(
    open_desk: OpenDesk, any_database: Database, engine: Engine
) -> None:
    add(engine, way=(*WAY, "REJECTED"))
    with vove() as stand_in:
        desk = opened(open_desk, any_database, stand_in)
        assert '<a href="#vove" >Ask VOVE</a>' in page(desk)
        desk.add_user("viewer", "vic@example.com")
        desk.sign_in("vic@example.com")
        assert ">Ask VOVE</a>" not in page(desk)
        with engine.begin() as connection:
            desk_settings.set_setting(
                connection, "vove_link", "https://vove.example/{ref_id}", "ana@example.com", NOW
            )
        there = '<a href="https://vove.example/acme" rel="noreferrer external" hx-boost="false">Ask VOVE</a>'
        assert there in page(desk)


def test_a_case_is_checked_and_its_difference_adopted(
    open_desk: OpenDesk, any_database: Database, engine: Engine
) -> None:
    event_id = add(engine, name="Acme")
    with vove(case("acme", "COMPLETED", "ACME Ltd")) as stand_in:
        desk = opened(open_desk, any_database, stand_in)
        assert "was not asked about this case yet" in page(desk)

        checked = check(desk)
        assert (checked.status_code, checked.headers["Location"]) == (303, "/cases/acme")
        text = page(desk)
        assert "Here it is In review. A message may have been lost." in text
        assert "VOVE calls it “ACME Ltd”, the directory “Acme”" in text
        assert "by ana@example.com" in text
        assert "Adopt VOVE's view: Completed" in text

        assert 'name="name" value="ACME%20Ltd"' in text
        assert 'name="our_name" value="Acme"' in text
        unseen = adopt(desk, event_id, "COMPLETED", name="ACME%20Ltd", our_name="Other")
        assert "one of the two names has changed" in page(desk, unseen.headers["Location"])

        adopted = adopt(desk, event_id, "COMPLETED", name="ACME%20Ltd", our_name="Acme")
        assert (adopted.status_code, adopted.headers["Location"]) == (303, "/cases/acme")

    text = page(desk)
    assert "Taken over from VOVE by ana@example.com:" in text
    assert "We agree." in text
    assert "no longer in the log" not in text
    with engine.begin() as connection:
        row = connection.execute(select(events).where(events.c.adopted_by.is_not(None))).one()
        assert connection.execute(select(cases.c.status)).scalar_one() == "COMPLETED"
        assert connection.execute(select(businesses.c.name)).scalar_one() == "ACME Ltd"
    assert row.dispatched_at is not None
    what_it_said = page(desk, f"/adoptions/{row.id}")
    assert "&#34;status&#34;: &#34;COMPLETED&#34;" in what_it_said
    assert "An owner" not in what_it_said
    assert rebuild(engine, write=False).differing == []


def test_pressing_twice_adopts_once_and_says_so(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    event_id = add(engine)
    vove_said(engine, "COMPLETED")
    with vove() as stand_in:
        desk = opened(open_desk, database, stand_in)
        first = adopt(desk, event_id, "COMPLETED", run_handlers="yes")
        second = adopt(desk, event_id, "COMPLETED", run_handlers="yes")

    assert first.headers["Location"] == "/cases/acme"
    assert "taken over already" in page(desk, second.headers["Location"])
    with engine.begin() as connection:
        adopted = select(events.c.dispatched_at).where(events.c.adopted_by.is_not(None))
        assert connection.execute(adopted).scalars().all() == [None]  # the worker is to run its handlers
    engine.dispose()


def test_what_was_adopted_without_the_handlers_offers_to_run_them(
    open_desk: OpenDesk, database: Database
) -> None:
    engine = database.writer()
    event_id = add(engine)
    vove_said(engine, "COMPLETED")
    with vove() as stand_in:
        desk = opened(open_desk, database, stand_in)
        adopt(desk, event_id, "COMPLETED")
        assert "Nothing was done for it yet" in page(desk)
        (path,) = re.findall(r'action="(/adoptions/[0-9]+/runs)"', page(desk))
        asked = desk.client.post(path, data={"next": "/cases/acme"}, headers=SAME_ORIGIN)
        assert (asked.status_code, asked.headers["location"]) == (303, "/cases/acme")
        assert desk.client.post(f"/adoptions/{2**63}/runs", headers=SAME_ORIGIN).status_code == 404
        with engine.begin() as connection:
            waiting = select(events.c.id).where(events.c.dispatched_at.is_(None))
            assert [f"/adoptions/{event}/runs" for event in connection.scalars(waiting)] == [path]
    engine.dispose()


def test_what_has_moved_on_since_the_page_was_shown_is_not_adopted(
    open_desk: OpenDesk, database: Database
) -> None:
    engine = database.writer()
    event_id = add(engine)
    vove_said(engine, "COMPLETED")
    with vove() as stand_in:
        desk = opened(open_desk, database, stand_in)
        moved = adopt(desk, event_id - 1, "COMPLETED")
        other = adopt(desk, event_id, "REJECTED")
        unknown = adopt(desk, "", "REJECTED", ref_id="nobody")
    assert "the case has moved on since" in page(desk, moved.headers["Location"])
    assert "VOVE says something else" in page(desk, other.headers["Location"])
    assert unknown.headers["Location"].endswith("vove=unknown")
    engine.dispose()


def test_a_case_that_is_not_known_opens_once_vove_was_asked(open_desk: OpenDesk, database: Database) -> None:
    ref_id = "a b/c?\r\nd"
    path = f"/cases/{quote(ref_id, safe='')}"
    with vove(case(ref_id, "COMPLETED")) as stand_in:
        desk = opened(open_desk, database, stand_in)
        assert desk.client.get(path).status_code == 404
        assert check(desk, ref_id).status_code == 303
        assert "No status change of it has reached us." in page(desk, path)
        assert f'value="{quote(ref_id)}"' in desk.client.get(path).text
        adopt(desk, "", "COMPLETED", ref_id, name=quote(f"{ref_id} Ltd".replace("\r\n", " ")))
        assert "the case began before" in page(desk, path)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("IN_REVIEW", "IN_REVIEW", "We agree."),
        ("IN_REVIEW", None, "VOVE's search found no case with this reference."),
        ("IN_REVIEW", "ON_HOLD", "ON_HOLD"),
        (None, "NOT_STARTED", "We agree: VOVE sends nothing until it begins."),
        (None, None, "VOVE's search found no case with this reference."),
    ],
)
def test_the_box_says_how_the_two_compare(
    open_desk: OpenDesk, database: Database, ours: str | None, theirs: str | None, words: str
) -> None:
    engine = database.writer()
    if ours:
        add(engine, way=("NOT_STARTED", ours))
    with vove(*([case("acme", theirs)] if theirs else [])) as stand_in:
        desk = opened(open_desk, database, stand_in)
        check(desk)
        assert words in page(desk)
    engine.dispose()


@pytest.mark.parametrize(
    ("faults", "trouble"),
    [
        ([Answer(401)], Trouble.KEY),
        ([Answer(429, headers={"Retry-After": "60"})], Trouble.BUSY),
        ([Answer(500)] * 2, Trouble.FAILING),
        ([Answer(act="hang")] * 2, Trouble.SLOW),
        ([Answer(act="reset")] * 2, Trouble.UNREACHABLE),
        ([Answer(body=b"<html>Sign in</html>")], Trouble.STRANGE),
        ([Answer(302, headers={"Location": "https://elsewhere.example"})], Trouble.ELSEWHERE),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_vove_that_cannot_be_asked_is_told_in_words(
    open_desk: OpenDesk, database: Database, faults: list[Answer], trouble: Trouble
) -> None:
    engine = database.writer()
    add(engine)
    with vove() as stand_in:
        stand_in.faults = faults
        desk = opened(open_desk, database, stand_in)
        answer = check(desk)
    text = page(desk, answer.headers["Location"])
    assert SENTENCES[trouble].replace("'", "&#39;") in text
    assert KEY not in text + str(answer.headers)
    with engine.begin() as connection:
        assert connection.execute(select(vove_views)).all() == []
    engine.dispose()


def test_two_who_press_at_once_ask_once(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    add(engine)
    with vove(case("acme")) as stand_in:
        desk = opened(open_desk, database, stand_in)
        people = [threading.Thread(target=check, args=(desk,)) for _ in range(4)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        assert len(stand_in.asked) == 1
        check(desk)  # and a moment later not again
        assert len(stand_in.asked) == 1
        assert "Here it is In review" in page(desk)
    engine.dispose()


def test_while_vove_is_slow_others_can_write(
    open_desk: OpenDesk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.writer()
    add(engine)
    with vove(case("acme")) as stand_in:
        stand_in.faults = [Answer(act="hang")]
        desk = opened(open_desk, database, stand_in)
        waiting = threading.Thread(target=check, args=(desk,))
        waiting.start()
        while not stand_in.asked:
            pass
        with engine.begin() as connection:  # would wait, and fail, behind an open transaction
            add_event(connection, "other")
        assert waiting.is_alive()
        waiting.join()
    engine.dispose()


def test_without_a_key_there_is_no_box_and_nothing_is_asked(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    add(engine)
    desk = open_desk(database).signed_in()

    assert "vove_title" not in page(desk)
    answer = check(desk)

    assert answer.headers["Location"].endswith("vove=off")
    engine.dispose()


def test_a_viewer_sees_what_vove_said_and_can_do_nothing(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    event_id = add(engine)
    vove_said(engine, "COMPLETED")
    with vove(case("acme")) as stand_in:
        desk = opened(open_desk, database, stand_in, role="viewer")
        text = page(desk)
        assert "Here it is In review" in text
        assert "/checks" not in text
        assert "/adoptions" not in text
        assert check(desk).status_code == 403
        assert adopt(desk, event_id, "COMPLETED").status_code == 403
        runs_for_it = desk.client.post(f"/adoptions/{event_id}/runs", headers=SAME_ORIGIN)
        assert runs_for_it.status_code == 403
        assert stand_in.asked == []
    engine.dispose()


def test_a_word_of_long_ago_is_shown_but_must_be_asked_for_again(
    open_desk: OpenDesk, database: Database
) -> None:
    engine = database.writer()
    event_id = add(engine, way=("NOT_STARTED", "IN_REVIEW"))
    with engine.begin() as connection:
        connection.execute(update(cases).values(status_since=NOW - 3 * DAY, newest_message_at=NOW - 3 * DAY))
    vove_said(engine, "COMPLETED", at=NOW - 2 * HOUR)
    with vove() as stand_in:
        desk = opened(open_desk, database, stand_in)
        assert "check again first" in page(desk)
        assert adopt(desk, event_id, "COMPLETED").headers["Location"].endswith("vove=old")
    engine.dispose()


def test_the_list_of_differences_leads_to_the_cases(
    open_desk: OpenDesk, any_database: Database, engine: Engine
) -> None:
    add(engine, "stuck")
    add(engine, "renamed", name="Before Ltd")
    add(engine, "agrees")
    vove_said(engine, "COMPLETED", "stuck")
    vove_said(engine, "IN_REVIEW", "renamed", name="After Ltd")
    vove_said(engine, "IN_REVIEW", "agrees")
    vove_said(engine, "REJECTED", "not known")
    desk = open_desk(any_database).signed_in()

    listed = page(desk, "/differences")

    assert "/cases/stuck" in listed
    assert "/cases/not%20known" in listed
    assert "at VOVE “After Ltd”" in listed
    assert "/cases/agrees" not in listed
    assert "3 cases differ from what VOVE says" in page(desk, "/cases")
    part = desk.client.get("/differences", headers=PARTIAL).text
    assert part.startswith('<section id="differences"')


def test_where_nothing_differs_the_list_says_so_and_nothing_leads_to_it(
    open_desk: OpenDesk, database: Database
) -> None:
    desk = open_desk(database).signed_in()

    assert "No differences known." in page(desk, "/differences")
    assert "differ from what VOVE says" not in page(desk, "/cases")


def test_long_lists_of_differences_have_pages(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    with engine.begin() as connection:
        for number in range(60):
            said = [VoveCase(f"unknown-{number}", "COMPLETED")]
            views.keep(connection, said, NOW, "ana@example.com", since=NOW)
    desk = open_desk(database).signed_in()

    first = page(desk, "/differences")

    assert first.count("difference_") == 50
    following = first.split('rel="next" href="')[1].split('"')[0]
    assert page(desk, following.replace("&amp;", "&")).count("difference_") == 10
    engine.dispose()


def test_what_strangers_write_harms_nobody(open_desk: OpenDesk, database: Database) -> None:
    engine = database.writer()
    ref_id = "acme " + HOSTILE
    vove_said(engine, "X" + HOSTILE, ref_id, name=HOSTILE)
    with vove() as stand_in:
        desk = opened(open_desk, database, stand_in)
        for path in ("/differences", f"/cases/{quote(ref_id, safe='')}"):
            text = page(desk, path)
            assert "<script>alert" not in text
            exact = r'(data-copy|value)="[^"]*"'  # what is copied or edited is the very text
            assert "\u202e" not in re.sub(exact, "", text)
        adopt(desk, "", "X" + HOSTILE, ref_id, name=quote(HOSTILE))
        with engine.begin() as connection:
            event_id = connection.execute(select(events.c.id)).scalar_one()
        assert "<script>alert" not in page(desk, f"/adoptions/{event_id}")
    engine.dispose()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"ref": ""},
        {"ref": "a%00b"},
        {"ref": "a" * 20_000},
        {"ref": "acme"},
        {"ref": "acme", "event": "x", "status": "COMPLETED"},
        {"ref": "acme", "event": "-1", "status": "COMPLETED"},
        {"ref": "acme", "event": "1", "status": "COMPLETED"},
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(desk: Desk, form: dict[str, str]) -> None:
    answer = desk.signed_in().client.post("/adoptions", data=form, headers=SAME_ORIGIN)

    assert answer.status_code == 400


def test_only_what_was_taken_over_has_a_page_of_its_own(desk: Desk) -> None:
    engine = desk.database.writer()
    event_id = add(engine)

    assert desk.signed_in().client.get(f"/adoptions/{event_id}").status_code == 404
    engine.dispose()
