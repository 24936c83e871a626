"""Sets lines of text in a bundled font as operators of a PDF, a hundred times faster than a paragraph of WeasyPrint.

HarfBuzz shapes each pair of neighbouring characters once: its first glyph, and how far the two are kerned. A line is
then a lookup for each character. That is right only for scripts in which every character has one glyph, written from
left to right. A line with any other character is left to Pango, which finds fonts and shapes for every script.
"""

from __future__ import annotations

import hashlib
import string
import unicodedata
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf

__all__ = ["Typeface"]

#: Digits of equal width; no contextual forms, which show ``->`` as an arrow and the x of ``1x2`` as a sign.
_FEATURES = {"kern": True, "tnum": True, "calt": False, "liga": False, "clig": False}
#: Follows the last character, so that every one has a pair. No line contains it.
_END = "\n"
#: Categories of characters that stand alone: letters, figures, punctuation, symbols and spaces. Marks combine.
_ALONE = ("L", "N", "P", "S", "Z")
#: Units of an em in a PDF, for widths and kerning.
_EM = 1000
#: Entries of one block of a character map (PDF 32000-1, 9.10.3).
_BLOCK = 100
_CHARACTER_MAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
{blocks}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class Typeface:
    """A font for one document: it remembers which glyphs were used, and embeds those."""

    def __init__(self, path: Path) -> None:
        import uharfbuzz

        self._name = path.stem
        self._face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        self._font = uharfbuzz.Font(self._face)
        self._font.scale = (_EM, _EM)
        self._known = frozenset(self._face.unicodes)
        self._characters: dict[int, str] = {}
        self._steps = _Steps(self)

    def line(self, text: str) -> str | None:
        """Return the operator that shows a line of text, or None if this font cannot set it."""
        try:
            return f"[<{''.join(map(self._steps.__getitem__, zip(text, text[1:] + _END, strict=False)))}>] TJ"
        except KeyError:
            return None

    def width(self, text: str) -> float:
        """Return the width of a text in em."""
        return sum(advance for _, advance in self.shaped(text)) / _EM

    def shaped(self, text: str) -> list[tuple[int, int]]:
        """Return the glyphs of a text and their advances, in thousandths of an em."""
        import uharfbuzz

        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(self._font, buffer, _FEATURES)
        return [
            (info.codepoint, position.x_advance)
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        ]

    def code(self, first: str, second: str) -> str:
        """Return the code of the first of two characters, and the kerning between them.

        Raises:
            KeyError: the font cannot set it, or not so that the character can be read back.
        """
        if ord(first) not in self._known or not unicodedata.category(first).startswith(_ALONE):
            raise KeyError(first)
        ((glyph, alone),) = self.shaped(first)
        # Greek letters share glyphs with symbols. The first of them that is used is what a search finds.
        if self._characters.setdefault(glyph, first) != first:
            raise KeyError(first)
        if ord(second) not in self._known:
            return f"{glyph:04x}"
        shaped = self.shaped(first + second)
        is_pair = len(shaped) == 2 and shaped[0][0] == glyph
        kerning = alone - shaped[0][1] if is_pair else 0
        return f"{glyph:04x}>{kerning}<" if kerning else f"{glyph:04x}"

    def embedded(self, document: pikepdf.Pdf) -> pikepdf.Object:
        """Add the glyphs that were used to a document; return the font, whose codes are glyphs."""
        from pikepdf import Dictionary, Name

        program = self._subset()
        name = Name(f"/{_tag(program)}+{self._name}")
        extents = self._font.get_font_extents("ltr")
        ascent, descent = extents.ascender, extents.descender
        widths: list[Any] = []
        for glyph in sorted(self._characters):
            widths += [glyph, [self._font.get_glyph_h_advance(glyph)]]
        file = document.make_stream(zlib.compress(program), Filter=Name.FlateDecode, Subtype=Name.CIDFontType0C)
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=name, Flags=4, FontBBox=[-_EM, -_EM, 2 * _EM, 2 * _EM], ItalicAngle=0,
            Ascent=ascent, Descent=descent, CapHeight=ascent, StemV=80, FontFile3=file,
        )  # fmt: skip
        descendant = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType0, BaseFont=name, W=widths,
            CIDSystemInfo=Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
            FontDescriptor=document.make_indirect(descriptor),
        )  # fmt: skip
        font = Dictionary(
            Type=Name.Font, Subtype=Name.Type0, BaseFont=name, Encoding=Name("/Identity-H"),
            DescendantFonts=[document.make_indirect(descendant)],
            ToUnicode=document.make_stream(self._character_map()),
        )  # fmt: skip
        return document.make_indirect(font)

    def _subset(self) -> bytes:
        """Return the outlines of the glyphs that were used, under their numbers in the whole font."""
        import uharfbuzz

        wanted = uharfbuzz.SubsetInput()
        wanted.glyph_set.update(self._characters)
        wanted.layout_feature_tag_set.clear()
        wanted.flags = (
            uharfbuzz.SubsetFlags.RETAIN_GIDS
            | uharfbuzz.SubsetFlags.NO_HINTING
            | uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
        )
        return bytes(uharfbuzz.subset(self._face, wanted).reference_table("CFF ").data)

    def _character_map(self) -> bytes:
        """Return which character each glyph shows, for searches and copies."""
        entries = [
            f"<{glyph:04x}> <{character.encode('utf-16-be').hex()}>"
            for glyph, character in sorted(self._characters.items())
        ]
        blocks = (entries[start : start + _BLOCK] for start in range(0, len(entries), _BLOCK))
        return _CHARACTER_MAP.format(
            blocks="\n".join("\n".join((f"{len(block)} beginbfchar", *block, "endbfchar")) for block in blocks)
        ).encode()


class _Steps(dict[tuple[str, str], str]):
    """Each pair of characters that was met, and its code."""

    def __init__(self, typeface: Typeface) -> None:
        super().__init__()
        self._typeface = typeface

    def __missing__(self, pair: tuple[str, str]) -> str:
        self[pair] = code = self._typeface.code(*pair)
        return code


def _tag(program: bytes) -> str:
    """Return the six letters that name a subset, the same ones for the same glyphs."""
    number = int.from_bytes(hashlib.sha256(program).digest()[:8], "big")
    return "".join(string.ascii_uppercase[number // 26**place % 26] for place in range(6))
