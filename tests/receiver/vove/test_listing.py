"""All of VOVE's cases page by page, or one: whatever the list's manners are."""

from typing import Any

import pytest

from receiver.vove import listing
from receiver.vove.client import Client
from receiver.vove.listing import Found, Walk, find
from receiver.vove.troubles import Trouble, VoveError
from tests.receiver.vove.asking import ask
from tests.vove_stand_in import Answer, Case, VoveStandIn, as_sibling_list, case, vove

MANY = [case(f"acme-{number:03}") for number in range(120)]


def walked(stand_in: VoveStandIn, start: int = 1, **given: Any) -> tuple[Walk, list[str]]:
    async def walk(client: Client) -> tuple[Walk, list[str]]:
        walk = Walk(client, **given)
        seen = [each.ref_id async for listed in walk.pages(start) for each in listed.page.cases]
        return walk, seen

    return ask(stand_in, walk)


def found(stand_in: VoveStandIn, ref_id: str) -> Found:
    return ask(stand_in, lambda client: find(client, ref_id))


def bare(shown: list[Case], total: int, page: int, limit: int) -> Any:
    return shown


def without_total(shown: list[Case], total: int, page: int, limit: int) -> Any:
    return {"items": shown}


@pytest.mark.parametrize("shape", [as_sibling_list, bare, without_total])
def test_all_pages_are_seen_to_the_end(shape: Any) -> None:
    with vove(*MANY) as stand_in:
        stand_in.shape = shape
        walk, seen = walked(stand_in)
    assert seen == [each["refId"] for each in MANY]
    assert walk.is_complete


def test_a_server_that_gives_fewer_than_were_asked_for_is_not_at_its_end() -> None:
    with vove(*MANY) as stand_in:
        stand_in.most_on_a_page = 7
        walk, seen = walked(stand_in)
    assert len(seen) == 120
    assert walk.is_complete


def test_no_cases_at_all_are_an_answer_too() -> None:
    with vove() as stand_in:
        walk, seen = walked(stand_in)
    assert (seen, walk.is_complete) == ([], True)


@pytest.mark.parametrize("shape", [as_sibling_list, bare])
def test_a_list_whose_pages_count_from_zero_is_seen_whole(shape: Any) -> None:
    with vove(*MANY) as stand_in:
        stand_in.first_page, stand_in.shape = 0, shape
        walk, seen = walked(stand_in)
    assert sorted(seen) == [each["refId"] for each in MANY]
    assert walk.is_complete


def test_a_server_that_ignores_the_page_does_not_keep_us_forever() -> None:
    with vove(*MANY) as stand_in:
        stand_in.ignores, stand_in.shape = {"page"}, bare
        walk, seen = walked(stand_in)
    assert (len(seen), walk.repeated, walk.is_complete) == (50, True, False)
    assert len(stand_in.asked) <= 3


def test_nor_one_whose_entries_can_none_of_them_be_used() -> None:
    with vove(*[{"refId": number} for number in range(120)]) as stand_in:
        stand_in.ignores = {"page"}
        walk, seen = walked(stand_in, max_pages=9)
    assert (seen, walk.repeated, walk.entries) == ([], True, 50)


def test_one_that_ignores_the_page_but_gave_all_has_given_all() -> None:
    with vove(*MANY[:20]) as stand_in:
        stand_in.ignores = {"page"}
        walk, seen = walked(stand_in)
    assert (len(seen), walk.is_complete) == (20, True)


def test_a_page_that_comes_again_in_another_order_is_known_too() -> None:
    with vove(*MANY[:20]) as stand_in:
        stand_in.ignores = {"page"}
        stand_in.shape = lambda shown, total, page, limit: shown[::-1] if len(stand_in.asked) % 2 else shown
        walk, _ = walked(stand_in)
    assert walk.repeated


@pytest.mark.parametrize(("total", "complete"), [(3, True), (900, False)], ids=["too few", "too many"])
def test_a_total_that_lies_ends_nothing(total: int, complete: bool) -> None:
    with vove(*MANY) as stand_in:
        stand_in.shape = lambda shown, _, page, limit: {"data": shown, "total": total}
        walk, seen = walked(stand_in)
    assert (len(seen), walk.is_complete) == (120, complete)


@pytest.mark.parametrize("status", [400, 404, 416, 422])
def test_a_page_past_the_end_may_be_refused(status: int) -> None:
    with vove(*MANY[:50]) as stand_in:
        stand_in.shape = bare
        stand_in.faults_of_pages = {"2": Answer(status)}
        walk, seen = walked(stand_in)
    assert (len(seen), walk.is_complete) == (50, True)


def test_a_first_page_that_is_refused_is_an_error() -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(404)]
        with pytest.raises(VoveError) as raised:
            walked(stand_in)
    assert raised.value.trouble is Trouble.REFUSED


@pytest.mark.parametrize("body", [b"<html>Down for maintenance</html>", b"\x00\xff", b'{"message": "ok"}'])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    with vove() as stand_in:
        stand_in.faults = [Answer(body=body)]
        with pytest.raises(VoveError) as raised:
            walked(stand_in)
    assert raised.value.trouble is Trouble.STRANGE


def test_a_list_without_end_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with vove() as stand_in:
        stand_in.shape = lambda shown, total, page, limit: [case(f"{page}-{number}") for number in range(5)]
        walk, seen = walked(stand_in, max_pages=4)
    assert (len(seen), walk.is_complete) == (20, False)


def test_going_on_at_a_later_page_counts_what_was_seen_before() -> None:
    with vove(*MANY) as stand_in:
        walk, seen = walked(stand_in, start=3, entries=100)
    assert (len(seen), walk.entries, walk.is_complete) == (20, 120, True)
    assert stand_in.asked[0].parameters["page"] == "3"


def test_a_search_finds_exactly_the_reference() -> None:
    others = [case("acme-1"), case("ACME"), case("acme "), case("x", name="acme")]
    with vove(*others, case("acme", "IN_REVIEW")) as stand_in:
        said = found(stand_in, "acme")
    assert said.case is not None
    assert (said.case.ref_id, said.case.status, said.several) == ("acme", "IN_REVIEW", False)
    assert stand_in.asked[0].parameters["search"] == "acme"


@pytest.mark.parametrize("first_page", [0, 1])
@pytest.mark.parametrize("shape", [as_sibling_list, bare])
def test_a_reference_is_found_or_not_however_pages_count(shape: Any, first_page: int) -> None:
    with vove(case("acme")) as stand_in:
        stand_in.first_page, stand_in.shape = first_page, shape
        assert found(stand_in, "acme").case is not None
        assert found(stand_in, "other").case is None


def test_a_search_that_finds_only_others_knows_no_such_case() -> None:
    with vove(case("acme-1"), case("acme-2")) as stand_in:
        assert found(stand_in, "acme").case is None


def test_an_empty_answer_with_the_total_of_all_is_still_none() -> None:
    with vove(case("acme")) as stand_in:
        stand_in.shape = lambda shown, total, page, limit: {"data": shown, "total": 500}
        assert found(stand_in, "other").case is None


def test_of_several_with_the_reference_the_one_counts_that_changed_last() -> None:
    old = case("acme", "REJECTED", updatedAt="2026-01-01T00:00:00Z", id="1")
    new = case("acme", "COMPLETED", updatedAt="2026-02-01T00:00:00Z", id="2")
    with vove(old, new, old) as stand_in:
        said = found(stand_in, "acme")
    assert said.case is not None
    assert (said.case.status, said.several) == ("COMPLETED", True)


@pytest.mark.parametrize("ignores", [{"search"}, {"search", "page"}], ids=["the search", "and the page"])
def test_too_many_others_leave_it_open(ignores: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 5)
    with vove(*MANY) as stand_in:
        stand_in.ignores, stand_in.shape = ignores, bare
        with pytest.raises(VoveError) as raised:
            found(stand_in, "acme")
    assert raised.value.trouble is Trouble.UNCLEAR
    assert len(stand_in.asked) <= listing.MAX_SEARCHED + 1
