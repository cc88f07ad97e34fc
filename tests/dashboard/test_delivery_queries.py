"""The list of deliveries by cause, message and time; who is there, when nobody was, what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.queries.deliveries import Wanted, find_deliveries, find_last_secret
from dashboard.queries.health import (
    Outage,
    Sign,
    find_hours,
    find_last_accepted,
    find_outages,
    find_refusals,
    find_signs,
    find_waiting,
    lasting,
)
from dashboard.queries.storage import find_storage
from dashboard.week import LEAST, WIDTH, week_of
from receiver.database import Database
from receiver.models import RunState, Shape, Verdict, outages, role_signs
from tests.dashboard.reading import read
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    add_case,
    add_delivery,
    add_event,
    add_run,
    count_delivery,
    writing,
)


def found(database: Database, wanted: Wanted) -> list[int]:
    return [row.id for row in read(database, lambda reader: find_deliveries(reader, wanted)).rows]


def test_deliveries_are_filtered_by_cause_message_and_verdict(any_database: Database) -> None:
    with writing(any_database) as connection:
        its_event = add_event(connection, "ACME-1", svix_id="msg_a")
        first = add_delivery(connection, event_id=its_event, svix_id="msg_a")
        repeat = add_delivery(connection, Verdict.DUPLICATE, event_id=its_event, svix_id="msg_a")
        refused = add_delivery(connection, Verdict.REFUSED, cause="no_match", svix_id="msg_a")
        other = add_delivery(connection, Verdict.REFUSED, cause="too_old", svix_id="msg_b")
    assert found(any_database, Wanted(cause="no_match")) == [refused]
    assert found(any_database, Wanted(svix_id="msg_a")) == [refused, repeat, first]
    assert found(any_database, Wanted(verdict="duplicate", svix_id="msg_a")) == [repeat]
    assert found(any_database, Wanted(verdict="refused")) == [other, refused]
    assert found(any_database, Wanted(verdict="accepted", cause="no_match")) == []
    assert found(any_database, Wanted(svix_id="MSG_A")) == []


def test_deliveries_are_filtered_by_time_also_where_ids_are_missing(any_database: Database) -> None:
    with writing(any_database) as connection:
        ids = [add_delivery(connection, received_at=NOON + number * MINUTE) for number in range(40)]
        connection.execute(text(f"DELETE FROM deliveries WHERE id IN ({', '.join(map(str, ids[5:15]))})"))
    wanted = Wanted(since=NOON + 3 * MINUTE, until=NOON + 20 * MINUTE)
    assert found(any_database, wanted) == [*ids[15:20][::-1], *ids[3:5][::-1]]
    assert found(any_database, Wanted(since=NOON + DAY)) == []
    assert found(any_database, Wanted(until=NOON)) == []
    assert found(any_database, Wanted(verdict="accepted", since=NOON + 39 * MINUTE)) == [ids[39]]


def test_without_any_delivery_no_time_finds_one(any_database: Database) -> None:
    assert found(any_database, Wanted(since=NOON, until=NOON + DAY)) == []


def test_a_clock_that_was_set_back_hides_no_delivery(any_database: Database) -> None:
    with writing(any_database) as connection:
        ids = [
            add_delivery(connection, received_at=NOON + offset)
            for offset in (HOUR, 2 * HOUR, 3 * HOUR, 90 * MINUTE, 2 * HOUR, 4 * HOUR)
        ]
    wanted = Wanted(since=NOON + 80 * MINUTE, until=NOON + 130 * MINUTE)
    assert found(any_database, wanted) == [ids[4], ids[3], ids[1]]


PLANS = {
    "by cause": (Wanted(cause="no_match"), "deliveries_by_cause"),
    "by cause and verdict": (Wanted("refused", cause="no_match"), "deliveries_by_cause"),
    "by message": (Wanted(svix_id="msg_a"), "deliveries_by_svix_id"),
    "by message and verdict": (Wanted("accepted", svix_id="msg_a"), "deliveries_by_event"),
    "by verdict": (Wanted("refused"), "deliveries_by_verdict"),
    "by time": (Wanted(since=NOON, until=NOON + DAY), "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    "by verdict and time": (Wanted("refused", since=NOON), "deliveries_by_verdict (verdict=? AND id>?"),
}


@pytest.mark.parametrize(("wanted", "way"), PLANS.values(), ids=PLANS.keys())
def test_every_filter_has_its_index(database: Database, wanted: Wanted, way: str) -> None:
    with writing(database) as connection:
        add_delivery(connection, received_at=NOON + HOUR)
    plans = "\n".join(plans_of(database, wanted))
    assert way in plans
    assert "SCAN deliveries" not in plans.replace("SCAN deliveries USING INTEGER PRIMARY KEY", "")
    assert "TEMP B-TREE" not in plans


def plans_of(database: Database, wanted: Wanted) -> list[str]:
    """How SQLite answers what the list asks for."""
    plans: list[str] = []

    async def asked(reader: AsyncConnection) -> None:
        statements: list[tuple[str, Any]] = []
        sync = reader.sync_connection
        assert sync is not None

        @event.listens_for(sync, "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            statements.append((statement, parameters))

        await find_deliveries(reader, wanted)
        for statement, parameters in tuple(statements):  # to which these are added
            rows = await reader.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row.detail for row in rows)

    read(database, asked)
    return plans


def test_the_secret_before_a_delivery_is_the_one_of_the_last_accepted(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_delivery(connection, verified_by="11111111")
        refused = add_delivery(connection, Verdict.REFUSED)
        add_delivery(connection, verified_by="22222222")
    assert read(any_database, lambda reader: find_last_secret(reader, refused)) == "11111111"
    assert read(any_database, lambda reader: find_last_secret(reader, 1)) is None


def test_refusals_count_only_since_the_last_good_delivery_and_only_what_looks_like_svixs(
    any_database: Database,
) -> None:
    with writing(any_database) as connection:
        add_delivery(connection, Verdict.REFUSED, cause="too_old", shape=Shape.SVIX)
        add_delivery(connection, Verdict.DUPLICATE)
    assert read(any_database, find_refusals) is None
    with writing(any_database) as connection:
        for number, shape in enumerate((Shape.SVIX, Shape.STRAY, Shape.SVIX)):
            at = NOON + number * MINUTE
            add_delivery(connection, Verdict.REFUSED, cause="no_match", shape=shape, received_at=at)
    refusals = read(any_database, find_refusals)
    assert refusals is not None
    assert (refusals.count, refusals.first_at, refusals.last_at) == (2, NOON, NOON + 2 * MINUTE)
    assert refusals.last_cause == "no_match"


def test_what_waits_the_longest_is_found(any_database: Database) -> None:
    assert read(any_database, find_waiting).event_since is None
    with writing(any_database) as connection:
        add_event(connection, "ACME-1", dispatched_at=None)
        *_, last = add_case(connection, "ACME-2")
        run = add_run(connection, last, RunState.QUEUED)
        add_run(connection, add_case(connection, "ACME-3")[-1], RunState.QUEUED)
    waiting = read(any_database, find_waiting)
    assert (waiting.event_since, waiting.run_id, waiting.run_since) == (NOON + SECOND, run, NOON)


def test_deliveries_are_told_by_the_hour_also_where_none_came(any_database: Database) -> None:
    with writing(any_database) as connection:
        for at in (NOON, NOON, NOON - 23 * HOUR, NOON - 24 * HOUR):
            count_delivery(connection, at, "accepted")
        last = add_delivery(connection)
    hours = read(any_database, lambda reader: find_hours(reader, NOON + MINUTE))
    assert [hour.counts.get("accepted", 0) for hour in hours] == [1, *[0] * 22, 2]
    assert read(any_database, find_last_accepted) == (last, NOON)


def test_outages_are_told_newest_first_and_those_that_last_from_the_last_sign(any_database: Database) -> None:
    with writing(any_database) as connection:
        connection.execute(insert(role_signs).values(role="receiver", first_at=NOON - DAY, seen_at=NOON))
        for began in (NOON - 3 * HOUR, NOON - HOUR):
            connection.execute(insert(outages).values(role="worker", began_at=began, ended_at=began + MINUTE))
    assert [outage.began_at for outage in read(any_database, find_outages)] == [NOON - HOUR, NOON - 3 * HOUR]
    signs = read(any_database, find_signs)
    assert lasting(signs, NOON + 30 * SECOND, 30 * SECOND) == []
    (away,) = lasting(signs, NOON + HOUR, 30 * SECOND)
    assert (away.role, away.began_at, away.ended_at) == ("receiver", NOON, None)


def test_where_it_is_kept_is_told_for_each_database(any_database: Database) -> None:
    with writing(any_database) as connection:  # a writer sets the journal mode
        add_delivery(connection)
    storage = read(any_database, find_storage)
    assert storage.size > 10_000
    assert storage.schema >= "0012"
    assert (storage.journal_mode, storage.room is None) == (
        any_database.journal_mode, any_database.path is None,
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(-20 * 86400, 0), st.integers(0, 10 * 86400)), max_size=10))
def test_the_picture_of_the_week_stays_within_its_frame(given: list[tuple[int, int]]) -> None:
    made = [
        Outage("worker", NOON + began * SECOND, min(NOON, NOON + (began + lasted) * SECOND))
        for began, lasted in given
    ]
    week = week_of(NOON, ["worker", "receiver"], {"worker": Sign(NOON - 3 * DAY, NOON)}, made)
    worker, receiver = week.lines
    assert all(0 <= each.x <= WIDTH and each.width >= LEAST for each in worker.stretches)
    assert all(each.x + each.width <= WIDTH + LEAST for each in worker.stretches)
    assert (worker.known_x, receiver.known_x, receiver.stretches) == (400.0, WIDTH, [])
