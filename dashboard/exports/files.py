"""Rows to the bytes of a file, page by page. Pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

Row = Mapping[str, Any]  # by column; a value is text, a number, a truth, a moment, or None

BOM = "\ufeff"  # without it Excel reads UTF-8 as something else
# What a spreadsheet would take for a formula, also behind spaces and in full width.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


class Writer(Protocol):
    """Text before all rows, for each page of rows, and after all."""

    def begin(self) -> str: ...
    def page(self, rows: Sequence[Row]) -> str: ...
    def end(self) -> str: ...


class CsvWriter:
    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def begin(self) -> str:
        return BOM + self._lines([self._columns])

    def page(self, rows: Sequence[Row]) -> str:
        return self._lines([[_cell(row.get(column)) for column in self._columns] for row in rows])

    def end(self) -> str:
        return ""

    def _lines(self, lines: Sequence[Sequence[str]]) -> str:
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        return text.getvalue()


class JsonWriter:
    """One array of objects, each on a line of its own."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._is_first = True

    def begin(self) -> str:
        return "["

    def page(self, rows: Sequence[Row]) -> str:
        return "".join(self._objects(rows))

    def end(self) -> str:
        return "\n]\n"

    def _objects(self, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows:
            said = {column: _value(row.get(column)) for column in self._columns}
            yield ("\n" if self._is_first else ",\n") + json.dumps(said, ensure_ascii=False)
            self._is_first = False


def writer(chosen: Format, columns: Sequence[str]) -> Writer:
    return CsvWriter(columns) if chosen is Format.CSV else JsonWriter(columns)


def harmless(text: str) -> str:
    """So that no spreadsheet calculates it: what begins like a formula gets an apostrophe before it. Also
    after a semicolon, where some begin another cell, whatever the quotation marks."""
    return ";".join(f"'{part}" if _is_formula(part) else part for part in text.split(";"))


def _is_formula(text: str) -> bool:
    return text.startswith(FORMULA) or text.lstrip(' \u00a0"').startswith(FORMULA)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    value = _value(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(value) if isinstance(value, str) else str(value)


def _value(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
