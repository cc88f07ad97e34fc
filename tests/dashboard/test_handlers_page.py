"""The handlers' page and the brake: on the page, around every page, and in the command."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, make_url, select

from dashboard.queries.handlers import HandlerOnPage, find_handlers
from dashboard.tally import HEIGHT, Day, Tally, rate
from receiver.database import Database
from receiver.models import Outcome, RunState, attempt_counts, day_of, pauses, runs
from receiver.runs import ALL, pause
from tests.dashboard.desk import PARTIAL, SAME_ORIGIN, Desk
from tests.dashboard.reading import read
from tests.desk import Desk as Processes
from tests.desk import eventually, running, signed_in
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    NOON,
    add_attempt,
    add_case,
    add_handler,
    add_message,
    add_run,
    add_worker,
    writing,
)

TODAY = day_of(NOON)


def test_no_handlers_are_told_with_what_to_do(desk: Desk) -> None:
    page = desk.signed_in().client.get("/handlers").text
    assert "No handlers are set up." in page
    assert "KYBDESK_HANDLERS" in page
    assert "Pause" not in page.split("<main")[1]


def test_a_handler_says_when_it_is_called(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(
            connection, "a", "Enable", statuses=["COMPLETED"], leaving='["COMPLETED"]', effect="account"
        )
        add_handler(connection, "b", "Tell", statuses=["COMPLETED", "REJECTED"], once=True, effect="customer")
        add_handler(connection, "c", "Note it", statuses=[])
        add_handler(connection, "d", "Suspend", statuses=[], leaving='["COMPLETED"]')
    page = _words(desk.signed_in().client.get("/handlers").text)
    for sentence in (
        "Called when a case becomes Completed, and when it leaves Completed. ",
        "It switches the business's account on or off.",
        "Called when a case becomes Completed or Rejected. It tells the customer. ",
        "What it does can't be taken back: where a try may have done it already, a person decides",
    ):
        assert sentence in page
    assert "Called for every message of VOVE's, whatever its status." in page
    assert "Called when a case becomes something else after Completed." in page
    assert "The function a of the module acme.handlers" in page


def test_figures_are_those_of_the_kept_counts(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_handler(connection)
        _count(connection, TODAY, Outcome.SUCCEEDED, 8, took=800, longest=300)
        _count(connection, TODAY - 6, Outcome.FAILED, 2, took=200, longest=150)
        _count(connection, TODAY - 7, Outcome.TIMED_OUT, 10, took=9000, longest=1000)
        _count(connection, TODAY - 30, Outcome.FAILED, 99, took=1, longest=99_999)
        _count(connection, TODAY, Outcome.SUCCEEDED, 5, handler="another")
    (handler,) = _found(any_database)
    assert handler.tally.week == Day(done=8, not_done=2, took=1000, longest=300)
    assert handler.tally.month == Day(done=8, not_done=12, took=10_000, longest=1000)
    assert handler.tally.last_done_day == NOON.date()


def test_the_last_success_and_failure_lead_to_their_runs(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_handler(connection, last_failed_at=NOON - HOUR, last_failed_run_id=4711)
        add_handler(connection, "other", "Other")
        *_, first, second = add_case(connection)
        later = add_run(connection, first, RunState.SUCCEEDED, finished_at=NOON + HOUR)
        add_run(connection, second, RunState.SUCCEEDED, finished_at=NOON)
        failed = add_run(connection, first, RunState.FAILED, handler="other")
    notify, other = _found(any_database)
    assert notify.last_done is not None
    assert (notify.last_done.run_id, notify.last_done.at) == (later, NOON + HOUR)
    assert (notify.last_failed_run_id, notify.open_runs) == (4711, [])
    assert other.last_done is None
    assert [run.id for run in other.open_runs] == [failed]


def test_what_waits_is_counted_for_each_handler(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_handler(connection)
        add_handler(connection, "other", "Other")
        for number, state in enumerate(
            [RunState.QUEUED, RunState.RETRYING, RunState.RUNNING, RunState.FAILED]
        ):
            add_run(connection, add_case(connection, f"ACME-{number}")[-1], state)
    assert [handler.waiting for handler in _found(any_database)] == [2, 0]


def test_one_that_was_taken_away_stands_last_with_what_it_owes(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, "old", "A first title", removed_at=NOON)
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], handler="old")
    page = desk.signed_in().client.get("/handlers").text
    gone = page[page.index('id="gone"') :]
    assert "A first title" in gone
    assert "1 task needs" in _words(gone)
    assert f'href="/runs/{run}"' in gone
    assert "Pause “A first title" not in page


def test_what_needs_a_person_is_counted_beyond_the_latest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.queries.handlers.LOOKED_AT", 1)
    with writing(desk.database) as connection:
        add_handler(connection, "old", "Old", removed_at=NOON)
        add_handler(connection)
        for number, handler in enumerate(["old", "old", "notify_customer", "notify_customer"]):
            add_run(connection, add_case(connection, f"ACME-{number}")[-1], handler=handler)
    page = _words(desk.signed_in().client.get("/handlers").text)
    assert re.search("Needs a person ?2", page)
    assert "2 tasks need a person See Runs" in page
    assert "It owes nothing" not in page


@pytest.mark.parametrize(
    ("done", "not_done", "shown"),
    [
        (0, 0, "—"),
        (1, 0, "100 %"),
        (0, 3, "0 %"),
        (1, 1, "50 %"),
        (2, 1, "66.7 %"),
        (9999, 1, "99.9 %"),
        (1, 9999, "0.1 %"),
    ],
)
def test_a_rate_is_whole_only_where_it_is(done: int, not_done: int, shown: str) -> None:
    assert rate(Day(done, not_done)) == shown


def test_bars_tell_little_from_nothing_and_stay_in_their_picture() -> None:
    tally = Tally(TODAY, {TODAY: Day(1000, 1), TODAY - 13: Day(0, 1), TODAY - 14: Day(9, 9)})
    bars = tally.bars
    assert len(bars) == 14
    assert [bar.at for bar in bars if bar.day.tried] == [(NOON - 13 * DAY).date(), NOON.date()]
    assert bars[-1].done_height + bars[-1].not_done_height == HEIGHT
    assert bars[0].not_done_height > 0
    assert bars[1].done_height == bars[1].not_done_height == 0
    assert Tally(TODAY).bars == []


# The brake


def test_one_handler_is_paused_with_a_reason_that_every_page_shows_and_resumed(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
    desk.signed_in()
    answer = _pause(desk, "notify_customer", " The text is wrong ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/handlers")
    assert _paused(desk.database) == [("notify_customer", "The text is wrong", "ana@example.com")]
    for path in ("/handlers", "/cases", "/runs", "/notices"):
        page = _words(desk.client.get(path).text)
        assert "“Notify customer” is paused by ana@example.com just now: “The text is wrong”" in page
    assert "Resume “Notify customer”" in desk.client.get("/handlers").text
    assert _resume(desk, "notify_customer").status_code == 303
    assert _paused(desk.database) == []
    assert "is paused by" not in desk.client.get("/handlers").text


def test_all_are_paused_and_each_says_so(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        add_handler(connection, "other", "Other")
    desk.signed_in()
    assert _pause(desk, ALL, "VOVE repeats everything").status_code == 303
    page = desk.client.get("/handlers").text
    assert (
        "All handlers are paused by ana@example.com just now: “VOVE repeats everything”. Their tasks wait."
        in _words(page)
    )
    assert page.count("<span>Paused</span>") == 2
    assert "Resume all handlers" in page


def test_a_second_press_changes_nothing_and_shows_who_was_first(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        pause(connection, "notify_customer", "First", "ben@example.com", NOON)
    desk.signed_in()
    assert _pause(desk, "notify_customer", "Second").status_code == 303
    assert _paused(desk.database) == [("notify_customer", "First", "ben@example.com")]
    assert "paused by ben@example.com" in desk.client.get("/handlers").text
    for _ in range(2):
        assert _resume(desk, "notify_customer").status_code == 303


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301, "\0", None])
def test_a_pause_needs_a_reason_that_can_be_kept(desk: Desk, reason: str | None) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
    answer = _pause(desk.signed_in(), "notify_customer", reason)
    assert answer.status_code == 400
    assert "Nothing was paused" in answer.text
    assert _paused(desk.database) == []


def test_a_handler_that_there_is_not_is_not_paused(desk: Desk) -> None:
    answer = _pause(desk.signed_in(), "nobody", "Why not")
    assert answer.status_code == 404
    assert "No such handler" in answer.text
    for handler in ("", "\0"):
        assert _pause(desk, handler, "Why not").status_code == 400
    assert _paused(desk.database) == []


@pytest.mark.parametrize("role", ["operator", "lead", "admin"])
def test_who_may_re_process_may_pause(desk: Desk, role: str) -> None:
    assert _pause(desk.signed_in(role), ALL, "Stop").status_code == 303


def test_a_viewer_sees_the_pause_and_no_button_and_is_refused(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        pause(connection, "notify_customer", "The text is wrong", "ben@example.com", NOON)
    desk.signed_in("viewer")
    page = desk.client.get("/handlers").text
    assert "The text is wrong" in page
    assert 'action="/handlers/' not in page
    assert _pause(desk, ALL, "Stop").status_code == 403
    assert _resume(desk, "notify_customer").status_code == 403
    assert len(_paused(desk.database)) == 1


def test_another_site_pauses_nothing(desk: Desk) -> None:
    desk.signed_in()
    form = {"handler": ALL, "reason": "Stop"}
    answer = desk.client.post("/handlers/pause", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert _paused(desk.database) == []


def test_several_pauses_are_one_notice(desk: Desk) -> None:
    with writing(desk.database) as connection:
        for name in "abcd":
            add_handler(connection, name, f"Task {name}")
            pause(connection, name, "Why", "ben@example.com", NOON)
    page = _words(desk.signed_in().client.get("/cases").text)
    assert "4 handlers are paused: “Task a”, “Task b”, “Task c” and others." in page


def test_the_part_of_the_page_is_answered_alone(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
    part = desk.signed_in().client.get("/handlers", headers=PARTIAL).text
    assert part.lstrip().startswith('<section id="handlers"')
    assert "<html" not in part


def test_hostile_text_of_handlers_and_pauses_is_shown_as_text(desk: Desk) -> None:
    lists = {"statuses": [HOSTILE], "leaving": json.dumps([HOSTILE])}
    with writing(desk.database) as connection:
        add_worker(connection)
        for name, removed_at in ((HOSTILE, None), (HOSTILE + "2", NOON)):
            add_handler(connection, name, HOSTILE, module=HOSTILE, removed_at=removed_at, **lists)
            pause(connection, name, HOSTILE, HOSTILE, NOON)
        add_run(connection, add_case(connection, HOSTILE)[-1], handler=HOSTILE + "2")
    desk.signed_in()
    for path in ("/handlers", "/notices"):
        page = desk.client.get(path).text
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<b>&" not in page
        assert "{{ 7*7 }}" in page
    assert "\u202e" not in re.sub(r'(value|id|for)="[^"]*"', "", page)


# What the pages of runs say


def test_a_run_of_a_paused_handler_says_by_whom_and_why(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        *_, first, second = add_case(connection, "ACME-1")
        waiting = add_run(connection, first, RunState.QUEUED)
        failed = add_run(connection, second)
        pause(connection, "notify_customer", "The text is wrong", "ben@example.com", NOON)
    desk.signed_in()
    page = _words(desk.client.get(f"/runs/{waiting}").text)
    assert "paused by ben@example.com: The text is wrong" in page
    assert "until somebody resumes it on Handlers." in page
    assert "paused by ben@example.com" in desk.client.get("/runs?tab=waiting").text
    assert "paused by ben@example.com: The text is wrong" in _words(desk.client.get("/cases/ACME-1").text)
    page = _words(desk.client.get(f"/runs/{failed}").text)
    assert "was not done" in page
    assert "it would wait until somebody resumes it" in page


def test_a_run_of_a_handler_that_was_taken_away_can_t_be_re_processed(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection, removed_at=NOON)
        *_, first, second = add_case(connection, "ACME-1")
        failed = add_run(connection, second)
        done = add_run(connection, first, RunState.SUCCEEDED)
    desk.signed_in()
    page = desk.client.get(f"/runs/{failed}").text
    assert "its handler was renamed or taken away" in page
    assert "Re-process" not in page
    assert "Re-process" not in desk.client.get("/cases/ACME-1").text
    assert "Do it again" not in desk.client.get(f"/runs/{done}").text
    answer = desk.client.post(f"/runs/{failed}/reprocess", data={"tries": "1"}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert "nobody could do it" in desk.client.get(answer.headers["location"]).text
    with writing(desk.database) as connection:
        assert connection.execute(select(runs.c.state).where(runs.c.id == failed)).scalar_one() == "failed"


def test_an_uncertain_order_is_told_before_the_button(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1", uncertain=True)[-1])
        calm = add_run(connection, add_case(connection, "ACME-2")[-1])
    desk.signed_in()
    caution = "The order of the status changes is not certain. Compare with VOVE before you press"
    for path in (f"/runs/{run}", "/cases/ACME-1"):
        page = desk.client.get(path).text
        assert page.index(caution) < page.index("Re-process: notify customer")
    assert caution not in desk.client.get(f"/runs/{calm}").text


def test_a_try_says_what_it_changed_and_what_it_sent(desk: Desk) -> None:
    changes = [
        ["account_status", None, "active"],
        ["verified_at", None, "2026-03-05 12:00:00+00:00"],
        ["access_granted", False, True],
        ["review_status", "IN_REVIEW", "COMPLETED"],
        ["name", "Acme", None],
    ]
    with writing(desk.database) as connection:
        add_handler(connection)
        run = add_run(connection, add_case(connection, "ACME-1")[-1], RunState.SUCCEEDED, tries=2)
        add_attempt(connection, run, number=1)
        add_attempt(connection, run, Outcome.SUCCEEDED, number=2, changes=json.dumps(changes))
        add_message(connection, run, text="word " * 1000, language="tlh")
    desk.signed_in()
    for path in (f"/runs/{run}", "/cases/ACME-1"):
        page = _words(desk.client.get(path).text)
        for words in (
            "Account: not enabled → active",
            "Verified: not verified → 5 Mar 2026, 12:00 UTC",
            "Access: not granted → granted",
            "Review: In review → Completed",
            "Name: Acme → none",
            "E-mail to owner@acme.example, in tlh",
            "“Your verification”",
        ):
            assert words in page, (path, words)
        assert page.count("Account: not enabled") == 1
    assert "the whole text" in desk.client.get("/cases/ACME-1").text
    assert "word " * 1000 in desk.client.get(f"/runs/{run}").text


def test_a_try_in_doubt_has_its_word_and_its_warning(desk: Desk) -> None:
    with writing(desk.database) as connection:
        run = add_run(connection, add_case(connection, "ACME-1")[-1], once=True)
        add_attempt(connection, run, Outcome.IN_DOUBT)
    page = desk.signed_in().client.get(f"/runs/{run}").text
    assert "In doubt" in page
    assert "may have been" in page
    assert "it may happen twice" in page


# The command


@pytest.fixture
def processes(tmp_path: Path, migrated_file: Path) -> Processes:
    shutil.copyfile(migrated_file, tmp_path / "kybdesk.db")
    processes = Processes(tmp_path)
    for email in ("ana@example.com", "ben@example.com"):
        processes.add_user(email=email)
    return processes


def test_the_command_pauses_one_or_all_and_shows_what_is_paused(processes: Processes) -> None:
    _register(processes)
    one = processes.command("pause", "tell", "--reason", "The text is wrong", "--by", "Ana@Example.com")
    assert one.returncode == 0, one.stderr
    assert one.stdout.splitlines()[0] == "tell: paused."
    everything = processes.command("pause", "--reason", "Stop", "--by", "ana@example.com")
    assert everything.stdout.splitlines()[0] == "all handlers: paused."
    assert [line.split(",")[0] for line in everything.stdout.splitlines()[1:]] == [
        "  paused  all handlers  by ana@example.com",
        "  paused  tell  by ana@example.com",
    ]
    again = processes.command("pause", "tell", "--reason", "Other", "--by", "ben@example.com")
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "tell: was paused already.")
    assert "The text is wrong" in again.stdout
    lifted = processes.command("resume", "--by", "ben@example.com")
    assert lifted.stdout.splitlines()[0] == "all handlers: resumed by ben@example.com."
    assert "tell  by ana@example.com" in lifted.stdout
    last = processes.command("resume", "tell", "--by", "ben@example.com").stdout.splitlines()
    assert last == ["tell: resumed by ben@example.com.", "  Nothing is paused."]
    assert processes.command("resume", "tell", "--by", "ben@example.com").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (
            ["pause", "nobody", "--reason", "Stop", "--by", "ana@example.com"],
            1,
            "There is no handler 'nobody': there are tell",
        ),
        (["resume", "nobody", "--by", "ana@example.com"], 1, "There is no handler 'nobody'"),
        (["pause", "tell", "--by", "ana@example.com"], 2, "--reason"),
        (["pause", "tell", "--reason", " ", "--by", "ana@example.com"], 2, "Give a reason"),
        (["pause", "tell", "--reason", "x" * 301, "--by", "ana@example.com"], 2, "300 characters"),
        (["pause", "tell", "--reason", "Stop", "--by", "ana"], 2, "no e-mail address"),
        (["pause", "tell", "--reason", "Stop"], 2, "--by"),
    ],
)
def test_the_command_refuses_in_words(
    processes: Processes, arguments: list[str], code: int, why: str
) -> None:
    _register(processes)
    ended = processes.command(*arguments)
    assert ended.returncode == code
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr
    assert processes.rows("SELECT * FROM pauses") == []


HANDLERS = """
from receiver.handlers import Done, Message, handles

@handles("COMPLETED", effect="account", title="Enable the account")
def enable(event, context):
    return Done("Enabled", business={"account_status": "active"})

@handles("COMPLETED", effect="customer", title="Tell the customer")
def tell(event, context):
    return Done("Told", messages=[Message("owner@acme.example", "Welcome", "You are in.")])
"""


def test_a_pause_by_command_holds_the_worker_and_pages_tell_all_the_way(tmp_path: Path) -> None:
    with running(Processes(tmp_path, HANDLERS)) as desk, signed_in(desk) as browser:
        eventually(lambda: len(desk.rows("SELECT * FROM handlers")) == 2)
        desk.add_user(email="ben@example.com")
        paused = desk.command("pause", "tell", "--reason", "The text is wrong", "--by", "ben@example.com")
        assert paused.returncode == 0, paused.stderr
        assert desk.send("ACME-1", "COMPLETED", previous_status="IN_REVIEW").is_success
        eventually(lambda: desk.rows("SELECT * FROM businesses WHERE account_status = 'active'"))
        page = _words(browser.get("/cases/ACME-1").text)
        assert re.search(r"Account Enabled since \d", page)
        assert "Not told yet “Tell the customer” is paused by ben@example.com: The text is wrong" in page
        assert desk.command("resume", "tell", "--by", "ben@example.com").returncode == 0
        eventually(lambda: desk.rows("SELECT * FROM messages"))
        page = _words(browser.get("/cases/ACME-1").text)
        assert "E-mail to owner@acme.example, in English “Welcome” You are in." in page
        assert "Account: not enabled → active" in page
        page = _words(browser.get("/handlers").text)
        assert page.count("Worked, 7 days100 % of 1") == 2
        assert "paused by" not in page


def _register(processes: Processes) -> None:
    database = Database(make_url(f"sqlite+aiosqlite:///{processes.directory / 'kybdesk.db'}"))
    with writing(database) as connection:
        add_handler(connection, "tell", "Tell the customer")


def _pause(desk: Desk, handler: str, reason: str | None) -> Any:
    form = {"handler": handler} | ({"reason": reason} if reason is not None else {})
    return desk.client.post("/handlers/pause", data=form, headers=SAME_ORIGIN)


def _resume(desk: Desk, handler: str) -> Any:
    return desk.client.post("/handlers/resume", data={"handler": handler}, headers=SAME_ORIGIN)


def _paused(database: Database) -> list[tuple[str, str, str]]:
    with writing(database) as connection:
        rows = connection.execute(select(pauses.c.handler, pauses.c.reason, pauses.c.paused_by))
        return [tuple(row) for row in rows]


def _found(database: Database) -> list[HandlerOnPage]:
    return read(database, lambda reader: find_handlers(reader, NOON))


def _count(
    connection: Connection,
    day: int,
    outcome: str,
    n: int,
    took: int = 0,
    longest: int = 0,
    handler: str = "notify_customer",
) -> None:
    values = {"handler": handler, "day": day, "outcome": outcome, "n": n, "took": took, "longest": longest}
    connection.execute(insert(attempt_counts).values(values))


def _words(page: str) -> str:
    """What is read: without mark-up, and with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)).replace(" .", ".")
