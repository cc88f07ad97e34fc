"""What an exception is told apart by: its type, and the innermost place in the company's own code."""

import json
import smtplib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from receiver.executor import ending, faults
from receiver.handlers import NoRetry
from receiver.handlers.values import Message

COMPANY = """
import json
from receiver.handlers.values import Message

def tell(text):
    look_up(text)

def look_up(text):
    json.loads(text)

def send(text):
    Message(1, "x", "y")
"""


@pytest.fixture
def company(tmp_path: Path) -> ModuleType:
    file = tmp_path / "acme_handlers.py"
    file.write_text(COMPANY)
    module = ModuleType("acme_handlers")
    exec(compile(COMPANY, str(file), "exec"), module.__dict__)
    return module


def raised_by(function: Callable[[str], object]) -> BaseException:
    try:
        function("{")
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def test_the_place_is_the_innermost_one_of_the_company_s_own(company: ModuleType) -> None:
    error = raised_by(company.tell)
    assert faults.place_of(error, "acme_handlers") == "acme_handlers.look_up"
    assert faults.kind_of(error) == "json.decoder.JSONDecodeError"


def test_what_comes_with_us_is_not_the_company_s_own(company: ModuleType) -> None:
    assert faults.place_of(raised_by(company.send), "acme_handlers") == "acme_handlers.send"


def test_to_our_own_handlers_ours_is_own() -> None:
    error = raised_by(lambda text: Message(1, "x", "y"))  # type: ignore[arg-type]
    assert (
        faults.place_of(error, "receiver.handlers.forward")
        == "receiver.handlers.values.Message.__post_init__"
    )


def test_a_company_s_installed_package_is_own(company: ModuleType) -> None:
    """As a distribution it lies among the libraries."""
    assert faults.place_of(raised_by(json.loads), "json.decoder") == "json.decoder.JSONDecoder.raw_decode"


def test_without_an_own_frame_there_is_no_place() -> None:
    assert faults.place_of(ValueError("never raised"), "acme") is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("x"), "ValueError"),
        (NoRetry("x"), "NoRetry"),
        (smtplib.SMTPServerDisconnected("x"), "smtplib.SMTPServerDisconnected"),
    ],
)
def test_the_kind_is_the_type_with_its_module_where_that_says_something(error: Exception, kind: str) -> None:
    assert faults.kind_of(error) == kind


def test_another_line_is_no_other_place(company: ModuleType) -> None:
    moved = ModuleType("acme_handlers")
    exec(compile("\n\n\n" + COMPANY, company.__dict__.get("__file__", "acme.py"), "exec"), moved.__dict__)
    places = {faults.place_of(raised_by(module.tell), "acme_handlers") for module in (company, moved)}
    assert len(places) == 1


def test_what_the_child_says_of_it_is_bounded_and_stays_on_one_line() -> None:
    said = json.dumps({"error": "no", "kind": "x\n" * 1000, "place": ["not", "a", "text"]})
    ended = ending.from_report(said.encode(), None)
    assert ended is not None
    assert ended.kind is not None
    assert len(ended.kind) <= faults.LONGEST
    assert "\n" not in ended.kind
    assert ended.place is None
