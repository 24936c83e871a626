"""Comparison of a returned row with its item. The id is hidden, so the visible facts must be those of the item.

A spreadsheet may write a fact in another form: a date in local order, a number with other digits, ``TRUE`` for
``true``, a text in a local encoding. These forms are equal; anything else differs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.reporting import cells, packet_columns, text
from pipeline.reporting.choices import ANSWERS
from pipeline.reporting.xlsx import readable
from pipeline.review.returned import Cell, Row

__all__ = ["campaign_of", "differing", "is_same", "item_id_of"]

#: Prefixes from ``sql/review/packet.sql``; they keep a spreadsheet from reading a month or a number.
_CAMPAIGN = "campaign "
_ITEM = "item-"
#: Columns that are answers or checked elsewhere, or that give the order.
_NO_FACTS = {*ANSWERS, "campaign", "reviewer", "item_id", "card_id", "place", "attention"}
#: Encodings in which a spreadsheet may save CSV without a mark; such a file is read in the first of them.
_LOCAL_ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "mac_roman")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
#: Longest text that can be a date with a time.
_LONGEST_DATE = 40
#: Day 0 of the serial numbers of dates in a spreadsheet, from March 1900 on.
_FIRST_DAY = date(1899, 12, 30)
#: Most digits after the first in a number of a spreadsheet.
_DIGITS = 16
#: Longest fact in a message, in characters.
_SHOWN = 60
_NUMBER = re.compile(r"[+-]?\d+(?:[.,](?P<decimals>\d+))?(?P<exponent>e[+-]?\d+)?", re.IGNORECASE)


def item_id_of(shown: str) -> str:
    """Return an item's id, with or without the prefix that a packet adds."""
    return shown.lower().removeprefix(_ITEM)


def campaign_of(shown: str) -> str:
    """Return a campaign's name, with or without the prefix that a packet adds."""
    return shown[len(_CAMPAIGN) :].strip() if shown.lower().startswith(_CAMPAIGN) else shown


def differing(row: Row, packet: Mapping[str, Any]) -> Iterator[tuple[Cell, str]]:
    """Yield each cell of a row that differs from its item, with a description of the difference.

    ``packet`` is the row of the packet that was handed out, by column. Missing columns and empty cells do not differ.
    """
    for name, fact in packet.items():
        cell = row.cells.get(name)
        if name in _NO_FACTS or cell is None or not cell.text:
            continue
        if is_same(cell, fact) or is_same(cell, packet_columns.shown(name, fact)):
            continue
        words = packet_columns.heading(name).lower()
        in_file = f"the file says {_shown(cell.text)}"
        if fact is None or fact == "":
            yield cell, f"this item has no {words}, {in_file}"
        elif name == "who":
            yield cell, f"this item is {_shown(str(fact))}, {in_file}"
        else:
            yield cell, f"{words} of this item is {_shown(str(fact))}, {in_file}"


def is_same(cell: Cell, fact: Any) -> bool:
    """Return whether a cell holds a fact, in any form that a spreadsheet may give it."""
    if fact is None or fact == "":
        return not cell.text
    returned, known = _plain(cell.text), _plain(str(fact))
    return (
        returned == known
        or _same_day(cell, known)
        or _same_number(returned, known)
        or _same_text(returned, str(fact))
    )


def _plain(value: str) -> str:
    """Return a text for comparison: without the packet's apostrophes, invisible characters, case and extra space."""
    shown, _ = readable(cells.restored(value))
    visible = "".join(
        c for c in unicodedata.normalize("NFC", shown) if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    return " ".join(visible.replace("\ufffd", "").split()).casefold()


def _same_day(cell: Cell, known: str) -> bool:
    """Compare a day, or a month as in a group's name, with the date that a spreadsheet made of it."""
    if not (found := _ISO_DAY.fullmatch(known)) or len(cell.text) > _LONGEST_DATE:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    if isinstance(cell.value, date):  # a datetime is one, too
        return (cell.value.year, cell.value.month, cell.value.day) == (year, month, day)
    if re.fullmatch(r"\d{5}(?:\.0+)?", cell.text):
        serial = _FIRST_DAY + timedelta(days=int(float(cell.text)))
        return (serial.year, serial.month, serial.day) == (year, month, day)
    # In any order: a date from another row is unlikely to have the same parts.
    parts = sorted(map(int, re.findall(r"\d+", cell.text)[:3]))
    forms = [[day, month], [day]] if found[3] else [[day, month], [day], []]  # the month in digits, or in letters
    return any(parts == sorted([*form, shown]) for form in forms for shown in (year, year % 100))


def _same_number(returned: str, known: str) -> bool:
    """Compare two numbers; one in the form ``3.14E+14`` is compared to the digits that it shows."""
    left, right = _NUMBER.fullmatch(returned), _NUMBER.fullmatch(known)
    if not left or not right:
        return False
    one, other = float(returned.replace(",", ".")), float(known.replace(",", "."))
    if not (math.isfinite(one) and math.isfinite(other)):
        return False
    if left["exponent"]:
        digits = min(len(left["decimals"] or ""), _DIGITS)
        return f"{one:.{digits}e}" == f"{other:.{digits}e}"
    return math.isclose(one, other, rel_tol=1e-14)


def _same_text(returned: str, fact: str) -> bool:
    """Compare a text with its form in another encoding: other letters, question marks, or letters without marks."""
    if fact.isascii():
        return False
    misread = (
        fact.encode(encoding, errors="replace").decode(_LOCAL_ENCODINGS[0], errors="replace")
        for encoding in _LOCAL_ENCODINGS
    )
    return returned in map(_plain, misread) or _without_marks(returned) == _without_marks(_plain(fact))


def _without_marks(value: str) -> str:
    """Return a text with ``a`` for ``á`` and ``l`` for ``ł``, as programs replace letters that an encoding lacks."""
    parts = unicodedata.normalize("NFKD", value)
    return "".join(_base(character) for character in parts if not unicodedata.combining(character))


def _base(character: str) -> str:
    if character.isascii():
        return character
    found = re.match(r"LATIN SMALL LETTER ([A-Z]) WITH ", unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _shown(value: str) -> str:
    return text.shorten(" ".join(text.printable(value).split()), _SHOWN)
