"""Normalises the text of cells and headings."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

__all__ = ["TableError", "column_name", "letters", "refuse_repeated", "trimmed", "visible"]

#: Invisible characters: controls, soft hyphen, zero-width and directional marks, fillers, variation selectors.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_ENDS = re.compile(rf"^(?:\s|{_INVISIBLE.pattern})+|(?:\s|{_INVISIBLE.pattern})+$")


class TableError(ValueError):
    """A table that cannot be read without guessing. ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def visible(text: str) -> str:
    """Return a text in composed form, without invisible characters and without Unicode spaces around it."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).strip()


def trimmed(text: str) -> str:
    """Return a text in composed form, without invisible characters and Unicode spaces at its ends."""
    return _ENDS.sub("", unicodedata.normalize("NFC", text))


def column_name(heading: str) -> str:
    """Return a heading as a column's name: in lower case, with ``_`` for spaces and hyphens."""
    return re.sub(r"[\s_-]+", "_", visible(heading).lower())


def letters(column: int) -> str:
    """Return the letters that a spreadsheet gives a column, counted from 0: ``A``, ``B``, ``AA``."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def refuse_repeated(names: Sequence[str], *, is_sheet: bool = False) -> None:
    """Refuse a header that has the same name twice, since either column could be meant.

    Raises:
        TableError: there is such a name. The message has the position of both columns, or their letters in a sheet.
    """
    for name, occurrences in Counter(filter(None, names)).items():
        if occurrences > 1:
            places = [index for index, each in enumerate(names) if each == name]
            shown = " and ".join(f"column {letters(p)}" if is_sheet else f"column {p + 1}" for p in places)
            raise TableError(f"there are {_number(occurrences)} columns '{name}': {shown}", "keep one of them")


def _number(count: int) -> str:
    return {2: "two", 3: "three"}.get(count, str(count))
