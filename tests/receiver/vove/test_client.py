"""VOVE is asked over real sockets; the stand-in fails in each way that a service has."""

import asyncio
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from receiver.settings import Settings
from receiver.vove.client import Client, Pace, Patience
from receiver.vove.troubles import Trouble, VoveError
from tests.vove_stand_in import KEY, Answer, VoveStandIn, case, vove

QUICK = Patience(one=2, all=5, tries=3, pause=0.01, apart=0)


def ask(stand_in: VoveStandIn, patience: Patience = QUICK, **chosen: Any) -> bytes:
    settings = replace(Settings(vove_api_url=stand_in.url, vove_api_key=KEY), **chosen)

    async def asked() -> bytes:
        async with Client(settings, patience) as opened:
            return await opened.get_cases({"page": 1})

    return asyncio.run(asked())


def trouble_of(stand_in: VoveStandIn, patience: Patience = QUICK, **chosen: Any) -> VoveError:
    with pytest.raises(VoveError) as raised:
        ask(stand_in, patience, **chosen)
    return raised.value


def test_a_question_carries_the_key_and_the_answer_comes_back() -> None:
    with vove(case("acme")) as stand_in:
        assert json.loads(ask(stand_in))["data"][0]["refId"] == "acme"
    (asked,) = stand_in.asked
    assert (asked.path, asked.parameters, asked.key) == ("/v2/kyb/case", {"page": "1"}, KEY)


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Answer(401), Trouble.KEY),
        (Answer(403), Trouble.KEY),
        (Answer(400), Trouble.REFUSED),
        (Answer(404), Trouble.REFUSED),
        (Answer(200, b"[" + b" " * 10_000_000 + b"]"), Trouble.TOO_LARGE),
        (Answer(200, b"no gzip", {"Content-Encoding": "gzip"}), Trouble.STRANGE),
    ],
    ids=["401", "403", "400", "404", "10 MB", "not compressed as it says"],
)
def test_what_no_repeat_would_mend_is_asked_once(fault: Answer, trouble: Trouble) -> None:
    with vove() as stand_in:
        stand_in.faults = [fault] * 3
        assert trouble_of(stand_in).trouble is trouble
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [Answer(500), Answer(502), Answer(503), Answer(408), Answer(act="reset"), Answer(429)],
    ids=lambda fault: fault.act or str(fault.status),
)
def test_what_may_pass_is_asked_again(fault: Answer) -> None:
    with vove(case("acme")) as stand_in:
        stand_in.faults = [fault] * 2
        assert b"acme" in ask(stand_in)
    assert len(stand_in.asked) == 3


def test_it_gives_up_after_its_tries() -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(500)] * 9
        assert trouble_of(stand_in).status == 500
    assert len(stand_in.asked) == 3


def test_the_pause_before_each_repeat_is_longer_than_the_last() -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(500)] * 9
        began = time.monotonic()
        trouble_of(stand_in, replace(QUICK, pause=0.1))
    assert time.monotonic() - began >= 0.05 + 0.1


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_vove_asks_it_to(status: int) -> None:
    with vove(case("acme")) as stand_in:
        stand_in.faults = [Answer(status, headers={"Retry-After": "1"})]
        began = time.monotonic()
        ask(stand_in)
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "asked_to_wait",
    ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "a moment"],  # the same to each worker
)
def test_it_does_not_wait_longer_than_its_patience_but_says_so_at_once(asked_to_wait: str) -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(429, headers={"Retry-After": asked_to_wait})] * 3
        began = time.monotonic()
        assert trouble_of(stand_in, replace(QUICK, all=60)).trouble is Trouble.BUSY
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("asked_to_wait", ["", "soon", "-5", "²"])
def test_a_retry_after_that_says_nothing_is_a_usual_pause(asked_to_wait: str) -> None:
    with vove(case("acme")) as stand_in:
        stand_in.faults = [Answer(429, headers={"Retry-After": asked_to_wait.encode().decode("latin-1")})]
        assert b"acme" in ask(stand_in)


@pytest.mark.parametrize("act", ["hang", "trickle"])
def test_an_answer_that_does_not_come_to_its_end_is_given_up(act: str) -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(body=b"[" + b" " * 1000 + b"]", act=act)] * 3
        began = time.monotonic()
        assert trouble_of(stand_in, replace(QUICK, one=0.4, all=1)).trouble is Trouble.SLOW
    assert time.monotonic() - began < 15


def test_nobody_there_is_told() -> None:
    with vove() as stand_in:
        pass
    assert trouble_of(stand_in).trouble is Trouble.UNREACHABLE


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with vove() as elsewhere, vove() as stand_in:
        stand_in.faults = [Answer(status, headers={"Location": elsewhere.url}) for status in (302, 307)]
        assert trouble_of(stand_in).trouble is Trouble.ELSEWHERE
        assert trouble_of(stand_in).trouble is Trouble.ELSEWHERE
    assert elsewhere.asked == []


def test_who_cannot_prove_to_be_vove_never_sees_the_key() -> None:
    with vove(tls=True) as stand_in:
        assert trouble_of(stand_in).trouble is Trouble.CERTIFICATE
    assert stand_in.asked == []


@pytest.mark.parametrize(
    ("chosen", "trouble"),
    [
        ({"vove_api_key": None}, Trouble.OFF),
        ({"vove_api_key": "a key\r\nof two lines"}, Trouble.KEY),
        ({"vove_api_key": "clé"}, Trouble.KEY),
        ({"vove_api_url": "http://api.voveid.example/v2"}, Trouble.PLAIN),
    ],
    ids=["none", "two lines", "not ASCII", "without TLS"],
)
def test_what_is_not_set_up_well_is_told_before_anything_is_sent(
    chosen: dict[str, Any], trouble: Trouble
) -> None:
    with vove() as stand_in:
        assert trouble_of(stand_in, **chosen).trouble is trouble
    assert stand_in.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        Answer(401, json.dumps({"message": f"no such key {KEY}"}).encode()),
        Answer(400, KEY.encode()),
        Answer(302, headers={"Location": f"http://127.0.0.1:1/?key={KEY}"}),
        Answer(500, headers={"X-Echo": KEY}),
        Answer(act="reset"),
    ],
    ids=lambda fault: fault.act or str(fault.status),
)
def test_the_key_is_in_no_error_and_in_no_log(fault: Answer, caplog: pytest.LogCaptureFixture) -> None:
    with vove() as stand_in, caplog.at_level(logging.INFO):
        stand_in.faults = [fault] * 3
        error = trouble_of(stand_in)
    assert KEY not in f"{error!r} {error} {caplog.text}"
    assert error.__suppress_context__ or error.__context__ is None


def test_requests_keep_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def slept(seconds: float) -> None:
        waits.append(round(seconds, 1))

    monkeypatch.setattr(asyncio, "sleep", slept)
    pace = Pace()

    async def three_at_once() -> None:
        for _ in range(3):
            await pace.turn(0.5)

    asyncio.run(three_at_once())

    assert waits == [0, 0.5, 1.0]
