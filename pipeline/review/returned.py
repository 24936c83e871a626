"""Returned packets, as people really send them back: re-saved, reordered, with semicolons, in local form.

Reading knows nothing of campaigns: it gives rows of named cells, each with its place in the file, and dates where it
is certain which day is meant.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

__all__ = ["AmbiguousDateError", "Cell", "Row", "read", "to_date"]

#: A header is looked for in so many rows: people put titles above tables.
_HEADER_ROWS = 20
_NEEDED = {"item_id", "decision"}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


class AmbiguousDateError(ValueError):
    """A date that people read in two ways, or in none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and where it stands, as a spreadsheet says it: ``C7``."""

    value: Any
    place: str

    @property
    def text(self) -> str:
        """Return the value as text without spaces around it; an apostrophe that neutralised a formula is off."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = "" if value is None else str(value).strip()
        return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header, by the names of its columns: in lower case, with ``_`` for spaces."""

    number: int
    cells: dict[str, Cell]

    def text(self, name: str) -> str:
        """Return the text of a cell; empty where there is no such column."""
        return self.cells[name].text if name in self.cells else ""

    def place(self, name: str) -> str:
        """Return where a cell stands, or the row where there is no such column."""
        return self.cells[name].place if name in self.cells else f"row {self.number}"


def read(path: Path) -> list[Row]:
    """Return the rows of a returned packet that hold anything.

    Raises:
        UsageError: it cannot be read, or no sheet of it has the columns item_id and decision.
    """
    try:
        is_workbook = path.suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"}
        sheets = list(_workbook(path)) if is_workbook else [_table(path)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"the file cannot be read: {error}", where=str(path), hint="save it as .xlsx or as CSV in UTF-8"
        ) from error
    for sheet in sheets:
        found = _below_header(sheet)
        if found is not None:
            return found
    raise UsageError(
        "no table in it has the columns item_id and decision",
        where=str(path),
        hint="send back the packet that was handed out; its columns may be moved, but not renamed",
    )


def to_date(cell: Cell) -> date | None:
    """Return the day in a cell, null if it is empty.

    Raises:
        AmbiguousDateError: it is none, or could be two: 03/04/2026.
    """
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    text = cell.text
    if not text:
        return None
    for pattern, order in ((_ISO, "ymd"), (_GERMAN, "dmy")):
        if found := pattern.fullmatch(text):
            parts = dict(zip(order, map(int, found.groups()), strict=True))
            return _day(text, parts["y"], parts["m"], parts["d"])
    if found := _SLASHED.fullmatch(text):
        first, second, year = map(int, found.groups())
        if first > 12:
            return _day(text, year, second, first)
        if second > 12 or first == second:
            return _day(text, year, first, second)
        raise AmbiguousDateError(f"'{text}' could be two days: write it as {year}-{second:02}-{first:02} or so")
    raise AmbiguousDateError(f"'{text}' is not a date: write it as 2026-12-31")


def _day(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise AmbiguousDateError(f"'{text}' is not a day of the calendar") from error


def _workbook(path: Path) -> Iterator[list[Sequence[Any]]]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            yield [
                [None if value == "" else value for value in row] for row in sheet.to_python(skip_empty_area=False)
            ]
    except python_calamine.CalamineError as error:
        raise OSError(f"it is no workbook: {error}") from error


def _table(path: Path) -> list[Sequence[Any]]:
    text = _decoded(path.read_bytes())
    first = next((line for line in text.splitlines() if "item" in line.lower()), text.partition("\n")[0])
    delimiter = max(";,\t", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")  # what Excel writes where it is not asked for UTF-8


def _below_header(sheet: Sequence[Sequence[Any]]) -> list[Row] | None:
    for index, header in enumerate(sheet[:_HEADER_ROWS]):
        names = [re.sub(r"[\s_-]+", "_", str(cell or "").strip().lower()) for cell in header]
        if set(names) >= _NEEDED:
            return list(_rows(names, sheet, index + 1))
    return None


def _rows(names: Sequence[str], sheet: Sequence[Sequence[Any]], first: int) -> Iterator[Row]:
    for number, values in enumerate(sheet[first:], start=first + 1):
        cells = {
            name: Cell(value, f"{_letters(column)}{number}")
            for column, (name, value) in enumerate(zip(names, values, strict=False))
            if name
        }
        if any(cell.text for cell in cells.values()):
            yield Row(number, cells)


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
