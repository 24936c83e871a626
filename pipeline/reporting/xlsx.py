"""The report's tables as one Excel workbook: a summary, then a sheet for each table, typed, filtered and coloured.

Every text is written as text, so it cannot become a formula or a link. Rows stream from the database to the file, and
memory holds them compressed. The same build gives the same bytes: the only date in the file is the snapshot's.

Constants: a sheet holds 1,048,576 rows and a cell 32,767 UTF-16 code units (Excel specifications and limits); a
number keeps 15 digits, and dates begin in 1900.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.reporting import cells, charts, text
from pipeline.reporting.view import View
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["ROWS_HELD", "readable", "streamed", "write"]

#: Rows of data that one sheet can hold, below its heading.
ROWS_HELD = 1_048_575

_CELL_UNITS = 32_767
_CUT = "… [cut]"
_EXACT_INTEGERS = 10**15
_BATCH = 5_000
_WIDEST = 60
#: Not allowed in XML, even escaped.
_NONCHARACTERS = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_REALS = {"FLOAT", "DOUBLE"}
_SEVERITY_COLUMNS = {"severity", "top_severity"}
_RESULTS = {"FAIL": "#b00020", "PASS": "#1e6b45"}


@dataclass(frozen=True, slots=True)
class _SheetRows:
    """The rows of one sheet: a query, their order, and how many there are."""

    name: str
    query: str
    order: str
    count: int


@dataclass(frozen=True, slots=True)
class _SheetColumn:
    name: str
    kind: str
    longest: int

    @property
    def width(self) -> int:
        """Return the width in characters, with room for the heading and its filter button."""
        return max(min(self.longest + 2, _WIDEST), len(self.name) + 4)


def write(
    connection: Connection,
    tables: Mapping[str, tuple[str, str]],
    view: View,
    path: Path,
    *,
    rows_held: int = ROWS_HELD,
) -> tuple[str, ...]:
    """Write the workbook and return warnings about rows and texts that did not fit.

    ``tables`` maps the name of a sheet to its query and the order of its rows.

    Raises:
        OSError: the workbook or a temporary file beside it cannot be written.
    """
    with streamed(path, path.parent) as workbook:
        snapshot = view.snapshot
        workbook.set_properties(
            {
                "title": f"Access review of {text.printable(text.shorten(snapshot['organization'], 120))}",
                "comments": f"Snapshot {snapshot['snapshot_id']}, completeness {snapshot['completeness']}",
                "author": f"sisense-access-review {snapshot['tool_version']}",
                "created": snapshot["finished_at"],
            }
        )
        book = _Book(workbook)
        sheets = [
            _SheetRows(name, query, order, _count(connection, query)) for name, (query, order) in tables.items()
        ]
        book.write_summary(view, {sheet.name: sheet.count for sheet in sheets})
        for sheet in sheets:
            book.write_table(connection, sheet, rows_held)
    return tuple(book.warnings)


@contextmanager
def streamed(path: Path, scratch: Path) -> Iterator[Any]:
    """Yield a workbook whose cells are written row by row, and write its file when the block ends.

    The rows of each sheet go to temporary files in the folder ``scratch``, so that only the compressed workbook is in
    memory. Texts stay texts: none becomes a formula, a link or a number.

    Raises:
        OSError: the file or a temporary file cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "use_zip64": True,
        # Widths of columns are counted in digits of this font.
        "default_format_properties": {"font_name": "Arial", "font_size": 10},
    }
    # The compressed workbook is small. Writing it here makes a full disk one error, not a half-closed archive.
    packed = _Kept()
    workbook = xlsxwriter.Workbook(packed, options)
    try:
        with workbook:
            yield workbook
    except FileCreateError as error:
        raise error.args[0] from error
    finally:
        for worksheet in workbook.worksheets():
            worksheet.row_data_fh.close()  # they stay open if the workbook cannot be written
    path.write_bytes(packed.getbuffer())


class _Kept(io.BytesIO):
    """A file in memory that stays open: an archive that failed halfway closes itself later."""

    def close(self) -> None:
        """Do nothing; the memory is freed with the last reference."""


class _Book:
    """A workbook that is being written, with the formats that its cells share."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self.warnings: list[str] = []
        # A workbook cannot embed fonts: this one, or a metric twin, is on every system.
        made = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}

        def new(**properties: Any) -> Any:
            return workbook.add_format({**made, **properties})

        self._text = new()
        self._quoted = new(quote_prefix=True)
        self._integer = new(num_format="#,##0_ ")
        self._moment = new(num_format="yyyy-mm-dd hh:mm:ss", align="left")
        self._heading = new(bold=True, font_color=charts.SLATE, bottom=1)
        self._title = new(bold=True, font_size=16)
        self._strong = new(bold=True)
        self._number_heading = new(bold=True, font_color=charts.SLATE, bottom=1, align="right")
        self._aside = new(align="left", indent=1, text_wrap=True, quote_prefix=True)
        self._aside_heading = new(bold=True, font_color=charts.SLATE, bottom=1, align="left", indent=1)
        self._quiet = new(font_color=charts.SLATE)
        self._link = new(font_color=charts.ACCENT, underline=1)
        self._danger = new(bold=True, font_color="#b00020")
        self._severities = {
            name: workbook.add_format({"bold": True, "font_color": severity.colour})
            for name, severity in charts.SEVERITIES.items()
        }
        self._results = {
            name: workbook.add_format({"bold": True, "font_color": colour}) for name, colour in _RESULTS.items()
        }

    # ------------------------------------------------------------------------------------------------- the summary

    def write_summary(self, view: View, counts: Mapping[str, int]) -> None:
        """Write the first sheet: the summary, the sums, and a list of the other sheets."""
        sheet = self._workbook.add_worksheet("summary")
        sheet.hide_gridlines(2)
        _print_landscape(sheet)
        sheet.set_column(0, 0, 52)
        sheet.set_column(1, 1, 10)
        sheet.set_column(2, 2, 90)
        sheet.set_row(0, 26)
        row = 0

        def put(*parts: tuple[Any, Any]) -> None:
            nonlocal row
            for column, (value, style) in enumerate(parts):
                if isinstance(value, int):
                    sheet.write_number(row, column, value, style)
                elif value:
                    sheet.write_string(row, column, readable(value)[0], style)
            row += 1

        snapshot = view.snapshot
        put((f"Access review of {snapshot['organization']}", self._title))
        sources = " · ".join(source["source"] for source in view.sources)
        put((f"Sisense, {sources}, as of {text.moment(snapshot['as_of'])}. All times are UTC.", self._quiet))
        put((f"Snapshot {snapshot['snapshot_id']}, {snapshot['completeness']}, confidential.", self._quiet))
        if not view.is_complete:
            reason = (snapshot["reason"] or "no reason was recorded").rstrip(".")
            put((f"NOT COMPLETE: the population is not proven complete: {reason}.", self._danger))
        row += 1
        put((" ".join(view.headline), self._strong))
        put((" ".join(view.coverage), self._text))
        row += 1
        for identity in view.identities:
            total, label = identity.total
            parts = " + ".join(f"{text.number(value)} {part}" for value, part in identity.parts)
            holds = "" if identity.holds else " (this sum does not hold)"
            style = self._text if identity.holds else self._danger
            put(
                (label, style),
                (total, self._integer),
                (f"{'=' if identity.holds else '≠'} {parts}{holds}", self._aside),
            )
        row += 1
        put(("Act first", self._heading), ("Open", self._number_heading), ("What to do", self._aside_heading))
        for section in view.act_first:
            if section.worst:
                severity = section.worst.severity
                put(
                    (f"{charts.SEVERITIES[severity].shape} {severity}: {section.rule['title']}", self._text),
                    (section.worst.open_findings, self._integer),
                    (section.rule["remediation"], self._aside),
                )
        if not view.act_first:
            put(("No action is needed: there are no open findings.", self._text))
        row += 1
        put(("Sheet", self._heading), ("Rows", self._number_heading))
        for name, rows in counts.items():
            sheet.write_url(row, 0, f"internal:'{name}'!A1", self._link, name)
            put(("", self._link), (rows, self._integer))

    # -------------------------------------------------------------------------------------------------- the tables

    def write_table(self, connection: Connection, table: _SheetRows, rows_held: int) -> None:
        """Write one sheet with at most ``rows_held`` rows."""
        columns = _columns(connection, table.query)
        sheet = self._workbook.add_worksheet(table.name)
        sheet.freeze_panes(1, 0)
        _print_landscape(sheet)
        sheet.repeat_rows(0)
        sheet.set_row(0, 20)
        for position, column in enumerate(columns):
            sheet.set_column(position, position, column.width)
            sheet.write_string(
                0, position, column.name, self._number_heading if column.kind in _INTEGERS else self._heading
            )
        # The last row of a full sheet is kept for the note about the missing rows.
        held = table.count if table.count <= rows_held else rows_held - 1
        rows = connection.execute(f"select * from ({table.query}) order by {table.order} limit {held}")
        writers = [self._writer(sheet, column.kind) for column in columns]
        line, cut = 0, 0
        while batch := rows.fetchmany(_BATCH):
            for values in batch:
                line += 1
                for position, value in enumerate(values):
                    if value is not None:
                        cut += writers[position](line, position, value)
        last = max(line, 1)
        sheet.autofilter(0, 0, last, len(columns) - 1)
        for position, column in enumerate(columns):
            self._colour(sheet, column.name, position, last)
        if left_out := table.count - held:
            rest = f"{counted(left_out, 'more row')} {'does' if left_out == 1 else 'do'}"
            missing = f"{rest} not fit on a sheet; {table.name}.csv has all rows"
            sheet.write_string(line + 1, 0, missing, self._danger)
            self.warnings.append(f"access-review.xlsx, sheet {table.name}: {missing}")
        if cut:
            self.warnings.append(
                f"access-review.xlsx, sheet {table.name}: {text.count(cut, 'text')}"
                f" {'is' if cut == 1 else 'are'} longer than a cell can hold and end with '{_CUT}';"
                f" {table.name}.csv has the full text"
            )

    def _writer(self, sheet: Any, kind: str) -> Callable[[int, int, Any], bool]:
        """Return a function that writes a value of a type and returns whether it had to cut it."""

        def write_text(row: int, column: int, value: Any) -> bool:
            shown, was_cut = readable(str(value))
            # Excel keeps these texts as texts even when the cell is edited.
            style = self._quoted if shown.startswith(cells.STARTS) else self._text
            sheet.write_string(row, column, shown, style)
            return was_cut

        def write_integer(row: int, column: int, value: int) -> bool:
            if abs(value) >= _EXACT_INTEGERS:
                return write_text(row, column, value)
            sheet.write_number(row, column, value, self._integer)
            return False

        def write_real(row: int, column: int, value: float) -> bool:
            sheet.write_number(row, column, value, self._text)
            return False

        def write_boolean(row: int, column: int, value: bool) -> bool:
            sheet.write_boolean(row, column, value, self._text)
            return False

        def write_moment(row: int, column: int, value: datetime) -> bool:
            if value.year < 1900:
                return write_text(row, column, value.isoformat())
            sheet.write_datetime(row, column, value, self._moment)
            return False

        if kind in _INTEGERS:
            return write_integer
        if kind in _REALS:
            return write_real
        if kind == "BOOLEAN":
            return write_boolean
        if kind == "TIMESTAMP":
            return write_moment
        return write_text

    def _colour(self, sheet: Any, name: str, column: int, last: int) -> None:
        """Colour the words of a column; colour only helps to find them."""
        styles = self._severities if name in _SEVERITY_COLUMNS else self._results if name == "result" else {}
        for word, style in styles.items():
            rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": style}
            sheet.conditional_format(1, column, last, column, rule)


def _print_landscape(sheet: Any) -> None:
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _count(connection: Connection, query: str) -> int:
    return int(connection.execute(f"select count(*) from ({query})").fetchall()[0][0])


def _columns(connection: Connection, query: str) -> list[_SheetColumn]:
    kinds = [(str(row[0]), str(row[1])) for row in connection.execute(f"describe {query}").fetchall()]
    lengths = [
        f"coalesce(max(length({_quoted(name)}::varchar)), 0)"
        if kind == "VARCHAR"
        else "19"
        if kind == "TIMESTAMP"
        else "6"
        for name, kind in kinds
    ]
    longest = connection.execute(f"select {', '.join(lengths)} from ({query})").fetchall()[0]
    return [_SheetColumn(name, kind, int(length)) for (name, kind), length in zip(kinds, longest, strict=True)]


@functools.lru_cache(maxsize=1 << 14)  # roles, paths and dates are repeated
def readable(value: str) -> tuple[str, bool]:
    """Return the text that a cell can hold, and whether it was cut."""
    shown = text.printable(value).translate(_NONCHARACTERS)
    if len(shown) * 2 <= _CELL_UNITS:
        return shown, False
    units = shown.encode("utf-16-le")
    if len(units) <= _CELL_UNITS * 2:
        return shown, False
    return units[: (_CELL_UNITS - len(_CUT)) * 2].decode("utf-16-le", errors="ignore") + _CUT, True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
