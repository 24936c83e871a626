"""Returned packets as people send them back: saved again, with columns moved, with semicolons, in local formats.

Reading a file needs no campaign. It returns rows of named cells, each with its place in the file; a date is read only
if it is unambiguous.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.reporting import packet_columns
from pipeline.reporting.cells import restored
from pipeline.tables import days
from pipeline.tables.cells import TableError, letters, refuse_repeated
from pipeline.tables.delimited import decode, delimiter_of, records
from pipeline.tables.workbook import Sheet, is_workbook, read_sheets
from pipeline.wording import counted

__all__ = ["AmbiguousDateError", "Cell", "Row", "read", "to_date"]

#: Rows in which a header is searched: people put titles above tables.
_HEADER_ROWS = 20
_NEEDED = {"item_id", "decision"}
#: Sheets of a packet without answers.
_OTHER_SHEETS = {packet_columns.COVER, packet_columns.LISTS}
#: Raised for a date that can be read in two ways, or in none.
AmbiguousDateError = days.DayError


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its place in a spreadsheet's notation: ``C7``."""

    value: Any
    place: str
    #: The order of dates in the file: ``dmy``, ``mdy``, or None if it is not known.
    day_order: str | None = None

    @property
    def text(self) -> str:
        """Return the value as text, without surrounding spaces and the apostrophes that a packet adds."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else restored(str(value).strip())


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header, by the names that the columns of a packet have in CSV."""

    number: int
    cells: dict[str, Cell]

    def text(self, name: str) -> str:
        """Return the text of a cell, empty without such a column."""
        return self.cells[name].text if name in self.cells else ""

    def place(self, name: str) -> str:
        """Return the place of a cell, or the row without such a column."""
        return self.cells[name].place if name in self.cells else f"row {self.number}"


def read(path: Path, note: Callable[[str], None] = lambda _: None) -> list[Row]:
    """Return the rows with content of every sheet that has the columns of a packet.

    ``note`` receives a message for each sheet that is not read.

    Raises:
        UsageError: the file cannot be read, has a column twice, or no sheet has the columns item_id and decision.
    """
    try:
        content = path.read_bytes()
        sheets = read_sheets(content) if is_workbook(content) else [_csv_sheet(content)]
        order = days.order_of(
            value for sheet in sheets for row in sheet.rows for value in row if isinstance(value, str)
        )
        tables = [(sheet, index) for sheet in sheets if (index := _header_index(sheet)) is not None]
        rows = [
            row
            for sheet, index in tables
            for row in _rows(sheet, index, order, prefix=f"{sheet.name}!" if len(tables) > 1 else "")
        ]
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            hint="check the path and its permissions",
        ) from error
    except TableError as error:
        raise UsageError(error.message, where=str(path), hint=error.hint) from error
    if not tables:
        raise UsageError(
            "no table in the file has the columns item_id and decision",
            where=str(path),
            hint="return the packet that was handed out; its columns may be moved, but not renamed",
        )
    read_names = {sheet.name for sheet, _ in tables}
    for sheet in sheets:
        if sheet.name not in read_names | _OTHER_SHEETS and any(
            value is not None for row in sheet.rows for value in row
        ):
            note(f"{path.name}: sheet '{sheet.name}' is not read: it has no columns item_id and decision")
    return rows


def to_date(cell: Cell) -> date | None:
    """Return the date in a cell, or None if it is empty.

    Raises:
        AmbiguousDateError: it is not a date, or can be read as two: 03/04/2026.
    """
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    return days.read_day(cell.text, cell.day_order)


def _csv_sheet(content: bytes) -> Sheet:
    """Return a CSV file as a sheet.

    Raises:
        TableError: it is not CSV, or a line has more cells than the header.
    """
    text = decode(content)[0]
    delimiter = delimiter_of(io.StringIO(text, newline=""), _NEEDED)
    lines, rows = [], []
    for line, cells in records(io.StringIO(text, newline=""), delimiter):
        lines.append(line)
        rows.append([cell or None for cell in cells])
    sheet = Sheet("", rows)
    header = _header_index(sheet)
    if header is not None:
        for line, row in zip(lines[header:], rows[header:], strict=True):
            if len(row) > len(rows[header]) and any(row):
                raise TableError(
                    f"line {line} has {counted(len(row), 'cell')}, the header has {len(rows[header])}",
                    'put a cell that holds a separator in "quotes"',
                )
    return sheet


def _header_index(sheet: Sheet) -> int | None:
    for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
        if set(_names(row)) >= _NEEDED:
            return index
    return None


def _names(row: Sequence[Any]) -> list[str]:
    return [packet_columns.name_of(str(cell or "")) for cell in row]


def _rows(sheet: Sheet, header: int, order: str | None, prefix: str) -> Iterator[Row]:
    names = _names(sheet.rows[header])
    try:
        refuse_repeated(names, is_sheet=True)
    except TableError as error:
        where = f"sheet '{sheet.name}': " if sheet.name else ""
        raise TableError(f"{where}{error.message}", error.hint) from error
    places = [f"{prefix}{letters(column)}" for column in range(len(names))]
    for number, values in enumerate(sheet.rows[header + 1 :], start=header + 2):
        cells = {
            name: Cell(value, f"{place}{number}", order)
            for name, place, value in zip(names, places, values, strict=False)
            if name
        }
        if any(cell.text for cell in cells.values()):
            yield Row(number, cells)
