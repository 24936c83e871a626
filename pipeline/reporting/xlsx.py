"""The report as one Excel workbook: a summary, then sheets that a person reads, filters and prints.

Every text is written as text, so it cannot become a formula or a link. Rows stream from the database to the file, and
memory holds them compressed. The same build gives the same bytes: the only date in the file is the snapshot's.

Constants: a sheet holds 1,048,576 rows (Excel specifications and limits).
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.reporting import charts, sheet_cells, text
from pipeline.reporting.sheet_cells import CELL_UNITS, CUT, StyleNumbers
from pipeline.reporting.sheets import ReportSheet
from pipeline.reporting.view import View
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["ROWS_HELD", "readable", "streamed", "write"]

#: Rows of data that one sheet can hold, below its heading.
ROWS_HELD = 1_048_575

#: Not allowed in XML, even escaped.
_NONCHARACTERS = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
#: Most characters in a line of the third column of the summary.
_ASIDE = 92
_SEVERITY_COLUMNS = {"Severity", "Worst finding"}
#: Words of other columns -> their colour.
_WORDS = {
    "Result": {"FAIL": "#b00020", "PASS": "#1e6b45", "passed": "#1e6b45"},
    "Status": {"overdue": "#b00020"},
    "Public": {"public": "#b00020"},
}
#: The rows of the sheet that is being written.
_ROWS = "temp.sheet_rows"


def write(
    connection: Connection,
    sheets: Sequence[ReportSheet],
    view: View,
    path: Path,
    *,
    notes: Sequence[str] = (),
    rows_held: int = ROWS_HELD,
) -> tuple[str, ...]:
    """Write the workbook and return warnings about rows and texts that did not fit.

    ``notes`` are sentences that the summary adds to those of the view.

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
        book = _Book(workbook, view)
        counts = [book.write_sheet(connection, sheet, rows_held) for sheet in sheets]
        book.write_summary([*zip(sheets, counts, strict=True)], notes)
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


class _Lines:
    """A sheet of three columns that is written line by line; ``row`` is the next one, counted from 0."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self.row = 0

    def put(self, *parts: tuple[Any, Any]) -> None:
        """Write texts and numbers, each with its style, into the columns of a row, which grows with the last text."""
        last = parts[-1][0]
        if isinstance(last, str) and len(last) > _ASIDE:
            self.sheet.set_row(self.row, 13.5 * -(-len(last) // _ASIDE))
        for column, (value, style) in enumerate(parts):
            if isinstance(value, int):
                self.sheet.write_number(self.row, column, value, style)
            elif value:
                self.sheet.write_string(self.row, column, readable(value)[0], style)
        self.row += 1

    def put_wide(self, value: str, style: Any) -> None:
        """Write a text over all columns; merged cells do not grow with their text."""
        self.sheet.set_row(self.row, 13.5 * (1 + len(value) // 150))
        self.sheet.merge_range(self.row, 0, self.row, 2, "", style)
        self.sheet.write_string(self.row, 0, readable(value)[0], style)
        self.row += 1


class _Book:
    """A workbook that is being written, with the formats that its cells share."""

    def __init__(self, workbook: Any, view: View) -> None:
        self._workbook = workbook
        self._view = view
        self.warnings: list[str] = []
        # A workbook cannot embed fonts: this one, or a metric twin, is on every system.
        made = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}

        def new(**properties: Any) -> Any:
            return workbook.add_format({**made, **properties})

        self._text = new()
        self._integer = new(num_format="#,##0", align="right", indent=1)
        heading = {"bold": True, "font_color": charts.SLATE, "bottom": 1}
        self._heading = new(**heading)
        self._number_heading = new(**heading, align="right", indent=1)
        self._title = new(bold=True, font_size=16)
        self._strong = new(bold=True, text_wrap=True)
        self._wrapped = new(text_wrap=True)
        self._aside = new(align="left", indent=1, text_wrap=True, quote_prefix=True)
        self._aside_heading = new(**heading, align="left", indent=1)
        self._quiet = new(font_color=charts.SLATE)
        self._link = new(font_color=charts.ACCENT, underline=1)
        self._danger = new(bold=True, font_color="#b00020")
        self._danger_wrapped = new(bold=True, font_color="#b00020", text_wrap=True)
        self._colours = {
            name: workbook.add_format({"bold": True, "font_color": severity.colour})
            for name, severity in charts.SEVERITIES.items()
        }
        for words in _WORDS.values():
            for word, colour in words.items():
                self._colours[word] = workbook.add_format({"bold": True, "font_color": colour})
        self._styles = _styles(workbook)
        self._summary = _Lines(self._new_sheet("Summary"))

    # ------------------------------------------------------------------------------------------------- the summary

    def write_summary(
        self,
        counts: Sequence[tuple[ReportSheet, tuple[int, int]]],
        notes: Sequence[str],
    ) -> None:
        """Write the first sheet: the summary, the most urgent actions, a list of the other sheets, and the sums."""
        page = self._summary
        for column, width in enumerate((52, 10, 78)):
            page.sheet.set_column(column, column, width)
        page.sheet.hide_gridlines(2)
        page.sheet.fit_to_pages(1, 1)
        page.sheet.set_row(0, 26)
        self._write_head(page, notes)
        self._write_actions(page)
        self._write_contents(page, counts)
        self._write_sums(page)
        page.sheet.print_area(0, 0, page.row - 1, 2)

    def _write_head(self, page: _Lines, notes: Sequence[str]) -> None:
        view, snapshot = self._view, self._view.snapshot
        page.put((f"Access review of {snapshot['organization']}", self._title))
        sources = " · ".join(source["label"] for source in view.sources)
        as_of = f"as of {text.moment(snapshot['as_of'])}"
        if text.day(snapshot["finished_at"]) != text.day(snapshot["as_of"]):
            as_of = f"read {text.moment(snapshot['finished_at'])}, evaluated {as_of}"
        page.put((f"{sources}, {as_of}. All times are UTC.", self._quiet))
        page.put((f"Snapshot {snapshot['snapshot_id']}, {snapshot['completeness']}, confidential.", self._quiet))
        if not view.is_complete:
            reason = (snapshot["reason"] or "no reason was recorded").rstrip(".")
            missing = f"NOT COMPLETE: the population is not proven complete: {reason}."
            page.put_wide(missing, self._danger_wrapped)
        page.row += 1
        page.put_wide(" ".join(view.headline), self._strong)
        for note in (" ".join(view.coverage), *notes):
            page.put_wide(note, self._wrapped)
        page.row += 1

    def _write_actions(self, page: _Lines) -> None:
        page.put(
            ("Most urgent actions", self._heading),
            ("Findings", self._number_heading),
            ("What to do", self._aside_heading),
        )
        for action in self._view.actions:
            severity = action["severity"]
            page.put(
                (f"{charts.SEVERITIES[severity].shape} {severity}: {action['title']}", self._text),
                (action["findings"], self._integer),
                (action["recommended_action"], self._aside),
            )
        if not self._view.actions:
            page.put(("No action is needed: there are no open findings.", self._text))
        page.row += 1

    def _write_contents(self, page: _Lines, counts: Sequence[tuple[ReportSheet, tuple[int, int]]]) -> None:
        page.put(("Sheet", self._heading), ("Rows", self._number_heading), ("What it lists", self._aside_heading))
        for listed, (rows, printed) in counts:
            if rows:
                page.sheet.write_url(page.row, 0, f"internal:'{listed.name}'!A1", self._link, listed.name)
            else:
                page.sheet.write_string(page.row, 0, f"{listed.name}: none", self._quiet)
            some = f"; prints the first {text.number(printed)}" if printed < rows else ""
            page.put(("", self._link), (rows, self._integer), (f"{listed.lists}{some}", self._aside))
        page.row += 1

    def _write_sums(self, page: _Lines) -> None:
        page.put(
            ("Sums that must hold", self._heading), ("Total", self._number_heading), ("Parts", self._aside_heading)
        )
        for identity in self._view.identities:
            total, label = identity.total
            parts = " + ".join(f"{text.number(value)} {part}" for value, part in identity.parts)
            holds = "" if identity.holds else " (this sum does not hold)"
            page.put(
                (label, self._text if identity.holds else self._danger),
                (total, self._integer),
                (f"{'=' if identity.holds else '≠'} {parts}{holds}", self._aside),
            )

    # -------------------------------------------------------------------------------------------------- the tables

    def write_sheet(self, connection: Connection, sheet: ReportSheet, rows_held: int) -> tuple[int, int]:
        """Write one sheet with at most ``rows_held`` rows, unless there are none.

        Return how many rows there are, and how many of them are printed.
        """
        connection.execute(f"create or replace temp table {_ROWS} as {sheet.query}")
        try:
            counts = f"select count(*), coalesce(max(line) filter (where {sheet.prints}), 0) from {_ROWS}"
            [(count, prints)] = connection.execute(counts).fetchall()
            if count:
                self._write_rows(connection, sheet, (int(count), int(prints)), rows_held)
            return int(count), int(prints)
        finally:
            connection.execute(f"drop table {_ROWS}")

    def _write_rows(
        self, connection: Connection, sheet: ReportSheet, counts: tuple[int, int], rows_held: int
    ) -> None:
        count, prints = counts
        columns = sheet_cells.describe(connection, _ROWS)
        printed = sheet.printed or len(columns)
        # The last row of a full sheet is kept for the note about the missing rows.
        held = count if count <= rows_held else rows_held - 1
        part = f": the first {text.number(prints)} of {text.number(count)} rows" if prints < count else ""
        worksheet = self._new_sheet(sheet.name, part)
        worksheet.freeze_panes(1, sheet.frozen)
        worksheet.repeat_rows(0)
        worksheet.set_row(0, 20)
        for place, column in enumerate(columns):
            worksheet.set_column(place, place, column.width)
            style = self._number_heading if column.is_number else self._heading
            worksheet.write_string(0, place, column.name, style)
        rows = sheet_cells.rows(connection, _ROWS, columns, self._styles, held, printed)
        worksheet.write_rows(rows, held, len(columns) - 1)
        worksheet.autofilter(0, 0, held, len(columns) - 1)
        for place, column in enumerate(columns):
            self._colour(worksheet, column.name, place, held)
        last = held
        if left_out := count - held:
            rest = f"{counted(left_out, 'more row')} {'does' if left_out == 1 else 'do'}"
            self._warn(sheet, f"{rest} not fit on a sheet; {sheet.file} has all rows")
            last += 1
            worksheet.write_string(last, 0, f"{rest} not fit on a sheet; {sheet.file} has all rows", self._danger)
        worksheet.print_area(0, 0, prints if prints < count else last, printed - 1)
        if cut := sheet_cells.cut_count(connection, _ROWS, columns, held):
            are = "is" if cut == 1 else "are"
            self._warn(
                sheet,
                f"{text.count(cut, 'text')} {are} longer than a cell can hold and end with '{CUT}';"
                f" {sheet.file} has the full text",
            )

    def _warn(self, sheet: ReportSheet, what: str) -> None:
        self.warnings.append(f"access-review.xlsx, sheet {sheet.name}: {what}")

    def _colour(self, worksheet: Any, name: str, column: int, last: int) -> None:
        """Colour the words of a column; colour only helps to find them."""
        for word in charts.SEVERITIES if name in _SEVERITY_COLUMNS else _WORDS.get(name, ()):
            rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": self._colours[word]}
            worksheet.conditional_format(1, column, last, column, rule)

    def _new_sheet(self, name: str, part: str = "") -> Any:
        from pipeline.reporting.streamed_sheet import StreamedSheet

        sheet = self._workbook.add_worksheet(name, StreamedSheet)
        sheet.set_paper(9)  # A4
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer(f"&L&8&A{part}, confidential&C&8Snapshot " + self._view.snapshot["folder"] + "&R&8&P of &N")
        return sheet


def _styles(workbook: Any) -> StyleNumbers:
    """Return the styles of cells that the database writes; the workbook numbers a format when it is first used."""
    made = {"font_name": "Arial", "font_size": 10, "valign": "top"}

    def number(**properties: Any) -> int:
        return int(workbook.add_format({**made, **properties})._get_xf_index())

    return StyleNumbers(
        text=number(text_wrap=True, align="left"),  # also where the text runs from right to left
        quoted=number(text_wrap=True, align="left", quote_prefix=True),
        integer=number(num_format="#,##0", align="right", indent=1),
        real=number(num_format="0.0", align="right", indent=1),
        day=number(num_format="d mmm yyyy", align="left"),
        moment=number(num_format="yyyy-mm-dd hh:mm:ss", align="left"),
    )


@functools.lru_cache(maxsize=1 << 14)  # roles, paths and dates are repeated
def readable(value: str) -> tuple[str, bool]:
    """Return the text that a cell can hold, and whether it was cut."""
    shown = text.printable(value).translate(_NONCHARACTERS)
    if len(shown) * 2 <= CELL_UNITS:
        return shown, False
    units = shown.encode("utf-16-le")
    if len(units) <= CELL_UNITS * 2:
        return shown, False
    return units[: (CELL_UNITS - len(CUT)) * 2].decode("utf-16-le", errors="ignore") + CUT, True
