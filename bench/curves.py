"""Curves over sizes with logarithmic axes, as a self-contained SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Series = Mapping[str, Sequence[float]]

#: Dashes and labels distinguish the curves too, not only colours.
_STYLES = (("#0b5c7a", ""), ("#c2530a", "7 3"), ("#51607a", "2 3"), ("#8f1d2c", "9 3 2 3"))
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 330, 230, 60, 40, 150


def draw(sizes: Sequence[int], panels: Sequence[tuple[str, Series]]) -> str:
    """Return one panel for each (title, series), side by side; ``sizes`` are the numbers of accounts."""
    width = len(panels) * (_WIDTH + _GAP) + _LEFT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT + 100}" role="img" '
        'font-family="Inter, sans-serif" font-size="11" fill="#16202e">',
        "<title>Time and peak memory of each stage by number of accounts</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for number, (title, series) in enumerate(panels):
        parts += _panel(_LEFT + number * (_WIDTH + _GAP), title, sizes, series)
    return "\n".join([*parts, "</svg>", ""])


def _panel(left: int, title: str, sizes: Sequence[int], series: Series) -> list[str]:
    values = [max(value, 0.01) for line in series.values() for value in line]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(size: float) -> float:
        span = math.log10(sizes[-1]) - math.log10(sizes[0])
        return left + _WIDTH * (math.log10(size) - math.log10(sizes[0])) / span

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (high - math.log10(max(value, 0.01))) / (high - low)

    parts = [f'<text x="{left}" y="20" font-weight="600">{title}</text>']
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{left} {at:.1f}h{_WIDTH}" stroke="#d9dfe8"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10**power:,g}</text>')
    bottom = _TOP + _HEIGHT + 20
    parts += [f'<text x="{x(size):.1f}" y="{bottom}" text-anchor="middle">{size:,}</text>' for size in sizes]
    parts.append(f'<text x="{left}" y="{_TOP + _HEIGHT + 40}">accounts</text>')
    labels = _apart([(y(line[-1]), name) for name, line in series.items()])
    for (name, line), (colour, dash) in zip(series.items(), _STYLES, strict=False):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, line, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts.append(
            f'<text x="{left + _WIDTH + 8}" y="{labels[name] + 4:.1f}" fill="{colour}">{name} {line[-1]:,.4g}</text>'
        )
    return parts


def _apart(wanted: Sequence[tuple[float, str]]) -> dict[str, float]:
    """Return a height for each label, near the wanted one and at least a line apart."""
    placed: dict[str, float] = {}
    last = -math.inf
    for height, name in sorted(wanted):
        last = max(height, last + 14)
        placed[name] = last
    return placed
