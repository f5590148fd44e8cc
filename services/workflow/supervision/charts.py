"""Charts as geometry: what a template draws as SVG, without a script or a style of its own.

Units are those of the drawing's ``viewBox``; a phone shows about one of them per pixel. Series are
told apart by lightness and by their order in the stack, so no colour has to be seen, and every
chart stands above a table with the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 400
# Room on the left for "10.000".
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 4, 22, 24
_HEIGHT = 220
_GAP = 0.22
_TICKS = 4


class Rect(NamedTuple):
    """A rectangle; ``series`` says which pattern fills it."""

    x: float
    y: float
    width: float
    height: float
    series: int


class Column(NamedTuple):
    """One bar of a stack with its label under it; ``marked`` has a shaded ground."""

    label: str
    middle: float
    ground: Rect
    marked: bool
    parts: list[Rect]


class Tick(NamedTuple):
    """A line across the chart at a round number."""

    y: float
    value: int


class Stack(NamedTuple):
    """A chart of stacked bars."""

    width: int
    height: int
    left: int
    base: float
    columns: list[Column]
    ticks: list[Tick]


class Row(NamedTuple):
    """A horizontal bar whose first part is shown as worse; both in drawing units."""

    y: int
    bad: float
    good: float


class Rows(NamedTuple):
    """A chart of horizontal bars, one line of text above each."""

    width: int
    height: int
    rows: list[Row]


def stack(bars: Sequence[tuple[str, Sequence[int], bool]]) -> Stack:
    """Return bars of (label, one value per series, marked), the first series at the bottom."""
    top = max((sum(values) for _, values, _ in bars), default=0)
    step = _round_step(top)
    limit = step * max(1, -(-top // step))
    base = _HEIGHT - _BOTTOM
    scale = (base - _TOP) / limit
    slot = (WIDTH - _LEFT - _RIGHT) / max(1, len(bars))
    columns = []
    for index, (label, values, marked) in enumerate(bars):
        x = _LEFT + index * slot
        ground = Rect(round(x, 2), _TOP, round(slot, 2), base - _TOP, 0)
        parts = _parts(values, x + slot * _GAP / 2, slot * (1 - _GAP), base, scale)
        columns.append(Column(label, round(x + slot / 2, 2), ground, marked, parts))
    ticks = [Tick(round(base - n * scale, 2), n) for n in range(0, limit + 1, step)]
    return Stack(WIDTH, _HEIGHT, _LEFT, base, columns, ticks)


def _parts(values: Sequence[int], x: float, width: float, base: float, scale: float) -> list[Rect]:
    parts, y = [], base
    for series, value in enumerate(values):
        if value:
            height = value * scale
            y -= height
            parts.append(Rect(round(x, 2), round(y, 2), round(width, 2), round(height, 2), series))
    return parts


def _round_step(top: int) -> int:
    """Return a step of 1, 2 or 5 times a power of ten that gives about ``_TICKS`` lines."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if top <= step * _TICKS:
                return step
        size *= 10


def rows(bars: Sequence[tuple[int, int]], line: int = 46) -> Rows:
    """Return horizontal bars of (bad, good) parts to one scale; ``line`` is the height of each."""
    top = max((bad + good for bad, good in bars), default=0) or 1
    scale = WIDTH / top
    drawn = [
        Row(index * line, round(bad * scale, 2), round(good * scale, 2))
        for index, (bad, good) in enumerate(bars)
    ]
    return Rows(WIDTH, max(1, len(bars)) * line, drawn)
