"""Packets: the items of one reviewer, as CSV to fill in, and as a PDF to read beside it or the workbook.

All of them show the same facts about each item, in the same order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.atomic import replace_file
from pipeline.reporting import cells, csv, pdf
from pipeline.reporting.packet_columns import MEANINGS, SEVERE
from pipeline.reporting.templating import Filler
from pipeline.warehouse.database import Connection

__all__ = ["ROWS_TO_READ", "PacketContents", "write_csv", "write_pdf"]

#: Columns with names from the source, or with an id where there is no name.
_NAMES = ("who", "source", "access", "target_role")
#: Most items in a PDF, about thirty pages; the workbook has all of them.
ROWS_TO_READ = 500
#: Parts of the PDF, each with people. Those with a finding or high risk come first.
_FLAGGED = "Flagged people"
_PARTS = {
    "2 new or changed": "New or changed access",
    "3 other": "Other access",
    "4 unchanged, kept last time": "Unchanged, kept last time",
}
#: Parts with one line for each item, so that the others get the attention.
_BRIEF = {"Other access", "Unchanged, kept last time"}


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
    #: (source, name, rank) of every role, the lowest of a source first; an unknown rank is None.
    roles: Sequence[tuple[str, str, int | None]] = ()

    @property
    def person_columns(self) -> tuple[str, ...]:
        """Return the columns in which all rows of one person are the same."""
        # Campaigns of earlier versions have no cards.
        at = self.names.index("card_id")
        return ("card_id",) if all(row[at] for row in self.rows) else ("who", "email")

    def roles_below(self, row: Sequence[Any]) -> int:
        """Return to how many roles the access of a row can be reduced; they are the first ones of its source."""
        kind, source, access = (row[self.names.index(name)] for name in ("type", "source", "access"))
        ranks = [(name, rank) for of, name, rank in self.roles if of == source and rank is not None]
        own = next((rank for name, rank in ranks if name == access), None)
        return 0 if kind != "role" or own is None else sum(rank < own for _, rank in ranks)

    def by_person(self) -> Iterator[list[Sequence[Any]]]:
        """Yield the rows of each person, who have no other rows."""
        columns = [self.names.index(name) for name in self.person_columns]
        for _, rows in itertools.groupby(self.rows, lambda row: [row[column] for column in columns]):
            yield list(rows)


@dataclass(slots=True)
class _Part:
    """A part of the PDF: how many people and items it has, and the rows to show, a list for each person."""

    title: str
    is_brief: bool
    people: int = 0
    items: int = 0
    shown: list[list[dict[str, Any]]] = field(default_factory=list)


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
        parts=_parts(contents, rows_shown),
        severe=sum(row[contents.names.index("risk")] in SEVERE for row in contents.rows),
        total=len(contents.rows),
        shown=min(len(contents.rows), rows_shown),
    )
    content, missing = pdf.render(document, templates)
    with replace_file(path) as draft:
        draft.write_bytes(content)
    return missing


def _parts(contents: PacketContents, rows_shown: int) -> list[_Part]:
    """Arrange the items of a packet by part and person; at most ``rows_shown`` are to be shown."""
    parts = {title: _Part(title, is_brief=title in _BRIEF) for title in (_FLAGGED, *_PARTS.values())}
    left = rows_shown
    for rows in contents.by_person():
        person = [dict(zip(contents.names, row, strict=True)) for row in rows]
        part = parts[_part(person)]
        part.people += 1
        part.items += len(person)
        if left > 0:
            part.shown.append(person[:left])
        left -= len(person)
    return list(parts.values())


def _part(person: Sequence[Mapping[str, Any]]) -> str:
    if any(row["risk"] in SEVERE or row["findings"] or row["account_findings"] for row in person):
        return _FLAGGED
    # Campaigns of earlier versions have no attention.
    return _PARTS.get(min(str(row["attention"]) for row in person), "Other access")
