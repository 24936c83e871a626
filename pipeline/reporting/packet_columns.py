"""Columns of a packet: their names in CSV, their headings in the workbook, and how the workbook shows their values.

The CSV file keeps the names of ``sql/review/packet.sql``. The workbook has headings in words, in an order of its own:
first what a reviewer needs to decide, then the answers, then the other facts.
"""

from __future__ import annotations

import functools
import textwrap
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import text
from pipeline.tables.cells import column_name

__all__ = [
    "COLUMNS",
    "COVER",
    "LISTS",
    "MEANINGS",
    "SEVERE",
    "SHEET",
    "PacketColumn",
    "heading",
    "height_of",
    "lines_of",
    "name_of",
    "shown",
]

#: The sheets of the workbook: an introduction, the table, and a hidden one with lists to choose from.
COVER, SHEET, LISTS = "Read me", "Decisions", "Lists"
#: Risks of items that need a reason.
SEVERE = ("critical", "high")
#: What each decision means, and what it needs.
MEANINGS = {
    "keep": "The access is needed. For high risk, give a reason.",
    "remove": "Take the access away. For high risk, give a reason. Removing a role deactivates the account.",
    "reduce": "A lower role is enough: choose it under Target role. For high risk, give a reason. Groups cannot be "
    "reduced.",
    "defer": "Decide later: give the day under Defer until.",
    "exception": "The access is needed although it breaks a rule: give the e-mail address of the person who approved "
    "it under Approver, and the last day under Expires on.",
}


@dataclass(frozen=True, slots=True)
class PacketColumn:
    """A column of the workbook; ``width`` is in characters of the body font."""

    name: str
    heading: str
    width: int
    is_wrapped: bool = False
    is_hidden: bool = False
    #: The values are our own words, joined by ``_``.
    has_words: bool = False
    #: Rows are high enough for the texts of this column.
    sets_height: bool = False
    #: The workbook has no such column if none of its rows has a value.
    is_optional: bool = False


#: Columns of the workbook in their order. Down to the reason, they fit on the screen of a laptop.
COLUMNS = (
    PacketColumn("place", "No.", 5),
    PacketColumn("who", "Person", 19, is_wrapped=True, sets_height=True),
    PacketColumn("access", "Access", 17, is_wrapped=True, sets_height=True),
    PacketColumn("allows", "What it allows", 28, is_wrapped=True, sets_height=True),
    PacketColumn("opens", "What it opens", 24, is_wrapped=True, sets_height=True, is_optional=True),
    PacketColumn("last_seen", "Last seen", 11),
    PacketColumn("why_flagged", "Why flagged", 32, is_wrapped=True, sets_height=True),
    PacketColumn("recommendation", "Recommendation", 16, is_wrapped=True, has_words=True),
    PacketColumn("decision", "Decision", 10),
    PacketColumn("reason", "Reason", 25, is_wrapped=True, sets_height=True),
    PacketColumn("target_role", "Target role", 15, is_wrapped=True),
    PacketColumn("defer_until", "Defer until", 11),
    PacketColumn("approver", "Approver", 24, is_wrapped=True),
    PacketColumn("expires_on", "Expires on", 11),
    PacketColumn("recommendation_reason", "Why recommended", 48, is_wrapped=True),
    PacketColumn("prior_decision", "Last decision", 30, is_wrapped=True),
    PacketColumn("peers", "Peers", 30, is_wrapped=True),
    PacketColumn("change", "Change", 12, has_words=True),
    PacketColumn("email", "E-mail", 28),
    PacketColumn("title", "Title", 22),
    PacketColumn("department", "Department", 18),
    PacketColumn("source", "Source", 12),
    PacketColumn("type", "Type", 8),
    PacketColumn("permission_level", "Permission level", 14),
    PacketColumn("path", "How it was granted", 40, is_wrapped=True),
    PacketColumn("status", "Account status", 12),
    PacketColumn("risk", "Risk", 9),
    PacketColumn("findings", "Findings", 36, is_wrapped=True),
    PacketColumn("account_findings", "Findings about the account", 36, is_wrapped=True),
    PacketColumn("conflict", "Conflicts with", 36, is_wrapped=True),
    PacketColumn("attention", "Part", 26),
    PacketColumn("campaign", "Campaign", 14, is_hidden=True),
    PacketColumn("reviewer", "Reviewer", 14, is_hidden=True),
    PacketColumn("card_id", "Card ID", 14, is_hidden=True),
    PacketColumn("item_id", "Item ID", 14, is_hidden=True),
)
_BY_NAME = {column.name: column for column in COLUMNS}
_NAMES = {column_name(column.heading): column.name for column in COLUMNS}
#: Letters of a text in the width of a digit; most letters are narrower.
_LETTERS = 1.1
#: Columns whose texts hold dates.
_DATED = {"prior_decision"}


def heading(name: str) -> str:
    """Return the heading of a column in the workbook."""
    return _BY_NAME[name].heading if name in _BY_NAME else name


def name_of(written: str) -> str:
    """Return the name of the column under a heading, in words or as in CSV; else the heading itself."""
    plain = column_name(written)
    return _NAMES.get(plain, plain)


def shown(name: str, value: Any) -> Any:
    """Return a value as the workbook shows it: our own words without ``_``, and dates as ``1 Nov 2026``."""
    if not isinstance(value, str):
        return value
    if name in _BY_NAME and _BY_NAME[name].has_words:
        return value.replace("_", " ")
    return text.dated(value) if name in _DATED else value


@functools.lru_cache(maxsize=1 << 14)  # roles, groups and findings are repeated
def lines_of(words: str, width: int) -> int:
    """Return about how many lines a text takes in a column of a width."""
    return len(textwrap.wrap(words, round(width * _LETTERS)))


def height_of(lines: int) -> float:
    """Return the height of a row with so many lines, in points. Not every program fits rows to their text."""
    return 12.75 * lines + 3
