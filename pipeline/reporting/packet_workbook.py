"""The workbook of a packet: a cover with the progress, and a sheet in which a reviewer decides row by row.

Rules that depend on what the reviewer enters are conditional formats and formulas, which Excel, LibreOffice and
Google Sheets all evaluate. The import checks every answer again; the workbook only helps to give complete ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.atomic import replace_file, scratch_folder
from pipeline.reporting import cells, charts, packet_cover
from pipeline.reporting.choices import ANSWERS, DECISIONS, LONGEST
from pipeline.reporting.packet_columns import (
    COLUMNS,
    COVER,
    LISTS,
    SEVERE,
    SHEET,
    PacketColumn,
    height_of,
    lines_of,
    shown,
)
from pipeline.reporting.packets import PacketContents
from pipeline.reporting.text import day as day_text
from pipeline.reporting.xlsx import readable, streamed
from pipeline.tables.cells import letters

__all__ = ["write"]

_FONT = {"font_name": "Arial", "font_size": 10, "valign": "top"}
_EDGE = "#c9d1de"
#: Fills of the facts: people alternate, so that the rows of one are seen together even where borders are not shown.
_BANDS = ("#f7f9fb", "#e4eaf3")
_AMBER = "#ffc554"
_DAYS = ("defer_until", "expires_on")
#: The answer that each decision needs besides a reason -> the decision.
_NEEDED_BY = {"target_role": "reduce", "defer_until": "defer", "approver": "exception", "expires_on": "exception"}
#: Most lines of a row.
_MOST_LINES = 10
#: Ranges of rows in one rule of a cell.
_RANGES = 100
#: Column -> title and text of the prompt at its cells; at most 32 and 255 characters.
_PROMPTS = {
    "decision": ("Decision", "keep: needed. remove: take it away. reduce: a lower role is enough. defer: later. "
                 "exception: needed against a rule."),
    "reason": ("Reason", "Needed for high-risk access, whatever is decided."),
    "target_role": ("Target role", "Only for reduce: the lower role."),
    "defer_until": ("Defer until", "Only for defer: a day, as 2026-12-31."),
    "approver": ("Approver", "Only for exception: the address of who approved it: not the holder, not you."),
    "expires_on": ("Expires on", "Only for exception: its last day, as 2026-12-31."),
}  # fmt: skip


def write(path: Path, contents: PacketContents) -> None:
    """Write one reviewer's workbook: a cover, and a sheet whose white cells can be filled in.

    The same contents give the same bytes: the workbook's date is ``opened_at``.

    Raises:
        OSError: the file cannot be written.
    """
    with (
        scratch_folder(path.parent, f"{path.stem}-rows") as scratch,
        replace_file(path) as draft,
        streamed(draft, scratch) as book,
    ):
        title = f"Access review {contents.campaign}: {contents.reviewer}"
        book.set_properties({"title": readable(title)[0], "created": contents.opened_at})
        table = _Table(book, contents)
        cover = book.add_worksheet(COVER)
        packet_cover.write(book, cover, contents, table.formulas())
        table.write(book.add_worksheet(SHEET))
        _write_lists(book.add_worksheet(LISTS), contents)
        cover.activate()


class _Table:
    """The sheet of decisions, and formulas over it."""

    def __init__(self, book: Any, contents: PacketContents) -> None:
        self._contents = contents
        self.columns = [column for column in COLUMNS if _has(contents, column)]
        self._at = {column.name: position for position, column in enumerate(self.columns)}
        self._last = max(len(contents.rows), 1)
        self._formats = _formats(book)

    # ------------------------------------------------------------------------------------------------- formulas

    def formulas(self) -> packet_cover.ProgressFormulas:
        """Return the formulas that count the decided rows, those of high risk, and the amber cells."""
        decided, risk = self._range("decision"), self._range("risk")
        return packet_cover.ProgressFormulas(
            decided=f'COUNTIF({decided},"?*")',
            severe_decided="+".join(f'COUNTIFS({risk},"{severity}",{decided},"?*")' for severity in SEVERE),
            incomplete="+".join(
                f"SUMPRODUCT({self._amber(name, self._range)})" for name in ("decision", *_NEEDED_BY, "reason")
            ),
        )

    def _range(self, name: str) -> str:
        letter = letters(self._at[name])
        return f"{SHEET}!${letter}$2:${letter}${self._last + 1}"

    def _cell(self, name: str) -> str:
        return f"${letters(self._at[name])}2"

    def _amber(self, name: str, place: Callable[[str], str]) -> str:
        """Return the formula, 1 or 0, of whether an answer is missing or does not go with the decision.

        ``place`` gives the cell or the range of a column. Sums and products stand for "or" and "and", since those
        functions do not work on ranges.
        """
        decision = place("decision")
        if name == "decision":
            return f'({decision}="reduce")*({place("type")}<>"role")'
        if name == "reason":
            severe = "+".join(f'({place("risk")}="{severity}")' for severity in SEVERE)
            return f"({severe})*(LEN({decision})>0)*(LEN({place(name)})=0)"
        return f'(({decision}="{_NEEDED_BY[name]}")<>(LEN({place(name)})>0))*1'

    # ------------------------------------------------------------------------------------------------- the sheet

    def write(self, sheet: Any) -> None:
        """Write the heading, a row for each item, and the rules of the cells."""
        sheet.set_row(0, 30)
        for position, column in enumerate(self.columns):
            style = "answer heading" if column.name in ANSWERS else "heading"
            sheet.write_string(0, position, column.heading, self._formats[style])
            sheet.set_column(position, position, column.width, None, {"hidden": column.is_hidden})
        order = [self._contents.names.index(column.name) for column in self.columns]
        high = [(column, index) for column, index in zip(self.columns, order, strict=True) if column.sets_height]
        number = 0
        for band, rows in enumerate(self._contents.by_person()):
            for row in rows:
                number += 1
                texts = [(str(row[index]), column.width) for column, index in high if row[index]]
                lines = max((lines_of(words, width) for words, width in texts), default=1)
                if lines > 1:  # a row of one line grows with what is typed into it
                    sheet.set_row(number, height_of(min(lines, _MOST_LINES)))
                for position, (column, index) in enumerate(zip(self.columns, order, strict=True)):
                    self._write_cell(sheet, (number, position), column, row[index], band % len(_BANDS))
        self._validate(sheet)
        self._colour(sheet)
        sheet.freeze_panes(1, self._at["who"] + 1)
        sheet.autofilter(0, 0, self._last, len(self.columns) - 1)
        allowed = dict.fromkeys(("autofilter", "sort", "format_columns", "format_rows"), True)
        sheet.protect(options=allowed)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.print_area(0, 0, self._last, self._at["expires_on"] if "expires_on" in self._at else self._at["reason"])
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L&F&CConfidential&RPage &P of &N")

    def _write_cell(self, sheet: Any, place: tuple[int, int], column: PacketColumn, value: Any, band: int) -> None:
        if column.name in _DAYS:
            style = "day"
        elif column.name in ANSWERS:
            style = "answer"
        else:
            kind = "person" if column.name == "who" else "wrapped" if column.is_wrapped else "fact"
            style = f"{kind} {band}"
        if value is None or value == "":
            sheet.write_blank(*place, None, self._formats[style])
        elif column.name == "last_seen" and (day := _day(value)):
            sheet.write_datetime(*place, day, self._formats[f"seen {band}"])
        elif isinstance(value, date):
            sheet.write_datetime(*place, datetime(value.year, value.month, value.day), self._formats["day"])  # noqa: DTZ001 - a day
        elif column.name == "place":
            sheet.write_number(*place, value, self._formats[f"number {band}"])
        else:
            written, _ = readable(str(shown(column.name, value)))
            # Excel keeps these texts as texts even when the cell is edited.
            quoted = "quoted " if written.startswith(cells.STARTS) else ""
            sheet.write_string(*place, written, self._formats[f"{quoted}{style}"])

    def _validate(self, sheet: Any) -> None:
        """Offer decisions and roles to choose from, refuse past days, and say what each cell needs."""
        rules: dict[str, dict[str, Any]] = {name: {"validate": "any"} for name in ("reason", "approver")}
        opened = self._contents.opened_at
        opened_on = date(opened.year, opened.month, opened.day)
        for name in _DAYS:
            latest = opened_on + timedelta(days=LONGEST[name])
            rules[name] = {
                "validate": "date",
                "criteria": "between",
                "minimum": opened_on + timedelta(days=1),
                "maximum": latest,
                "error_title": "Not one of the days",
                "error_message": f"Enter a day after {day_text(opened)}, when the review was opened, and not after "
                f"{day_text(latest)}, as 2026-12-31.",
            }
        for name, rule in rules.items():
            if name in self._at:
                sheet.data_validation(1, self._at[name], self._last, self._at[name], rule | _prompt(name))
        source_at = self._contents.names.index("source")
        lower = [(row[source_at], self._contents.roles_below(row)) for row in self._contents.rows]
        self._offer(sheet, "decision", [bool(roles) for _, roles in lower], _decision_rule)
        if "target_role" in self._at:
            sources = list(_roles_by_source(self._contents))
            self._offer(sheet, "target_role", lower, lambda key: _role_rule(sources, *key))

    def _offer(self, sheet: Any, name: str, keys: Sequence[Any], rule_of: Callable[[Any], dict[str, Any]]) -> None:
        """Give each row the rule of its key. Rows with the same key share rules, of many ranges each."""
        column = self._at[name]
        runs: dict[Any, list[tuple[int, int]]] = {}
        for key, rows in itertools.groupby(enumerate(keys, start=1), lambda each: each[1]):
            numbers = [number for number, _ in rows]
            runs.setdefault(key, []).append((numbers[0], numbers[-1]))
        for key, ranges in runs.items():
            for start in range(0, len(ranges), _RANGES):
                some = ranges[start : start + _RANGES]
                places = " ".join(f"{letters(column)}{first + 1}:{letters(column)}{last + 1}" for first, last in some)
                options = rule_of(key) | _prompt(name) | {"multi_range": places}
                sheet.data_validation(some[0][0], column, some[0][1], column, options)

    def _colour(self, sheet: Any) -> None:
        """Mark due answers, high risk, and the first row of each person, wherever the reviewer sorts them."""
        amber = self._formats["amber"]

        def mark(names: Sequence[str], formula: str, style: Any) -> None:
            positions = [self._at[name] for name in names if name in self._at]
            if positions:
                rule = {"type": "formula", "criteria": f"={formula}", "format": style}
                sheet.conditional_format(1, min(positions), self._last, max(positions), rule)

        for name in ("decision", *_NEEDED_BY, "reason"):
            mark([name], f"{self._amber(name, self._cell)}>0", amber)
        is_severe = "OR(" + ",".join(f'{self._cell("risk")}="{severity}"' for severity in SEVERE) + ")"
        # Above a person's first row is another person, or the heading.
        keys = [self._cell(name) for name in self._contents.person_columns]
        is_first = "OR(" + ",".join(f"{key}<>{key[:-1]}1" for key in keys) + ")"
        # Some programs apply only the first rule that is true: it has the formats of the others, too.
        mark(["why_flagged"], f"AND({is_severe},{is_first})", self._formats["severe first row"])
        mark(["why_flagged"], is_severe, self._formats["severe"])
        mark(["who"], is_first, self._formats["first name"])
        mark([column.name for column in self.columns], is_first, self._formats["first row"])


def _has(contents: PacketContents, column: PacketColumn) -> bool:
    if column.name not in contents.names:
        return False
    at = contents.names.index(column.name)
    return not column.is_optional or any(row[at] for row in contents.rows)


def _write_lists(sheet: Any, contents: PacketContents) -> None:
    """Write the roles of each source, one column a source, on a hidden sheet that the cells choose from."""
    columns = _roles_by_source(contents)
    for position, source in enumerate(columns):
        sheet.write_string(0, position, readable(source)[0])
    for number, roles in enumerate(itertools.zip_longest(*columns.values()), start=1):
        for position, role in enumerate(roles):
            if role is not None:
                sheet.write_string(number, position, readable(role)[0])
    sheet.protect()
    sheet.hide()


def _decision_rule(can_reduce: bool) -> dict[str, Any]:
    offered = [decision for decision in DECISIONS if can_reduce or decision != "reduce"]
    return {
        "validate": "list",
        "source": offered,
        "error_title": "Not a decision for this row",
        "error_message": f"Choose one of: {', '.join(offered)}.",
    }


def _role_rule(sources: Sequence[str], source: str, lower: int) -> dict[str, Any]:
    """Return the rule that offers the roles below that of a row: the first ones in the list of its source."""
    if not lower:
        return {"validate": "any"}
    letter = letters(sources.index(source))
    return {
        "validate": "list",
        "source": f"={LISTS}!${letter}$2:${letter}${lower + 1}",
        "error_title": "Not a lower role",
        "error_message": "Choose a role from the list.",
    }


def _roles_by_source(contents: PacketContents) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, role, _ in contents.roles:
        found.setdefault(source, []).append(role)
    return found


def _prompt(name: str) -> dict[str, str]:
    title, text = _PROMPTS[name]
    return {"input_title": title, "input_message": text}


def _day(value: Any) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d")  # noqa: DTZ007 - a day
    except ValueError:
        return None


def _formats(book: Any) -> dict[str, Any]:
    heading = {**_FONT, "bold": True, "font_color": "#ffffff", "text_wrap": True, "valign": "vcenter"}
    answer = {**_FONT, "locked": False, "text_wrap": True, "border": 1, "border_color": _EDGE}
    made = {
        "heading": heading | {"bg_color": charts.SLATE},
        "answer heading": heading | {"bg_color": charts.ACCENT},
        "answer": answer,
        "quoted answer": answer | {"quote_prefix": True},
        # The form in which a day is read without doubt, also from the sheet saved as CSV.
        "day": answer | {"num_format": "yyyy-mm-dd", "align": "left"},
    }
    for band, colour in enumerate(_BANDS):
        fact = {**_FONT, "bg_color": colour}
        made |= {
            f"fact {band}": fact,
            f"wrapped {band}": fact | {"text_wrap": True},
            f"quoted fact {band}": fact | {"quote_prefix": True},
            f"quoted wrapped {band}": fact | {"text_wrap": True, "quote_prefix": True},
            f"seen {band}": fact | {"num_format": "d mmm yyyy", "align": "left"},
            f"number {band}": fact | {"align": "center", "font_color": charts.SLATE},
            f"person {band}": fact | {"text_wrap": True, "font_color": charts.SLATE},
            f"quoted person {band}": fact | {"text_wrap": True, "font_color": charts.SLATE, "quote_prefix": True},
        }
    formats = {name: book.add_format(properties) for name, properties in made.items()}
    severe = {"bold": True, "font_color": charts.SEVERITIES["critical"].colour}
    edge = {"top": 1, "top_color": charts.SLATE}
    return formats | {
        "amber": book.add_format({"bg_color": _AMBER}),
        "severe": book.add_format(severe),
        "severe first row": book.add_format(severe | edge),
        "first name": book.add_format({"bold": True, "font_color": charts.INK, **edge}),
        "first row": book.add_format(edge),
    }
