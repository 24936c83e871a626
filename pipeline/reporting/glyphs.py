"""Finds the characters that neither the bundled fonts nor any font of the system could show.

Pango decides: it chooses the font of every character, and WeasyPrint logs each one that was left without a glyph
while it draws. This listens to that log, so what is warned of is exactly what became a box.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self

from pipeline.reporting.text import printable, shorten

__all__ = ["MissingGlyphs", "warning"]

_EXAMPLES = 3


class MissingGlyphs(logging.Handler):
    """Collects in ``characters`` what WeasyPrint draws without a glyph inside the ``with`` block."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.characters: set[str] = set()
        self._logger = logging.getLogger("weasyprint")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the character of a message about a missing glyph; the other messages are not ours."""
        if str(record.msg).startswith(".notdef") and isinstance(record.args, tuple):
            self.characters.add(str(record.args[0]))

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)


def warning(characters: Collection[str], names: Iterable[str]) -> str:
    """Return a warning that names the characters without a glyph and the names that contain them."""
    holders = sorted({name for name in names if any(character in name for character in characters)})
    codes = _some([f"U+{ord(character):04X}" for character in sorted(characters)])
    owners = _some([f"'{shorten(printable(name), 40)}'" for name in holders]) or "the report"
    return (
        f"no font on this system shows {codes}: the PDF has empty boxes in {owners}; install fonts for that script"
        " (Debian: fonts-noto-core, fonts-noto-cjk) and run 'access-review report' again"
    )


def _some(words: list[str]) -> str:
    more = len(words) - _EXAMPLES
    return ", ".join(words[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
