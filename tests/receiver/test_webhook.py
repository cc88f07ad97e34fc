"""Every row of "Answers of the webhook endpoint", over real sockets."""

import base64
import hashlib
import hmac
import logging
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Connection, make_url

from receiver import app, database, webhook
from receiver.database import Database
from receiver.ledger import Ledger
from receiver.models import cases, deliveries, delivery_counts, events
from receiver.verification import fingerprint
from receiver.webhook import MAX_BODY, MAX_REFUSED_BODY
from tests.receiver.factories import NOON, OTHER_SECRET, SECRET, body, message_id, signed
from tests.receiver.serving import Answer, Serving, chunked, request, rows, serving, wait_until

ID = message_id(NOON)
BODY = body()
GOOD = signed(BODY, ID, NOON)
STRANGE_SECRET = "whsec_" + base64.b64encode(b"nobody's secret of 24 bytes").decode()


def padded(size: int, **fields: str) -> bytes:
    """An event of exactly so many bytes."""
    return body(reason="x" * (size - len(body(reason=""))))


@pytest.fixture(scope="module")
def lasting_receiver(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Serving]:
    """For the long lists: one receiver for all of them, with what they have left in it."""
    path = shutil.copy(migrated_file, tmp_path_factory.mktemp("lasting") / "kybdesk.db")
    with serving(Database(make_url(f"sqlite+aiosqlite:///{path}"))) as running:
        yield running


# Verified


def test_a_new_delivery_is_accepted(receiver: Serving) -> None:
    answer = receiver.post(BODY, [(b"user-agent", b"Svix-Webhooks/1.0"), *GOOD, (b"content-type", b"text/x")])

    assert answer.said == (200, b"accepted")
    (delivery,) = receiver.rows(deliveries)
    assert (delivery.verdict, delivery.cause, delivery.http_status) == ("accepted", None, 200)
    assert (delivery.svix_id, delivery.svix_timestamp) == (ID, int(NOON.timestamp()))
    assert (delivery.received_at, delivery.client) == (NOON, "127.0.0.1")
    assert (delivery.user_agent, delivery.content_type) == ("Svix-Webhooks/1.0", "text/x")
    names = "host user-agent svix-id svix-timestamp svix-signature content-type content-length"
    assert delivery.header_names == names
    assert (delivery.verified_by, delivery.signature) == (fingerprint(SECRET), None)
    assert (delivery.body, delivery.body_size) == (None, len(BODY))  # the event keeps the bytes
    (event,) = receiver.rows(events)
    assert delivery.event_id == event.id
    assert (event.svix_id, event.ref_id, event.status, event.previous_status) == (
        ID,
        "acme",
        "IN_PROGRESS",
        "NOT_STARTED",
    )
    assert (event.body, event.message_at, event.dispatched_at) == (BODY, NOON, None)
    (case,) = receiver.rows(cases)
    assert (case.ref_id, case.status, case.last_event_id) == ("acme", "IN_PROGRESS", event.id)


def test_a_repeat_is_a_duplicate(receiver: Serving) -> None:
    assert receiver.post(BODY, GOOD).said == (200, b"accepted")
    assert receiver.post(BODY, GOOD).said == (200, b"duplicate")
    receiver.clock.now += timedelta(minutes=30)
    assert receiver.deliver(BODY, ID).said == (200, b"duplicate")  # another attempt, signed anew

    (event,) = receiver.rows(events)
    assert event.delivery_count == 3
    kept = [(row.verdict, row.event_id, row.body) for row in receiver.rows(deliveries)]
    assert kept == [("accepted", event.id, None)] + [("duplicate", event.id, None)] * 2


def test_other_bytes_under_a_known_id_are_a_conflict(receiver: Serving) -> None:
    receiver.post(BODY, GOOD)
    other = body(status="REJECTED")

    assert receiver.deliver(other, ID).said == (200, b"conflict")

    (event,) = receiver.rows(events)
    assert (event.status, event.body) == ("IN_PROGRESS", BODY)
    conflict = receiver.rows(deliveries)[1]
    assert (conflict.verdict, conflict.event_id, conflict.body) == ("conflict", event.id, other)
    assert receiver.rows(cases)[0].status == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "not_json"),
        (b"refId=acme", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'{"refId": "a", "status": "B", "status": "B"}', "repeated_key"),
        (b'{"status": "B"}', "missing_ref_id"),
        (b'{"refId": 1, "status": "B"}', "mistyped_ref_id"),
        (b'{"refId": "", "status": "B"}', "empty_ref_id"),
        (b'{"refId": "a"}', "missing_status"),
        (b'{"refId": "a", "status": "B", "previousStatus": null}', "mistyped_previous_status"),
        (b'{"refId": "\\ud800", "status": "B"}', "unstorable_text"),
        (b'{"refId": "a", "status": "B\\u0000"}', "unstorable_text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_signed_but_not_understood_is_quarantined(
    lasting_receiver: Serving, content: bytes, cause: str
) -> None:
    assert lasting_receiver.deliver(content).said == (200, b"quarantined")

    delivery = lasting_receiver.rows(deliveries)[-1]
    assert (delivery.verdict, delivery.cause, delivery.body) == ("quarantined", cause, content)
    assert (delivery.svix_id, delivery.event_id) == (ID, None)
    assert not lasting_receiver.rows(events)
    assert not lasting_receiver.rows(cases)


@pytest.mark.parametrize("reason", [None, 7, {}])
def test_a_rejection_is_accepted_whatever_its_reason_is(receiver: Serving, reason: object) -> None:
    assert receiver.deliver(body(status="REJECTED", reason=reason)).said == (200, b"accepted")

    (case,) = receiver.rows(cases)
    assert (case.status, case.reason) == ("REJECTED", None)


@pytest.mark.parametrize(
    ("content", "family", "moves"),
    [
        (body(status="SUSPENDED"), "kyb", True),
        (b'{"refId": "acme", "status": "REJECTED"}', "aml", False),
        (b'{"refId": "acme", "status": "successful", "userId": "u"}', "identity", False),
        (b'{"refId": "acme", "status": "kyb.ubo.invited"}', "other", False),
    ],
)
def test_other_families_and_unknown_statuses_are_accepted(
    receiver: Serving, content: bytes, family: str, moves: bool
) -> None:
    assert receiver.deliver(content).said == (200, b"accepted")

    (event,) = receiver.rows(events)
    assert (event.family, event.body, event.place) == (family, content, 0 if moves else None)
    assert len(receiver.rows(cases)) == moves


def test_the_twin_headers_alone_are_accepted(receiver: Serving) -> None:
    assert receiver.post(BODY, signed(BODY, ID, NOON, family="webhook")).said == (200, b"accepted")


def test_header_names_may_have_capitals(receiver: Serving) -> None:
    assert receiver.post(BODY, [(name.title(), value) for name, value in GOOD]).said == (200, b"accepted")


def test_while_secrets_rotate_each_delivery_says_which_one_verified(receiver: Serving) -> None:
    for number, secret in enumerate([SECRET, OTHER_SECRET]):
        assert receiver.deliver(svix_id=f"msg_{number}", secret=secret).said == (200, b"accepted")

    kept = [row.verified_by for row in receiver.rows(deliveries)]
    assert kept == [fingerprint(SECRET), fingerprint(OTHER_SECRET)]


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_timestamp_may_be_five_minutes_off(receiver: Serving, seconds: int) -> None:
    receiver.clock.now = NOON + timedelta(seconds=seconds)

    assert receiver.post(BODY, GOOD).said == (200, b"accepted")


def test_fifty_repeats_at_once_make_one_event(receiver: Serving) -> None:
    barrier = Barrier(50)

    def deliver(_: int) -> Answer:
        with receiver.connect() as line:
            barrier.wait(30)
            line.send(request(BODY, GOOD))
            return line.answer()

    with ThreadPoolExecutor(50) as pool:
        answers = [answer.said for answer in pool.map(deliver, range(50))]

    assert sorted(answers) == [(200, b"accepted")] + [(200, b"duplicate")] * 49
    (event,) = receiver.rows(events)
    assert event.delivery_count == 50
    assert len(receiver.rows(deliveries)) == 50
    assert {(row.verdict, row.n) for row in receiver.rows(delivery_counts)} == {
        ("accepted", 1),
        ("duplicate", 49),
    }


# Not verified


def with_header(number: int, value: bytes) -> list[tuple[bytes, bytes]]:
    return [*GOOD[:number], (GOOD[number][0], value), *GOOD[number + 1 :]]


def printed_sample(form: Callable[[bytes], bytes]) -> bytes:
    return form(hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest())


HEX = printed_sample(lambda digest: digest.hex().encode())
BASE64 = printed_sample(base64.b64encode)
REFUSED = [
    ("missing_header", []),
    ("missing_header", GOOD[1:]),
    ("missing_header", GOOD[:2]),
    ("missing_header", [GOOD[0], GOOD[2]]),
    ("repeated_header", [(b"svix-id", b"msg_new"), *GOOD]),
    ("repeated_header", [*GOOD, (b"svix-id", b"msg_new")]),
    ("repeated_header", [*GOOD, GOOD[0]]),
    ("repeated_header", [*GOOD, (b"Svix-Id", b"msg_new")]),
    ("mixed_headers", [(b"webhook-id", b"msg_new"), *GOOD]),
    ("mixed_headers", [*GOOD, *signed(BODY, ID, NOON, family="webhook")]),
    ("mixed_headers", [(b"webhook-id", ID.encode()), *GOOD[1:]]),
    ("malformed_id", with_header(0, b"msg 1")),
    ("malformed_id", with_header(0, b"msg_\xe9")),
    ("malformed_id", with_header(0, b"")),
    ("malformed_timestamp", with_header(1, b"1700000000.9")),
    ("malformed_timestamp", with_header(1, b"1_700_000_000")),
    ("malformed_timestamp", with_header(1, b"+1700000000")),
    ("malformed_timestamp", with_header(1, b"01700000000")),
    (
        "malformed_timestamp",
        with_header(1, "\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660".encode()),
    ),
    ("malformed_signature", with_header(2, b"v1a," + base64.b64encode(b"\x00" * 64))),
    ("malformed_signature", with_header(2, b"\xff\xfe")),
    ("no_match", signed(BODY, ID, NOON, STRANGE_SECRET)),
    ("no_match", signed(BODY + b" ", ID, NOON)),
    ("too_old", signed(BODY, ID, NOON - timedelta(seconds=301))),
    ("too_new", signed(BODY, ID, NOON + timedelta(seconds=301))),
    ("too_new", signed(BODY, ID, NOON.replace(year=5137))),
    ("signed_as_printed_sample", with_header(2, HEX)),
    ("signed_as_printed_sample", with_header(2, BASE64)),
    ("signed_as_printed_sample", [(b"svix-signature", HEX)]),
    ("signed_as_printed_sample", [(b"svix-signature", BASE64)]),
]


@pytest.mark.parametrize(("cause", "headers"), REFUSED)
def test_what_does_not_verify_is_refused_and_told_nothing(
    lasting_receiver: Serving, cause: str, headers: list[tuple[bytes, bytes]]
) -> None:
    answer = lasting_receiver.post(BODY, headers)

    assert answer.said == (401, b"refused")
    assert set(answer.headers) == {
        "date",
        "content-type",
        "content-length",
        "x-content-type-options",
        "cache-control",
    }
    delivery = lasting_receiver.rows(deliveries)[-1]
    assert (delivery.verdict, delivery.cause, delivery.http_status) == ("refused", cause, 401)
    assert (delivery.body, delivery.body_sha256) == (BODY, hashlib.sha256(BODY).digest())
    assert not lasting_receiver.rows(events)


@pytest.mark.parametrize(
    "signature",
    [b"v1,nonsense %s", b"x %s", b"v1a,AAAA %s", b" %s", b"  v1,a  %s", b"\xff %s", b"%s v1,%%"],
)
def test_a_genuine_token_counts_whatever_stands_beside_it(receiver: Serving, signature: bytes) -> None:
    assert receiver.post(BODY, with_header(2, signature.replace(b"%s", GOOD[2][1]))).said == (
        200,
        b"accepted",
    )


def test_a_body_that_is_not_utf8_is_refused(receiver: Serving) -> None:
    assert receiver.post(b'{"refId": "caf\xe9"}', GOOD).said == (401, b"refused")

    assert receiver.rows(deliveries)[0].cause == "body_not_utf8"


def test_what_was_claimed_is_kept_to_verify_it_again(receiver: Serving) -> None:
    headers = signed(BODY, ID, NOON, STRANGE_SECRET)
    receiver.post(BODY, headers)

    (delivery,) = receiver.rows(deliveries)
    assert (delivery.svix_id, delivery.svix_timestamp) == (ID, int(NOON.timestamp()))
    assert (delivery.signature, delivery.verified_by) == (headers[2][1].decode(), None)
    assert delivery.shape == "svix"


def test_of_a_refused_body_a_part_is_kept(receiver: Serving) -> None:
    content = b"x" * (MAX_REFUSED_BODY + 1)
    receiver.post(content, [(b"user-agent", b"a" * 9000), (b"svix-signature", b"b" * 9000)])

    (delivery,) = receiver.rows(deliveries)
    assert delivery.body == content[:MAX_REFUSED_BODY]
    assert delivery.body_size == len(content)
    assert delivery.body_sha256 == hashlib.sha256(content).digest()
    assert (len(delivery.user_agent), delivery.signature, delivery.shape) == (500, None, "stray")


def test_no_secret_stands_in_an_answer_in_a_log_or_in_the_ledger(
    receiver: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [receiver.post(BODY, headers) for _, headers in REFUSED]
    answers += [receiver.deliver(content) for content in (BODY, BODY, b"[]")]
    answers += [receiver.ask(b"nonsense\r\n\r\n"), receiver.ask(request(target=b"/nowhere"))]

    seen = repr([answers, caplog.text, receiver.rows(deliveries), receiver.rows(events)])
    for secret in (SECRET, OTHER_SECRET):
        assert secret.removeprefix("whsec_") not in seen
        assert repr(base64.b64decode(secret.removeprefix("whsec_"))) not in seen
    assert "acme" not in caplog.text  # nor whom it is about


# Bodies


def test_a_body_of_one_mebibyte_is_accepted(receiver: Serving) -> None:
    content = padded(MAX_BODY)

    assert receiver.deliver(content).said == (200, b"accepted")

    assert receiver.rows(events)[0].body == content


def test_a_quarantined_body_of_one_mebibyte_is_kept_whole(receiver: Serving) -> None:
    content = b"x" * MAX_BODY

    assert receiver.deliver(content).said == (200, b"quarantined")

    assert receiver.rows(deliveries)[0].body == content


def test_a_body_in_chunks_is_accepted(receiver: Serving) -> None:
    assert receiver.ask(chunked(GOOD, BODY[:7], BODY[7:8], BODY[8:], b"")).said == (200, b"accepted")


def test_a_body_that_comes_in_pieces_is_accepted(receiver: Serving) -> None:
    whole = request(BODY, GOOD)
    with receiver.connect() as line:
        for at in range(0, len(whole), 7):
            line.send(whole[at : at + 7])
        assert line.answer().said == (200, b"accepted")


@pytest.mark.parametrize("announced", [MAX_BODY + 1, 2**63, 2**64 - 1])
def test_a_body_over_one_mebibyte_is_answered_before_it_is_sent(receiver: Serving, announced: int) -> None:
    with receiver.connect() as line:
        line.send(request(b"", GOOD, announced=announced))
        answer = line.answer()
        assert line.is_ended()

    assert (answer.said, answer.headers["connection"]) == ((413, b"refused"), "close")
    (delivery,) = receiver.rows(deliveries)
    assert (delivery.verdict, delivery.cause, delivery.http_status) == ("refused", "too_large", 413)
    assert (delivery.body, delivery.shape) == (b"", "stray")
    assert delivery.body_size == min(announced, 2**63 - 1)


def test_a_body_that_grows_over_one_mebibyte_is_answered_before_its_end(receiver: Serving) -> None:
    with receiver.connect() as line:
        line.send(chunked(GOOD, *[b"x" * 2**16] * 17))
        assert line.answer().said == (413, b"refused")
        assert line.is_ended()

    (delivery,) = receiver.rows(deliveries)
    assert (delivery.cause, delivery.body, delivery.shape) == ("too_large", b"", "stray")


def test_a_client_that_asks_first_is_told_to_go_on_or_not(receiver: Serving) -> None:
    with receiver.connect() as line:
        head, _, content = request(BODY, [*GOOD, (b"expect", b"100-continue")]).partition(b"\r\n\r\n")
        line.send(head, b"\r\n\r\n")
        assert line.answer().status == 100
        line.send(content)
        assert line.answer().said == (200, b"accepted")
    answer = receiver.ask(request(b"", [*GOOD, (b"expect", b"100-continue")], announced=MAX_BODY + 1))
    assert answer.status == 413


def test_a_body_that_does_not_come_is_answered(receiver: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "BODY_DEADLINE", 0.1)
    with receiver.connect() as line:
        line.send(request(BODY[:-1], GOOD, announced=len(BODY)))
        answer = line.answer()
        assert line.is_ended()

    assert (answer.said, answer.headers["connection"]) == ((408, b"refused"), "close")
    (delivery,) = receiver.rows(deliveries)
    assert (delivery.verdict, delivery.cause, delivery.shape) == ("refused", "body_timeout", "stray")
    assert (delivery.body, delivery.body_size) == (b"", len(BODY))


@pytest.mark.parametrize("sent", [0, 1, len(BODY) - 1])
def test_of_a_sender_that_goes_away_nothing_is_kept(receiver: Serving, sent: int) -> None:
    with receiver.connect() as line:
        line.send(request(BODY[:sent], GOOD, announced=len(BODY)))
    receiver.wait_until_idle()

    assert receiver.rows(deliveries) == []
    assert receiver.post(BODY, GOOD).said == (200, b"accepted")


# Elsewhere


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PURGE"])
def test_another_method_is_not_allowed(lasting_receiver: Serving, method: bytes) -> None:
    answer = lasting_receiver.ask(request(BODY, GOOD, method))

    assert answer.said == (405, b"only POST")
    assert answer.headers["allow"] == "POST"
    assert "accepted" not in {row.verdict for row in lasting_receiver.rows(deliveries)}


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/webhooks",
        b"/webhooks/vove-kyb/",
        b"//webhooks/vove-kyb",
        b"/webhooks//vove-kyb",
        b"/webhooks%2Fvove-kyb",
        b"/%77ebhooks/vove-kyb",
        b"/webhooks/./vove-kyb",
        b"/x/../webhooks/vove-kyb",
        b"/webhooks/vove-kyb%00",
        b"/webhooks/vove-kyb;x",
        b"/Webhooks/vove-kyb",
        b"/openapi.json",
        b"/schema",
    ],
)
def test_nothing_is_at_another_path(lasting_receiver: Serving, target: bytes) -> None:
    assert lasting_receiver.ask(request(BODY, GOOD, target=target)).status == 404
    assert "accepted" not in {row.verdict for row in lasting_receiver.rows(deliveries)}


def test_a_query_changes_nothing(receiver: Serving) -> None:
    answer = receiver.ask(request(BODY, GOOD, target=b"/webhooks/vove-kyb?source=vove"))

    assert answer.said == (200, b"accepted")


def test_it_says_that_it_is_alive_and_ready(receiver: Serving) -> None:
    assert receiver.ask(request(method=b"GET", target=b"/healthz")).said == (200, b"ok")
    assert receiver.ask(request(method=b"GET", target=b"/readyz")).said == (200, b"ready")


# Faults of ours


@contextmanager
def locked(database: Database) -> Iterator[Connection]:
    """Another process writes, and takes its time."""
    engine = database.writer()
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def assert_unavailable(answer: Answer) -> None:
    assert answer.said == (503, b"unavailable")
    assert answer.headers["retry-after"] == "5"


def test_while_the_database_is_locked_nothing_is_pretended(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)
    with locked(receiver.database):
        assert_unavailable(receiver.deliver())
        assert_unavailable(receiver.post(BODY, []))
        assert receiver.ask(request(method=b"GET", target=b"/readyz")).status == 503
        assert receiver.ask(request(method=b"GET", target=b"/healthz")).status == 200
    assert receiver.rows(deliveries) == []

    assert receiver.deliver().said == (200, b"accepted")
    assert receiver.ask(request(method=b"GET", target=b"/readyz")).status == 200


def test_a_lock_that_ends_in_time_delays_and_harms_nothing(receiver: Serving) -> None:
    with receiver.connect() as line:
        with locked(receiver.database):
            line.send(request(BODY, GOOD))
        assert line.answer().said == (200, b"accepted")


def test_after_the_deadline_the_sender_need_not_wait(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "DEADLINE", 0.2)
    with locked(receiver.database):
        assert_unavailable(receiver.deliver())


def test_what_was_written_after_all_is_a_duplicate_when_it_comes_again(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, locked(receiver.database):
        patch.setattr(webhook, "DEADLINE", 0.2)
        assert_unavailable(receiver.deliver())  # the writer waits for the lock still, and gets it
    wait_until(lambda: receiver.rows(events))

    assert receiver.deliver().said == (200, b"duplicate")


def test_a_database_file_that_is_deleted_is_never_answered_200(receiver: Serving) -> None:
    assert receiver.deliver(svix_id="msg_before").said == (200, b"accepted")
    path = receiver.database.path
    assert path is not None
    path.unlink()

    for _ in range(2):
        assert_unavailable(receiver.deliver(svix_id="msg_after"))
    assert receiver.ask(request(method=b"GET", target=b"/readyz")).status == 503
    assert not path.exists()  # SQLite would happily create an empty one


def test_a_database_file_that_is_replaced_is_noticed_before_the_answer(
    receiver: Serving, migrated_file: Path
) -> None:
    assert receiver.deliver(svix_id="msg_before").said == (200, b"accepted")
    path = receiver.database.path
    assert path is not None
    for beside in (path, *path.parent.glob(f"{path.name}-*")):
        beside.rename(beside.with_name("moved-" + beside.name))
    path.write_bytes(migrated_file.read_bytes())

    assert_unavailable(receiver.deliver(svix_id="msg_after"))  # written, but into the file that was moved
    assert receiver.deliver(svix_id="msg_after").said == (200, b"accepted")
    assert [event.svix_id for event in receiver.rows(events)] == ["msg_after"]


def test_while_the_disk_is_full_nothing_is_pretended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, serving(database) as receiver:
        limit_pages(patch)
        assert_unavailable(receiver.deliver(padded(MAX_BODY)))
        patch.undo()

        assert receiver.rows(deliveries) == []
        assert receiver.deliver(padded(MAX_BODY)).said == (200, b"accepted")


def limit_pages(patch: pytest.MonkeyPatch) -> None:
    """A disk that holds 200 pages and no more."""
    pragmas = database._writer_pragmas
    patch.setattr(database, "_writer_pragmas", lambda mode: [*pragmas(mode), "max_page_count=200"])


def test_a_full_queue_sends_away_at_once_what_comes_on_top(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "Ledger", partial(Ledger, max_waiting=1))
    with serving(database) as receiver, ThreadPoolExecutor(6) as pool:
        with locked(database):
            asked = [pool.submit(receiver.deliver, svix_id=f"msg_{number}") for number in range(6)]
            wait_until(lambda: sum(each.done() for each in asked) >= 4)
            sent_away = [each for each in asked if each.done()]
            for each in sent_away:
                assert_unavailable(each.result())
        accepted = [each for each in asked if each not in sent_away]
        assert {each.result().said for each in accepted} == {(200, b"accepted")}
        assert len(receiver.rows(events)) == len(accepted)


def test_strangers_cannot_fill_the_queue_and_are_counted(
    receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.ledger.MAX_WAITING_REFUSED", 1)
    with ThreadPoolExecutor(10) as pool:
        with locked(receiver.database):
            asked = [pool.submit(receiver.post, BODY, []) for _ in range(9)]
            wait_until(lambda: sum(each.done() for each in asked) >= 7)
            genuine = pool.submit(receiver.deliver)
        assert {each.result().said for each in asked} == {(401, b"refused")}
        assert genuine.result().said == (200, b"accepted")

    assert sum(row.n for row in receiver.rows(delivery_counts) if row.verdict == "refused") == 9
    assert sum(row.verdict == "refused" for row in receiver.rows(deliveries)) < 9


def test_a_receiver_that_stops_writes_what_it_took_and_answers(database: Database) -> None:
    with serving(database) as receiver, receiver.connect() as line:
        with locked(database):
            line.send(request(BODY, GOOD))
            wait_until(lambda: receiver.running.server_state.tasks)
            receiver.running.should_exit = True
        assert line.answer().said == (200, b"accepted")

    assert len(rows(database, events)) == 1


def test_a_ledger_that_has_stopped_takes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ledgers: list[Ledger] = []

    def made(database: Database) -> Ledger:
        ledgers.append(Ledger(database))
        return ledgers[0]

    monkeypatch.setattr(app, "Ledger", made)
    with serving(database) as receiver:
        ledgers[0].close()
        assert_unavailable(receiver.deliver())
        assert receiver.ask(request(method=b"GET", target=b"/readyz")).status == 503
        assert receiver.rows(deliveries) == []
