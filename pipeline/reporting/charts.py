"""Charts as inline SVG: a small chart for each line.

Sizes are CSS pixels. WeasyPrint reads the ``font`` shorthand inside SVG wrongly, so family, size and weight are
written apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["ACCENT", "INK", "SEVERITIES", "SLATE", "Line", "Severity", "lines"]

INK = "#16202e"
SLATE = "#51607a"
ACCENT = "#0b5c7a"

#: Width of a chart of lines, and the left and right edge of its plots.
_LINES_WIDTH, _LEFT, _RIGHT = 372, 98, 330
#: Height of the plot of one line, the room above and below the line, and the height of the names of the positions.
_PANEL_HEIGHT, _PANEL_MARGIN, _AXIS_HEIGHT = 32, 6, 20


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
class Line:
    """One line: a value for each position, each marked by ``shape``."""

    label: str
    shape: str
    colour: str
    values: tuple[int, ...]


def lines(title: str, positions: Sequence[str], rows: Sequence[Line]) -> Markup:
    """Draw each row as a small chart over the positions, with its name before it and its values at both ends.

    Each has a scale of its own that begins at zero, so that many findings of one severity do not flatten the others.
    The title is what a screen reader says, with all values.
    """
    said = f"{title}. " + " ".join(
        f"{row.label}: "
        + ", ".join(f"{value:,} on {position}" for position, value in zip(positions, row.values, strict=True))
        + "."
        for row in rows
    )
    height = len(rows) * _PANEL_HEIGHT + _AXIS_HEIGHT
    step = (_RIGHT - _LEFT) / max(len(positions) - 1, 1)
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="lines" role="img" width="{0}" height="{1}"'
            ' viewBox="0 0 {0} {1}"><title>{2}</title>'
        ).format(_LINES_WIDTH, height, said)
    ]
    for place, row in enumerate(rows):
        parts += _panel(row, (place + 1) * _PANEL_HEIGHT - _PANEL_MARGIN, step)
    shown = _labelled_positions(len(positions))
    for place, position in enumerate(positions):
        if place in shown and (place == 0 or position != positions[0]):  # two reports of one day need no two names
            parts.append(_text(_LEFT + place * step, height - 4, position, _anchor(place, len(positions)), SLATE))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _panel(row: Line, zero: float, step: float) -> Iterator[Markup]:
    """Draw one row, with the height of zero and the distance of two positions."""
    top = max(row.values, default=0) or 1
    room = _PANEL_HEIGHT - 2 * _PANEL_MARGIN
    points = [(_LEFT + place * step, zero - room * value / top) for place, value in enumerate(row.values)]
    yield Markup('<path d="M{} {y}H{}" stroke="#d9dfe8" stroke-width="0.7" fill="none"/>').format(
        _LEFT, _RIGHT, y=f"{zero:.1f}"
    )
    yield Markup('<path d="M{}" stroke="{}" stroke-width="1.4" fill="none"/>').format(
        "L".join(f"{x:.1f} {y:.1f}" for x, y in points), row.colour
    )
    yield from (_text(x, y + 3, row.shape, "middle", row.colour) for x, y in points)
    name = Markup('<tspan fill="{}">{}</tspan> {}').format(row.colour, row.shape, row.label)
    yield _text(0, zero, name, "start", SLATE)
    yield _text(_LEFT - 9, points[0][1] + 3, f"{row.values[0]:,}", "end", SLATE)
    last = Markup('<tspan font-weight="600">{}</tspan>').format(f"{row.values[-1]:,}")
    yield _text(_RIGHT + 9, points[-1][1] + 3, last, "start", INK)


def _text(x: float, y: float, words: str, anchor: str, colour: str) -> Markup:
    return Markup(
        '<text x="{}" y="{}" text-anchor="{}" font-family="Report Sans" font-size="9.2" fill="{}">{}</text>'
    ).format(f"{x:.1f}", f"{y:.1f}", anchor, colour, words)


def _anchor(place: int, places: int) -> str:
    return "start" if place == 0 else "end" if place == places - 1 else "middle"


def _labelled_positions(places: int) -> set[int]:
    """Return the positions whose names fit: the first, the last, and one between if there are enough."""
    return {0, places - 1} | ({places // 2} if places > 2 and places % 2 else set())
