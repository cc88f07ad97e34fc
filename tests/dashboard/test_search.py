"""What a search finds, on each database: what Python's own `in` says of the folded texts."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from dashboard.queries import search
from dashboard.queries.case_list import find_cases
from dashboard.queries.case_selection import Selection
from dashboard.queries.search import find_hits, find_without_case, read_search
from receiver.database import Database
from receiver.directory.csv_file import Row
from receiver.directory.importing import import_rows
from receiver.event import ref_key
from receiver.ledger.rebuild import rebuild
from receiver.models import businesses, case_counts, cases, deliveries, events, findables
from receiver.runs import dispatch
from receiver.search import event_text, fold, note_everything
from tests.dashboard.reading import read
from tests.factories import (
    HOSTILE,
    NOON,
    WAY,
    add_business,
    add_case,
    add_case_row,
    add_event,
    add_reason,
    writing,
)

TYPED = "%_*\"'\\/-:()^~NEAR AND ÄäßẞÉéİıŁłσςΣ𐐀日本 .\u0301\u202e\n"
TEXTS = st.text(
    st.sampled_from("abAB01" + TYPED) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12
)


def found(database: Database, typed: str) -> list[str]:
    async def query(reader):  # type: ignore[no-untyped-def]
        searched = await read_search(reader, search.cleaned(typed))
        return (await find_cases(reader, Selection(search=searched))).rows

    return sorted(case.ref_id for case in read(database, query))


@pytest.mark.parametrize(
    ("typed", "refs"),
    [
        ("ACME", ["ACME%1", "acme_1"]),
        ("me_1", ["acme_1"]),
        ("e%1", ["ACME%1"]),
        ("%%%", []),
        ("%", []),
        ("k\\s", ["back\\slash"]),
        ('"""', []),
        ("'; --", []),
        ("NEAR(", []),
        ("text:a", []),
        ("acme*", []),
        ("-acme", []),
    ],
)
def test_what_people_type_is_plain_characters(any_database: Database, typed: str, refs: list[str]) -> None:
    with writing(any_database) as connection:
        for ref_id in ("acme_1", "ACME%1", "back\\slash"):
            add_case(connection, ref_id, WAY[:2])
    assert found(any_database, typed) == refs


def test_a_short_search_is_for_the_beginning_of_a_reference_or_a_name(any_database: Database) -> None:
    with writing(any_database) as connection:
        for ref_id, name in (("Acme", None), ("x-1", "Äther AG"), ("m", "Bolt"), ("bacme", "𐐀")):
            add_case(connection, ref_id, WAY[:2])
            add_business(connection, ref_id, name=name)
    assert found(any_database, "a") == ["Acme"]
    assert found(any_database, "AC") == ["Acme"]
    assert found(any_database, "äT") == ["x-1"]
    assert found(any_database, "m") == ["m"]  # not each id of a message
    assert found(any_database, "B") == ["bacme", "m"]
    assert found(any_database, "𐐀") == ["bacme"]


@pytest.mark.parametrize("few", [0, 2000])  # texts, beyond which each case is asked by itself
def test_a_case_is_found_by_each_of_its_texts(
    any_database: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    with writing(any_database) as connection:
        add_case(connection, "first", reason="UBO_NOT_VERIFIED")
        add_business(connection, "first", name="Straße & Söhne")
        add_event(connection, "first", "IN_REVIEW", svix_id="msg_2if9qqkVjQDrS738JZOnax9T7MO")
        add_case(connection, "other", reason="PEP_HIT")
        add_reason(connection, "PEP_HIT")
        connection.execute(text("UPDATE reasons SET label = 'Politically exposed person'"))
    for typed in ("irs", "STRASSE", "SÖHNE", "9QQkvjq", "ubo_not", "Ubo not ver", "t_verif"):
        assert found(any_database, typed) == ["first"], typed
    for typed in ("oth", "exposed PERSON", "pep hit"):
        assert found(any_database, typed) == ["other"], typed
    assert found(any_database, "msg_") == ["first", "other"]


def test_the_row_says_what_was_found_where_it_does_not_show_it(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", reason="PEP_HIT")
        add_event(connection, "ACME-1", "REJECTED", reason="FIRST_REASON", svix_id="msg_Abc", place=9)

    def hit(typed: str) -> search.Hit | None:
        async def query(reader):  # type: ignore[no-untyped-def]
            searched = await read_search(reader, typed)
            assert searched
            rows = (await find_cases(reader, Selection(search=searched))).rows
            return (await find_hits(reader, searched, rows)).get(ref_key("ACME-1"))

        found_hit: search.Hit | None = read(any_database, query)
        return found_hit

    assert hit("g_aBC") == search.Hit(svix_id="msg_Abc")
    assert hit("first reason") == search.Hit(reason="FIRST_REASON")
    assert hit("pep hit") is None
    assert hit("acme") is None


def test_what_waits_for_the_worker_is_found_too_and_once(any_database: Database) -> None:
    with writing(any_database) as connection:
        ids = add_case(connection, "waiting", reason="TOO_YOUNG")
        connection.execute(delete(findables))
        connection.execute(update(events).values(dispatched_at=None, svix_id=text("'msg_xYz' || id")))
    for typed in ("WAIT", "too young", "g_xyz", f"msg_xYz{ids[0]}"):
        assert found(any_database, typed) == ["waiting"], typed
    with writing(any_database) as connection:
        assert dispatch(connection, [], NOON) == len(ids)
    for typed in ("WAIT", "too young", "g_xyz", "wa"):
        assert found(any_database, typed) == ["waiting"], typed
    with writing(any_database) as connection:
        assert len(connection.execute(select(findables)).all()) == 1 + len(ids)


def test_a_new_name_is_found_and_the_old_one_is_not(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", WAY[:2])
        add_business(connection, "ACME-1", name="Before Ltd")
        add_business(connection, "ACME-1", name="After Ltd")
    assert found(any_database, "before") == []
    assert found(any_database, "after") == ["ACME-1"]
    with writing(any_database) as connection:
        import_rows(
            connection, [Row(1, "ACME-1", {"name": "Imported"}), Row(2, "new", {"name": "Newly"})], "x", NOON
        )
    assert found(any_database, "after") == []
    assert found(any_database, "IMPORTED") == ["ACME-1"]
    with writing(any_database) as connection:
        add_business(connection, "ACME-1", name=None)
    assert found(any_database, "imported") == []
    assert found(any_database, "acme") == ["ACME-1"]


def test_of_whom_vove_gave_no_status_is_named_beside_the_cases(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "acme-with", WAY[:2])
        add_business(connection, "acme-known", name="Known")
        add_event(connection, "acme-aml", "REJECTED", family="aml", place=None, link=None)

    async def query(reader):  # type: ignore[no-untyped-def]
        return await find_without_case(reader, await read_search(reader, "ACME"))

    without = [(business.ref_id, business.name) for business in read(any_database, query)]
    assert without == [("acme-known", "Known"), ("acme-aml", None)]


def test_rebuilding_the_cases_leaves_what_is_found(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", reason="PEP_HIT")
        connection.execute(delete(case_counts))
    engine = any_database.writer()
    rebuild(engine, write=True)
    engine.dispose()
    assert found(any_database, "pep") == ["ACME-1"]


def test_a_database_that_was_filled_beside_the_product_is_made_searchable(any_database: Database) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1", reason="PEP_HIT")
        add_business(connection, "only", name="Only Ltd")
        kept = {(row.kind, row.text) for row in connection.execute(select(findables))}
        connection.execute(delete(findables))
        note_everything(connection)
        assert {(row.kind, row.text) for row in connection.execute(select(findables))} == kept


def test_the_index_of_trigrams_is_what_the_texts_say(database: Database) -> None:
    with writing(database) as connection:
        add_case(connection, HOSTILE, reason=HOSTILE)
        add_business(connection, HOSTILE, name="before")
        add_business(connection, HOSTILE, name="after")
        connection.execute(delete(findables).where(findables.c.kind == "event"))
        connection.execute(
            text("INSERT INTO findables_trigrams (findables_trigrams, rank) VALUES ('integrity-check', 1)")
        )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_search_finds_what_python_finds_in_the_folded_texts(
    any_database: Database, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(search, "FEW", data.draw(st.sampled_from([0, 2, 2000])))
    names = TEXTS.map(lambda name: " ".join(name.split()))
    known = data.draw(st.dictionaries(TEXTS.filter(bool), st.tuples(names, TEXTS), min_size=1, max_size=4))
    ids = {ref_id: f"msg_{number}aB-_{number}Z" for number, ref_id in enumerate(known)}
    with writing(any_database) as connection:
        for table in (deliveries, cases, events, businesses, case_counts, findables):
            connection.execute(delete(table))
        for ref_id, (name, reason) in known.items():
            event = add_event(connection, ref_id, svix_id=ids[ref_id], reason=reason or None)
            add_case_row(connection, ref_id, "IN_REVIEW", [event], reason=reason or None)
            add_business(connection, ref_id, name=name or None)
    texts = [text for ref_id, others in known.items() for text in (ref_id, ids[ref_id], *others)]
    typed = data.draw(TEXTS | st.sampled_from(texts).flatmap(_part_of))
    wanted = fold(search.cleaned(typed))
    fitting = {ref_id for ref_id, others in known.items() if _fits(wanted, ref_id, ids[ref_id], *others)}
    assert found(any_database, typed) == sorted(fitting if wanted else known)


def _part_of(whole: str) -> st.SearchStrategy[str]:
    ends = st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))
    spelt = st.sampled_from([str, str.upper, str.lower, str.title])
    return st.builds(lambda end, spell: spell(whole[min(end) : max(end)]), ends, spelt)


def _fits(wanted: str, ref_id: str, svix_id: str, name: str, reason: str) -> bool:
    of_business = [fold(ref_id), fold(name)]
    if len(wanted) <= search.SHORT:
        return any(said.startswith(wanted) for said in of_business)
    return any(wanted in said for said in [*of_business, *event_text(svix_id, reason).split("\n")])


@pytest.mark.parametrize(
    "typed",
    [
        "\0",
        "a\0b",
        "\ud800",
        "x" * 100_000,
        '"' * 100_000,
        "é" * 100_000,
        '"',
        "'",
        "\\",
        "\n\n\n",
        "\U0010ffff",
    ],
)
def test_whatever_is_typed_is_answered(any_database: Database, typed: str) -> None:
    with writing(any_database) as connection:
        add_case(connection, "ACME-1")
    assert found(any_database, typed) in ([], ["ACME-1"])
