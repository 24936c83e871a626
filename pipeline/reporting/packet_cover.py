"""The first sheet of a packet's workbook: what is asked, by when, the progress, and how to answer.

The progress is a formula over the sheet of decisions. Each formula carries its first result, for programs that show a
workbook without calculating it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import charts
from pipeline.reporting.packet_columns import MEANINGS, SEVERE, SHEET, height_of, lines_of
from pipeline.reporting.packets import PacketContents
from pipeline.reporting.text import count
from pipeline.reporting.text import day as day_text
from pipeline.reporting.xlsx import readable

__all__ = ["ProgressFormulas", "write"]

_FONT = {"font_name": "Arial", "font_size": 10, "valign": "top"}
_WIDTHS = (16, 112)
#: Characters of the bar, and how decided and open ones look.
_BAR, _DONE, _OPEN = 30, "█", "░"
#: Format of the number of amber cells.
_INCOMPLETE = (
    '[=0]"No answer is incomplete.";[=1]"1 amber cell asks for something.";#,##0" amber cells ask for something."'
)
_STEPS = (
    "Open the sheet 'Decisions'. Each row is one role or group of one person. The rows of a person are together, and "
    "flagged people come first.",
    "Choose a decision in every row. An amber cell lacks something that the decision needs (a reason, a role, a day "
    "or an approver), or holds something that the decision does not use.",
    "Save the workbook and send it back, or save the sheet as CSV and send that. You can send it more than once: "
    "rows without a decision stay open.",
)
_NOTES = (
    "White cells are yours to fill in. Shaded cells are facts; a row with changed facts is not accepted.",
    "Filters work as they are. To sort, remove the protection of the sheet first: it has no password. Columns can be "
    "moved, hidden and made wider.",
    "'No.' is the number of the item in the PDF of the same name, which shows the same facts to read or print.",
)


@dataclass(frozen=True, slots=True)
class ProgressFormulas:
    """Formulas, without ``=``, that count decided rows, decided rows of high risk, and incomplete answers."""

    decided: str
    severe_decided: str
    incomplete: str


def write(book: Any, sheet: Any, contents: PacketContents, formulas: ProgressFormulas) -> None:
    """Write the sheet."""
    _Cover(book, sheet).write(contents, formulas)


class _Cover:
    """A sheet that is written line by line: a label, and a text."""

    def __init__(self, book: Any, sheet: Any) -> None:
        def new(**properties: Any) -> Any:
            return book.add_format({**_FONT, **properties})

        self._sheet = sheet
        self._lines: Iterator[int] = itertools.count()
        self._text = new(text_wrap=True)
        self._quiet = new(text_wrap=True, font_color=charts.SLATE)
        self._label = new(bold=True)
        self._title = new(bold=True, font_size=18)
        self._figure = new(bold=True, font_size=14, font_color=charts.ACCENT)
        self._figure_label = new(bold=True, valign="vcenter")
        self._bar = new(font_color=charts.ACCENT)
        self._number = new(align="left", num_format=_INCOMPLETE)
        self._heading = new(bold=True, font_color=charts.SLATE, bottom=1)
        self._link = new(font_color=charts.ACCENT, underline=1)

    def write(self, contents: PacketContents, formulas: ProgressFormulas) -> None:
        sheet = self._sheet
        sheet.hide_gridlines(2)
        sheet.set_paper(9)  # A4
        sheet.set_landscape()
        sheet.fit_to_pages(1, 1)
        for position, width in enumerate(_WIDTHS):
            sheet.set_column(position, position, width)
        severe = _Progress.of(contents).severe
        line = next(self._lines)
        sheet.set_row(line, 28)
        sheet.write_string(line, 0, f"Access review {contents.campaign}", self._title)
        self._line("For", contents.reviewer)
        part = f", {severe:,} of them high risk" if severe else ""
        self._line("What is asked", f"Decide on {count(len(contents.rows), 'item')} of access{part}.")
        self._line("Due", day_text(contents.due_on) if contents.due_on else "No due date was set.")
        next(self._lines)
        self._write_progress(contents, formulas)
        next(self._lines)
        sheet.write_url(next(self._lines), 1, f"internal:'{SHEET}'!A1", self._link, "Go to the decisions")
        next(self._lines)
        self._line("What to do", text_format=self._heading, label_format=self._heading)
        for number, step in enumerate(_STEPS, start=1):
            self._line(f"{number}.", step)
        next(self._lines)
        self._line("Decision", "What it means", text_format=self._heading, label_format=self._heading)
        for name, meaning in MEANINGS.items():
            self._line(name, meaning)
        next(self._lines)
        for note in (*_NOTES, f"Snapshot {contents.snapshot_id}. Confidential."):
            self._line("", note, text_format=self._quiet)
        sheet.protect()

    def _line(self, label: str, text: str = "", *, label_format: Any = None, text_format: Any = None) -> None:
        line = next(self._lines)
        rows = lines_of(text, _WIDTHS[1])
        if rows > 1:
            self._sheet.set_row(line, height_of(rows))
        if label:
            self._sheet.write_string(line, 0, readable(label)[0], label_format or self._label)
        if text or text_format:
            self._sheet.write_string(line, 1, readable(text)[0], text_format or self._text)

    def _write_progress(self, contents: PacketContents, formulas: ProgressFormulas) -> None:
        progress = _Progress.of(contents)
        self._write_sum("Progress", formulas.decided, (progress.decided, progress.items), self._figure)
        line = next(self._lines)
        parts = f"ROUND({_BAR}*({formulas.decided})/{max(progress.items, 1)},0)"
        filled = round(_BAR * progress.decided / max(progress.items, 1))
        written = f'=REPT("{_DONE}",{parts})&REPT("{_OPEN}",{_BAR}-{parts})'
        self._sheet.write_formula(line, 1, written, self._bar, _DONE * filled + _OPEN * (_BAR - filled))
        if progress.severe:
            done = (progress.severe_decided, progress.severe)
            self._write_sum("High risk", formulas.severe_decided, done, self._text)
        line = next(self._lines)
        self._sheet.write_string(line, 0, "To complete", self._label)
        # Imported decisions are complete.
        self._sheet.write_formula(line, 1, f"={formulas.incomplete}", self._number, 0)

    def _write_sum(self, label: str, formula: str, parts: tuple[int, int], layout: Any) -> None:
        """Write ``217 of 1,986 decided``. FIXED separates thousands as the reader's program does."""
        done, total = parts
        line = next(self._lines)
        self._sheet.write_string(line, 0, label, self._figure_label if layout is self._figure else self._label)
        written = f'=FIXED({formula},0)&" of "&FIXED({total},0)&" decided"'
        self._sheet.write_formula(line, 1, written, layout, f"{done:,} of {total:,} decided")


@dataclass(frozen=True, slots=True)
class _Progress:
    """How many items there are and are decided, and how many of them have a high or critical risk."""

    items: int
    decided: int
    severe: int
    severe_decided: int

    @classmethod
    def of(cls, contents: PacketContents) -> _Progress:
        risk, decision = contents.names.index("risk"), contents.names.index("decision")
        counted = Counter((row[risk] in SEVERE, bool(row[decision])) for row in contents.rows)
        severe, severe_decided = counted[True, False] + counted[True, True], counted[True, True]
        return cls(len(contents.rows), counted[False, True] + severe_decided, severe, severe_decided)
