"""`kybdesk businesses import`, as a process of its own."""

import getpass
from pathlib import Path

import pytest

from tests.desk import Desk

FILE = "refId,name,email\nacme,ACME Ltd,office@acme.example\noak,Oakfield,\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def imported(desk: Desk, content: str | bytes, *options: str) -> tuple[int, str, str]:
    (desk.directory / "b.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = desk.command("businesses", "import", "b.csv", *options)
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout, ended.stderr


def names(desk: Desk) -> list[str]:
    return [row["name"] for row in desk.rows("SELECT name FROM businesses ORDER BY ref_id")]


def test_a_file_is_imported_and_what_was_done_is_said(desk: Desk) -> None:
    assert imported(desk, FILE) == (0, "2 businesses new, 0 changed, 0 unchanged.\n", "")
    again = imported(desk, FILE.replace("ACME Ltd", "ACME plc"))
    assert again[1] == "0 businesses new, 1 changed (name of 1), 1 unchanged.\n"
    assert names(desk) == ["ACME plc", "Oakfield"]
    by = f"kybdesk businesses import ({getpass.getuser()})"
    assert desk.rows("SELECT updated_by FROM businesses")[0][0] == by
    noted = desk.rows("SELECT kind, by, subject, detail FROM activities ORDER BY id")
    assert [tuple(row) for row in noted] == [
        ("imported", by, "b.csv", "2 new, 0 changed"),
        ("imported", by, "b.csv", "0 new, 1 changed (name of 1)"),
    ]


def test_a_check_says_what_would_be_done_and_does_nothing(desk: Desk) -> None:
    code, out, _ = imported(desk, FILE, "--check")
    assert (code, out) == (0, "2 businesses new, 0 changed, 0 unchanged. Nothing was written.\n")
    assert names(desk) == []


def test_what_is_wrong_is_said_line_by_line_and_nothing_is_imported(desk: Desk) -> None:
    assert desk.command("migrate").returncode == 0
    code, out, error = imported(desk, FILE + "bad,Bad,\x1b[31mred\nacme,Again,\n")
    assert (code, out) == (1, "")
    assert error.splitlines() == [
        "line 4, email: '\\x1b[31mred' is no e-mail address",
        "line 5, refId: stands in line 2 already, and again in line 5",
        "Nothing was imported.",
    ]
    assert names(desk) == []


def test_of_many_errors_the_first_are_printed(desk: Desk) -> None:
    _, _, error = imported(desk, "refId,email\n" + "".join(f"r{number},x\n" for number in range(60)))
    assert error.splitlines()[-2:] == ["and 10 more", "Nothing was imported."]


def test_what_a_file_calls_its_columns_does_no_harm_to_a_terminal(desk: Desk) -> None:
    _, _, error = imported(desk, "refId,name,\x1b]0;x\x07\na,b,c\n")
    assert "\x1b" not in error
    assert "⟨001B⟩" in error


def test_what_is_no_csv_file_is_said(desk: Desk) -> None:
    assert "the file: is a workbook or an archive" in imported(desk, b"PK\x03\x04")[2]
    missing = desk.command("businesses", "import", "none.csv")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
