"""Packets: the items of one reviewer, as a workbook to fill in, as CSV, and as a PDF to read beside them.

All three show the same facts about each item, in the same order.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.atomic import replace_file
from pipeline.reporting import cells, charts, csv, pdf
from pipeline.reporting.choices import ANSWERS, DECISIONS
from pipeline.reporting.templating import Filler
from pipeline.reporting.text import count
from pipeline.reporting.text import day as day_text
from pipeline.reporting.xlsx import readable
from pipeline.warehouse.database import Connection

__all__ = ["ROWS_TO_READ", "PacketContents", "write_csv", "write_pdf", "write_xlsx"]

#: Columns with names from the source, or with an id where there is no name.
_NAMES = ("who", "source", "access", "target_role")
_SHEET = "Decisions"
#: Most items in a PDF, about thirty pages; the workbook has all of them.
ROWS_TO_READ = 500
#: Value of the column attention -> heading of its part in the PDF.
_PARTS = {
    "1 high risk": "High risk",
    "2 new or changed": "New or changed",
    "3 other": "Other access",
    "4 unchanged, kept last time": "Unchanged, kept last time",
}
#: Parts with one line for each item, so that the others get the attention.
_BRIEF = {"3 other", "4 unchanged, kept last time"}
_WIDTHS = {
    "attention": 24, "who": 26, "email": 28, "access": 26, "path": 40, "findings": 36, "conflict": 36, "peers": 34,
    "reason": 40, "recommendation_reason": 44, "prior_decision": 30, "decision": 12, "target_role": 16,
    "approver": 26,
}  # fmt: skip
_NARROW = 14
_INSTRUCTIONS = (
    "Please decide on every row of the sheet 'Decisions'. High risk comes first. Access that you kept last time and "
    "that has not changed comes last, in a group of rows that you can collapse.",
    "The grey columns are facts and cannot be changed. Fill in the white columns:",
)
_MEANINGS = {
    "keep": "The access is needed. For high risk, give a reason.",
    "remove": "Take the access away. For high risk, give a reason. Removing a role deactivates the account.",
    "reduce": "A lower role is enough: name it under target_role. For high risk, give a reason.",
    "defer": "Decide later: give the day under defer_until.",
    "exception": "The access is needed although it breaks a rule: name who approved it under approver, "
    "and its last day under expires_on.",
}


@dataclass(frozen=True, slots=True)
class PacketContents:
    """The packet of one reviewer: the names of its columns, and its rows in order, one for each item."""

    campaign: str
    snapshot_id: str
    reviewer: str
    due_on: date | None
    opened_at: datetime
    names: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_csv(connection: Connection, query: str, parameters: Mapping[str, object], path: Path) -> int:
    """Write the rows of a packet's query as CSV; return how many cells were neutralised.

    Names that a spreadsheet would turn into a number or a date get an apostrophe too.

    Raises:
        RenderError: the file cannot be written.
    """
    kept = ", ".join(f"{cells.retyped(name)} as {name}" for name in (f'"{name}"' for name in _NAMES))
    retyped = f"select * replace ({kept}) from ({query})"
    with replace_file(path) as draft:
        return csv.write(connection, retyped, draft, order_by="place, item_id", parameters=parameters)


def write_xlsx(path: Path, contents: PacketContents) -> None:
    """Write one reviewer's workbook: a cover, and a sheet whose white cells can be filled in.

    The same contents give the same bytes: the workbook's date is ``opened_at``.

    Raises:
        OSError: the file cannot be written.
    """
    import xlsxwriter

    packed = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(packed, options) as book:
        title = f"Access review {contents.campaign}: {contents.reviewer}"
        book.set_properties({"title": title, "created": contents.opened_at})
        _write_cover(book, contents)
        _write_items(book, contents.names, contents.rows)
    with replace_file(path) as draft:
        draft.write_bytes(packed.getvalue())


def write_pdf(path: Path, contents: PacketContents, *, rows_shown: int = ROWS_TO_READ) -> frozenset[str]:
    """Write the PDF of one reviewer with at most ``rows_shown`` items; return the characters that no font could show.

    The same contents give the same bytes: the document's date is ``opened_at``.

    Raises:
        RenderError: Pango is missing, or a template is wrong.
        OSError: the file cannot be written.
    """
    facts = [dict(zip(contents.names, row, strict=True)) for row in contents.rows]
    # Campaigns of earlier versions have no parts.
    parts = dict.fromkeys([*_PARTS, *(str(row["attention"] or "") for row in facts)])
    groups = [
        {
            "attention": part,
            "title": _PARTS.get(part, "All access"),
            "is_brief": part in _BRIEF,
            "total": sum((row["attention"] or "") == part for row in facts),
            "rows": [row for row in facts[:rows_shown] if (row["attention"] or "") == part],
        }
        for part in parts
    ]
    templates = resources.templates()
    document = Filler(templates)(
        "packet.html",
        None,
        campaign=contents.campaign,
        snapshot_id=contents.snapshot_id,
        reviewer=contents.reviewer,
        due_on=contents.due_on,
        opened_at=contents.opened_at,
        meanings=_MEANINGS,
        groups=groups,
        total=len(facts),
        shown=min(len(facts), rows_shown),
    )
    content, missing = pdf.render(document, templates)
    with replace_file(path) as draft:
        draft.write_bytes(content)
    return missing


def _write_cover(book: Any, contents: PacketContents) -> None:
    plain, strong = {"font_name": "Arial", "font_size": 10}, {"font_name": "Arial", "bold": True}
    text, title = book.add_format(plain), book.add_format({**strong, "font_size": 16})
    bold = book.add_format({**strong, "font_size": 10})
    sheet = book.add_worksheet("Read me")
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    attention = contents.names.index("attention")
    urgent = sum(str(row[attention]).startswith("1") for row in contents.rows)
    sheet.write_string(0, 0, f"Access review {contents.campaign}", title)
    facts = {
        "For": contents.reviewer,
        "Items": f"{count(len(contents.rows), 'item')}, {urgent} of them high risk",
        "Due": day_text(contents.due_on) if contents.due_on else "no due date",
    }
    line = 2
    for name, value in facts.items():
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, value, text)
        line += 1
    line += 1
    for sentence in _INSTRUCTIONS:
        sheet.write_string(line, 0, sentence, text)
        line += 1
    for name, meaning in _MEANINGS.items():
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, meaning, text)
        line += 1
    sheet.write_string(line + 1, 0, "Send this workbook back, or save it as CSV and send that. Confidential.", text)
    sheet.protect()


def _write_items(book: Any, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    base = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    heading = book.add_format({**base, "bold": True, "font_color": charts.SLATE, "bottom": 1})
    locked = book.add_format({**base, "bg_color": "#f1f3f6", "text_wrap": True})
    free = book.add_format({**base, "locked": False, "text_wrap": True, "border": 1, "border_color": "#d9dfe8"})
    # Excel keeps these texts as texts even when the cell is edited.
    quoted = {
        locked: book.add_format({**base, "bg_color": "#f1f3f6", "text_wrap": True, "quote_prefix": True}),
        free: book.add_format({
            **base, "locked": False, "text_wrap": True, "border": 1, "border_color": "#d9dfe8", "quote_prefix": True,
        }),
    }  # fmt: skip
    day = book.add_format(
        {**base, "locked": False, "num_format": "yyyy-mm-dd", "border": 1, "border_color": "#d9dfe8"}
    )
    danger = book.add_format({"bold": True, "font_color": charts.SEVERITIES["critical"].colour})
    sheet = book.add_worksheet(_SHEET)
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, heading)
        is_hidden = {"hidden": True} if name in {"campaign", "reviewer", "item_id"} else {}
        sheet.set_column(column, column, _WIDTHS.get(name, _NARROW), None, is_hidden)
    for number, row in enumerate(rows, start=1):
        if str(row[names.index("attention")]).startswith("4"):
            sheet.set_row(number, None, None, {"level": 1})
        for column, (name, value) in enumerate(zip(names, row, strict=True)):
            if name in {"defer_until", "expires_on"}:
                _write(sheet, number, column, value, day)
            else:
                layout = free if name in ANSWERS else locked
                is_formula = isinstance(value, str) and value.startswith(cells.STARTS)
                _write(sheet, number, column, value, quoted[layout] if is_formula else layout)
    last = max(len(rows), 1)
    sheet.data_validation(
        1, names.index("decision"), last, names.index("decision"),
        {
            "validate": "list",
            "source": list(DECISIONS),
            "error_title": "Unknown decision",
            "error_message": f"Choose one of: {', '.join(DECISIONS)}.",
        },
    )  # fmt: skip
    risk = names.index("risk")
    for severity in ("critical", "high"):
        rule = {"type": "cell", "criteria": "==", "value": f'"{severity}"', "format": danger}
        sheet.conditional_format(1, risk, last, risk, rule)
    sheet.freeze_panes(1, names.index("who") + 1)
    sheet.autofilter(0, 0, last, len(names) - 1)
    sheet.protect(options={"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    sheet.activate()
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write(sheet: Any, row: int, column: int, value: Any, layout: Any) -> None:
    if value is None or value == "":
        sheet.write_blank(row, column, None, layout)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), layout)  # noqa: DTZ001 - a day
    else:
        sheet.write_string(row, column, readable(str(value))[0], layout)
