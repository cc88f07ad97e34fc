"""What uvicorn lacks, over real sockets: deadlines, limits, and no way to smuggle a request past them."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from receiver import server
from receiver.models import deliveries, events
from receiver.server import MAX_HEADERS, Protocol
from tests.receiver.factories import NOON, body, message_id, signed
from tests.receiver.serving import Line, Serving, chunked, request, wait_until

BODY = body()
GOOD = signed(BODY, message_id(NOON), NOON)
NOTHING = request(method=b"GET", target=b"/healthz")


def send_until_it_is_ended(line: Line, part: bytes) -> None:
    with suppress(ConnectionResetError, BrokenPipeError):
        for _ in range(1000):
            line.send(part)
        pytest.fail("all of it was taken")


def is_ended_after(line: Line, part: bytes) -> bool:
    try:
        line.send(part)
        return line.socket.recv(1) == b""
    except TimeoutError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True


def deliver(line: Line, svix_id: str) -> None:
    line.send(request(BODY, signed(BODY, svix_id, NOON)))


def test_a_connection_serves_one_request_after_another(receiver: Serving) -> None:
    with receiver.connect() as line:
        for number in range(3):
            deliver(line, f"msg_{number}")
            assert line.answer().said == (200, b"accepted")


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (request(BODY, []), 401),
        (request(BODY, GOOD, target=b"/nowhere"), 404),
        (request(BODY, GOOD, target=b"//webhooks/vove-kyb"), 404),
        (request(BODY, GOOD, b"PUT"), 405),
        (request(b"x" * 200_000, GOOD, b"PUT"), 405),
        (chunked(GOOD, b"x" * 1000, b""), 401),
        (chunked(GOOD, BODY, b"").removesuffix(b"\r\n") + b"x-trailer: y\r\n\r\n", 200),
    ],
)
def test_after_each_answer_the_connection_serves_the_next_request(
    receiver: Serving, first: bytes, status: int
) -> None:
    with receiver.connect() as line:
        line.send(first)
        assert line.answer().status == status
        deliver(line, "msg_next")
        assert line.answer().said == (200, b"accepted")


def test_requests_sent_at_once_are_answered_in_their_order(receiver: Serving) -> None:
    with receiver.connect() as line:
        line.send(
            request(BODY, GOOD), request(BODY, []), request(b"x" * 200_000, []), request(BODY, GOOD), NOTHING
        )
        said = [line.answer().said for _ in range(5)]

    refused = (401, b"refused")
    assert said == [(200, b"accepted"), refused, refused, (200, b"duplicate"), (200, b"ok")]


def test_a_hundred_requests_can_wait_in_line(receiver: Serving) -> None:
    with receiver.connect() as line:
        line.send(NOTHING * 101)
        assert {line.answer().said for _ in range(101)} == {(200, b"ok")}


def test_who_sends_thousands_at_once_holds_nobody_up(receiver: Serving) -> None:
    """uvicorn alone would answer seven a second, and nobody else meanwhile."""
    with receiver.connect() as line:
        send_until_it_is_ended(line, NOTHING * 1000)
    receiver.wait_until_idle()

    assert receiver.deliver().said == (200, b"accepted")


def test_the_end_of_one_request_and_the_beginning_of_another_are_no_long_header(receiver: Serving) -> None:
    with receiver.connect() as line:
        line.send(NOTHING[:20])
        for _ in range(3):
            line.send(NOTHING[20:], request(b"x" * 300_000, []), NOTHING[:20])
            assert [line.answer().status for _ in range(2)] == [200, 401]


def test_a_body_holds_no_second_request(receiver: Serving) -> None:
    smuggled = request(BODY, GOOD)
    with receiver.connect() as line:
        line.send(request(smuggled, []), NOTHING)
        assert [line.answer().status for _ in range(2)] == [401, 200]

    assert receiver.rows(events) == []


@pytest.mark.parametrize(
    "malformed",
    [
        request(BODY, [*GOOD, (b"transfer-encoding", b"chunked")]),
        chunked([*GOOD, (b"content-length", b"%d" % len(BODY))], BODY, b""),
        request(BODY, [*GOOD, (b"content-length", b"1")]),
        request(BODY, [*GOOD, (b"content-length", b"%d" % len(BODY))]),
        request(BODY, [*GOOD, (b"transfer-encoding", b"xchunked")]).replace(b"content-length", b"x"),
        request(BODY, GOOD).replace(b"content-length: ", b"content-length: +"),
        request(BODY, GOOD).replace(b"content-length: ", b"content-length: -"),
        request(BODY, GOOD, announced=2**64),
        request(BODY, GOOD).replace(b"svix-id:", b"svix-id :"),
        request(BODY, GOOD).replace(b"svix-id: ", b"svix-id: \r\n "),
        request(BODY, GOOD).replace(b"svix-id: ", b"svix-id: \0"),
        request(BODY, GOOD).replace(b"\r\n", b"\n"),
        request(BODY, GOOD, target=b"/webhooks/vove-kyb\xff"),
        request(BODY, GOOD, target=b"http://receiver"),
        request(BODY, GOOD, b"CONNECT", b"receiver:80"),
        chunked(GOOD, BODY, b"").replace(b"\r\n0\r\n", b"\r\n-1\r\n"),
        chunked(GOOD, BODY, b"").removesuffix(b"\r\n") + b"content-length: 7\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_a_bad_request(
    receiver: Serving, malformed: bytes
) -> None:
    with receiver.connect() as line:
        line.send(malformed)
        assert line.answer().status == 400
        assert line.is_ended()

    assert receiver.rows(events) == []


def test_headers_up_to_32_kib_are_taken(receiver: Serving) -> None:
    beside = [(b"x-%d" % number, b"y" * 1000) for number in range(31)]

    assert receiver.post(BODY, [*beside, *GOOD]).said == (200, b"accepted")


@pytest.mark.parametrize(
    "head",
    [
        request(BODY, [*GOOD, (b"x", b"y" * MAX_HEADERS)]),
        request(BODY, [*GOOD, *[(b"x", b"y")] * 7000]),
        request(BODY, [*GOOD, (b"x" * MAX_HEADERS, b"y")]),
        request(BODY, GOOD, target=b"/" + b"x" * MAX_HEADERS),
        chunked(GOOD, BODY, b"").removesuffix(b"\r\n") + b"x: " + b"y" * MAX_HEADERS + b"\r\n\r\n",
    ],
    ids=["a long header", "many headers", "a long name", "a long target", "a long trailer"],
)
def test_headers_over_32_kib_are_not(receiver: Serving, head: bytes) -> None:
    with receiver.connect() as line:
        line.send(head)
        assert line.answer().status == 400
        assert line.is_ended()


@pytest.mark.parametrize(
    "start", [b"POST / HTTP/1.1\r\nhost: receiver\r\nx: ", b"POST / HTTP/1.1\r\n", b"POST /"]
)
def test_a_header_without_end_is_not_read_for_ever(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(server, "HEADER_DEADLINE", 600)
    with receiver.connect() as line:
        line.send(start)
        send_until_it_is_ended(line, b"x" * 100_000)


def test_a_request_that_comes_in_many_pieces_is_not_taken_for_a_long_one(receiver: Serving) -> None:
    """What is read with the end of a request before it does not count."""
    with receiver.connect() as line:
        for number in range(3):
            head, _, rest = request(BODY, signed(BODY, f"msg_{number}", NOON)).partition(b"svix-sig")
            line.send(request(b"x" * 300_000, []), head)
            assert line.answer().status == 401
            line.send(b"svix-sig" + rest)
            assert line.answer().said == (200, b"accepted")


@pytest.mark.parametrize(
    "beginning",
    [b"", b"\r\n", b"POST", b"POST /webhooks/vove-kyb HTTP/1.1\r\nhost: receiver\r\nsvix-id: m"],
    ids=["nothing", "an empty line", "a method", "half a header"],
)
@pytest.mark.parametrize("earlier", [b"", NOTHING], ids=["at first", "after an answer"])
def test_a_connection_whose_headers_do_not_come_is_ended(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch, beginning: bytes, earlier: bytes
) -> None:
    monkeypatch.setattr(server, "HEADER_DEADLINE", 0.2)
    monkeypatch.setattr(receiver.running.config, "timeout_keep_alive", 0.2)
    with receiver.connect() as line:
        if earlier:
            line.send(earlier)
            line.answer()
        line.send(beginning)
        assert line.is_ended()
    receiver.wait_until_idle()


def test_headers_that_come_drop_by_drop_are_not_waited_for(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEADER_DEADLINE", 0.3)
    with receiver.connect() as line:
        line.send(b"POST / HTTP/1.1\r\nx: ")
        line.socket.settimeout(0.02)
        wait_until(lambda: is_ended_after(line, b"x"))


def test_where_nobody_waits_for_a_body_it_has_a_deadline_too(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_DEADLINE", 0.2)
    with receiver.connect() as line:
        line.send(request(b"x", [], target=b"/nowhere", announced=1000))
        assert line.answer().status == 404
        assert line.is_ended()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux ends them")
def test_a_connection_whose_answers_are_not_read_is_ended(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNREAD_DEADLINE", 0.5)
    monkeypatch.setattr(Protocol, "connection_made", with_a_small_buffer(Protocol.connection_made))
    with socket.socket() as unread:
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        unread.connect(("127.0.0.1", receiver.port))
        unread.sendall(NOTHING * 100)
        wait_until(lambda: receiver.running.server_state.total_requests)
        receiver.wait_until_idle()


def with_a_small_buffer(connection_made: Callable[..., None]) -> Callable[..., None]:
    def made(protocol: Protocol, transport: Any) -> None:
        connection_made(protocol, transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

    return made


def test_a_request_to_upgrade_is_answered_as_any_other(receiver: Serving) -> None:
    headers = [(b"connection", b"upgrade"), (b"upgrade", b"websocket")]
    with receiver.connect() as line:
        line.send(request(method=b"GET", target=b"/nowhere", headers=headers))
        assert line.answer().status == 404


def test_what_is_not_http_leaves_no_trace(receiver: Serving) -> None:
    receiver.ask(b"nonsense\r\n\r\n")

    assert receiver.rows(deliveries) == []
