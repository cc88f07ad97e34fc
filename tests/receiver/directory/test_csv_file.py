"""A file's bytes to rows, and to what is wrong with it, line by line."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.directory import csv_file
from receiver.directory.csv_file import MAX_ROWS, read
from receiver.directory.csv_text import COLUMNS, FIELDS, MAX_BYTES
from receiver.directory.fields import MAX_NAME
from receiver.event import MAX_REF_ID
from tests.factories import HOSTILE


def rows(text: str) -> list[tuple[str, dict[str, str]]]:
    found = read(text.encode())
    assert found.problems == []
    return [(row.ref_id, dict(row.fields)) for row in found.rows]


def problems(content: str | bytes) -> list[str]:
    return [str(each) for each in read(content if isinstance(content, bytes) else content.encode()).problems]


def test_a_file_names_its_columns_in_any_order() -> None:
    text = "name,refId,email\r\nACME Ltd,acme-1,office@acme.example\r\nOak,oak,\r\n"
    assert rows(text) == [
        ("acme-1", {"name": "ACME Ltd", "email": "office@acme.example"}),
        ("oak", {"name": "Oak"}),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_cells_stand_between_commas_semicolons_or_tabs(separator: str) -> None:
    text = "refId,name,notes\nacme,ACME,a".replace(",", separator)
    assert rows(text) == [("acme", {"name": "ACME", "notes": "a"})]


def test_a_header_in_quotes_tells_its_separator_too() -> None:
    assert rows('"refId";"name"\n"a,b";"ACME, Ltd"') == [("a,b", {"name": "ACME, Ltd"})]


@pytest.mark.parametrize(
    "header", ["ref_id,e-mail", "REFID,E-Mail", " refId , Email Address ", "Reference,email", "ref id,EMAIL"]
)
def test_a_column_is_known_by_its_obvious_spellings(header: str) -> None:
    assert rows(f"{header}\nacme,a@b.example") == [("acme", {"email": "a@b.example"})]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert rows("\ufeffrefId,name\nacme,ACME") == [("acme", {"name": "ACME"})]


def test_quoted_cells_go_over_lines_and_empty_lines_are_nothing() -> None:
    text = '\r\nrefId,name,notes\r\n\r\nacme,ACME,"two\r\nlines, ""quoted"""\r\n,,\r\n  \r\noak,Oak,\r\n'
    assert rows(text) == [
        ("acme", {"name": "ACME", "notes": 'two\r\nlines, "quoted"'}),
        ("oak", {"name": "Oak"}),
    ]
    assert [row.line for row in read(text.encode()).rows] == [4, 8]


def test_what_a_spreadsheet_would_take_for_a_formula_is_text() -> None:
    assert rows("refId,name\n=1+1,@SUM(A1)\n-2,+49") == [
        ("=1+1", {"name": "@SUM(A1)"}),
        ("-2", {"name": "+49"}),
    ]


def test_a_reference_is_taken_as_it_is_and_other_cells_are_trimmed() -> None:
    assert rows(f'refId,name\n acme ,  ACME  \n"{HOSTILE.replace(chr(34), chr(34) * 2)}",x') == [
        (" acme ", {"name": "ACME"}),
        (HOSTILE, {"name": "x"}),
    ]


def test_each_wrong_cell_is_named_by_its_line_and_column() -> None:
    header = "Ref_ID,E-mail,Language,account_status,name\n"
    text = header + "a,nobody,x!,asleep,ok\n,a@b.example,,,\nc,c@d.example,,,fine\n"
    assert problems(text) == [
        "line 2, E-mail: 'nobody' is no e-mail address",
        "line 2, Language: 'x!' is no language code, such as en or pt-br",
        "line 2, account_status: 'asleep' is none of active, suspended",
        "line 3, Ref_ID: is empty",
    ]


def test_a_reference_that_stands_twice_is_named_with_both_lines() -> None:
    assert problems("refId,name\na,1\nb,2\na,3") == [
        "line 4, refId: stands in line 2 already, and again in line 4"
    ]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("x" * (MAX_REF_ID + 1), f"line 2, refId: is longer than {MAX_REF_ID:,} bytes"),
        ("é" * (MAX_REF_ID // 2 + 1), f"line 2, refId: is longer than {MAX_REF_ID:,} bytes"),
        ("a\0b", "line 2, refId: holds a character that can't be stored"),
        ("  ", "line 2, refId: is empty"),
    ],
)
def test_a_reference_is_one_that_vove_could_send(cell: str, why: str) -> None:
    assert problems(f"refId,name\n{cell},x") == [why]
    assert problems(f"refId,name\n{'x' * MAX_REF_ID},{'n' * MAX_NAME}") == []


def test_a_column_that_we_do_not_know_is_named_beside_those_we_do() -> None:
    [why] = problems("refId,name,turnover\na,b,c")
    assert why == (
        "line 1: “turnover” is no column that we know; "
        "we know refId, name, email, language, account_status, notes"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no column refId"),
        ("\n \n", "there is no column refId"),
        ("acme,ACME Ltd", "there is no column refId"),
        ("name,email\na,b", "there is no column refId"),
        ("refId\nacme", "there is no column beside refId"),
        ("refId,name,\na,b,c", "column 3 has no name"),
        ("refId,name,Name\na,b,c", "there are two such columns"),
        ("refId,email,e-mail\na,,", "line 1, email: there are two such columns"),
        ("refId,name\na", "line 2: has 1 cell, where the first line has 2"),
        ("refId,name\na,b\nb,ACME, Ltd", "line 3: has 3 cells, where the first line has 2"),
        ('refId,name\na,b\nb,"ACME\nc,d\n', "line 3: a quotation mark opens a text that is never closed"),
        ('refId,name\na,"b" c', "line 2: something stands behind a closing quotation mark"),
        (f"refId,name\na,{'x' * 200_000}", "line 2: a cell is longer than 131,072 characters"),
    ],
)
def test_what_can_not_be_read_is_said_in_words(text: str, why: str) -> None:
    assert any(why in each for each in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("refId,name\na,Ä".encode("latin-1"), "line 2: is not text in UTF-8"),
        ("refId,name\na,Ä".encode("utf-16"), "is text in UTF-16"),
        (b"PK\x03\x04\x14\x00", "is a workbook or an archive"),
        (b"refId,name\n" + b"x" * MAX_BYTES, "is larger than 5 MiB"),
        (
            b"refId,name\n" + b"".join(b"%d,x\n" % n for n in range(MAX_ROWS + 1)),
            "has more than 10,000 businesses",
        ),
    ],
)
def test_what_is_no_such_file_is_said_in_words(content: bytes, why: str) -> None:
    [said] = problems(content)
    assert why in said


@pytest.mark.parametrize("line", [b",", b"x\n", b"x,\n", b'"",x\n'])
def test_a_file_of_nothing_but_errors_does_not_fill_the_memory(line: bytes) -> None:
    header = b"" if line == b"," else b"refId,email\n"
    content = header + line * ((MAX_BYTES - len(header)) // len(line))
    assert 1 <= len(read(content).problems) <= 2 * MAX_ROWS + 1


def test_as_many_businesses_as_are_allowed_are_read() -> None:
    found = read(b"refId,name\n" + b"".join(b"%d,x\n" % n for n in range(MAX_ROWS)))
    assert (len(found.rows), found.problems) == (MAX_ROWS, [])


storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
one_line = storable.filter(lambda text: len(text.strip().splitlines()) < 2)
references = storable.filter(lambda text: bool(text.strip()))


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(references, st.tuples(one_line, storable), max_size=6),
    st.sampled_from(",;\t"),
    # Between bare line feeds, Python's writer leaves a carriage return without quotes.
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    st.booleans(),
)
def test_what_a_writer_of_csv_wrote_is_read_back(
    written: dict[str, tuple[str, str]], separator: str, lines: tuple[str, Any], marked: bool
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator=lines[0], quoting=lines[1])
    writer.writerow(["refId", "name", "notes"])
    writer.writerows([ref_id, *texts] for ref_id, texts in written.items())
    content = file.getvalue().encode("utf-8-sig" if marked else "utf-8")
    found = read(content)
    assert found.problems == []
    assert {row.ref_id: dict(row.fields) for row in found.rows} == {
        ref_id: {
            field: text.strip() for field, text in zip(("name", "notes"), texts, strict=True) if text.strip()
        }
        for ref_id, texts in written.items()
    }


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | storable.map(lambda text: f"refId,name\n{text}".encode()))
def test_no_bytes_make_it_fail(content: bytes) -> None:
    found = read(content)
    assert all(row.ref_id for row in found.rows) or found.problems


def test_the_columns_are_those_that_people_fill() -> None:
    assert set(COLUMNS) == {"ref_id", *FIELDS}
    assert csv_file.read(",".join(COLUMNS.values()).encode()).problems == []
