"""Many runs on one word: from what a list counted to a preview, a confirmation, progress, and a stop."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from receiver import runs as runs_room
from receiver.models import RunState, batch_items, batches, runs, to_microseconds
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk
from tests.factories import HOSTILE, WAY, add_case, add_failure, add_handler, add_run, writing


def ask(desk: Desk, do: str = "reprocess all", **fields: Any) -> Any:
    shown = to_microseconds(datetime.now(UTC))
    return desk.client.post("/batches", data={"do": do, "shown": shown} | fields, headers=SAME_ORIGIN)


def press(desk: Desk, batch: str, what: str = "confirm", **fields: str) -> Any:
    return desk.client.post(f"{batch}/{what}", data=fields, headers=SAME_ORIGIN)


def drafted(desk: Desk, do: str = "reprocess all", **fields: Any) -> str:
    """The address of its preview."""
    answer = ask(desk, do, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def failing(desk: Desk, effect: str | None = "customer", cases: int = 3) -> list[int]:
    with writing(desk.database) as connection:
        add_handler(connection, effect=effect)
        return [add_run(connection, add_case(connection, f"ACME-{n}")[-1]) for n in range(cases)]


def work(desk: Desk) -> None:
    with writing(desk.database) as connection:
        while runs_room.advance(connection, datetime.now(UTC)):
            pass


def states(desk: Desk) -> list[str]:
    with writing(desk.database) as connection:
        return list(connection.execute(select(runs.c.state).order_by(runs.c.id)).scalars())


def test_a_preview_says_how_many_and_what_will_go_out_and_starts_nothing(desk: Desk) -> None:
    failing(desk)
    page = desk.signed_in().client.get(drafted(desk)).text
    assert "Re-process 3 tasks?" in page
    assert "up to <strong>3 e-mails to customers" in page
    assert "Nothing has started yet." in page
    assert states(desk) == ["failed"] * 3


@pytest.mark.parametrize(
    ("effect", "way", "out"),
    [
        ("account", (*WAY[:-1], "COMPLETED"), "1 account enabled"),
        ("account", WAY, "1 account suspended"),
        (None, WAY, "1 call of “Notify customer”"),
    ],
)
def test_what_will_go_out_is_said_by_the_handler_s_effect(
    desk: Desk, effect: str | None, way: tuple[str, ...], out: str
) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect=effect)
        add_run(connection, add_case(connection, way=way)[-1])
    assert out in desk.signed_in().client.get(drafted(desk)).text


def test_who_is_skipped_and_why_stands_in_the_preview(desk: Desk) -> None:
    failing(desk)
    with writing(desk.database) as connection:
        add_run(connection, add_case(connection, "MOVED")[0])
    page = desk.signed_in().client.get(drafted(desk)).text
    assert "Re-process 3 tasks?" in page
    assert "Skipped: 1 task" in page
    assert "Case moved on" in page
    only = desk.client.get(drafted(desk) + "?only=moved+on").text
    assert "MOVED" in only
    assert "ACME-1" not in only.split("<main")[1]


def test_it_is_confirmed_with_its_number_and_carried_out_with_progress(desk: Desk) -> None:
    failing(desk)
    batch = drafted(desk.signed_in())
    answer = press(desk, batch, number="3")
    assert (answer.status_code, answer.headers["location"]) == (303, batch)
    assert "0 of 3 seen to" in desk.client.get(batch).text
    work(desk)
    page = desk.client.get(batch).text
    assert "Re-processed 3 tasks" in page
    assert "ana@example.com started it" in page
    assert states(desk) == ["queued"] * 3
    assert "Waiting" in page
    assert desk.client.get(batch, headers=PARTIAL).text.lstrip().startswith('<article id="batch"')
    assert "Re-processed: what needs a person" in desk.client.get("/batches").text


def test_what_somebody_else_chose_or_started_says_so_beside_its_button(
    desk: Desk,
) -> None:
    failing(desk)
    batch = drafted(desk.signed_in())
    assert "not by you" not in desk.client.get(batch).text
    desk.add_user(email="ben@example.com")
    desk.sign_in("ben@example.com")
    chosen = "Chosen by <bdi>ana@example.com</bdi>, not by you. If you start it, the activity names you."
    assert beside_the_button(desk, batch) == chosen
    assert press(desk, batch, number="3").status_code == 303
    assert "not by you" not in desk.client.get(batch).text
    desk.sign_in()
    started = "Started by <bdi>ben@example.com</bdi>, not by you. If you stop it, the activity names you."
    assert beside_the_button(desk, batch) == started
    assert press(desk, batch, "stop").status_code == 303
    assert "ana@example.com stopped it" in desk.client.get(batch).text


def beside_the_button(desk: Desk, batch: str) -> str:
    page = desk.client.get(batch).text
    [said] = re.findall(r'<p class="batch__whose">(.*?)</p>\s*<button', page)
    return str(said)


@pytest.mark.parametrize("number", ["2", "4", "", "three", "-3", "3.5"])
def test_another_number_starts_nothing_and_says_so(desk: Desk, number: str) -> None:
    failing(desk)
    answer = press(desk, batch := drafted(desk.signed_in()), number=number)
    assert answer.status_code == 422
    assert "These are 3 tasks" in answer.text
    work(desk)
    assert states(desk) == ["failed"] * 3
    assert press(desk, batch, number=" 3 ").status_code == 303


def test_of_very_many_the_number_is_typed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.pages.batches.TYPED_FROM", 3)
    failing(desk)
    page = desk.signed_in().client.get(drafted(desk)).text
    assert "Type the number of tasks, 3, to start" in page
    assert 'type="hidden" name="number"' not in page


def test_the_ticked_ones_are_taken_as_they_were_shown(desk: Desk) -> None:
    one, other, _ = failing(desk)
    page = desk.signed_in().client.get("/runs?view=list").text
    assert f'value="{one}.1"' in page
    batch = drafted(desk, "reprocess ticked", run=[f"{one}.1", f"{other}.7"])
    page = desk.client.get(batch).text
    assert "Re-process 1 task?" in page
    assert "Tried since" in page
    press(desk, batch, number="1")
    work(desk)
    assert states(desk) == ["queued", "failed", "failed"]


def test_nothing_ticked_is_told(desk: Desk) -> None:
    answer = ask(desk.signed_in(), "reprocess ticked")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/runs?tab=person")
    assert "no task was ticked" in desk.client.get(answer.headers["location"]).text


def test_the_group_of_one_failure_is_taken(desk: Desk) -> None:
    failing(desk)
    with writing(desk.database) as connection:
        failure = add_failure(connection, kind="TimeoutError", error="It took too long")
        add_run(connection, add_case(connection, "SLOW")[-1], fingerprint=failure)
    page = desk.signed_in().client.get(drafted(desk, failure=failure)).text
    assert "Re-process 1 task?" in page
    assert "Notify customer: It took too long" in page


def test_what_failed_after_the_page_was_shown_is_not_in_it(desk: Desk) -> None:
    failing(desk)
    shown = to_microseconds(datetime.now(UTC))
    with writing(desk.database) as connection:
        add_run(connection, add_case(connection, "LATER")[-1], at=datetime.now(UTC))
    assert "Re-process 3 tasks?" in desk.signed_in().client.get(drafted(desk, shown=shown)).text


def test_a_stop_leaves_the_rest_as_it_was(desk: Desk) -> None:
    failing(desk)
    batch = drafted(desk.signed_in())
    press(desk, batch, number="3")
    assert "Stop: leave the other 3 as they are" in desk.client.get(batch).text
    assert press(desk, batch, "stop").headers["location"] == batch
    work(desk)
    assert states(desk) == ["failed"] * 3
    assert "Stopped: re-processed 0 of 3 tasks" in desk.client.get(batch).text
    assert press(desk, batch, "stop").status_code == 303


def test_what_was_done_is_repeated_only_with_a_reason(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, effect="customer")
        run = add_run(connection, add_case(connection)[-1], RunState.SUCCEEDED)
    batch = drafted(desk.signed_in(), "reprocess ticked", tab="done", run=[f"{run}.1"])
    page = desk.client.get(batch).text
    assert "Repeat 1 task?" in page
    assert "Why is it done again?" in page
    answer = press(desk, batch, number="1", repeat_done="yes", reason=" ")
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert press(desk, batch, number="1", repeat_done="yes", reason="it was lost").status_code == 303
    work(desk)
    assert states(desk) == ["queued"]
    assert "it was lost" in desk.client.get(batch).text


def test_a_group_is_closed_with_one_reason(desk: Desk) -> None:
    failing(desk)
    batch = drafted(desk.signed_in(), "close all")
    assert "Close 3 tasks?" in desk.client.get(batch).text
    assert press(desk, batch, number="3", note="typed before").status_code == 422
    assert "typed before" in press(desk, batch, number="3", note="typed before").text
    too_long = press(desk, batch, number="3", reason="not needed", note="x" * 1001).text
    assert "The note may have 1,000 characters, not 1,001." in too_long
    assert "x" * 1001 in too_long
    press(desk, batch, number="3", reason="not needed")
    work(desk)
    assert states(desk) == ["closed"] * 3
    assert "Closed 3 tasks" in desk.client.get(batch).text


def test_a_viewer_sees_it_all_and_starts_nothing(desk: Desk) -> None:
    failing(desk)
    batch = drafted(desk.signed_in())
    desk.add_user("viewer", "vic@example.com")
    desk.client.cookies.clear()
    desk.sign_in("vic@example.com")
    assert ask(desk).status_code == 403
    assert press(desk, batch, number="3").status_code == 403
    assert press(desk, batch, "stop").status_code == 403
    page = desk.client.get(batch).text
    assert "Re-process 3 tasks?" in page
    assert '<button class="main"' not in page
    assert "Re-process" not in desk.client.get("/runs").text.split("<main")[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "delete all"},
        {"do": "reprocess"},
        {"shown": "soon"},
        {"shown": "9" * 40},
        {"do": "reprocess ticked", "run": ["x"]},
        {"do": "reprocess ticked", "run": ["1.1"] * 1001},
        {"do": "reprocess ticked", "run": ["9" * 30 + ".1"]},
    ],
)
def test_a_form_that_says_nonsense_is_refused(desk: Desk, fields: dict[str, Any]) -> None:
    failing(desk)
    desk.signed_in()
    assert ask(desk, **fields).status_code == 400
    with writing(desk.database) as connection:
        assert connection.execute(select(batches.c.id)).all() == []


def test_runs_that_are_not_there_and_batches_that_are_not_there(desk: Desk) -> None:
    page = desk.signed_in().client.get(drafted(desk, "reprocess ticked", run=["4711.1"])).text
    assert "Nothing to take" in page
    for batch in ("/batches/4711", f"/batches/{10**30}"):
        assert desk.client.get(batch).status_code == 404
        assert press(desk, batch, number="1").status_code in {303, 404}
    assert "Nothing yet." in desk.client.get("/batches").text


def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, "evil", HOSTILE)
        failure = add_failure(connection, "evil", error=HOSTILE, kind=HOSTILE, place=HOSTILE)
        given = {"handler": "evil", "fingerprint": failure, "summary": HOSTILE}
        run = add_run(connection, add_case(connection, HOSTILE)[-1], **given)
    desk.signed_in()
    batch = drafted(desk, failure=failure, case=HOSTILE, handler="evil")
    for path in ("/runs", f"/runs?failure={failure}", f"/runs/{run}", batch):
        page = desk.client.get(path).text
        assert "alert(1)" in page, path
        assert "<script>alert" not in page, path
        assert "\u202e" not in page, path
        assert "49" not in page.split("<main")[1].split("alert(1)")[1][:200]


def test_pages_of_each_of_them(desk: Desk) -> None:
    failing(desk, cases=60)
    batch = drafted(desk.signed_in())
    first = desk.client.get(batch).text
    assert first.count('class="batch__item"') == 50
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert desk.client.get(following).text.count('class="batch__item"') == 10
    with writing(desk.database) as connection:
        assert len(connection.execute(select(batch_items.c.run_id)).all()) == 60
