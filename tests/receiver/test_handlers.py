"""What a company writes, and what it is told when it can't be used."""

import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from receiver.handlers import (
    Event,
    Handler,
    NoRetry,
    Registered,
    Registry,
    RetryAfter,
    handles,
    registering,
    words,
)
from receiver.handlers.loading import HandlersError, describe

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(registering, "registry", registry)
    return registry


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes modules into what is then the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(**sources: str) -> None:
        for module, source in sources.items():
            (tmp_path / f"{module}.py").write_text(source)

    return write


def test_a_handler_is_registered_for_its_statuses_and_left_as_it_is(registry: Registry) -> None:
    def notify_customer(event: object, context: object) -> None: ...

    assert handles("REJECTED", "COMPLETED", "REJECTED")(notify_customer) is notify_customer
    assert list(registry) == [
        Handler(
            name="notify_customer",
            title="Notify customer",
            statuses=("REJECTED", "COMPLETED"),
            once=False,
            module=__name__,
            function=notify_customer,
        )
    ]
    assert registry.get("notify_customer") is next(iter(registry))
    assert registry.get("another") is None


def test_a_handler_of_every_event_has_no_statuses_and_may_say_once_and_have_a_title(
    registry: Registry,
) -> None:
    @handles(once=True, title="Tell the customer")
    async def notify(event: object, context: object) -> None: ...

    [handler] = registry
    assert (handler.statuses, handler.once, handler.title) == ((), True, "Tell the customer")


def test_a_handler_may_be_called_when_a_case_leaves_a_status_and_say_what_it_is_there_for(
    registry: Registry,
) -> None:
    @handles("COMPLETED", leaving=["COMPLETED", "COMPLETED"], effect="account")
    def enable(event: object, context: object) -> None: ...

    @handles(leaving="COMPLETED")
    def suspend(event: object, context: object) -> None: ...

    assert [(each.statuses, each.leaving, each.effect) for each in registry] == [
        (("COMPLETED",), ("COMPLETED",), "account"),
        ((), ("COMPLETED",), None),
    ]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"leaving": ["completed"]}, "a status is a text in capitals"),
        ({"leaving": "completed"}, "a status is a text in capitals"),
        ({"effect": "money"}, "the effect is one of account, customer, not 'money'"),
    ],
)
def test_what_a_handler_can_neither_leave_nor_be_there_for_is_rejected(
    given: dict[str, Any], error: str
) -> None:
    with pytest.raises(TypeError, match=error):
        handles("REJECTED", **given)


@pytest.mark.parametrize(
    ("family", "status", "left", "concerned"),
    [
        ("kyb", "REJECTED", ("IN_REVIEW", "IN_REVIEW"), True),  # its status
        ("kyb", "IN_REVIEW", ("COMPLETED", None), True),  # as the message names it
        ("kyb", "IN_REVIEW", ("REJECTED", "COMPLETED"), True),  # as the event before has it
        ("kyb", "COMPLETED", ("COMPLETED", "COMPLETED"), False),  # it stays
        ("kyb", "IN_REVIEW", ("IN_PROGRESS", None), False),
        ("aml", "REJECTED", ("COMPLETED", None), False),
    ],
)
def test_which_events_concern_a_handler(
    family: str, status: str, left: tuple[str | None, ...], concerned: bool
) -> None:
    handler = Registered("tell", "Tell", ("REJECTED",), False, "acme", leaving=("COMPLETED",))
    assert handler.concerns(family, status, left) is concerned


def test_a_handler_of_every_event_is_concerned_by_other_families_too() -> None:
    assert Registered("note", "Note", (), False, "acme").concerns("aml", "CLEARED", (None, None))
    assert not Registered("note", "Note", (), False, "acme", leaving=("COMPLETED",)).concerns(
        "aml", "CLEARED", (None, None)
    )


def test_two_handlers_of_one_name_are_an_error_that_names_both() -> None:
    def register() -> None:
        @handles()
        def notify(event: object, context: object) -> None: ...

    register()
    with pytest.raises(
        ValueError, match=r"the name notify: .*test_handlers.py, line \d+\) and .*, line \d+\)"
    ):
        register()


def no_parameter() -> None: ...
def one_parameter(event: object) -> None: ...
def three_parameters(event: object, context: object, more: object) -> None: ...
def keywords_only(*, event: object, context: object) -> None: ...
def generator(event: object, context: object) -> Iterator[int]:
    yield 1


async def async_generator(event: object, context: object) -> Any:
    yield 1


class AClass:
    def __init__(self, event: object, context: object) -> None: ...
    def __call__(self, event: object, context: object) -> None: ...


def plain(event: object, context: object, more: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (no_parameter, "no_parameter must take two parameters, event and context"),
        (one_parameter, "one_parameter must take two parameters"),
        (three_parameters, "three_parameters must take two parameters"),
        (keywords_only, "keywords_only must take two parameters"),
        (generator, "generator is a generator: a handler must return, not yield"),
        (async_generator, "async_generator is a generator"),
        (lambda event, context: None, "belongs on a function with a name"),
        (AClass, "belongs on a function with a name"),
        (AClass(1, 2), "belongs on a function with a name"),
        ("plain", "belongs on a function with a name"),
        (None, "belongs on a function with a name"),
    ],
)
def test_what_can_be_no_handler_is_rejected_where_it_stands(
    function: Any, error: str, registry: Registry
) -> None:
    with pytest.raises(TypeError, match=error):
        handles()(function)
    assert len(registry) == 0


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ((plain,), "write @handles\\(\\) for every event"),
        (("rejected",), "a status is a text in capitals"),
        (("",), "a status is a text in capitals"),
        ((" REJECTED",), "a status is a text in capitals"),
        ((["REJECTED"],), "a status is a text in capitals"),
    ],
)
def test_what_can_be_no_status_is_rejected(statuses: tuple[Any, ...], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        handles(*statuses)


def test_an_empty_title_is_rejected() -> None:
    with pytest.raises(TypeError, match="title"):
        handles(title=" ")


def test_a_third_parameter_with_a_default_is_no_matter(registry: Registry) -> None:
    handles("REJECTED")(plain)
    assert len(registry) == 1


def test_the_payload_is_the_body_anew_each_time() -> None:
    event = event_of(b'{"refId": "acme-1", "status": "REJECTED"}')
    event.payload.clear()
    assert event.payload == {"refId": "acme-1", "status": "REJECTED"}


def test_a_body_that_is_no_object_has_no_payload() -> None:
    with pytest.raises(ValueError, match="no object"):
        _ = event_of(b"[]").payload


def event_of(body: bytes) -> Event:
    return Event("msg_1", "kyb", "acme-1", "REJECTED", None, None, None, NOON, body)


@pytest.mark.parametrize("when", [90, 90.0, timedelta(seconds=90)])
def test_retry_after_a_time_counts_from_now(when: Any) -> None:
    assert abs(RetryAfter(when, "busy").at - datetime.now(UTC) - timedelta(seconds=90)) < timedelta(seconds=5)


def test_retry_after_a_moment_is_that_moment_in_utc() -> None:
    moment = RetryAfter(NOON.astimezone(timezone(timedelta(hours=5))), "busy").at
    assert (moment, moment.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize(
    ("when", "error"),
    [
        (datetime(2024, 7, 1), ValueError),  # noqa: DTZ001
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        (1e300, ValueError),
        (timedelta.max, ValueError),
        ("90", TypeError),
        (None, TypeError),
    ],
)
def test_retry_after_something_that_is_no_moment_is_rejected(when: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        RetryAfter(when, "busy")


def test_no_retry_says_why() -> None:
    assert str(NoRetry("no such customer")) == "no such customer"


TWO = """
from receiver.handlers import handles
print("imported")
@handles("REJECTED", once=True, title="Tell the customer")
def notify(event, context): ...
@handles()
async def archive(event, context): ...
"""


def test_modules_are_described_in_the_order_of_their_handlers(
    company: Callable[..., None], registry: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    company(first=TWO, second=TWO.replace("notify", "alert").replace("archive", "file"))
    assert [handler.name for handler in describe(["first", "second"])] == [
        "notify",
        "archive",
        "alert",
        "file",
    ]
    assert describe(["first"]) == (
        Registered("notify", "Tell the customer", ("REJECTED",), once=True, module="first"),
        Registered("archive", "Archive", (), once=False, module="first"),
    )
    assert len(registry) == 0
    assert capfd.readouterr() == ("", "imported\n" * 3)


def test_no_modules_have_no_handlers() -> None:
    assert describe([]) == ()


def test_a_module_of_the_working_directory_comes_first_but_hides_nothing_of_ours(
    company: Callable[..., None],
) -> None:
    company(json="raise Exception('wrong json')", receiver="raise Exception('wrong one')", colorsys=TWO)
    assert len(describe(["colorsys"])) == 2


def test_a_module_does_not_see_the_secrets(
    company: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOVE_WEBHOOK_SECRET", "whsec_x")
    monkeypatch.setenv("VOVE_WEBHOOK_SECRET_FILE", "/run/whsec_x")
    company(acme="import os\nassert 'whsec_' not in str(os.environ)")
    assert describe(["acme"]) == ()


MUTE = "class E(Exception):\n def __str__(self): 1/0\nraise E"
BARE = "from receiver.handlers import handles\n\n@handles\ndef f(event, context): ..."


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1\nx.y\n", "AttributeError: 'int' object has no attribute 'y' (acme.py, line 2)"),
        ("def f(:\n", "SyntaxError: invalid syntax (acme.py, line 1)"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (acme.py, line 1)"),
        ("import json\n\njson.loads('')", "JSONDecodeError: … (acme.py, line 3)"),
        ("exec('raise ValueError')", "ValueError (acme.py, line 1)"),
        ("import broken", "ValueError: never (broken.py, line 2)"),
        ("import garbled", "SyntaxError: '(' was never closed (garbled.py, line 3)"),
        ("import sys\nsys.exit(3)", "called sys.exit(3) (acme.py, line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (acme.py, line 1)"),
        ("raise ValueError('a\\0\\ud800')", "ValueError: a\ufffd\ufffd (acme.py, line 1)"),
        (MUTE, "E: (its text cannot be read: ZeroDivisionError) (acme.py, line 3)"),
        (BARE, "TypeError: @handles needs parentheses: … (acme.py, line 3)"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_reason_and_the_place(
    source: str, error: str, company: Callable[..., None]
) -> None:
    company(acme=source, broken="\nraise ValueError('never')", garbled="\n\nx = (1")
    with pytest.raises(HandlersError) as caught:
        describe(["acme"])
    beginning, _, end = f"acme cannot be imported: {error}".partition("…")
    assert str(caught.value).startswith(beginning)
    assert str(caught.value).endswith(end)


def test_the_place_in_an_installed_module_is_told_where_there_is_no_other(
    company: Callable[..., None],
) -> None:
    company()
    with pytest.raises(HandlersError, match=r"ImportError: win32 only \(.*windows_events.py, line \d+\)"):
        describe(["asyncio.windows_events"])


def test_a_module_that_is_not_there_is_named_with_where_it_was_looked_for(
    company: Callable[..., None],
) -> None:
    company()
    with pytest.raises(HandlersError) as caught:
        describe(["acme"])
    assert str(caught.value) == (
        "acme cannot be imported: ModuleNotFoundError: No module named 'acme' "
        f"(looked in {Path.cwd()} and among the installed packages)"
    )


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import os; os._exit(0)", "its process ended by itself with exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "its process was killed by signal 11 (SIGSEGV): it crashed"),
        ("import os; os.closerange(3, 64)", "its process ended by itself with exit code 1"),
    ],
)
def test_a_module_that_ends_its_process_is_told_in_words(
    source: str, error: str, company: Callable[..., None]
) -> None:
    company(acme=source)
    with pytest.raises(HandlersError) as caught:
        describe(["acme"])
    assert str(caught.value) == f"Importing the handler modules failed: {error}"


def test_a_module_that_hangs_is_told_in_words_and_ended(company: Callable[..., None]) -> None:
    company(acme="import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: pass")
    began = time.monotonic()
    with pytest.raises(HandlersError, match="Importing the handler modules did not finish within 1 s"):
        describe(["acme"], timeout=1)
    assert time.monotonic() - began < 30
    assert not Path("/proc", Path("pid").read_text()).exists()


def test_a_thread_or_a_process_left_by_an_import_holds_nothing_up(company: Callable[..., None]) -> None:
    company(
        acme="import subprocess, threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\n"
        "subprocess.Popen(['sleep', '60'])\n" + TWO
    )
    assert len(describe(["acme"], timeout=10)) == 2


def test_two_handlers_of_one_name_in_two_modules_are_named_with_both(company: Callable[..., None]) -> None:
    company(first=TWO, second=TWO)
    with pytest.raises(HandlersError) as caught:
        describe(["first", "second"])
    for part in (
        "second cannot be imported: ValueError: two handlers have the name notify",
        "first (",
        "second (",
    ):
        assert part in str(caught.value)


def test_exit_codes_in_words() -> None:
    assert words.of_exit(3) == "its process ended by itself with exit code 3"
    assert words.of_exit(-signal.SIGTERM) == "its process was killed by signal 15 (SIGTERM)"
    assert words.of_exit(-signal.SIGABRT) == "its process was killed by signal 6 (SIGABRT): it crashed"
    assert words.of_exit(-40) == "its process was killed by signal 40"
    assert words.of_exit(-signal.SIGKILL).endswith("perhaps the machine ran out of memory")


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert words.shorten("x" * 10, 10) == "x" * 10
    assert words.shorten("abcdefghijk", 10) == "abcde\n… cut …\nghijk"
