import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, select

from receiver import database as receiver_database
from receiver.cases import Move, message_time, state_of
from receiver.database import Database
from receiver.event import ref_key
from receiver.ledger import Delivery, Ledger, Unavailable, rooms
from receiver.ledger.group import Group
from receiver.models import Verdict, cases, deliveries, delivery_counts, events, revision
from tests.receiver.factories import NOON, body, delivery, message_id, refused_delivery
from tests.receiver.ledgers import (
    assert_kept_counts_are_right,
    assert_rebuilding_changes_nothing,
    empty,
    handed_in,
    record,
    recorded,
    rows,
    running,
    write,
    written_by_another,
)
from tests.receiver.serving import wait_until

ACCEPTED, DUPLICATE, CONFLICT = Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def own_engine(any_database: Database) -> Iterator[Engine]:
    """Looks into a database that one test has for itself."""
    engine = any_database.writer()
    yield engine
    engine.dispose()


def step(number: int, status: str, previous_status: str, **fields: Any) -> Delivery:
    """The event of a minute after noon, delivered then."""
    return delivery(at=NOON + number * MINUTE, status=status, previousStatus=previous_status, **fields)


FIRST = step(0, "IN_PROGRESS", "NOT_STARTED")
SECOND = step(1, "IN_REVIEW", "IN_PROGRESS")
THIRD = step(2, "REJECTED", "IN_REVIEW", reason="DOCUMENT_MISMATCH")


# Verdicts


def test_each_delivery_is_answered_with_its_verdict(any_database: Database, own_engine: Engine) -> None:
    conflict = delivery(svix_id=message_id(NOON), status="REJECTED")
    quarantined = delivery(b"[]", "msg_unreadable")
    with running(any_database) as ledger:
        assert record(ledger, FIRST) == [ACCEPTED]
        given = (conflict, refused_delivery(), SECOND, quarantined, FIRST, SECOND)
        verdicts = record(ledger, *given)

    assert verdicts == [CONFLICT, Verdict.REFUSED, ACCEPTED, Verdict.QUARANTINED, DUPLICATE, DUPLICATE]
    assert len(rows(own_engine, deliveries)) == 7
    assert [row.status for row in rows(own_engine, cases)] == ["IN_REVIEW"]
    assert_kept_counts_are_right(own_engine)
    assert_rebuilding_changes_nothing(own_engine)


def test_bytes_are_kept_as_they_came_and_once(engine: Engine) -> None:
    content = b'\r\n{"refId":"acme" , "status":"B","previousStatus":"A","x":"\\u00e9\xc3\xa9\\u0000"}\n'
    other = content + b" "
    write(engine, *(delivery(each, "msg_1") for each in (content, content, other)), delivery(b"\0", "msg_2"))

    assert [row.body for row in rows(engine, events)] == [content]
    assert {row.verdict: row.body for row in rows(engine, deliveries)} == {
        "accepted": None,
        "duplicate": None,
        "conflict": other,
        "quarantined": b"\0",
    }


def test_a_conflict_in_the_same_group_has_the_first_one_s_bytes_beside_it(engine: Engine) -> None:
    changed = delivery(svix_id=message_id(NOON), status="REJECTED")

    assert write(engine, FIRST, changed) == [ACCEPTED, CONFLICT]
    assert [row.status for row in rows(engine, events)] == ["IN_PROGRESS"]


def test_what_was_quarantined_can_come_again_in_words_we_understand(engine: Engine) -> None:
    assert write(engine, delivery(b"[]", "msg_1")) == [Verdict.QUARANTINED]
    assert write(engine, delivery(b"[]", "msg_1")) == [Verdict.QUARANTINED]
    assert write(engine, delivery(svix_id="msg_1")) == [ACCEPTED]
    assert write(engine, delivery(b"[]", "msg_1")) == [CONFLICT]


def test_ids_are_case_sensitive(engine: Engine) -> None:
    assert write(engine, delivery(svix_id="msg_a"), delivery(svix_id="msg_A")) == [ACCEPTED, ACCEPTED]


def test_after_a_hundred_deliveries_of_an_event_only_its_count_goes_up(engine: Engine) -> None:
    write(engine, *[FIRST] * 60)
    assert write(engine, *[FIRST] * 60) == [DUPLICATE] * 60
    write(engine, delivery(svix_id=message_id(NOON), status="REJECTED"))

    assert len(rows(engine, deliveries)) == 100
    assert rows(engine, events)[0].delivery_count == 121
    counts = {row.verdict: row.n for row in rows(engine, delivery_counts)}
    assert counts == {"accepted": 1, "duplicate": 119, "conflict": 1}


def test_deliveries_are_counted_by_the_hour_they_came_in(engine: Engine) -> None:
    write(engine, FIRST)
    write(engine, delivery(svix_id=message_id(NOON), attempt_at=NOON + timedelta(hours=2)))

    noon = int(NOON.timestamp()) // 3600
    counts = {(row.hour, row.verdict): row.n for row in rows(engine, delivery_counts)}
    assert counts == {(noon, "accepted"): 1, (noon + 2, "duplicate"): 1}


def test_every_group_raises_the_revision(engine: Engine) -> None:
    for number, group in enumerate([[FIRST], [FIRST, FIRST], [refused_delivery()], [SECOND, THIRD]], 1):
        write(engine, *group)
        assert rows(engine, revision)[0].n == number


# Cases


def test_events_in_order_are_appended(engine: Engine) -> None:
    for each in (FIRST, SECOND, THIRD):
        write(engine, each)

    (case,) = rows(engine, cases)
    assert (case.status, case.reason) == ("REJECTED", "DOCUMENT_MISMATCH")
    assert (case.status_since, case.changed_at) == (NOON + 2 * MINUTE, NOON + 2 * MINUTE)
    assert (case.gap, case.uncertain, case.began_before, case.event_count) == (False, False, False, 3)
    placed = [(row.place, row.link, row.late) for row in rows(engine, events)]
    assert placed == [(0, "start", False), (1, "follows", False), (2, "follows", False)]
    assert_rebuilding_changes_nothing(engine)


def test_a_late_event_takes_its_place_and_does_not_turn_the_case_back(engine: Engine) -> None:
    for each in (THIRD, FIRST, SECOND):
        write(engine, each)

    (case,) = rows(engine, cases)
    assert (case.status, case.gap, case.began_before) == ("REJECTED", False, False)
    placed = {row.status: (row.place, row.link, row.late) for row in rows(engine, events)}
    assert placed == {
        "REJECTED": (2, "follows", False),
        "IN_PROGRESS": (0, "start", True),
        "IN_REVIEW": (1, "follows", True),
    }
    assert_rebuilding_changes_nothing(engine)


def test_what_comes_in_one_group_is_not_late_for_itself(engine: Engine) -> None:
    write(engine, THIRD, FIRST)
    write(engine, step(4, "COMPLETED", "IN_REVIEW"), step(3, "IN_REVIEW", "REJECTED"))

    assert [row.late for row in rows(engine, events)] == [False] * 4
    write(engine, SECOND)
    assert [row.late for row in rows(engine, events)] == [False] * 4 + [True]


def test_a_missing_event_is_a_gap_until_it_comes(engine: Engine) -> None:
    write(engine, FIRST)
    write(engine, THIRD)
    assert rows(engine, cases)[0].gap
    assert [(row.link, row.late) for row in rows(engine, events)] == [("start", False), ("gap", False)]

    write(engine, SECOND)
    assert not rows(engine, cases)[0].gap


@pytest.mark.parametrize(
    "content",
    [
        b'{"refId": "acme", "status": "REJECTED"}',
        b'{"refId": "acme", "status": "pending", "userId": "u"}',
        b'{"refId": "acme", "status": "pending", "previousStatus": "in_progress"}',
        b'{"refId": "acme", "status": "kyb.case.created"}',
    ],
)
def test_another_family_moves_nothing(engine: Engine, content: bytes) -> None:
    write(engine, delivery(content, "msg_alone"))
    assert rows(engine, cases) == []

    write(engine, FIRST, delivery(content, "msg_beside", at=NOON + MINUTE))
    assert [(row.status, row.event_count) for row in rows(engine, cases)] == [("IN_PROGRESS", 1)]
    assert [row.place for row in rows(engine, events)].count(None) == 2
    assert_rebuilding_changes_nothing(engine)


def test_cases_are_told_apart_by_every_character(engine: Engine) -> None:
    ref_ids = [
        "acme",
        "Acme",
        "acme ",
        "acme/",
        "\N{LATIN SMALL LETTER E WITH ACUTE}",
        "e\N{COMBINING ACUTE ACCENT}",
    ]
    write(engine, *(delivery(svix_id=f"msg_{n}", ref_id=ref_id) for n, ref_id in enumerate(ref_ids)))

    assert sorted(row.ref_id for row in rows(engine, cases)) == sorted(ref_ids)


def test_the_longest_ref_id_status_and_reason_are_stored(engine: Engine) -> None:
    ref_id, status, reason = "\N{EURO SIGN}" * 3413, "\N{BANK}" * 199 + "B", "\N{BANK}" * 200_000
    assert write(engine, delivery(ref_id=ref_id, status=status, reason=reason)) == [ACCEPTED]

    (case,) = rows(engine, cases)
    assert (case.ref_id, case.status, case.reason) == (ref_id, status, reason)


def test_an_earlier_attempt_can_tell_when_a_message_was_made(engine: Engine) -> None:
    """Seen first 101 days after it was made, its id may be anything; seen after one, it tells the time."""
    old = delivery(svix_id=message_id(NOON), attempt_at=NOON + 101 * DAY)
    write(engine, old, step(1, "IN_REVIEW", "IN_PROGRESS"))
    assert rows(engine, cases)[0].undated_count == 1

    earlier = delivery(svix_id=message_id(NOON), attempt_at=NOON + DAY)
    assert write(engine, earlier) == [DUPLICATE]

    dated = {row.svix_id: (row.message_at, row.first_attempt_at) for row in rows(engine, events)}
    assert dated[message_id(NOON)] == (NOON, NOON + DAY)
    assert rows(engine, cases)[0].undated_count == 0
    assert_rebuilding_changes_nothing(engine)


def test_an_earlier_attempt_can_show_that_an_id_tells_nothing(engine: Engine) -> None:
    write(engine, FIRST)
    write(engine, delivery(svix_id=message_id(NOON), attempt_at=NOON - MINUTE))

    assert rows(engine, events)[0].message_at is None
    assert rows(engine, cases)[0].undated_count == 1
    assert_rebuilding_changes_nothing(engine)


def test_a_later_attempt_or_other_bytes_date_nothing(engine: Engine) -> None:
    write(engine, FIRST)
    write(engine, delivery(svix_id=message_id(NOON), attempt_at=NOON + DAY))
    write(engine, delivery(svix_id=message_id(NOON), attempt_at=NOON - DAY, status="REJECTED"))

    assert [(row.message_at, row.first_attempt_at) for row in rows(engine, events)] == [(NOON, NOON)]


def test_to_append_costs_the_same_however_long_the_case_is(engine: Engine) -> None:
    def statements_of(number: int) -> list[str]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        there, back = ("IN_REVIEW", "IN_PROGRESS") if number % 2 else ("IN_PROGRESS", "IN_REVIEW")
        write(engine, step(number, there, back))
        event.remove(engine, "before_cursor_execute", note)
        return seen

    write(engine, FIRST)
    short = statements_of(1)
    for number in range(2, 60):
        write(
            engine,
            step(number, *(("IN_REVIEW", "IN_PROGRESS") if number % 2 else ("IN_PROGRESS", "IN_REVIEW"))),
        )

    assert statements_of(60) == statements_of(61) == short
    assert not any("FROM events WHERE ref_key" in statement for statement in short)
    assert rows(engine, cases)[0].event_count == 62
    assert_rebuilding_changes_nothing(engine)


# Whatever the order


@dataclass(frozen=True)
class Message:
    """One message of a history; its attempts are seconds after it was made."""

    number: int
    ref_id: str
    fields: dict[str, str]
    made_at: datetime
    tells_its_time: bool
    attempts: tuple[float, ...]

    @property
    def svix_id(self) -> str:
        return message_id(self.made_at, self.number) if self.tells_its_time else f"evt_{self.number}"

    @property
    def deliveries(self) -> list[Delivery]:
        content = body(self.ref_id, **self.fields)
        return [
            delivery(content, self.svix_id, attempt_at=self.made_at + timedelta(seconds=seconds))
            for seconds in self.attempts
        ]

    @property
    def move(self) -> Move:
        first = (self.made_at + timedelta(seconds=min(self.attempts))).replace(microsecond=0)
        return Move(
            self.svix_id,
            self.fields["status"],
            self.fields["previousStatus"],
            None,
            first,
            message_time(self.svix_id, first),
        )


STATUSES = ["NOT_STARTED", "IN_PROGRESS", "IN_REVIEW", "REJECTED"]


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    moments = st.sampled_from([0, 4, 20, 1000, 1996, 2000, 2004, 60_000, 61_000, 3_600_000])
    attempts = st.lists(st.sampled_from([0, 1, 300, -10, 99 * 86400, 101 * 86400]), min_size=1, max_size=3)
    return [
        Message(
            number,
            draw(st.sampled_from(["acme", "acme", "beta"])),
            {"status": draw(st.sampled_from(STATUSES)), "previousStatus": draw(st.sampled_from(STATUSES))},
            NOON + timedelta(milliseconds=draw(moments)),
            draw(st.sampled_from([True, True, True, False])),
            tuple(draw(attempts)),
        )
        for number in range(draw(st.integers(1, 7)))
    ]


def grouped(given: Sequence[Delivery], sizes: Sequence[int]) -> Iterator[Sequence[Delivery]]:
    at = 0
    for size in [*sizes, len(given)]:
        if at < len(given):
            yield given[at : at + size]
        at += size


def cases_in(engine: Engine) -> dict[str, Any]:
    """All that must be the same, in whatever order it came."""
    by_id = {row.id: row for row in rows(engine, events)}
    found: dict[str, Any] = {}
    for case in rows(engine, cases):
        placed = sorted(
            (row for row in by_id.values() if row.ref_key == case.ref_key), key=lambda row: row.place
        )
        assert [row.place for row in placed] == list(range(case.event_count))
        assert case.last_event_id == placed[-1].id
        found[case.ref_id] = (
            (case.status, case.reason, case.status_since, case.gap, case.uncertain, case.began_before),
            case.undated_count,
            case.newest_message_at,
            [(row.svix_id, row.link, row.message_at, row.first_attempt_at) for row in placed],
        )
    return found


def cases_by_the_rules(history: Sequence[Message]) -> dict[str, Any]:
    expected = {}
    for ref_id in {message.ref_id for message in history}:
        moves = [message.move for message in history if message.ref_id == ref_id]
        state = state_of(moves)
        dated = [move.message_at for move in moves if move.message_at]
        expected[ref_id] = (
            (state.status, state.reason, state.status_since, state.gap, state.uncertain, state.began_before),
            len(moves) - len(dated),
            max(dated, default=None),
            [
                (move.svix_id, placed.link, move.message_at, move.first_attempt_at)
                for placed in state.placed
                for move in [placed.move]
            ],
        )
    return expected


@settings(
    max_examples=25,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_in_whatever_order_and_groups_they_come_the_cases_are_the_same(
    engine: Engine, data: st.DataObject
) -> None:
    history = data.draw(messages())
    arrival = data.draw(st.permutations([each for message in history for each in message.deliveries]))
    sizes = data.draw(st.lists(st.integers(1, 4), max_size=8))
    empty(engine)

    groups = list(grouped(arrival, sizes))
    for group in groups:
        write(engine, *group)

    assert cases_in(engine) == cases_by_the_rules(history)
    assert_rebuilding_changes_nothing(engine)
    assert_kept_counts_are_right(engine)
    assert rows(engine, revision)[0].n == len(groups)
    assert sorted(row.verdict for row in rows(engine, deliveries)) == sorted(
        [ACCEPTED] * len(history) + [DUPLICATE] * (len(arrival) - len(history))
    )


# Several receivers


@pytest.mark.parametrize("seed", range(3))
def test_three_receivers_on_one_database_lose_nothing(postgresql_database: Database, seed: int) -> None:
    """With the same cases and messages, to be in each other's way as often as can be."""
    dice = random.Random(seed)
    history = [
        Message(
            number,
            f"case-{dice.randrange(2 + 40 * seed)}",
            {"status": dice.choice(STATUSES), "previousStatus": dice.choice(STATUSES)},
            NOON + timedelta(milliseconds=dice.randrange(30_000)),
            dice.random() < 0.95,
            tuple(dice.randrange(400) for _ in range(dice.randrange(1, 12))),
        )
        for number in range(80)
    ]
    given = [each for message in history for each in message.deliveries]
    dice.shuffle(given)

    async def deliver(ledgers: Sequence[Ledger]) -> list[Verdict | Unavailable]:
        each_its_share = [recorded(ledger, *given[n :: len(ledgers)]) for n, ledger in enumerate(ledgers)]
        shares = await asyncio.gather(*each_its_share)
        return [verdict for share in shares for verdict in share]

    with (
        running(postgresql_database) as one,
        running(postgresql_database) as two,
        running(postgresql_database) as three,
    ):
        verdicts = asyncio.run(deliver([one, two, three]))

    assert sorted(map(str, verdicts)) == [ACCEPTED] * 80 + [DUPLICATE] * (len(given) - 80)
    engine = postgresql_database.writer()
    assert cases_in(engine) == cases_by_the_rules(history)
    assert_rebuilding_changes_nothing(engine)
    assert_kept_counts_are_right(engine)
    assert deadlocks(engine) == 0  # each costs its receiver a second, before PostgreSQL ends it
    engine.dispose()


def deadlocks(engine: Engine) -> Any:
    """So far, in this database; a connection tells the server when it ends."""
    engine.dispose()  # of those in its pool
    here = "datname = current_database()"
    others = f"SELECT count(*) FROM pg_stat_activity WHERE {here} AND pid <> pg_backend_pid()"
    wait_until(lambda: ask(engine, others) == 0)
    return ask(engine, f"SELECT deadlocks FROM pg_stat_database WHERE {here}")


def ask(engine: Engine, question: str) -> Any:
    with engine.begin() as connection:
        return connection.exec_driver_sql(question).scalar_one()


def test_two_receivers_can_meet_a_case_at_once(postgresql_database: Database) -> None:
    engine = postgresql_database.writer()
    with running(postgresql_database) as ledger:
        assert asyncio.run(beside_another(engine, [FIRST], [], ledger, [SECOND])) == [ACCEPTED]

    (case,) = rows(engine, cases)
    assert (case.status, case.event_count) == ("IN_REVIEW", 2)
    assert_rebuilding_changes_nothing(engine)
    assert_kept_counts_are_right(engine)
    engine.dispose()


@pytest.mark.parametrize("known", [True, False])
def test_two_receivers_with_the_same_messages_never_wait_for_each_other_crosswise(
    postgresql_database: Database, known: bool
) -> None:
    engine = postgresql_database.writer()
    a, b = delivery(svix_id="msg_a", ref_id="one"), delivery(svix_id="msg_b", ref_id="two")
    if known:
        write(engine, b, a)
    with running(postgresql_database) as ledger:
        first, then = ([a], [b]) if ref_key("one") < ref_key("two") or not known else ([b], [a])
        verdicts = asyncio.run(beside_another(engine, first, then, ledger, [b, a]))

    assert verdicts == [DUPLICATE, DUPLICATE]
    assert deadlocks(engine) == 0
    assert_kept_counts_are_right(engine)
    engine.dispose()


async def beside_another(
    engine: Engine,
    first: Sequence[Delivery],
    then: Sequence[Delivery],
    ledger: Ledger,
    given: Sequence[Delivery],
) -> list[Verdict | Unavailable]:
    """Hand in `given` while another receiver has written `first`, which `given` waits for, and is to write
    `then`."""
    with engine.begin() as connection:
        Group(connection, first).write()
        verdicts = await handed_in(ledger, *given)
        await asyncio.to_thread(
            wait_until, lambda: ask(engine, "SELECT count(*) FROM pg_locks WHERE NOT granted")
        )
        Group(connection, then).write()
    return await verdicts


def test_a_connection_that_the_database_ended_is_opened_anew(postgresql_database: Database) -> None:
    engine = postgresql_database.writer()
    with running(postgresql_database) as ledger:
        assert record(ledger, FIRST) == [ACCEPTED]
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        assert record(ledger, SECOND) == [ACCEPTED]

    assert len(rows(engine, events)) == 2
    engine.dispose()


# Faults


@pytest.mark.parametrize("broken", [{"header_names": None}, {"took": 2**63}, {"received_at": "noon"}])
def test_a_bad_row_does_not_fail_its_neighbours(
    any_database: Database, own_engine: Engine, broken: dict[str, Any]
) -> None:
    bad = replace(delivery(svix_id="msg_bad", at=NOON + DAY), **broken)

    async def deliver(ledger: Ledger) -> list[Verdict | Unavailable]:
        with written_by_another(any_database):  # while it lasts, the others gather to one group
            first = await handed_in(ledger, FIRST)
            others = await handed_in(ledger, SECOND, bad, THIRD, refused_delivery())
        return [*await first, *await others]

    with running(any_database) as ledger:
        verdicts = asyncio.run(deliver(ledger))
        assert record(ledger, THIRD) == [DUPLICATE]

    assert isinstance(verdicts.pop(2), Unavailable)
    assert verdicts == [ACCEPTED, ACCEPTED, ACCEPTED, Verdict.REFUSED]
    assert [row.svix_id for row in rows(own_engine, events) if row.svix_id == "msg_bad"] == []
    assert_kept_counts_are_right(own_engine)
    assert_rebuilding_changes_nothing(own_engine)


def test_a_fault_over_strangers_does_not_fail_a_genuine_delivery(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: Connection, logged: Sequence[Delivery]) -> None:
        if any(each.refused for each in logged):
            connection.execute(select(deliveries).where(deliveries.c.received_at == "noon"))

    async def deliver(ledger: Ledger) -> list[Verdict | Unavailable]:
        with written_by_another(database):
            waiting = await handed_in(ledger, FIRST, refused_delivery(), SECOND)
        return await waiting

    monkeypatch.setattr(rooms, "keep_within_bounds", fail)
    with running(database) as ledger:
        first, stranger, second = asyncio.run(deliver(ledger))

    assert (first, second) == (ACCEPTED, ACCEPTED)
    assert isinstance(stranger, Unavailable)


def test_a_database_that_is_locked_too_long_takes_nothing_and_then_works(
    any_database: Database, own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver_database, "BUSY_TIMEOUT", 0.1 if any_database.path else 1)
    with running(any_database) as ledger:
        with written_by_another(any_database):
            (verdict,) = record(ledger, FIRST)
            assert isinstance(verdict, Unavailable)
        assert rows(own_engine, deliveries) == []
        assert record(ledger, FIRST) == [ACCEPTED]


def test_a_delivery_whose_time_has_run_out_is_not_written(any_database: Database, own_engine: Engine) -> None:
    with running(any_database) as ledger:
        with written_by_another(any_database):
            verdicts = record(ledger, FIRST, within=0.1) + record(ledger, SECOND, within=0.1)
        assert [str(verdict) for verdict in verdicts] == ["the database is too slow"] * 2
        assert record(ledger, THIRD) == [ACCEPTED]

    written = {row.svix_id for row in rows(own_engine, events)}
    assert written - {message_id(NOON)} == {message_id(NOON + 2 * MINUTE)}  # the first was under way


def test_a_full_queue_takes_no_more(database: Database) -> None:
    with running(database, max_waiting=2) as ledger:
        with written_by_another(database):
            verdicts = record(ledger, *(delivery(svix_id=f"msg_{n}") for n in range(9)), within=0.1)
            full = [verdict for verdict in verdicts if str(verdict) == "the queue is full"]
        assert 6 <= len(full) <= 7
        assert record(ledger, FIRST) == [ACCEPTED]


def test_a_ledger_that_is_closed_has_written_what_waited_and_takes_no_more(
    any_database: Database, own_engine: Engine
) -> None:
    async def deliver(ledger: Ledger) -> list[Verdict | Unavailable]:
        waiting = await handed_in(ledger, *(delivery(svix_id=f"msg_{n}") for n in range(300)))
        await asyncio.to_thread(ledger.close)
        return [*await waiting, *await recorded(ledger, FIRST)]

    ledger = Ledger(any_database)
    ledger.start()
    *verdicts, last = asyncio.run(deliver(ledger))

    assert verdicts == [ACCEPTED] * 300
    assert str(last) == "stopping"
    assert len(rows(own_engine, events)) == 300


def test_it_can_be_asked_whether_it_could_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver_database, "BUSY_TIMEOUT", 0.1)
    with running(database) as ledger:
        asyncio.run(ledger.check())
        with written_by_another(database), pytest.raises(Unavailable, match="database is locked"):
            asyncio.run(ledger.check())
        asyncio.run(ledger.check())
    with pytest.raises(Unavailable, match="stopping"):
        asyncio.run(ledger.check())


def test_what_waits_behind_a_lock_is_written_in_one_group(any_database: Database, own_engine: Engine) -> None:
    async def deliver(ledger: Ledger) -> list[Verdict | Unavailable]:
        with written_by_another(any_database):
            waiting = await handed_in(ledger, *(delivery(svix_id=f"msg_{n}") for n in range(100)))
        return await waiting

    with running(any_database) as ledger:
        assert asyncio.run(deliver(ledger)) == [ACCEPTED] * 100

    assert rows(own_engine, revision)[0].n <= 3
