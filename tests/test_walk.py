"""The whole way once: a signed webhook comes in, its case and its failed run stand on a page, a click sets it
right. Over real sockets, with real processes."""

from pathlib import Path

from tests.desk import Desk, eventually, running, signed_in
from tests.receiver.factories import OTHER_SECRET

HANDLERS = """
from pathlib import Path
from receiver.handlers import handles

@handles("REJECTED", title="Tell the customer")
def tell_customer(event, context):
    context.log.info("telling %s", event.ref_id)
    if not Path("address.txt").exists():
        raise RuntimeError("no e-mail address for " + event.ref_id)
    return "told, because of " + event.reason
"""


def test_the_whole_way_once(tmp_path: Path) -> None:
    with running(Desk(tmp_path, HANDLERS)) as desk, signed_in(desk) as browser:
        # VOVE sends the case's way, repeats one message, and somebody else tries with another secret.
        assert desk.send("acme 1/2", "IN_PROGRESS").text == "accepted"
        assert desk.send("acme 1/2", "IN_REVIEW").text == "accepted"
        rejection = {"svix_id": "msg_thatIsSentTwice", "reason": "DOCUMENT_MISMATCH"}
        assert desk.send("acme 1/2", "REJECTED", **rejection).text == "accepted"
        assert desk.send("acme 1/2", "REJECTED", **rejection).text == "duplicate"
        stranger = desk.send("acme 1/2", "COMPLETED", secret=OTHER_SECRET)
        assert (stranger.status_code, stranger.text) == (401, "refused")

        # The handler fails until nobody tries again by itself.
        failed = "SELECT * FROM runs WHERE state = 'failed'"
        (run,) = eventually(lambda: desk.rows(failed))
        assert run["tries"] == 2

        # A person finds it: from the list of what needs a person, to the run, to the case.
        assert "acme 1/2" in browser.get("/cases").text
        assert f"/runs/{run['id']}" in browser.get("/runs?view=list").text
        page = browser.get(f"/runs/{run['id']}").text
        assert "no e-mail address for acme 1/2" in page
        assert "telling acme 1/2" in page
        case = browser.get("/cases/acme%201%2F2").text
        for text in ("Rejected", "DOCUMENT_MISMATCH", "Tell the customer"):
            assert text in case

        # What was missing is added, and a click sets it right.
        (tmp_path / "address.txt").write_text("owner@acme.example")
        asked = browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
        assert asked.status_code == 303
        eventually(lambda: desk.rows("SELECT 1 FROM runs WHERE state = 'succeeded'"))
        page = browser.get(f"/runs/{run['id']}").text
        assert "told, because of DOCUMENT_MISMATCH" in page
        assert "ana@example.com" in page

        # The second click of a double click does nothing.
        again = browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
        assert again.status_code in {303, 409}
        assert [row["number"] for row in desk.rows("SELECT number FROM attempts")] == [1, 2, 3]

        # The ledger agrees with itself, and everything ends when it is told to.
        assert desk.command("rebuild-cases", "--check").returncode == 0
        assert desk.stop() == 0
        assert desk.processes() == []


def test_a_handler_module_that_cannot_be_imported_stops_the_worker_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "import a_module_that_is_not_there\n")
    with running(desk), signed_in(desk) as browser:
        assert desk.send("acme", "IN_PROGRESS").text == "accepted"
        eventually(lambda: "a_module_that_is_not_there" in browser.get("/cases").text)
        assert "a_module_that_is_not_there" in desk.log()
        assert desk.rows("SELECT dispatched_at FROM events")[0]["dispatched_at"] is None
        listed = desk.command("handlers")
        assert listed.returncode != 0
        assert "acme.py" in listed.stderr

        # Put right, the worker comes back by itself, and what has waited is done.
        (tmp_path / "acme.py").write_text(HANDLERS.replace("REJECTED", "IN_PROGRESS"))
        (tmp_path / "address.txt").touch()
        eventually(lambda: desk.rows("SELECT 1 FROM runs"), within=60)


def test_send_says_what_the_receiver_answered(tmp_path: Path) -> None:
    with running(Desk(tmp_path)) as desk:
        sent = desk.command("send", "--ref-id", "acme", "--status", "IN_PROGRESS")
        assert (sent.returncode, sent.stdout.split()[:2]) == (0, ["200", "accepted"])
        curl = desk.command("send", "--ref-id", "o'neil & sons", "--status", "IN_PROGRESS", "--curl")
        assert "svix-signature: v1," in curl.stdout
        assert len(desk.rows("SELECT 1 FROM events")) == 1
