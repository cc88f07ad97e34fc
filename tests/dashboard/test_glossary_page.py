"""What the words mean, the keys, and where one can go."""

import re

import pytest

from dashboard import words
from dashboard.glossary import CHAPTERS, TERMS
from dashboard.places import BELOW, PLACES
from receiver.models import Outcome, RunState, Verdict
from tests.dashboard.desk import SAME_ORIGIN, Desk
from tests.factories import add_case, writing

KNOWN = [
    *words.STATUSES.values(),
    *words.OTHER_STATUSES.values(),
    *words.FAMILIES.values(),
    *TERMS.values(),
    *map(words.run_state, RunState),
    *map(words.outcome, Outcome),
    *map(words.verdict, Verdict),
]


def test_the_glossary_has_every_word_with_its_meaning(desk: Desk) -> None:
    page = desk.signed_in().client.get("/glossary").text.replace("&#39;", "'")
    for word in KNOWN:
        assert f"<span>{word.text}</span></dt><dd>{word.meaning}</dd>" in page, word.text


def test_a_word_on_a_page_leads_to_its_place_in_the_glossary(desk: Desk) -> None:
    with writing(desk.database) as connection:
        add_case(connection)
    found = re.findall(r'data-word="(\w+)"', desk.signed_in().client.get("/cases").text)
    assert found
    page = desk.client.get("/glossary").text
    assert all(f'id="{anchor}"' in page for anchor in [*found, *(word.anchor for word in KNOWN)])


def test_no_two_things_of_the_glossary_have_one_place() -> None:
    anchors = [anchor for chapter in CHAPTERS for anchor, _ in chapter.entries]
    anchors += [chapter.anchor for chapter in CHAPTERS]
    assert len(anchors) == len(set(anchors))
    assert all(re.fullmatch("[a-z0-9_]+", anchor) for anchor in anchors)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/cases", "Cases"),
        ("/cases/runs", "Cases"),
        ("/businesses/import", "Cases"),
        ("/adoptions/1", "Cases"),
        ("/differences", "Cases"),
        ("/case-file", "Cases"),
        ("/runs/7", "Runs"),
        ("/batches/7", "Runs"),
        ("/rejections/reason", "Rejections"),
        ("/users/3", "Users"),
        ("/", "Overview"),
        ("/keys", None),
        ("/casesque", None),
    ],
)
def test_the_rail_shows_where_one_is(path: str, name: str | None) -> None:
    lit = [place.name for place in PLACES + BELOW if place.holds(path)]
    assert lit == ([name] if name else [])


def test_no_two_places_have_one_key() -> None:
    keys = [place.key for place in PLACES + BELOW]
    assert len(keys) == len(set(keys))


def test_the_keys_are_told_and_can_be_switched_off(desk: Desk) -> None:
    page = desk.signed_in().client.get("/keys").text
    assert "<kbd>j</kbd>" in page
    assert "data-keys" not in page
    answer = desk.client.post("/keys", data={"keys": "off"}, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    assert 'data-keys="off"' in desk.client.get("/cases").text
    desk.client.post("/keys", data={"keys": "on"}, headers=SAME_ORIGIN)
    assert "data-keys" not in desk.client.get("/cases").text
