"""The pages of rows in the annex: their text as operators of a PDF, and what only WeasyPrint can set.

Places are those of ``annex.css``, so that a text is in the same place whichever way it is set.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.reporting.typeface import Typeface

__all__ = ["ROWS_A_PAGE", "AnnexColumn", "AnnexPage", "AnnexPages", "AnnexText"]

#: Lines that a landscape page has room for.
ROWS_A_PAGE = 40
#: Points in a millimetre.
_MM = 72 / 25.4
#: Height and width of a page, its margins, and where rows and the last line begin, from the top: mm.
_HEIGHT, _WIDTH, _MARGIN, _ROWS, _FOOT = 210.0, 297.0, 14.0, 28.6, 194.0
#: Height of a line, and from its top to the feet of its letters: mm. Inter rises 0.969 em and descends 0.242 em.
_LINE, _SIZE = 4.0, 7.2
_FEET = _LINE / 2 + (0.969 - 0.242) / 2 * _SIZE / _MM
#: Red, green and blue of rows and of page numbers: #16202e and #51607a.
_INK, _PALE = "0.086 0.125 0.18", "0.318 0.376 0.478"


@dataclass(frozen=True, slots=True)
class AnnexColumn:
    """One column of a page: its heading, its left edge and width in mm, and the letters that fit."""

    key: str
    title: str
    left: float
    width: float
    letters: int


@dataclass(frozen=True, slots=True)
class AnnexText:
    """A text that WeasyPrint sets: the place of its column, from 1, the top of its row in mm, and its one line."""

    column: int
    top: float
    text: str


@dataclass(frozen=True, slots=True)
class AnnexPage:
    """What WeasyPrint sets on one page, and the number of the page."""

    number: int
    texts: tuple[AnnexText, ...]


class AnnexPages:
    """The pages behind the cover, one after the other. ``contents`` are their operators, compressed.

    ``count`` is the number of all pages, the cover included.
    """

    def __init__(self, typeface: Typeface, columns: Sequence[AnnexColumn], count: int) -> None:
        self.typeface = typeface
        self.contents: list[bytes] = []
        self._columns = columns
        self._count = count

    def draw(self, rows: Sequence[Sequence[str]]) -> AnnexPage | None:
        """Draw the next page, of rows with a text for each column; return what is left to WeasyPrint, if anything."""
        number = len(self.contents) + 2
        operators = ["q /Frame Do Q"]
        left: list[AnnexText] = []
        for place, texts in enumerate(zip(*rows, strict=True)):
            lines = [self.typeface.line(text) for text in texts]
            operators += _clipped(self._columns[place], lines)
            left += (
                AnnexText(place + 1, row * _LINE, text)
                for row, (line, text) in enumerate(zip(lines, texts, strict=True))
                if line is None
            )
        operators += self._number(f"{number} of {self._count}")
        if left:
            operators.append("q /Others Do Q")
        self.contents.append(zlib.compress("\n".join(operators).encode()))
        return AnnexPage(number, tuple(left)) if left else None

    def _number(self, text: str) -> list[str]:
        """Return the operators that show the number of a page at its right edge."""
        right = (_WIDTH - _MARGIN) * _MM - self.typeface.width(text) * _SIZE
        return [
            f"BT /Text {_SIZE} Tf {_PALE} rg 1 0 0 1 {right:.2f} {_up(_FOOT + _FEET)} Tm",
            self.typeface.line(text) or "",
            "ET",
        ]


def _clipped(column: AnnexColumn, lines: Sequence[str | None]) -> list[str]:
    """Return the operators that show lines, one for each row, and nothing of them outside the column."""
    left = f"{(_MARGIN + column.left) * _MM:.2f}"
    bottom = _up(_ROWS + _LINE * ROWS_A_PAGE)
    return [
        f"q {left} {bottom} {column.width * _MM:.2f} {_LINE * ROWS_A_PAGE * _MM:.2f} re W n",
        f"BT /Text {_SIZE} Tf {_INK} rg {_LINE * _MM:.4f} TL 1 0 0 1 {left} {_up(_ROWS + _FEET)} Tm",
        *(f"{line} T*" if line else "T*" for line in lines),
        "ET Q",
    ]


def _up(down: float) -> str:
    """Return a place in points from the bottom of the page, of one in mm from its top."""
    return f"{(_HEIGHT - down) * _MM:.2f}"
