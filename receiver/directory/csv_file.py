"""A CSV file of businesses: its bytes to rows, and to what is wrong with it, line by line. Pure.

The first line names the columns, in any order; `refId` must be among them. Cells stand between commas,
semicolons or tabs. An empty cell says nothing: it leaves the field as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from receiver.directory.csv_text import (
    Column,
    Problem,
    UnreadableError,
    columns_of,
    records,
    separator_of,
    text_of,
)
from receiver.directory.fields import FieldError, checked
from receiver.event import MAX_REF_ID, UNSTORABLE

MAX_ROWS = 10_000  # written in one transaction, for which the receiver waits: half a second on two cores
TOO_MANY = f"has more than {MAX_ROWS:,} businesses: split it into several"


@dataclass(frozen=True, slots=True)
class Row:
    """One business of the file: its fields as the directory keeps them, without those it says nothing of."""

    line: int
    ref_id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """With a problem, none of the rows may be imported."""

    rows: Sequence[Row] = ()
    problems: Sequence[Problem] = ()


def read(content: bytes) -> CsvFile:
    """Never raises, whatever the bytes are."""
    reading = _Reading()
    try:
        text = text_of(content)
        lines = records(text, separator_of(text))
        columns = columns_of(*next(lines, (1, [])))
        for number, (line, cells) in enumerate(lines):
            if number == MAX_ROWS:
                raise UnreadableError([Problem(None, None, TOO_MANY)])
            reading.take(line, columns, cells)
    except UnreadableError as error:
        reading.problems += error.problems
    return CsvFile(reading.rows, reading.problems)


@dataclass
class _Reading:
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)  # by refId, where it stands

    def take(self, line: int, columns: Sequence[Column], cells: Sequence[str]) -> None:
        if len(cells) != len(columns):
            self.problems.append(Problem(line, None, _miscounted(len(cells), len(columns))))
            return
        ref_id, fields = "", {}
        for column, cell in zip(columns, cells, strict=True):
            try:
                if column.field == "ref_id":
                    ref_id = self._ref_id(line, cell)
                elif (value := checked({column.field: cell})[column.field]) is not None:
                    fields[column.field] = value
            except FieldError as error:
                self.problems.append(Problem(line, column.name, error.why))
        self.rows.append(Row(line, ref_id, fields))

    def _ref_id(self, line: int, cell: str) -> str:
        """As it is: spaces count. Raises FieldError."""
        if not cell.strip():
            raise FieldError("ref_id", "is empty")
        if UNSTORABLE.search(cell):
            raise FieldError("ref_id", "holds a character that can't be stored")
        if len(cell.encode()) > MAX_REF_ID:
            raise FieldError("ref_id", f"is longer than {MAX_REF_ID:,} bytes")
        if (other := self.lines.setdefault(cell, line)) != line:
            raise FieldError("ref_id", f"stands in line {other:,} already, and again in line {line:,}")
        return cell


def _miscounted(cells: int, columns: int) -> str:
    hint = ": a text that holds a separator, a quotation mark or a line break stands in quotation marks"
    return f"has {cells:,} {'cell' if cells == 1 else 'cells'}, where the first line has {columns}{hint}"
