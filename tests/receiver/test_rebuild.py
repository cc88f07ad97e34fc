import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update

from receiver.database import Database
from receiver.ledger import rebuild as rebuilding
from receiver.ledger.rebuild import Rebuilt, rebuild
from receiver.models import Verdict, case_counts, cases, events
from tests.receiver.factories import NOON, delivery
from tests.receiver.ledgers import recorded, rows, running, write

SOUND = Rebuilt(cases=3)


@pytest.fixture(autouse=True)
def three_cases(engine: Engine) -> None:
    """Of three events each: one in order, one with a late event, one with a gap."""
    way = [("NOT_STARTED", "IN_PROGRESS"), ("IN_PROGRESS", "IN_REVIEW"), ("IN_REVIEW", "REJECTED")]
    steps: list[dict[str, Any]] = [
        {"status": status, "previousStatus": before, "at": NOON + timedelta(minutes=number)}
        for number, (before, status) in enumerate(way)
    ]
    for ref_id, order in {"in order": (0, 1, 2), "late": (0, 2, 1), "gap": (0, 2)}.items():
        for number in order:
            step = steps[number]
            write(engine, delivery(svix_id=f"{ref_id.replace(' ', '_')}_{number}", ref_id=ref_id, **step))


def test_of_a_sound_ledger_nothing_differs(engine: Engine) -> None:
    before = rows(engine, cases), rows(engine, events)

    assert rebuild(engine, write=True) == SOUND
    assert (rows(engine, cases), rows(engine, events)) == before


@pytest.mark.parametrize(
    "harm",
    [
        update(cases).where(cases.c.ref_id == "late").values(status="COMPLETED"),
        update(cases).where(cases.c.ref_id == "late").values(reason="WRONG"),
        update(cases).where(cases.c.ref_id == "late").values(gap=True),
        update(cases).where(cases.c.ref_id == "late").values(event_count=7),
        update(cases).where(cases.c.ref_id == "late").values(newest_message_at=NOON),
        update(cases).where(cases.c.ref_id == "late").values(status_since=NOON),
        update(events).where(events.c.svix_id == "late_1").values(place=2),
        update(events).where(events.c.svix_id == "late_1").values(link="gap"),
        update(events).where(events.c.svix_id == "late_1").values(place=None, link=None),
        delete(cases).where(cases.c.ref_id == "late"),
    ],
    ids=str,
)
def test_what_differs_is_told_and_corrected_only_if_asked(engine: Engine, harm: Any) -> None:
    sound = ledger(engine)
    with engine.begin() as connection:
        connection.execute(harm)
    harmed = ledger(engine)

    assert rebuild(engine, write=False).differing == ["late"]
    assert ledger(engine) == harmed

    assert rebuild(engine, write=True).differing == ["late"]
    assert ledger(engine) == sound


def ledger(engine: Engine) -> tuple[dict[str, Any], list[Any]]:
    """Cases by their ref_id, without the ids of their rows, and events."""
    kept = {row.ref_id: {**row._mapping, "id": None} for row in rows(engine, cases)}
    return kept, rows(engine, events)


def test_counts_that_are_wrong_are_told_and_corrected(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(case_counts).where(case_counts.c.status == "REJECTED").values(n=5))
        connection.execute(insert(case_counts).values(status="INVENTED", n=1))

    assert rebuild(engine, write=False) == Rebuilt(3, miscounted=["INVENTED", "REJECTED"])
    assert rebuild(engine, write=True).miscounted == ["INVENTED", "REJECTED"]
    assert rebuild(engine, write=False) == SOUND


def test_a_lost_case_comes_back_and_is_counted_once(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(cases))
        connection.execute(delete(case_counts))

    assert sorted(rebuild(engine, write=True).differing) == ["gap", "in order", "late"]
    assert {row.status: row.n for row in rows(engine, case_counts)} == {"REJECTED": 3}
    assert rebuild(engine, write=False) == SOUND


def test_more_cases_than_fit_a_transaction_are_all_rebuilt(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "BATCH", 2)
    with engine.begin() as connection:
        connection.execute(update(cases).values(event_count=0))

    assert len(rebuild(engine, write=True).differing) == 3
    assert rebuild(engine, write=False) == SOUND


def test_receiving_goes_on_meanwhile(
    engine: Engine, lasting_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "BATCH", 1)
    given = [
        delivery(svix_id=f"msg_{number}", ref_id=f"case {number % 5}", at=NOON + timedelta(seconds=number))
        for number in range(100)
    ]

    async def both() -> tuple[list[object], list[Rebuilt]]:
        receiving = asyncio.create_task(recorded(receiving_ledger, *given))
        found = [await asyncio.to_thread(rebuild, engine, write=True) for _ in range(5)]
        return [*await receiving], found

    with running(lasting_database) as receiving_ledger:
        verdicts, found = asyncio.run(both())

    assert verdicts == [Verdict.ACCEPTED] * 100
    assert [each.differing for each in found] == [[]] * 5
    assert rebuild(engine, write=False) == Rebuilt(cases=8)
