"""The bytes of a CSV file to its columns and the cells of its lines. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_BYTES = 5 * 1024 * 1024  # of a file; it travels through the preview's form once more
MAX_COLUMNS = 50  # each that we don't know is named: a line of nothing but commas has five million
SEPARATORS = (",", ";", "\t")
COLUMNS = {  # by field, as people read them
    "ref_id": "refId",
    "name": "name",
    "email": "email",
    "language": "language",
    "account_status": "account_status",
    "notes": "notes",
}
FIELDS = tuple(name for name in COLUMNS if name != "ref_id")
_SPELLINGS = {  # without capitals, spaces, hyphens and underscores
    "refid": "ref_id",
    "reference": "ref_id",
    "name": "name",
    "businessname": "name",
    "companyname": "name",
    "email": "email",
    "emailaddress": "email",
    "language": "language",
    "accountstatus": "account_status",
    "note": "notes",
    "notes": "notes",
}
_IGNORED = str.maketrans("", "", " _-")
_SAVE_AS_UTF8 = "save it as “CSV UTF-8”, or export it in the encoding UTF-8"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the file can't be imported. No line: the file as a whole; no column: the whole line."""

    line: int | None
    column: str | None
    why: str

    def __str__(self) -> str:
        where = [f"line {self.line:,}"] if self.line else []
        return f"{', '.join([*where, *filter(None, [self.column])]) or 'the file'}: {self.why}"


class UnreadableError(Exception):
    """The rest of the file can't be read."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Column:
    field: str
    name: str  # as the file has it


def text_of(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        most = MAX_BYTES // 1024 // 1024
        raise UnreadableError([Problem(None, None, f"is larger than {most} MiB: split it into several")])
    if content.startswith(b"PK\x03\x04"):
        raise UnreadableError(
            [Problem(None, None, "is a workbook or an archive, no CSV: open it and save it as “CSV UTF-8”")]
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError([Problem(None, None, f"is text in UTF-16: {_SAVE_AS_UTF8}")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError([Problem(line, None, f"is not text in UTF-8: {_SAVE_AS_UTF8}")]) from None


def separator_of(text: str) -> str:
    """The one by which the first line names the most columns that we know."""

    def known(separator: str) -> tuple[int, int]:
        try:
            _, cells = next(records(text, separator), (1, []))
        except UnreadableError:
            return 0, 0
        return sum(_field_of(cell) is not None for cell in cells), len(cells)

    return max(SEPARATORS, key=known)


def records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and cells, without the empty ones; quoted, a cell may go over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableError([Problem(line, None, _in_words(error))]) from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def _in_words(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "a quotation mark opens a text that is never closed"
    if "field larger" in str(error):
        return f"a cell is longer than {csv.field_size_limit():,} characters"
    return "something stands behind a closing quotation mark: inside a quoted text, write it twice"


def columns_of(line: int, header: Sequence[str]) -> list[Column]:
    if len(header) > MAX_COLUMNS:
        raise UnreadableError(
            [Problem(line, None, f"has {len(header):,} columns, where we know {len(COLUMNS)}")]
        )
    columns = [Column(_field_of(cell) or "", cell.strip()) for cell in header]
    counts = Counter(column.field for column in columns if column.field)
    problems = [
        _unknown(line, column, number) for number, column in enumerate(columns, 1) if not column.field
    ]
    problems += [
        Problem(line, COLUMNS[name], "there are two such columns") for name, n in counts.items() if n > 1
    ]
    if not counts["ref_id"]:
        problems.append(Problem(line, None, "there is no column refId, which says whose line it is"))
    elif len(columns) == 1:
        problems.append(Problem(line, None, f"there is no column beside refId, such as {', '.join(FIELDS)}"))
    if problems:
        raise UnreadableError(problems)
    return columns


def _unknown(line: int, column: Column, number: int) -> Problem:
    named = (
        f"“{column.name[:60]}” is no column that we know" if column.name else f"column {number} has no name"
    )
    return Problem(line, None, f"{named}; we know {', '.join(COLUMNS.values())}")


def _field_of(cell: str) -> str | None:
    return _SPELLINGS.get(cell.casefold().translate(_IGNORED).strip())
