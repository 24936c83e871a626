"""Finds the characters that neither the bundled fonts nor any font of the system could show.

Pango knows best: it chooses the font of every character, and WeasyPrint logs each one that was left without a glyph
while it draws. This listens to that log, so what is warned of is exactly what became a box.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import Self

__all__ = ["MissingGlyphs", "warnings"]

_EXAMPLES = 3


class MissingGlyphs(logging.Handler):
    """While entered, collects in ``characters`` what was drawn without a glyph."""

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


def warnings(characters: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Say in one sentence a character which of the names have it, so that somebody can install a font."""
    said = []
    known = sorted({name for name in names if name})
    for character in sorted(characters):
        holders = [name for name in known if character in name]
        examples = ", ".join(f"'{name}'" for name in holders[:_EXAMPLES]) or "the report"
        more = f" and {len(holders) - _EXAMPLES} more" if len(holders) > _EXAMPLES else ""
        said.append(
            f"no font on this system shows U+{ord(character):04X}; in the PDF it is an empty box in {examples}{more}"
            " (Debian has most scripts in fonts-noto-core and fonts-noto-cjk)"
        )
    return tuple(said)
