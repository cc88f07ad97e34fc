"""What a service's answer means: exactly one of done, try again, and no use."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.handlers import NoRetry, RetryAfter, TryAgain
from receiver.handlers.answers import LONGEST_WAIT, Answer, require_done

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def ending(answer: Answer, scheduled: float = 0) -> Exception | None:
    try:
        require_done("The service", "KYBDESK_X", answer, scheduled, NOON)
    except (NoRetry, RetryAfter, TryAgain) as said:
        return said
    return None


def wait(answer: Answer, scheduled: float = 0) -> float | None:
    """Seconds from now; none: by the schedule, or not at all."""
    said = ending(answer, scheduled)
    return round((said.at - datetime.now(UTC)).total_seconds()) if isinstance(said, RetryAfter) else None


@given(
    st.integers(100, 599),
    st.none() | st.text() | st.integers().map(str) | st.datetimes().map(format_datetime),
    st.text() | st.binary().map(lambda some: some.decode(errors="replace")),
    st.floats(0, 30 * 86400),
)
def test_every_answer_means_one_thing(
    status: int, retry_after: str | None, text: str, scheduled: float
) -> None:
    said = ending(Answer(status, retry_after, text), scheduled)
    assert (said is None) == (200 <= status < 300)
    if status >= 500 or status in {408, 425, 429}:
        assert isinstance(said, RetryAfter | TryAgain)
    elif not 200 <= status < 300 and (status < 400 or not retry_after):
        assert isinstance(said, NoRetry)
    if said is not None:
        assert str(status) in str(said)
        assert "\n" not in str(said)
        assert len(str(said)) < 500
    if isinstance(said, RetryAfter):
        assert timedelta(0) < said.at - datetime.now(UTC) <= LONGEST_WAIT


@pytest.mark.parametrize("status", range(100, 600))
def test_without_retry_after_only_what_passes_by_itself_is_tried_again(status: int) -> None:
    said = ending(Answer(status))
    if 200 <= status < 300:
        assert said is None
    else:
        passes = status >= 500 or status in {408, 425, 429}
        assert type(said) is (TryAgain if passes else NoRetry)


@pytest.mark.parametrize("status", [400, 409, 429, 500, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Thu, 05 Mar 2026 12:02:00 GMT", 120),
        ("Thu, 05 Mar 2026 12:02:00 -0000", 120),
        ("Thursday, 05-Mar-26 12:02:00 GMT", 120),
        ("Thu Mar  5 12:02:00 2026", 120),
        ("999999999999", 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
    ],
)
def test_a_service_may_say_when_to_come_back(status: int, said: str, seconds: float) -> None:
    assert wait(Answer(status, said)) == seconds


@pytest.mark.parametrize("said", ["0", "10", "Thu, 05 Mar 2026 11:00:00 GMT"])
def test_who_asks_for_less_than_the_schedule_does_not_use_up_all_tries_at_once(said: str) -> None:
    assert isinstance(ending(Answer(503, said), scheduled=60), TryAgain)


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "²", "9" * 5000, "Thu, 99 Mar 2026 12:02:00 GMT"])
def test_what_cannot_be_understood_was_not_said(said: str) -> None:
    assert isinstance(ending(Answer(429, said)), TryAgain)
    assert isinstance(ending(Answer(409, said)), NoRetry)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(409, text="closed\nin 2024"), "The service refused: 409 Conflict: closed"),
        (Answer(404), "The service refused: 404 Not Found"),
        (Answer(450), "The service refused: 450"),
        (Answer(500, text="<html><h1>Oops</h1>"), "The service is out of order: 500 Internal Server Error"),
        (Answer(429, "60"), "The service asks for some time: 429 Too Many Requests"),
        (Answer(423, "60"), "The service asks for some time: 423 Locked"),
        (
            Answer(301),
            "The service sends us elsewhere, where we don't go: 301 Moved Permanently. "
            "Its address (KYBDESK_X) has to be put right",
        ),
        (
            Answer(402, text='{\n "error": {"code": 7},\n "message": "no such\\nbusiness"}'),
            "The service refused: 402 Payment Required: no such business",
        ),
        (Answer(400, text="x" * 5000), f"The service refused: 400 Bad Request: {'x' * 200}…"),
        (Answer(400, text="a\0b"), "The service refused: 400 Bad Request: a\N{REPLACEMENT CHARACTER}b"),
        (Answer(400, text="[" * 100_000), f"The service refused: 400 Bad Request: {'[' * 200}…"),
    ],
)
def test_people_read_what_it_said(answer: Answer, words: str) -> None:
    assert str(ending(answer)) == words
