"""Charts as inline SVG: horizontal bars with the value at the end, and lines with a label at the end.

Sizes are CSS pixels. WeasyPrint reads the ``font`` shorthand inside SVG wrongly, so family, size and weight are
written apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from pipeline.reporting.text import shorten

__all__ = ["ACCENT", "INK", "SEVERITIES", "SLATE", "Bar", "Line", "Severity", "bars", "lines"]

INK = "#16202e"
SLATE = "#51607a"
ACCENT = "#0b5c7a"

_WIDTH = 318
_LABEL_WIDTH = 100
_VALUE_WIDTH = 46
_ROW_HEIGHT = 16
_BAR_HEIGHT = 9
#: Size of a chart of lines, and its plot: left, top, right and bottom edge.
_LINES_WIDTH, _LINES_HEIGHT = 372, 158
_LEFT, _TOP, _RIGHT, _BOTTOM = 34, 8, 282, 132
#: Least distance of two labels at the ends of lines.
_LABEL_HEIGHT = 12


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


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a value for each position, each marked by ``shape``."""

    label: str
    shape: str
    colour: str
    values: tuple[int, ...]


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


def lines(title: str, positions: Sequence[str], rows: Sequence[Line]) -> Markup:
    """Draw a line for each row over the positions, each with its name and last value at the end.

    The shapes tell the lines apart without colour. The title is what a screen reader says, with all values.
    """
    said = f"{title}. " + " ".join(
        f"{row.label}: "
        + ", ".join(f"{value:,} on {position}" for position, value in zip(positions, row.values, strict=True))
        + "."
        for row in rows
    )
    top = _round_up(max((value for row in rows for value in row.values), default=0))
    step = (_RIGHT - _LEFT) / max(len(positions) - 1, 1)

    def height(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value / top

    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="lines" role="img" width="{0}" height="{1}"'
            ' viewBox="0 0 {0} {1}"><title>{2}</title>'
        ).format(_LINES_WIDTH, _LINES_HEIGHT, said)
    ]
    for value in dict.fromkeys((0, top // 2, top)):
        parts.append(
            Markup('<path d="M{} {y}H{}" stroke="#d9dfe8" stroke-width="0.7" fill="none"/>').format(
                _LEFT, _RIGHT, y=f"{height(value):.1f}"
            )
        )
        parts.append(_text(_LEFT - 6, height(value) + 3, f"{value:,}", "end", SLATE))
    shown = _labelled_positions(len(positions))
    for place, position in enumerate(positions):
        if place in shown:
            parts.append(_text(_LEFT + place * step, _BOTTOM + 16, position, _anchor(place, len(positions)), SLATE))
    for row in rows:
        points = [(_LEFT + place * step, height(value)) for place, value in enumerate(row.values)]
        parts.append(
            Markup('<path d="M{}" stroke="{}" stroke-width="1.4" fill="none"/>').format(
                "L".join(f"{x:.1f} {y:.1f}" for x, y in points), row.colour
            )
        )
        parts += [_text(x, y + 3, row.shape, "middle", row.colour) for x, y in points]
    for row, y in zip(rows, _spread([height(row.values[-1]) for row in rows]), strict=True):
        label = Markup('<tspan fill="{}">{}</tspan> {} <tspan font-weight="600" fill="{}">{}</tspan>').format(
            row.colour, row.shape, row.label, INK, f"{row.values[-1]:,}"
        )
        parts.append(_text(_RIGHT + 10, y + 3, label, "start", SLATE))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _text(x: float, y: float, words: str, anchor: str, colour: str) -> Markup:
    return Markup(
        '<text x="{}" y="{}" text-anchor="{}" font-family="Report Sans" font-size="9.2" fill="{}">{}</text>'
    ).format(f"{x:.1f}", f"{y:.1f}", anchor, colour, words)


def _anchor(place: int, places: int) -> str:
    return "start" if place == 0 else "end" if place == places - 1 else "middle"


def _labelled_positions(places: int) -> set[int]:
    """Return the positions whose names fit: the first, the last, and one between if there are enough."""
    return {0, places - 1} | ({places // 2} if places > 2 and places % 2 else set())


def _round_up(value: int) -> int:
    """Return an even round number that is at least the value, so that half of it is whole."""
    size = 1
    while True:
        for digit in (2, 4, 6, 8, 10):
            if digit * size >= value:
                return digit * size
        size *= 10


def _spread(heights: Sequence[float]) -> list[float]:
    """Move labels that would overlap down, and all of them up where the last would leave the plot."""
    placed = sorted(range(len(heights)), key=lambda row: (heights[row], row))
    result = [0.0] * len(heights)
    lowest = float("-inf")
    for row in placed:
        lowest = result[row] = max(heights[row], lowest + _LABEL_HEIGHT)
    highest = float("inf")
    limit = float(_BOTTOM)
    for row in reversed(placed):
        highest = result[row] = min(result[row], limit, highest - _LABEL_HEIGHT)
    return result
