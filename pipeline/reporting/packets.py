"""Packets: the items of one reviewer, as CSV to fill in, and as a PDF to read beside it or the workbook.

All of them show the same facts about each item, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.atomic import replace_file
from pipeline.reporting import cells, csv, pdf
from pipeline.reporting.packet_columns import MEANINGS
from pipeline.reporting.templating import Filler
from pipeline.warehouse.database import Connection

__all__ = ["ROWS_TO_READ", "PacketContents", "write_csv", "write_pdf"]

#: Columns with names from the source, or with an id where there is no name.
_NAMES = ("who", "source", "access", "target_role")
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
    #: (source, name) of every role that access can be reduced to.
    roles: Sequence[tuple[str, str]] = ()


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
        meanings=MEANINGS,
        groups=groups,
        total=len(facts),
        shown=min(len(facts), rows_shown),
    )
    content, missing = pdf.render(document, templates)
    with replace_file(path) as draft:
        draft.write_bytes(content)
    return missing
