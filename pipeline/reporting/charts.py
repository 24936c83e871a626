"""Horizontal bar charts as inline SVG: label, bar, value at the end, one scale a chart.

Sizes are CSS pixels. WeasyPrint reads the ``font`` shorthand inside SVG wrongly, so family, size and weight are
written apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from pipeline.reporting.text import shorten

__all__ = ["ACCENT", "INK", "SEVERITIES", "SLATE", "Bar", "Severity", "bars"]

INK = "#16202e"
SLATE = "#51607a"
ACCENT = "#0b5c7a"

_WIDTH = 318
_LABEL_WIDTH = 100
_VALUE_WIDTH = 46
_ROW_HEIGHT = 16
_BAR_HEIGHT = 9


@dataclass(frozen=True, slots=True)
class Severity:
    """How a severity looks: a shape and a word beside the colour, so that it survives grey print."""

    shape: str
    colour: str


SEVERITIES = {
    "critical": Severity("◆", "#8f1d2c"),
    "high": Severity("▲", "#c2530a"),
    "medium": Severity("■", "#a67c00"),
    "low": Severity("●", "#4a6a8a"),
    "info": Severity("○", SLATE),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; ``shape`` stands before the label."""

    label: str
    value: int
    colour: str = ACCENT
    shape: str = ""


def bars(title: str, rows: Sequence[Bar]) -> Markup:
    """Draw the rows in their order; the title is what a screen reader says of the chart."""
    longest = max((row.value for row in rows), default=0)
    room = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    said = title + ": " + ", ".join(f"{row.label} {row.value:,}" for row in rows)
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="bars" role="img" width="{}" height="{}"'
            ' viewBox="0 0 {} {}">'
        ).format(_WIDTH, len(rows) * _ROW_HEIGHT, _WIDTH, len(rows) * _ROW_HEIGHT),
        Markup("<title>{}</title>").format(said),
    ]
    for position, row in enumerate(rows):
        # A bar of one account among thousands must still be seen; a bar of none must not.
        length = max(1.5, room * row.value / longest) if row.value else 0
        middle = position * _ROW_HEIGHT + _ROW_HEIGHT / 2
        label = shorten(row.label, 18)
        parts.append(
            Markup(
                '<text x="{x}" y="{y}" text-anchor="end" font-family="Report Sans" font-size="9.8"'
                ' fill="{slate}">{label}</text>'
                '<rect x="{left}" y="{top}" width="{length}" height="{height}" rx="1.5" fill="{colour}"/>'
                '<text x="{end}" y="{y}" font-family="Report Sans" font-size="9.8" font-weight="600"'
                ' fill="{ink}">{value}</text>'
            ).format(
                x=_LABEL_WIDTH - 8,
                y=f"{middle + 3.5:.1f}",
                slate=SLATE,
                label=Markup('<tspan fill="{}">{}</tspan> {}').format(row.colour, row.shape, label)
                if row.shape
                else escape(label),
                left=_LABEL_WIDTH,
                top=f"{middle - _BAR_HEIGHT / 2:.1f}",
                length=f"{length:.1f}",
                height=_BAR_HEIGHT,
                colour=row.colour,
                end=f"{_LABEL_WIDTH + length + 6:.1f}",
                ink=INK,
                value=f"{row.value:,}",
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)
