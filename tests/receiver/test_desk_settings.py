"""Links to a case elsewhere: nothing that came from outside can choose where they lead."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from receiver.database import Database
from receiver.desk_settings import MOST, DeskSettingError, find_settings, link, set_setting
from receiver.models import activities
from tests.receiver.factories import NOON
from tests.receiver.workbench import emptied

ANA = "ana@example.com"
CRM = "https://crm.example.com/businesses/{ref_id}?tab=kyb"


@pytest.fixture
def connection(lasting_database: Database) -> Iterator[Connection]:
    with emptied(lasting_database) as engine, engine.begin() as connection:
        yield connection


def test_a_link_is_set_changed_and_taken_away_and_each_is_noted(connection: Connection) -> None:
    assert set_setting(connection, "crm_link", f"  {CRM} ", ANA, NOON)
    assert find_settings(connection) == {"crm_link": CRM}
    assert not set_setting(connection, "crm_link", CRM, "ben@example.com", NOON)
    assert set_setting(connection, "crm_link", "", ANA, NOON)
    assert find_settings(connection) == {}
    assert not set_setting(connection, "vove_link", "", ANA, NOON)
    noted = connection.execute(select(activities).order_by(activities.c.id)).all()
    assert [(row.kind, row.by, row.subject, row.detail) for row in noted] == [
        ("set", ANA, "crm_link", CRM),
        ("set", ANA, "crm_link", "nothing"),
    ]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("https://crm.example.com/businesses", "needs {ref_id} or {vove_id}"),
        ("https://crm.example.com/{name}/{ref_id}", "Only {ref_id} and {vove_id}"),
        ("https://crm.example.com/{ref_id}}", "Only {ref_id} and {vove_id}"),
        ("https://{ref_id}.example.com/", "after the server's name"),
        ("https://crm.example.com:{ref_id}/", "no address"),
        ("https://{ref_id}@crm.example.com/", "after the server's name"),
        ("https://ana@crm.example.com/{ref_id}", "a user name nowhere"),
        ("javascript:alert({ref_id})", "Begin with https://"),
        ("data:text/html,{ref_id}", "Begin with https://"),
        ("{ref_id}", "Begin with https://"),
        ("//crm.example.com/{ref_id}", "Begin with https://"),
        ("https:///{ref_id}", "Begin with https://"),
        ("https:{ref_id}", "Begin with https://"),
        ("https://[::1/{ref_id}", "no address"),
        ("https://crm.example.com/a b/{ref_id}", "without spaces"),
        ("https://crm.example.com\\{ref_id}", "backslashes"),
        ("https://crm.example.com/\t{ref_id}", "without spaces"),
        ("https://crm.example.com/\u202e{ref_id}", "without spaces"),
        ("https://crm.example.com/{ref_id}" + "x" * MOST, "500 characters"),
    ],
)
def test_what_is_no_such_address_is_refused(connection: Connection, template: str, why: str) -> None:
    with pytest.raises(DeskSettingError, match=why):
        set_setting(connection, "crm_link", template, ANA, NOON)
    assert find_settings(connection) == {}


def test_no_other_setting_can_be_set(connection: Connection) -> None:
    with pytest.raises(DeskSettingError):
        set_setting(connection, "webhook_secret", CRM, ANA, NOON)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_reference_never_changes_where_a_link_leads(ref_id: str) -> None:
    found = link(CRM, ref_id, None)
    if ref_id in {".", ".."}:
        assert found is None
        return
    assert found is not None
    parts = urlsplit(found)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == (
        "https",
        "crm.example.com",
        "tab=kyb",
        "",
    )
    assert parts.path.count("/") == CRM.count("/") - 2
    assert unquote(parts.path.removeprefix("/businesses/")) == ref_id


def test_a_reference_that_looks_like_a_place_is_not_filled_in_again() -> None:
    assert link(CRM, "{vove_id}", "42") == "https://crm.example.com/businesses/%7Bvove_id%7D?tab=kyb"


def test_there_is_no_link_without_a_template_or_without_the_id_that_it_needs() -> None:
    needs_both = "https://dashboard.example.com/{vove_id}?ref={ref_id}"
    assert link(None, "acme", "42") is None
    assert link(needs_both, "acme", None) is None
    assert link(needs_both, "acme & co", "42") == "https://dashboard.example.com/42?ref=acme%20%26%20co"
