"""Compares a returned row with its item: the id is hidden, so what the reviewer saw must be about that item.

A spreadsheet may write a fact in its own way: a date in local order, a number in other digits, ``TRUE`` for ``true``,
a text in the encoding of its machine. That is the same fact; anything else is another one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.reporting import cells, text
from pipeline.reporting.packets import ANSWERS
from pipeline.reporting.xlsx import readable
from pipeline.review.returned import Cell, Row

__all__ = ["campaign_of", "differing", "is_same", "item_id_of"]

#: What ``sql/review/packet.sql`` puts in front, so that no spreadsheet reads a month or a number.
_CAMPAIGN = "campaign "
_ITEM = "item-"
#: Columns that say what is asked about whom or in what order, and are looked at elsewhere or state no fact.
_NO_FACTS = {*ANSWERS, "campaign", "reviewer", "item_id", "place", "attention"}
#: Encodings without a mark of their own: a spreadsheet saves CSV in one of them, and it is read as the first.
_LOCAL_ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "mac_roman")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
#: A date and a time in words are shorter; longer runs of digits are nothing to count with.
_LONGEST_DATE = 40
#: Day 0 of the numbers behind a spreadsheet's dates, as they count from March 1900 on.
_FIRST_DAY = date(1899, 12, 30)
#: Digits that a number of a spreadsheet may have after the first.
_DIGITS = 16
#: Columns of a terminal for a fact in a message.
_SHOWN = 60
_NUMBER = re.compile(r"[+-]?\d+(?:[.,](?P<decimals>\d+))?(?P<exponent>e[+-]?\d+)?", re.IGNORECASE)


def item_id_of(shown: str) -> str:
    """Return an item's id, from the form in which a packet shows it or as it is."""
    return shown.lower().removeprefix(_ITEM)


def campaign_of(shown: str) -> str:
    """Return a campaign's name, from the form in which a packet shows it or as it is."""
    return shown[len(_CAMPAIGN) :].strip() if shown.lower().startswith(_CAMPAIGN) else shown


def differing(row: Row, packet: Mapping[str, Any]) -> Iterator[tuple[Cell, str]]:
    """Yield each cell of a row that states another fact than its item has, and what is wrong with it.

    ``packet`` is the row of the packet that was handed out, by column. A column or cell that did not come back states
    nothing.
    """
    for name, fact in packet.items():
        cell = row.cells.get(name)
        if name in _NO_FACTS or cell is None or not cell.text or is_same(cell, fact):
            continue
        said = f"the file says {_shown(cell.text)}"
        if fact is None or fact == "":
            yield cell, f"this item has no {name}, {said}"
        elif name == "who":
            yield cell, f"this item is {_shown(str(fact))}, {said}"
        else:
            yield cell, f"{name} of this item is {_shown(str(fact))}, {said}"


def is_same(cell: Cell, fact: Any) -> bool:
    """Return whether a cell says a fact, in whatever form a spreadsheet gave it."""
    if fact is None or fact == "":
        return not cell.text
    said, known = _plain(cell.text), _plain(str(fact))
    return said == known or _same_day(cell, known) or _same_number(said, known) or _same_text(said, str(fact))


def _plain(value: str) -> str:
    """Return a text as it is compared: without our apostrophes, invisible characters, case and extra space."""
    shown, _ = readable(cells.restored(value))
    kept = "".join(c for c in unicodedata.normalize("NFC", shown) if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.replace("\ufffd", "").split()).casefold()


def _same_day(cell: Cell, known: str) -> bool:
    """Compare a day, or a month such as a group may be named after, with the date that a spreadsheet made of it."""
    if not (found := _ISO_DAY.fullmatch(known)) or len(cell.text) > _LONGEST_DATE:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    if isinstance(cell.value, date):  # a datetime is one, too
        return (cell.value.year, cell.value.month, cell.value.day) == (year, month, day)
    if re.fullmatch(r"\d{5}(?:\.0+)?", cell.text):
        said = _FIRST_DAY + timedelta(days=int(float(cell.text)))
        return (said.year, said.month, said.day) == (year, month, day)
    # In any order: a date that was moved here from another row agrees with this one by chance alone.
    parts = sorted(map(int, re.findall(r"\d+", cell.text)[:3]))
    forms = [[day, month], [day]] if found[3] else [[day, month], [day], []]  # the month in digits, or in letters
    return any(parts == sorted([*form, shown]) for form in forms for shown in (year, year % 100))


def _same_number(said: str, known: str) -> bool:
    """Compare two numbers; what is shown as ``3.14E+14`` is held to the digits that are left of it."""
    left, right = _NUMBER.fullmatch(said), _NUMBER.fullmatch(known)
    if not left or not right:
        return False
    one, other = float(said.replace(",", ".")), float(known.replace(",", "."))
    if not (math.isfinite(one) and math.isfinite(other)):
        return False
    if left["exponent"]:
        digits = min(len(left["decimals"] or ""), _DIGITS)
        return f"{one:.{digits}e}" == f"{other:.{digits}e}"
    return math.isclose(one, other, rel_tol=1e-14)


def _same_text(said: str, fact: str) -> bool:
    """Compare a text with what an encoding leaves of it: other letters, question marks, or letters without marks."""
    if fact.isascii():
        return False
    misread = (
        fact.encode(encoding, errors="replace").decode(_LOCAL_ENCODINGS[0], errors="replace")
        for encoding in _LOCAL_ENCODINGS
    )
    return said in map(_plain, misread) or _without_marks(said) == _without_marks(_plain(fact))


def _without_marks(value: str) -> str:
    """Return a text with ``a`` for ``á`` and ``l`` for ``ł``, as programs write letters that an encoding lacks."""
    parts = unicodedata.normalize("NFKD", value)
    return "".join(_base(character) for character in parts if not unicodedata.combining(character))


def _base(character: str) -> str:
    if character.isascii():
        return character
    found = re.match(r"LATIN SMALL LETTER ([A-Z]) WITH ", unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _shown(value: str) -> str:
    return text.shorten(" ".join(text.printable(value).split()), _SHOWN)
