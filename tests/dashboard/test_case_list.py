"""The list of cases: every filter, both orders, page by page, on each database."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from dashboard.needs import SETTLING, Need
from dashboard.queries import case_list, case_selection, search
from dashboard.queries.case_list import CasePage, find_cases
from dashboard.queries.case_selection import NOBODY, Selection, Sort
from dashboard.queries.search import read_search
from receiver.database import Database
from receiver.models import RunState, case_counts, cases, deliveries, events, findables, runs
from tests.dashboard.reading import read
from tests.factories import DAY, HOUR, NOON, add_case_row, add_event, add_run, writing

STATUSES = ("IN_PROGRESS", "IN_REVIEW", "COMPLETED", "REJECTED", "ON_HOLD")
PEOPLE = ("ana@example.com", "ben@example.com")
REASONS = ("PEP_HIT", "DOCUMENT_MISMATCH", "x" * 300)
OVER = {"IN_REVIEW": NOON - 3 * DAY, "IN_PROGRESS": NOON - 5 * DAY}

A_CASE = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES),
        "reason": st.none() | st.sampled_from(REASONS),
        "gap": st.booleans(),
        "uncertain": st.booleans(),
        "assigned_to": st.none() | st.sampled_from(PEOPLE),
        "account_active": st.booleans(),
        "told": st.booleans(),
        "failed": st.integers(0, 2),
        "age": st.integers(0, 8),
        "changed": st.integers(0, 8),
    }
)
A_SELECTION = st.fixed_dictionaries(
    {
        "q": st.sampled_from(("", "", "acme", "e-1", "msg_1", "ac")),
        "status": st.sampled_from(("", "", *STATUSES)),
        "reason": st.sampled_from(("", "", REASONS[0], REASONS[2][:200])),
        "needs": st.lists(st.sampled_from(list(Need)), max_size=2, unique=True).map(tuple),
        "assigned": st.sampled_from(("", "", NOBODY, *PEOPLE)),
        "sort": st.sampled_from(list(Sort)),
        "age": st.sampled_from((0, 0, 3)),  # days
        "settled": st.sampled_from((0, 0, 2)),
    }
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(A_CASE, max_size=14), A_SELECTION, st.sampled_from([0, 3, 1000]), st.sampled_from([2, 5, 5000])
)
def test_all_that_fits_is_listed_once_in_order_however_far_one_looks_at_a_time(
    any_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    world: list[dict[str, Any]],
    wanted: dict[str, Any],
    few: int,
    walk: int,
) -> None:
    for module, name in ((case_selection, "FEW"), (case_selection, "FAILED"), (search, "FEW")):
        monkeypatch.setattr(module, name, few)
    for name in ("WALK", "LEAST_WALK", "WALK_SEARCHING"):
        monkeypatch.setattr(case_list, name, walk)
    known = [{"ref_id": f"ACME-{number}", "id": number, **case} for number, case in enumerate(world, 1)]
    fill(any_database, known)
    key = (
        (lambda case: (case["changed"], -case["id"]))
        if wanted["sort"] == Sort.CHANGED
        else (lambda case: (-case["age"], case["id"]))
    )
    fitting = [case["ref_id"] for case in sorted(known, key=key) if fits(case, wanted)]
    forth = walked(any_database, wanted, "next")
    assert [case.ref_id for page in forth for case in page.rows] == fitting
    back = walked(any_database, wanted, "previous", start=forth[-1].previous)
    met = [case.ref_id for page in reversed(back) for case in page.rows]
    assert met == fitting[: len(fitting) - len(forth[-1].rows)] if forth[-1].previous else met == []
    assert all(len(page.rows) <= 3 for page in forth)


def fits(case: dict[str, Any], wanted: dict[str, Any]) -> bool:
    said = {
        "ac": True,
        "acme": True,
        "e-1": case["ref_id"].startswith("ACME-1"),
        "msg_1": str(case["id"])[0] == "1",
    }
    return (
        said.get(wanted["q"], True)
        and wanted["status"] in {"", case["status"]}
        and wanted["reason"] in {"", (case["reason"] or "")[:200]}
        and (not wanted["assigned"] or wanted["assigned"] == (case["assigned_to"] or NOBODY))
        and case["age"] >= wanted["age"]
        and all(needs(case, need, wanted["settled"]) for need in wanted["needs"])
    )


def needs(case: dict[str, Any], need: Need, settled: int) -> bool:
    since = NOON - case["age"] * DAY
    found: dict[Need, bool] = {
        Need.PERSON: case["failed"] > 0,
        Need.LIMIT: case["status"] in OVER and since <= OVER[case["status"]],
        Need.NOT_ENABLED: case["status"] == "COMPLETED" and not case["account_active"],
        Need.STILL_ENABLED: case["status"] != "COMPLETED" and case["account_active"],
        Need.NOT_TOLD: case["status"] == "REJECTED" and not case["told"],
        Need.WITH_GAP: case["gap"],
        Need.UNCERTAIN: case["uncertain"],
    }
    return found[need] and (need not in SETTLING or case["age"] >= settled)


def fill(database: Database, known: list[dict[str, Any]]) -> None:
    with writing(database) as connection:
        for table in (runs, deliveries, cases, events, case_counts, findables):
            connection.execute(delete(table))
        for case in known:
            event = add_event(connection, case["ref_id"], svix_id=f"msg_{case['id']}_", reason=None)
            for number in range(case["failed"]):
                add_run(connection, event, RunState.FAILED, handler=f"h{number}")
            add_run(connection, event, RunState.SUCCEEDED, handler="done")
            since = NOON - case["age"] * DAY
            columns = ("id", "reason", "gap", "uncertain", "assigned_to", "account_active")
            add_case_row(
                connection,
                case["ref_id"],
                case["status"],
                [event],
                status_since=since,
                changed_at=NOON - case["changed"] * HOUR,
                told_at=since + HOUR if case["told"] else None,
                **{name: case[name] for name in columns},
            )


def walked(database: Database, wanted: dict[str, Any], way: str, start: str | None = "") -> list[CasePage]:
    """Every page on this way, looking further wherever that is offered."""
    pages: list[CasePage] = []
    at = start
    while at is not None:
        pages.append(read(database, lambda reader, at=at: page_of(reader, wanted, at)))  # type: ignore[misc]
        at = pages[-1].further or getattr(pages[-1], way)
        assert len(pages) < 100
    return pages


async def page_of(reader: Any, wanted: dict[str, Any], at: str) -> CasePage:
    given = {name: value for name, value in wanted.items() if name not in {"q", "age", "settled"}}
    given["since"] = NOON - wanted["age"] * DAY if wanted["age"] else None
    given["settled"] = NOON - wanted["settled"] * DAY
    selection = Selection(await read_search(reader, wanted["q"]), over=OVER, **given)
    return await find_cases(reader, selection, at, size=3)
