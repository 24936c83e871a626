"""Text that people type: reasons and names, which are kept for years and printed."""

from __future__ import annotations

import unicodedata

__all__ = ["LONGEST_TEXT", "cleaned"]

#: The most characters of a reason.
LONGEST_TEXT = 1000
#: Marks that change the direction of text, which would let a reason read as something else.
_TURNING = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def cleaned(text: str) -> str:
    """Return a text without control characters, direction marks, and space at its ends; lines end with LF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(filter(_is_kept, lines)).strip()


def _is_kept(character: str) -> bool:
    return character in "\n\t" or not (character in _TURNING or unicodedata.category(character) in {"Cc", "Cs"})
