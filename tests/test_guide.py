"""docs/handlers.md and the template beside it: what they print is run, and does what they say."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dashboard import words
from receiver.handlers import Business, Case, Context, Event, Reason, registering
from receiver.handlers.registering import Registry
from receiver.handlers.testing import Called, call_handler
from receiver.models import Outcome
from receiver.runs.endings import GONE
from receiver.settings import Settings
from receiver.settings.reading import SHIPPED
from tests.desk import Desk, eventually, running, signed_in

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "handlers.md").read_text()
TEMPLATE = ROOT / "docs" / "handler_template.py"
PLAIN = " ".join(GUIDE.replace("> ", "").split())


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A directory with the guide's modules in it."""
    for block in blocks("python"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block)
    return Desk(tmp_path, KYBDESK_HANDLERS="acme", KYBDESK_ENVIRONMENT="trial")


def test_every_command_of_the_guide_runs(desk: Desk) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("kybdesk ")]
    assert len(commands) == 3
    said = [desk.command(*command) for command in commands]
    assert [ended.returncode for ended in said] == [0, 0, 0], said
    assert said[0].stdout == blocks("text")[0]
    assert "\nDone: acme-gmbh was rejected: DOCUMENT_MISMATCH\n" in said[1].stdout


def test_every_module_of_the_guide_can_be_imported(desk: Desk) -> None:
    desk.environment["KYBDESK_HANDLERS"] = "acme, acme_directory, acme_limits"
    listed = desk.command("handlers")
    assert listed.returncode == 0, listed.stderr
    for name in ("note_rejection", "write_to_business", "set_limits"):
        assert name in listed.stdout


def test_the_tests_of_the_guide_pass(desk: Desk) -> None:
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_acme.py"],
        cwd=desk.directory,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout


@pytest.mark.parametrize("kind", [Event, Context, Case, Business, Reason, Called])
def test_the_guide_names_all_that_there_is_to_see(kind: type[Any]) -> None:
    for field in fields(kind):
        assert f"`{field.name}`" in GUIDE, field.name
    assert f"`{'payload'}`" in GUIDE


def test_the_guide_names_whatever_a_handler_may_be_registered_and_tested_with() -> None:
    for name in signature(registering.handles).parameters:
        assert name == "statuses" or f"`{name}=" in GUIDE, name
    for name in signature(call_handler).parameters:
        assert name in {"function", "status", "given"} or f"`{name}`" in GUIDE, name


def test_the_guide_gives_the_numbers_and_words_of_the_code() -> None:
    chosen = Settings()
    assert [*chosen.retry_delays] == [5, 60, 600, 3600, 14400, 43200]
    assert "after 5 s, 1 min, 10 min, 1 h, 4 h and 12 h" in PLAIN
    assert f"`KYBDESK_HANDLER_TIMEOUT` seconds ({chosen.handler_timeout})" in PLAIN
    assert f"`KYBDESK_HANDLER_MEMORY` MiB ({chosen.handler_memory})" in PLAIN
    assert GONE.format(handler="note_rejection") in PLAIN
    for name in SHIPPED:
        assert f"`{name}`" in GUIDE
    for outcome in Outcome:
        assert f"**{words.outcome(outcome).text}**" in GUIDE


RENAMED = """
from receiver.handlers import RetryAfter, handles

@handles("REJECTED")
def NAME(event, context):
    if context.requested_by:
        return "noted"
    raise RetryAfter(3600, "not yet")
"""


def test_a_renamed_handler_leaves_what_waited_for_it_to_a_person_who_can_re_process_it_once_it_is_back(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, RENAMED.replace("NAME", "note_rejection"), KYBDESK_RETRY_DELAYS="3600")
    with running(desk):
        assert desk.send("acme", "REJECTED").is_success
        eventually(lambda: desk.rows("SELECT id FROM runs WHERE state = 'retrying'"))
    (tmp_path / "acme.py").write_text(RENAMED.replace("NAME", "note"))
    with running(desk):
        eventually(lambda: desk.rows("SELECT id FROM runs WHERE state = 'failed'"))
    [run] = desk.rows("SELECT id, handler, summary, tries FROM runs")
    assert run["summary"] == GONE.format(handler="note_rejection")
    (tmp_path / "acme.py").write_text(RENAMED.replace("NAME", "note_rejection"))
    with running(desk), signed_in(desk) as browser:
        eventually(
            lambda: desk.rows(
                "SELECT name FROM handlers WHERE removed_at IS NULL AND name = ?", run["handler"]
            )
        )
        browser.post(f"/runs/{run['id']}/reprocess", data={"tries": run["tries"]})
        eventually(lambda: desk.rows("SELECT id FROM runs WHERE state = 'succeeded' AND summary = 'noted'"))


@pytest.fixture
def service() -> Iterator["Service"]:
    with Service.serving() as service:
        yield service


class Service:
    """What the template calls: answers with `status`; none: hangs up without an answer."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.status: int | None = 200
        self.asked: list[tuple[str, str, str | None, Any]] = []

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator["Service"]:
        class Answering(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["content-length"])))
                it.asked.append((self.command, self.path, self.headers["idempotency-key"], said))
                if it.status:
                    self.send_response(it.status)
                    self.send_header("content-length", "0")
                    self.end_headers()

            do_POST = do_PUT  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
            it = cls(server.server_port)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield it
            server.shutdown()
            thread.join()


@pytest.fixture
def template(service: Service, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """As the worker imports it, with a registry of its own."""
    monkeypatch.setattr(registering, "registry", Registry())
    monkeypatch.setenv("ACME_ACCOUNTS_URL", service.url)
    monkeypatch.setenv("ACME_CHAT_URL", f"{service.url}/chat")
    spec = importlib.util.spec_from_file_location("handler_template", TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_template_can_be_copied(tmp_path: Path) -> None:
    shutil.copyfile(TEMPLATE, tmp_path / "mine.py")
    desk = Desk(tmp_path, KYBDESK_HANDLERS="mine")
    unset = desk.command("handlers")
    assert unset.returncode == 1
    assert "mine cannot be imported: KeyError: 'ACME_ACCOUNTS_URL' (mine.py, line " in unset.stderr
    desk.environment |= {"ACME_ACCOUNTS_URL": "http://127.0.0.1:9", "ACME_CHAT_URL": "http://127.0.0.1:9"}
    listed = desk.command("handlers")
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"keep_account +COMPLETED, leaving COMPLETED", listed.stdout)
    assert re.search(r"warn_account_manager +leaving COMPLETED +Warn .* +once", listed.stdout)


def test_the_template_enables_and_suspends_with_a_key_for_each(
    template: ModuleType, service: Service
) -> None:
    enabled = call_handler(template.keep_account, "COMPLETED", ref_id="acme/1", idempotency_key="key")
    assert (enabled.outcome, enabled.text) == ("succeeded", "The account is active")
    assert (enabled.business["account_status"], enabled.business["access_granted"]) == ("active", True)
    left = call_handler(template.keep_account, "REJECTED", previous_status="COMPLETED", idempotency_key="key")
    assert left.business == {"account_status": "suspended", "access_granted": False, "verified_at": None}
    assert service.asked == [
        ("PUT", "/accounts/acme%2F1", "key-active", {"state": "active"}),
        ("PUT", "/accounts/acme-gmbh", "key-suspended", {"state": "suspended"}),
    ]


def test_the_template_goes_by_what_the_case_is_now(template: ModuleType) -> None:
    assert call_handler(template.keep_account, "COMPLETED", case_status="REJECTED").text == (
        "The account is suspended"
    )


def test_the_template_enables_nobody_on_a_guess_but_on_a_persons_word(
    template: ModuleType, service: Service
) -> None:
    guessed = call_handler(template.keep_account, "COMPLETED", uncertain=True)
    assert (guessed.no_retry, service.asked) == (True, [])
    asked = call_handler(template.keep_account, "COMPLETED", uncertain=True, requested_by="ana@example.com")
    assert asked.outcome == "succeeded"


@pytest.mark.parametrize(
    ("status", "no_retry", "later", "said"),
    [
        (None, False, False, "The account service can't be reached"),
        (429, False, True, "The account service is busy"),
        (404, True, False, "There is no account with this reference: open one, then re-process this"),
        (503, False, False, "out of order: it answered 503"),
        (422, True, False, "The account service refused: it answered 422"),
    ],
)
def test_the_template_says_whom_a_failure_needs(
    template: ModuleType, service: Service, status: int | None, no_retry: bool, later: bool, said: str
) -> None:
    service.status = status
    called = call_handler(template.keep_account, "COMPLETED")
    assert (called.outcome, called.no_retry, called.retry_at is not None) == ("failed", no_retry, later)
    assert said in (called.error or "")
    assert not called.business


@pytest.mark.parametrize(
    ("status", "outcome", "no_retry"),
    [(200, "succeeded", False), (None, "in doubt", False), (500, "in doubt", False), (400, "failed", True)],
)
def test_the_template_warns_once_and_says_where_it_does_not_know(
    template: ModuleType, service: Service, status: int | None, outcome: str, no_retry: bool
) -> None:
    service.status = status
    called = call_handler(
        template.warn_account_manager,
        "IN_REVIEW",
        previous_status="COMPLETED",
        business={"name": "ACME GmbH"},
    )
    assert (called.outcome, called.no_retry) == (outcome, no_retry)
    text = "ACME GmbH was completed, and is now IN_REVIEW."
    assert service.asked == [("POST", "/chat", None, {"text": text})]


def test_the_template_tries_again_where_nothing_went_out(
    template: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template, "CHAT", "http://127.0.0.1:9/nobody")
    called = call_handler(template.warn_account_manager, "IN_REVIEW", previous_status="COMPLETED")
    assert (called.outcome, called.no_retry, called.error) == ("failed", False, "The chat can't be reached")
