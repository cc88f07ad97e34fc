"""Calls in real processes, of handlers that do what they should not."""

import errno
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from receiver.executor import Call, Ended, Executor, ending, forkserver, sessions
from receiver.executor import executor as worker_side
from receiver.executor.pipes import Pipe
from receiver.handlers import Business, Case, Event, Message, Reason
from receiver.models import Outcome

HANDLERS = ("tests.receiver.nasty_handlers",)
LONG_AGO = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOVE_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        patch.setenv("VOVE_WEBHOOK_SECRET_FILE", "/run/whsec_file")
        patch.setenv("KYBDESK_TIMEZONE", "Europe/Paris")
        patch.delenv("PYTHONUNBUFFERED", raising=False)
        with closing(Executor(HANDLERS, timeout=20, memory=128)) as executor:
            yield executor


@pytest.fixture(scope="module")
def hasty_executor() -> Iterator[Executor]:
    with closing(Executor(HANDLERS, timeout=1, memory=128)) as executor:
        assert run(executor, "quiet").outcome is Outcome.SUCCEEDED  # the handlers have been imported
        yield executor


@pytest.fixture
def own_executor() -> Iterator[Executor]:
    """One whose fork server may come to harm."""
    with closing(Executor(HANDLERS, timeout=1, memory=128)) as executor:
        yield executor


def call(handler: str, body: str = "{}", case: Case | None = None) -> Call:
    event = Event("msg_1", "kyb", "acme-1", "REJECTED", "IN_REVIEW", None, None, LONG_AGO, body.encode())
    return Call(handler, event, case, "key-1", try_number=2, case_moved_on=True, business=Business("acme"))


def run(executor: Executor, handler: str, body: str = "{}") -> Ended:
    """How one call ended, while bystanders came and went beside it, of whom none noticed."""
    numbers = itertools.count(2)
    executor.start(1, call(handler, body))
    ended = None
    while ended is None or executor.running:
        if len(executor.running) < 2 and ended is None:
            executor.start(next(numbers), call("bystander"))
        for number, other in executor.wait(30):
            if number == 1:
                ended = other
            else:
                assert other == Ended(Outcome.SUCCEEDED, result="unharmed")
    return ended


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return value


def is_gone(pid: int) -> bool:
    """Ended, and reaped: no zombie either."""
    return not Path(f"/proc/{pid}").exists()


def test_a_handler_that_returns_nothing_succeeds(executor: Executor) -> None:
    assert run(executor, "quiet") == Ended(Outcome.SUCCEEDED)


def test_a_handler_sees_the_event_the_case_and_its_try_and_may_return_a_text(executor: Executor) -> None:
    case = Case("acme-1", "COMPLETED", None, LONG_AGO, gap=False, uncertain=False, began_before=True)
    executor.start(1, given := call("echo", case=case))
    [(run_id, ended)] = executor.wait(30)
    assert run_id == 1
    assert ended.outcome is Outcome.SUCCEEDED
    assert ended.result == "acme-1 COMPLETED key-1 2 True"
    assert ended.output == f"{given.event} {case}\n"


def test_an_async_handler_is_awaited(executor: Executor) -> None:
    assert run(executor, "asynchronous").result == "awaited"


def test_what_a_handler_prints_and_logs_is_kept_in_order(executor: Executor) -> None:
    output = run(executor, "talkative").output
    assert output is not None
    lines = [
        re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", "TIME ", line) for line in output.splitlines()
    ]
    assert lines == [
        "printed",
        "to stderr",
        "TIME INFO logged 1",
        "TIME WARNING logged 2",
        "from a command",
        "and no more",
    ]


def test_a_failing_handler_is_told_in_one_line_with_the_traceback_from_its_own_frame_on(
    executor: Executor,
) -> None:
    ended = run(executor, "failing")
    assert (ended.outcome, ended.error, ended.output) == (
        Outcome.FAILED,
        "KeyError: 'email'",
        "just before\n",
    )
    assert (ended.no_retry, ended.retry_at) == (False, None)
    assert ended.traceback is not None
    assert re.findall(r"in (\w+)\n", ended.traceback) == ["failing", "_look_up"]
    assert ended.traceback.startswith("Traceback (most recent call last):\n")
    assert ended.traceback.endswith("KeyError: 'email'\n")


def test_the_traceback_of_an_async_handler_begins_at_its_own_frame_too(executor: Executor) -> None:
    ended = run(executor, "failing_asynchronously")
    assert re.findall(r"in (\w+)\n", ended.traceback or "") == ["failing_asynchronously", "_look_up"]


def test_no_retry_needs_a_person_at_once(executor: Executor) -> None:
    ended = run(executor, "refusing")
    assert (ended.outcome, ended.error, ended.no_retry) == (Outcome.FAILED, "no such customer", True)


@pytest.mark.parametrize("form", ["by_seconds", "by_a_timedelta", "to_a_moment"])
def test_retry_after_says_when(executor: Executor, form: str) -> None:
    ended = run(executor, f"postponing_{form}")
    assert (ended.outcome, ended.error) == (Outcome.FAILED, "their system is down")
    assert ended.retry_at is not None
    assert ended.retry_at.tzinfo is UTC
    assert abs(ended.retry_at - datetime.now(UTC) - timedelta(seconds=90)) < timedelta(seconds=5)


def test_retry_after_a_naive_datetime_is_a_failure_like_another(executor: Executor) -> None:
    ended = run(executor, "postponing_to_nowhere")
    assert (ended.retry_at, ended.no_retry) == (None, False)
    assert (ended.error or "").startswith("ValueError: RetryAfter: a datetime must be aware")


@pytest.mark.parametrize(
    "handler",
    ["sleeping", "sleeping_asynchronously", "looping", "looping_in_c", "deaf", "swallowing"],
)
def test_a_handler_past_its_deadline_is_ended(hasty_executor: Executor, handler: str) -> None:
    began = time.monotonic()
    ended = run(hasty_executor, handler)
    assert (ended.outcome, ended.error) == (Outcome.TIMED_OUT, "did not finish within 1 s")
    assert ended.output == ("sleeping\n" if handler == "sleeping" else None)
    assert 1 <= time.monotonic() - began < 3  # its own alarm would come at 3


@pytest.mark.parametrize(
    ("handler", "outcome", "error"),
    [
        ("exiting_with_3", Outcome.FAILED, "called sys.exit(3)"),
        ("exiting_with_nothing", Outcome.FAILED, "called sys.exit()"),
        ("exiting_with_words", Outcome.FAILED, "called sys.exit('no config')"),
        ("exiting_asynchronously", Outcome.FAILED, "called sys.exit(3)"),
        ("exiting_hard", Outcome.CRASHED, "its process ended by itself with exit code 0"),
        ("crashing", Outcome.CRASHED, "its process was killed by signal 11 (SIGSEGV): it crashed"),
        (
            "killing_itself",
            Outcome.CRASHED,
            "its process was killed by signal 9 (SIGKILL): perhaps the machine ran out of memory",
        ),
        ("writing_everywhere_and_dying", Outcome.CRASHED, "its process ended by itself with exit code 4"),
        ("closing_everything", Outcome.CRASHED, "its process ended by itself with exit code 1"),
        ("eating", Outcome.FAILED, "needed more than 128 MiB of memory"),
        ("eating_crumbs", Outcome.FAILED, "needed more than 128 MiB of memory"),
        ("unbounded", Outcome.FAILED, "needed more than 128 MiB of memory"),
        ("raising_awkwardly", Outcome.FAILED, "Awkward: odd (7)"),
        ("raising_mutely", Outcome.FAILED, "Mute: (its text cannot be read: ValueError)"),
        ("recurring", Outcome.FAILED, "RecursionError: maximum recursion depth exceeded"),
        ("interrupted", Outcome.FAILED, "KeyboardInterrupt"),
        ("cancelled", Outcome.FAILED, "CancelledError"),
        ("postponing_wrongly", Outcome.FAILED, "Later"),
        (
            "returning_a_dict",
            Outcome.FAILED,
            "returned dict: a handler returns None, a text or Done(…)",
        ),
        ("no_such", Outcome.FAILED, "no handler of that name: no_such"),
    ],
)
def test_whatever_a_handler_does_is_one_attempt_that_failed_in_words(
    executor: Executor, handler: str, outcome: Outcome, error: str
) -> None:
    ended = run(executor, handler)
    assert (ended.outcome, ended.error, ended.result) == (outcome, error, None)


def test_what_a_handler_is_given_of_the_business_and_what_it_gives_back(executor: Executor) -> None:
    reason = Reason("DOCUMENT_MISMATCH", customer_texts={"en": "Please"})
    known = Business("acme-1", language="de")
    given = replace(call("doing_well"), business=known, reason=reason, requested_by="ana@example.com")
    executor.start(1, given)
    [(_, ended)] = executor.wait(30)
    assert ended == Ended(
        Outcome.SUCCEEDED,
        result="mailed",
        output=f"{known} {reason} ana@example.com\n",
        business={"name": "ACME Ltd", "verified_at": LONG_AGO, "access_granted": True},
        messages=(Message("info@acme.example", "Welcome", "You are verified."),),
    )


@pytest.mark.parametrize(
    ("handler", "body"), [("returning_a_dict", "{}"), ("forging", '{"business": {"ref_id": "bolt"}}')]
)
def test_what_came_to_its_end_is_not_done_again_for_what_it_returned(
    executor: Executor, handler: str, body: str
) -> None:
    ended = run(executor, handler, body)
    assert (ended.outcome, ended.no_retry) == (Outcome.FAILED, True)


def test_what_is_in_doubt_is_an_outcome_of_its_own(executor: Executor) -> None:
    ended = run(executor, "in_doubt")
    assert (ended.outcome, ended.error, ended.no_retry) == (
        Outcome.IN_DOUBT,
        "the mail server fell silent after it had the mail",
        False,
    )


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("an unknown field", "FieldError: nmae: there is no such field; there are name, email,"),
        ("a field of another type", "FieldError: access_granted: must be true or false"),
        ("a naive datetime", "FieldError: verified_at: must be an aware datetime"),
        ("a moment before all times", "FieldError: verified_at: is beyond the years 1 to 9999"),
        ("a NUL", "FieldError: notes: holds a character that can't be stored"),
        ("a lone surrogate", "FieldError: notes: holds a character that can't be stored"),
        ("a mapping that raises", "LookupError: no such shelf"),
        ("a text that raises", "LookupError: no such text"),
        ("no mapping", "TypeError: Done: business must be a mapping, not list"),
        ("no text", "TypeError: Done: the text must be a text, not int"),
        ("a message that is a text", "TypeError: Done: messages must be Message(…)"),
        ("a message alone", "TypeError: Done: messages must be a list, not Message"),
        ("messages that run dry", "TypeError: Done: messages must be a list, not list_iterator"),
        ("too many messages", "ValueError: Done: more than 20 messages"),
        ("a long message", "ValueError: Message: text is longer than 20,000 characters"),
        ("a message of bytes", "TypeError: Message: text must be a text, not bytes"),
    ],
)
def test_what_cannot_be_kept_is_a_failed_attempt_that_names_it_and_its_line(
    executor: Executor, what: str, error: str
) -> None:
    ended = run(executor, "giving_back", f'{{"what": "{what}"}}')
    assert ended.outcome is Outcome.FAILED
    assert (ended.error or "").startswith(error)
    assert "Traceback" in (ended.traceback or "")
    assert (ended.business, ended.messages) == ({}, ())


def test_the_most_that_may_be_given_back_arrives_whole(executor: Executor) -> None:
    ended = run(executor, "giving_back_as_much_as_may_be")
    assert ended.outcome is Outcome.SUCCEEDED
    assert len(ended.messages) == 20
    assert len(ended.messages[0].text) == 20_000
    assert len(ended.business["notes"]) == 10_000


def test_a_message_that_went_out_is_kept_although_not_all_of_it_can_be_stored(executor: Executor) -> None:
    (message,) = run(executor, "mailing_unstorable_text").messages
    assert (message.subject, message.text) == ("a\ufffdb", "a\ufffdb")


@pytest.mark.parametrize(
    ("report", "error"),
    [
        ('{"business": {"ref_id": "bolt"}}', "FieldError: ref_id: there is no such field"),
        ('{"business": {"verified_at": "0001-01-01T00:00:00+14:00"}}', "FieldError: verified_at: is beyond"),
        ('{"business": {"verified_at": "soon"}}', "ValueError: Invalid isoformat string"),
        ('{"business": {"verified_at": 7}}', "TypeError"),
        ('{"business": "ACME"}', "TypeError: business must be an object, and messages a list"),
        ('{"business": [["name", "ACME"]]}', "TypeError: business must be an object, and messages a list"),
        ('{"messages": "abc"}', "TypeError: business must be an object, and messages a list"),
        ('{"messages": {"a": 1}}', "TypeError: business must be an object, and messages a list"),
        ('{"messages": 7}', "TypeError: business must be an object, and messages a list"),
        ('{"messages": ["abc"]}', "TypeError: a message must be an object, not str"),
        ('{"messages": [{}]}', "TypeError"),
        ('{"messages": [{"recipient": "a", "subject": "b", "text": 7}]}', "TypeError"),
        ('{"messages": [{"recipient": "a", "subject": "b", "text": "c", "run_id": "1"}]}', "TypeError"),
    ],
)
def test_what_a_handler_forges_is_checked_as_well(executor: Executor, report: str, error: str) -> None:
    ended = run(executor, "forging", report)
    assert ended.outcome is Outcome.FAILED
    assert (ended.error or "").startswith(f"gave back what can't be kept: {error}")
    assert (ended.business, ended.messages) == ({}, ())


@pytest.mark.parametrize("handler", ["postponing_before_all_times", "postponing_to_an_unclear_time"])
def test_a_retry_at_a_time_that_is_none_goes_by_the_schedule(executor: Executor, handler: str) -> None:
    ended = run(executor, handler)
    assert (ended.outcome, ended.error, ended.retry_at) == (Outcome.FAILED, "never", None)


def test_where_memory_ran_out_there_is_room_to_say_where(executor: Executor) -> None:
    assert "in eating_crumbs\n" in (run(executor, "eating_crumbs").traceback or "")


def test_an_exception_of_a_local_class_is_told(executor: Executor) -> None:
    ended = run(executor, "raising_a_local_class")
    assert (ended.error or "").startswith("Local: <function raising_a_local_class.<locals>.<lambda>")


def test_a_crash_leaves_where_it_happened_and_what_was_printed_before(executor: Executor) -> None:
    output = run(executor, "crashing").output or ""
    assert output.startswith("about to crash\nFatal Python error: Segmentation fault")
    assert "in crashing\n" in output


def test_what_a_call_started_ends_with_it(executor: Executor) -> None:
    ended = run(executor, "leaving_processes")
    assert ended.outcome is Outcome.SUCCEEDED
    for pid in map(int, (ended.result or "").split()):
        until(partial(is_gone, pid))


def test_an_orphan_goes_to_the_fork_server_which_reaps_it(executor: Executor) -> None:
    assert run(executor, "leaving_an_orphan").result == "adopted"


def test_a_child_is_killed_even_before_it_leads_a_session() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        sessions.kill(child.pid)
    assert child.returncode == -signal.SIGKILL


def test_a_thread_that_is_left_behind_holds_nothing_up(executor: Executor) -> None:
    assert run(executor, "leaving_a_thread").result == "gone on"


def test_a_fork_that_comes_back_from_the_handler_tells_nothing(executor: Executor) -> None:
    assert run(executor, "coming_back_twice").result == "child"


def test_sigterm_and_sigint_do_not_end_a_call(executor: Executor) -> None:
    assert run(executor, "terminated").result == "still here"


def test_a_handler_can_terminate_what_it_started(executor: Executor) -> None:
    assert run(executor, "terminating_its_own").result == f"{-signal.SIGTERM} {-signal.SIGTERM}"


def test_a_long_result_is_cut(executor: Executor) -> None:
    result = run(executor, "returning_much").result or ""
    assert re.fullmatch(r"firstx+\n… cut …\nx+last", result)
    assert len(result) < 2100


def test_a_long_error_is_one_line_and_cut_and_its_traceback_is_cut(executor: Executor) -> None:
    ended = run(executor, "raising_much")
    assert re.fullmatch(r"ValueError: first x+ … cut … x+ last", ended.error or "")
    assert len(ended.error or "") < 2100
    assert re.search(r"x\n… cut …\nx+\nlast\n$", ended.traceback or "")
    assert len(ended.traceback or "") < 33_000


def test_long_output_is_cut(executor: Executor) -> None:
    ended = run(executor, "printing_much")
    assert ended.result == "printed"
    assert re.fullmatch(r"firstx+\n… cut …\nx+last\n", ended.output or "")
    assert len(ended.output or "") < 66_000


def test_texts_that_no_database_takes_are_mended(executor: Executor) -> None:
    ended = run(executor, "returning_unstorable_text")
    assert ended.result == "a\ufffdb\ufffdc\N{GRINNING FACE}"
    assert ended.output == "a\ufffdb\\ud800c\n\ufffd"
    ended = run(executor, "raising_unstorable_text")
    assert ended.error == "ValueError: a\ufffdb\ufffdc"
    assert (ended.traceback or "").endswith("ValueError: a\ufffdb\ufffdc\n")


def test_garbage_in_every_descriptor_is_no_result(executor: Executor) -> None:
    ended = run(executor, "writing_everywhere")
    assert (ended.outcome, ended.result) == (Outcome.SUCCEEDED, "written")


def test_a_result_is_never_written_into_a_file_of_the_handlers(executor: Executor, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.touch()
    assert run(executor, "reusing_descriptors", f'{{"path": "{file}"}}').outcome is Outcome.CRASHED
    assert file.read_bytes() == b""


def test_nothing_leaks_into_the_next_call(executor: Executor) -> None:
    before = run(executor, "describing_its_world")
    assert run(executor, "spoiling_its_world").outcome is Outcome.SUCCEEDED
    assert run(executor, "describing_its_world") == before
    assert before.result == f"{Path.cwd()} 22 None [] ''"


def test_handlers_do_not_see_the_secrets(executor: Executor) -> None:
    assert run(executor, "telling_secrets").result == "False False Europe/Paris"


def test_a_call_leads_a_session_and_has_an_alarm_of_its_own(executor: Executor) -> None:
    assert run(executor, "telling_its_bounds").error == "True 22"


def test_what_was_printed_at_import_is_in_no_output(executor: Executor) -> None:
    assert run(executor, "spoiling_its_world").output is None


def test_many_calls_at_once_each_get_their_own_answer(executor: Executor) -> None:
    for number in range(20):
        executor.start(number, call("echo", f'{{"n": {number}}}'))
    assert executor.running == frozenset(range(20))
    ended = dict(executor.wait(30))
    while executor.running:
        ended |= dict(executor.wait(30))
    assert sorted(ended) == list(range(20))
    assert all(f'{{"n": {number}}}' in (ended[number].output or "") for number in ended)


def test_a_large_event_arrives_whole(executor: Executor) -> None:
    executor.start(1, call("failing", body=f'{{"email": "{"x" * 1_000_000}"}}'))
    assert executor.wait(30)[0][1].outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("handler", ["sleeping", "sleeping_in_silence"])
def test_waiting_ends_in_time_and_costs_nothing_while_nothing_happens(
    executor: Executor, handler: str
) -> None:
    executor.start(1, call(handler))
    executor.wait(0.1)
    began, work = time.monotonic(), time.process_time()
    assert executor.wait(0.3) == []
    assert 0.3 <= time.monotonic() - began < 5
    assert time.process_time() - work < 0.05
    executor.kill(1)
    assert executor.running == frozenset()
    assert executor.wait(0.1) == []


def test_a_run_cannot_be_started_twice(executor: Executor) -> None:
    executor.start(1, call("bystander"))
    with pytest.raises(ValueError, match="run 1 is running already"):
        executor.start(1, call("bystander"))
    assert executor.wait(30)[0][0] == 1


def test_a_killed_run_ends_untold_and_can_be_started_again(executor: Executor, tmp_path: Path) -> None:
    path = tmp_path / "pids"
    executor.start(1, call("sleeping_after_telling", f'{{"path": "{path}"}}'))
    until(path.exists)
    executor.kill(1)
    executor.start(1, call("echo"))
    executor.kill(7)
    until(lambda: is_gone(int(path.read_text().split()[0])))
    [(run_id, ended)] = executor.wait(30)
    assert (run_id, ended.outcome) == (1, Outcome.SUCCEEDED)


def test_a_call_that_is_killed_at_once_never_gets_far(executor: Executor, tmp_path: Path) -> None:
    for number in range(20):
        executor.start(number, call("sleeping"))
        executor.kill(number)
    assert run(executor, "quiet").outcome is Outcome.SUCCEEDED
    until(lambda: len(_children(executor)) == 0)


def _children(executor: Executor) -> list[str]:
    server = executor._server
    assert server is not None
    pid = server._process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_worker_that_looks_too_late_still_learns_what_happened(
    own_executor: Executor, tmp_path: Path
) -> None:
    path = tmp_path / "pids"
    own_executor.start(1, call("quiet"))
    own_executor.start(2, call("sleeping_after_telling", f'{{"path": "{path}"}}'))
    until(path.exists)
    until(lambda: is_gone(int(path.read_text().split()[0])))  # by its own alarm, for nobody else looks
    ended = dict(own_executor.wait(30))
    while own_executor.running:
        ended |= dict(own_executor.wait(30))
    assert ended[1].outcome is Outcome.SUCCEEDED
    assert (ended[2].outcome, ended[2].error) == (Outcome.TIMED_OUT, "did not finish within 1 s")


def test_where_the_fork_server_dies_its_calls_are_told_and_another_is_opened(own_executor: Executor) -> None:
    own_executor.start(1, call("killing_the_server"))
    [(run_id, ended)] = own_executor.wait(30)
    assert (run_id, ended.outcome) == (1, Outcome.CRASHED)
    assert (ended.error or "").startswith(
        "the process that starts the handlers was lost: its process was killed by signal 9 (SIGKILL)"
    )
    assert run(own_executor, "quiet").outcome is Outcome.SUCCEEDED


def test_what_a_call_could_still_tell_counts_although_the_fork_server_died(
    own_executor: Executor, tmp_path: Path
) -> None:
    own_executor.start(1, call("returning_past_the_server", f'{{"path": "{tmp_path / "pids"}"}}'))
    until((tmp_path / "pids").exists)
    child, server = map(int, (tmp_path / "pids").read_text().split())
    until(lambda: has_ended(child))
    os.kill(server, signal.SIGKILL)
    assert own_executor.wait(30) == [(1, Ended(Outcome.SUCCEEDED, result="done"))]


def test_a_fork_server_that_died_unnoticed_is_replaced_at_once(own_executor: Executor) -> None:
    assert run(own_executor, "quiet").outcome is Outcome.SUCCEEDED
    assert own_executor._server is not None
    own_executor._server._process.kill()
    own_executor._server._process.wait()
    assert run(own_executor, "quiet").outcome is Outcome.SUCCEEDED


def test_where_the_fork_server_is_stuck_its_calls_are_told_and_another_is_opened(
    own_executor: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_side, "PATIENCE", 0.2)
    own_executor.start(1, call("sleeping_after_telling", f'{{"path": "{tmp_path / "pids"}"}}'))
    until(lambda: not own_executor.wait(0) and all(call.pid for call in own_executor._calls.values()))
    until((tmp_path / "pids").exists)
    assert own_executor._server is not None
    os.kill(own_executor._server._process.pid, signal.SIGSTOP)
    [(_, ended)] = own_executor.wait(30)
    assert (ended.outcome, ended.error) == (Outcome.TIMED_OUT, "did not finish within 1 s")
    until(lambda: has_ended(int((tmp_path / "pids").read_text().split()[0])), 1)  # its own alarm comes later
    monkeypatch.setattr(worker_side, "LONGEST_IMPORT", 0.2)
    own_executor.start(2, call("quiet"))
    [(_, ended)] = own_executor.wait(30)
    assert (ended.outcome, ended.error) == (
        Outcome.CRASHED,
        "the process that starts the handlers did not answer",
    )
    monkeypatch.undo()
    assert run(own_executor, "quiet").outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("source", "outcome", "error"),
    [
        ("import nowhere", Outcome.FAILED, "acme cannot be imported: ModuleNotFoundError: No module named"),
        ("import sys; sys.exit(2)", Outcome.FAILED, "acme cannot be imported: called sys.exit(2) (acme.py"),
        (
            "import os; os._exit(2)",
            Outcome.CRASHED,
            "the process that starts the handlers was lost: its process",
        ),
    ],
)
def test_calls_fail_in_words_where_the_handlers_cannot_be_imported(
    source: str, outcome: Outcome, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    with closing(Executor(("acme",), timeout=1, memory=128)) as executor:
        executor.start(1, call("quiet"))
        [(_, ended)] = executor.wait(30)
    assert ended.outcome is outcome
    assert (ended.error or "").startswith(error)


def test_calls_are_told_where_an_import_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_imports_to(1, monkeypatch)
    (tmp_path / "acme.py").write_text("while True: pass")
    monkeypatch.chdir(tmp_path)
    with closing(Executor(("acme",), timeout=1, memory=128)) as executor:
        executor.start(1, call("quiet"))
        [(_, ended)] = executor.wait(30)
    assert ended == Ended(Outcome.CRASHED, error="importing the handler modules did not finish within 1 s")


def test_the_limit_on_imports_limits_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_imports_to(4, monkeypatch)
    with closing(Executor(HANDLERS, timeout=20, memory=128)) as executor:
        assert run(executor, "quiet").outcome is Outcome.SUCCEEDED
        server = executor._server
        assert executor.wait(4) == []
        assert executor._server is server


def limit_imports_to(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forkserver, "LONGEST_IMPORT", seconds)
    monkeypatch.setattr(worker_side, "LONGEST_IMPORT", seconds)


PARENT = """
import sys
from contextlib import closing
from receiver.executor import Executor
from tests.receiver.test_executor import HANDLERS, call
with closing(Executor(HANDLERS, timeout=float(sys.argv[3]), memory=128)) as executor:
    executor.start(1, call(sys.argv[1], '{"path": "%s"}' % sys.argv[2]))
    print(executor.wait(60)[0][1].outcome)
"""


def parent(handler: str, path: Path, timeout: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PARENT, handler, str(path), str(timeout)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_when_the_worker_is_killed_its_calls_and_the_fork_server_end_at_once(tmp_path: Path) -> None:
    with parent("looping_in_c", tmp_path / "pids", 60) as worker:
        until((tmp_path / "pids").exists)
        child, server = map(int, (tmp_path / "pids").read_text().split())
        worker.kill()
        until(lambda: has_ended(child) and has_ended(server))


def test_when_the_fork_server_is_killed_too_a_call_ends_by_its_own_alarm(tmp_path: Path) -> None:
    children = []
    for handler in ("sleeping_after_telling", "looping_in_c"):
        with parent(handler, tmp_path / handler, 0.5) as worker:
            until((tmp_path / handler).exists)
            child, server = map(int, (tmp_path / handler).read_text().split())
            os.kill(server, signal.SIGSTOP)  # it must not come to end its call
            worker.kill()
            os.kill(server, signal.SIGKILL)
            children.append(child)
    until(lambda: all(map(has_ended, children)))


def has_ended(pid: int) -> bool:
    """Where nobody is left to reap it, a zombie will do."""
    return is_gone(pid) or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_worker_ends_without_a_warning_and_leaves_nothing(tmp_path: Path) -> None:
    with parent("sleeping_after_telling", tmp_path / "pids", 0.2) as worker:
        printed, warnings = worker.communicate(timeout=20)
    assert (worker.returncode, warnings) == (0, "")
    assert sorted(printed.splitlines()) == ["imported once, in the fork server", "timed out"]
    child, server = map(int, (tmp_path / "pids").read_text().split())
    assert has_ended(child)
    assert has_ended(server)


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    with closing(Executor(HANDLERS, timeout=60, memory=128)) as executor:
        executor.start(1, call("looping_in_c", f'{{"path": "{tmp_path / "pids"}"}}'))
        until((tmp_path / "pids").exists)
    child, server = map(int, (tmp_path / "pids").read_text().split())
    until(lambda: has_ended(child))
    assert is_gone(server)
    assert executor.running == frozenset()


def test_a_call_that_finds_no_descriptors_is_told_and_harms_no_other(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor.start(1, call("bystander"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", no_descriptors)
        executor.start(2, call("quiet"))
        executor.start(3, call("quiet"))
    assert executor.running == {1, 2, 3}
    executor.kill(3)
    ended = dict(executor.wait(30))
    while executor.running:
        ended |= dict(executor.wait(30))
    assert ended.keys() == {1, 2}
    assert ended[1].outcome is Outcome.SUCCEEDED
    assert ended[2] == Ended(Outcome.CRASHED, error="could not be started: Too many open files")


def no_descriptors() -> None:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(
    "said", [b"", b"\n", b"garbage", b"\xff", b"[]", b"null", b'{"result":', b"[" * 100_000]
)
def test_what_is_no_report_is_none(said: bytes) -> None:
    assert ending.from_report(said, None) is None


def test_of_a_report_only_what_can_be_is_taken() -> None:
    said = b'{"result": 1, "error": ["x"], "traceback": {}, "no_retry": "yes", "retry_at": "soon"}'
    assert ending.from_report(said, "output") == Ended(Outcome.SUCCEEDED, output="output")


def test_a_failure_changes_nothing_whatever_else_it_says() -> None:
    said = b'{"error": "no", "business": {"name": "ACME"}, "messages": [{}], "in_doubt": "yes"}'
    assert ending.from_report(said, "output") == Ended(Outcome.FAILED, error="no", output="output")


def test_a_report_of_nonsense_keeps_what_was_printed() -> None:
    ended = ending.from_report(b'{"messages": 7}', "output")
    assert ended is not None
    assert ended.output == "output"


def test_a_forged_text_is_bounded() -> None:
    ended = ending.from_report(b'{"result": "%s"}' % (b"x" * 1_000_000), None)
    assert ended is not None
    assert len(ended.result or "") < 50_000


def test_a_pipe_keeps_the_first_and_the_last_bytes() -> None:
    pipe = Pipe(head=3, tail=4)
    for chunk in (b"ab", b"cd", b"efgh", b"ij"):
        pipe.writing.write(chunk)
        assert pipe.drain()
    pipe.writing.close()
    assert not pipe.drain()
    assert pipe.text() == "abc\n… cut …\nghij"
    pipe.close()
