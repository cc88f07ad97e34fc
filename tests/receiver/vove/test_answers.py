"""What VOVE's API said, in every shape that a list may have."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.vove.answers import NotAListError, VoveCase, newest, read_page

ACME = {"refId": "acme", "status": "COMPLETED", "businessName": "ACME Ltd", "id": "kyb_1"}


def read(said: Any) -> list[VoveCase]:
    return list(read_page(json.dumps(said).encode()).cases)


@pytest.mark.parametrize(
    "said",
    [
        {"data": [ACME], "total": 1, "page": 1, "limit": 50},
        {"items": [ACME]},
        {"results": [ACME], "count": 1},
        {"cases": [ACME], "meta": {"total": 1}},
        {"data": {"items": [ACME], "total": 1}},
        {"data": {"data": [ACME]}},
        [ACME],
    ],
    ids=["as the sibling list", "items", "results", "cases", "inside data", "data inside data", "bare"],
)
def test_a_list_is_read_in_each_usual_shape(said: Any) -> None:
    assert read(said) == [VoveCase("acme", "COMPLETED", "ACME Ltd", "kyb_1", None)]


@pytest.mark.parametrize(
    ("said", "total"),
    [
        ({"data": [], "total": 7}, 7),
        ({"data": [], "pagination": {"totalCount": 7}}, 7),
        ({"data": {"items": [], "total": 7}}, 7),
        ({"data": []}, None),
        ({"data": [], "total": "7"}, None),
        ({"data": [], "total": -1}, None),
        ({"data": [], "total": True}, None),
        ([], None),
    ],
)
def test_a_total_counts_where_it_is_a_number(said: Any, total: int | None) -> None:
    assert read_page(json.dumps(said).encode()).total == total


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b'{"error": "no"}',
        b'{"data": "none"}',
        b"null",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"data": {"data": {"data": []}}}',
    ],
)
def test_what_is_no_list_of_cases_is_told_from_an_empty_one(body: bytes) -> None:
    with pytest.raises(NotAListError):
        read_page(body)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "acme",
        {},
        {"status": "COMPLETED"},
        {"refId": None, "status": "COMPLETED"},
        {"refId": 7, "status": "COMPLETED"},
        {"refId": "", "status": "COMPLETED"},
        {"refId": "acme\0", "status": "COMPLETED"},
        {"refId": "a\ud800", "status": "COMPLETED"},
        {"refId": "a" * 20_000, "status": "COMPLETED"},
        {"refId": "acme"},
        {"refId": "acme", "status": ["COMPLETED"]},
        {"refId": "acme", "status": "X" * 300},
    ],
)
def test_an_entry_that_cannot_be_used_is_counted_and_spoils_no_other(entry: Any) -> None:
    page = read_page(json.dumps([entry, ACME]).encode())

    assert ([case.ref_id for case in page.cases], page.skipped) == (["acme"], 1)


def test_fields_beside_these_may_be_missing_or_of_another_type() -> None:
    (found,) = read([ACME | {"businessName": ["?"], "id": {}, "updatedAt": 17}])

    assert found == VoveCase("acme", "COMPLETED")


def test_an_unknown_status_is_kept_as_it_came_and_a_known_one_in_our_spelling() -> None:
    given = ["ON_HOLD", "paused by Ana", "completed", "In Review", "in-progress"]

    read_as = [found.status for found in read([ACME | {"status": status} for status in given])]

    assert read_as == ["ON_HOLD", "paused by Ana", "COMPLETED", "IN_REVIEW", "IN_PROGRESS"]


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-03-05T12:00:00.000Z", datetime(2026, 3, 5, 12, tzinfo=UTC)),
        ("2026-03-05T13:00:00+01:00", datetime(2026, 3, 5, 12, tzinfo=UTC)),
        ("2026-03-05T12:00:00", datetime(2026, 3, 5, 12, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_when_it_changed_is_read_where_it_is_a_time(said: str, moment: datetime | None) -> None:
    assert read([ACME | {"updatedAt": said}])[0].changed_at == moment


def test_a_name_is_one_line_that_the_directory_can_take() -> None:
    assert read([ACME | {"businessName": "  ACME\n  Ltd "}])[0].name == "ACME Ltd"
    assert len(read([ACME | {"businessName": "A" * 1000}])[0].name or "") == 300
    assert read([ACME | {"businessName": " "}])[0].name is None


def test_of_two_cases_with_one_reference_the_one_counts_that_changed_last() -> None:
    old = VoveCase("acme", "REJECTED", changed_at=datetime(2026, 1, 1, tzinfo=UTC))
    new = VoveCase("acme", "IN_REVIEW", changed_at=datetime(2026, 2, 1, tzinfo=UTC))
    undated = VoveCase("acme", "COMPLETED")

    assert newest([undated, old, new]) == new
    assert newest([]) is None


def test_the_same_page_again_has_the_same_digest() -> None:
    body, other = json.dumps([ACME]).encode(), json.dumps([ACME | {"refId": "b"}]).encode()

    assert read_page(body).digest == read_page(body).digest != read_page(other).digest
