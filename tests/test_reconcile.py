"""Agreement with VOVE over the whole way: `kybdesk reconcile` as people call it, beside running roles."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.desk import EMAIL, Desk, eventually, running, signed_in
from tests.vove_stand_in import KEY, Answer, VoveStandIn, case, vove

HANDLERS = """
from receiver.handlers import handles

@handles("COMPLETED", title="Enable the account")
def enable(event, context):
    return event.payload["status"] + " by " + event.svix_id.split("_")[0]
"""


def desk_of(directory: Path, stand_in: VoveStandIn, module: str = "", **settings: str) -> Desk:
    return Desk(directory, module, VOVE_API_URL=stand_in.url, VOVE_API_KEY=KEY, **settings)


def assert_keeps_the_key(*told: CompletedProcess[str]) -> None:
    for each in told:
        assert KEY not in each.stdout + each.stderr


def test_a_lost_message_is_found_and_taken_over(tmp_path: Path) -> None:
    known = [case("acme", "COMPLETED", "ACME Ltd"), case("fine", "IN_PROGRESS")]
    with vove(*known) as stand_in, running(desk_of(tmp_path, stand_in, HANDLERS)) as desk, signed_in(desk):
        for ref_id in ("acme", "fine", "only-here"):
            assert desk.send(ref_id, "IN_PROGRESS").text == "accepted"

        compared = desk.command("reconcile")
        assert compared.returncode == 1, compared.stderr
        assert "acme  ACME Ltd  ours IN_PROGRESS, VOVE's COMPLETED" in compared.stdout
        assert "VOVE's list did not have 1 case of ours" in compared.stdout
        assert "only-here" in compared.stdout
        assert "fine" not in compared.stdout
        as_json = json.loads(desk.command("reconcile", "--json").stdout)
        assert [each["refId"] for each in as_json["differences"]] == ["acme"]
        assert as_json["notReturned"] == [{"refId": "only-here", "status": "IN_PROGRESS"}]

        # On a person's word, after a question, and with the handlers where that was chosen.
        by = ("--by", EMAIL)
        unasked = desk.command("reconcile", "--adopt", "acme", *by, given="n\n")
        assert "Take over VOVE's view of 1 case? No handler runs for it." in unasked.stdout
        assert desk.rows("SELECT 1 FROM events WHERE adopted_by IS NOT NULL") == []
        taken = desk.command("reconcile", "--adopt", "acme", *by, "--run-handlers", given="y\n")
        assert taken.returncode == 0, taken.stdout + taken.stderr
        assert "acme: taken over: COMPLETED and the name “ACME Ltd”" in taken.stdout
        again = desk.command("reconcile", "--adopt", "acme", *by, "--yes")
        assert "There is nothing to take over." in again.stdout
        eventually(lambda: desk.rows("SELECT 1 FROM runs WHERE state = 'succeeded'"))
        (attempt,) = desk.rows("SELECT result FROM attempts")
        assert attempt["result"] == "COMPLETED by adopted"

        # The lost message comes after all.
        assert desk.send("acme", "IN_REVIEW", previous_status="IN_PROGRESS").text == "accepted"
        assert desk.send("acme", "COMPLETED").text == "accepted"
        (row,) = desk.rows("SELECT * FROM cases WHERE ref_id = 'acme'")
        assert (row["status"], row["uncertain"]) == ("COMPLETED", 0)
        assert desk.command("rebuild-cases", "--check").returncode == 0
        assert_keeps_the_key(compared, unasked, taken, again)
        assert KEY not in desk.log()


def test_all_differences_and_all_names_are_taken_over_at_once(tmp_path: Path) -> None:
    cases = [case(f"acme-{number:02}", "IN_REVIEW", f"Name {number}") for number in range(60)]
    with vove(*cases) as stand_in:
        desk = desk_of(tmp_path, stand_in)
        desk.add_user()
        taken = desk.command("reconcile", "--adopt-all", "--by", EMAIL, "--yes")
        assert taken.returncode == 0, taken.stdout + taken.stderr
        assert taken.stdout.count("taken over: IN_REVIEW") == 60
        stand_in.cases.append(case("later", "NOT_STARTED", "Later Ltd"))
        names = desk.command("reconcile", "--take-names", "--by", EMAIL, "--yes")
        assert "1 name entered into the directory." in names.stdout
        agreed = desk.command("reconcile")

    assert (agreed.returncode, "no difference" in agreed.stdout) == (0, True)
    assert len(desk.rows("SELECT 1 FROM businesses WHERE name LIKE 'Name %'")) == 60
    assert desk.command("rebuild-cases", "--check").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path: Path, number: int) -> None:
    with vove(*[case(f"acme-{number:03}", "NOT_STARTED") for number in range(120)]) as stand_in:
        stand_in.faults_of_pages = {"3": Answer(act="hang")}
        desk = desk_of(tmp_path, stand_in)
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.cli", "reconcile"],
            cwd=tmp_path,
            env=desk.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        eventually(lambda: len(stand_in.asked) == 3)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode in {2, -signal.SIGKILL}
        if number == signal.SIGINT:
            assert "Run it again" in told
            assert "Traceback" not in told
        stand_in.faults_of_pages, stand_in.asked = {}, []

        resumed = desk.command("reconcile")

    assert resumed.returncode == 0, resumed.stderr
    assert "Going on at page 3, after 100 cases" in resumed.stderr
    assert "120 cases of VOVE's compared" in resumed.stdout
    assert stand_in.asked[0].parameters["page"] == "3"
    assert len(desk.rows("SELECT 1 FROM vove_views")) == 120
    assert "Going on" not in desk_of(tmp_path, stand_in).command("reconcile").stderr


def test_what_fails_exits_with_2_and_says_why(tmp_path: Path) -> None:
    with vove() as stand_in:
        desk = desk_of(tmp_path, stand_in)
        desk.add_user("viewer", "vera@example.com")
        stand_in.faults = [Answer(403)]
        wrong_key = desk.command("reconcile")
        stand_in.faults = [Answer(body=b"<html>")]
        strange = desk.command("reconcile")
        nobody = desk.command("reconcile", "--adopt-all")
        stranger = desk.command("reconcile", "--adopt-all", "--by", "who@example.com")
        viewer = desk.command("reconcile", "--adopt-all", "--by", "vera@example.com")
        asking = desk.command("reconcile", "--by", "who@example.com")
        mixed = desk.command("reconcile", "--adopt", "acme", "--fresh")
    no_key = Desk(tmp_path).command("reconcile")

    for told, words in (
        (wrong_key, "VOVE did not accept the API key (VOVE_API_KEY)."),
        (strange, "it holds no list of cases"),
        (nobody, "--by"),
        (stranger, "There is no user who@example.com"),
        (viewer, "may look, but not take over"),
        (asking, "There is no user who@example.com"),
        (mixed, "--adopt asks about single cases"),
        (no_key, "No API key of VOVE's is set up (VOVE_API_KEY)."),
    ):
        assert (told.returncode, words in told.stderr) == (2, True), told.stderr
        assert "Traceback" not in told.stderr
        assert_keeps_the_key(told)


def test_a_list_that_was_not_seen_whole_makes_no_claim_of_missing_cases(tmp_path: Path) -> None:
    with vove(*[case(f"acme-{number:03}", "NOT_STARTED") for number in range(120)]) as stand_in:
        stand_in.ignores = {"page"}
        with running(desk_of(tmp_path, stand_in)) as desk:
            assert desk.send("ours", "IN_PROGRESS").text == "accepted"
            told = desk.command("reconcile")

    assert "VOVE says that there are 120 cases, and its list gave the same page again after 50" in told.stdout
    assert "did not have" not in told.stdout


def test_receiving_never_waits_for_a_comparison(tmp_path: Path) -> None:
    with vove(case("acme")) as stand_in, running(desk_of(tmp_path, stand_in)) as desk:
        stand_in.faults_of_pages = {"1": Answer(act="hang")}
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.cli", "reconcile"],
            cwd=tmp_path,
            env=desk.environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: stand_in.asked)
            assert desk.send("acme", "IN_PROGRESS").text == "accepted"
            assert process.poll() is None
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
