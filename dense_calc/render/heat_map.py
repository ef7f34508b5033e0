"""The counts over two variables as a field of cells in the terminal, the larger the brighter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from dense_calc.errors import columns
from dense_calc.render import Style
from dense_calc.render.axes import Axis, Cells, human, is_wide
from dense_calc.render.frame import (
    GAP,
    NARROWEST,
    by_column,
    foot,
    name_lines,
    painted,
    signs,
    to_the_right,
    value_labels,
)
from dense_calc.render.plain_text import folded

MOST_ROWS = 24
LINES = 12  # that a few rows fill
SQUARE = 6  # columns of a cell whose label needs no more

# What fills a cell, from the smallest count to the largest: a character and its colour. Blank is
# a combination that is not there. The colours are matplotlib's viridis, on a terminal with 256.
Ramp = Sequence[tuple[str, str]]
SHADES: Ramp = [(sign, "") for sign in "░▒▓█"]
TYPED: Ramp = [(sign, "") for sign in ".:-=+*#%@"]
VIRIDIS = (53, 54, 60, 24, 30, 36, 71, 77, 113, 148, 184, 220)
COLORED: Ramp = [(" ", f"on color({color})") for color in VIRIDIS]


class Parts(Struct, frozen=True):
    """An axis in equal parts: the first label of each, the part of each value, the most in one."""

    labels: list[str]
    of: list[int]
    most: int


def parts(along: Axis, most: int, style: Style) -> Parts:
    """An axis in as many parts as it has values, or in so many if that is less."""
    labels = value_labels(along, style)
    number = min(len(labels), most)
    of = [index * number // len(labels) for index in range(len(labels))]
    return Parts([labels[of.index(part)] for part in range(number)], of, -(-len(labels) // number))


def heat_map(across: Axis, up: Axis, counts: Cells, width: int, style: Style) -> Iterator[str]:
    """The lines of a picture of two variables; none where there is no room."""
    rows = parts(up, MOST_ROWS, style)
    edge = max(map(columns, rows.labels)) + 1
    room = width - edge - 1
    if room < NARROWEST or len(human(max(counts.values()))) + GAP > width:
        return
    titles = parts(across, room, style)
    number = len(titles.labels)
    wide = min(room // number, max(SQUARE, GAP + max(map(columns, titles.labels))))
    cells = largest(counts, titles, rows)
    lines = list(zip(rows.labels, field(cells, number, len(rows.labels), wide, style), strict=True))
    yield from name_lines(up.name, width, style)
    for label, line in reversed(lines) if up.is_numeric else lines:
        yield from beside(label, line, edge, max(1, min(wide // 2, LINES // len(lines))), style)
    middles = [wide * column + wide // 2 for column in range(number)]
    yield from foot(across.name, by_column(middles, titles.labels), edge, wide * number, style)
    yield from legend(cells, width, style)
    yield from folded(remark(cells, titles.most * rows.most), width)


def largest(counts: Cells, across: Parts, up: Parts) -> dict[tuple[int, int], int]:
    """The largest count of each cell, by its column and row."""
    found: dict[tuple[int, int], int] = {}
    for (x, y), total in counts.items():
        place = across.of[x], up.of[y]
        found[place] = max(total, found.get(place, 0))
    return found


def field(cells: Cells, across: int, up: int, wide: int, style: Style) -> Iterator[str]:
    """The rows of a field of so many columns and rows, `wide` characters to a cell."""
    looks = ramp(style)
    bright = levels(cells, len(looks))
    for row in range(up):
        line = ""
        for level, run in groupby(bright.get((column, row)) for column in range(across)):
            sign, color = (" ", "") if level is None else looks[level]
            line += painted(sign * wide * len(list(run)), color, style)
        yield line.rstrip()


def beside(label: str, line: str, edge: int, tall: int, style: Style) -> Iterator[str]:
    """A row of cells with its label at its middle, so many lines high."""
    for each in range(tall):
        text = label if each == tall // 2 else ""
        yield f"{to_the_right(text, edge - 1)} {signs(style).up}{line}"


def levels(cells: Cells, steps: int) -> dict[tuple[int, int], int]:
    """How bright each cell is, of so many steps; the brightest if all are alike."""
    scale = math.log if is_wide(cells.values()) else int
    low, high = scale(min(cells.values())), scale(max(cells.values()))
    if low == high:
        return dict.fromkeys(cells, steps - 1)
    return {
        place: min(steps - 1, int(steps * ((scale(total) - low) / (high - low))))
        for place, total in cells.items()
    }


def ramp(style: Style) -> Ramp:
    """What the output can carry of brightness."""
    return COLORED if style.color else TYPED if style.ascii else SHADES


def legend(cells: Cells, width: int, style: Style) -> Iterator[str]:
    """What the darkest and the brightest mean, on two lines where one is too short."""
    low, high = (human(each) for each in (min(cells.values()), max(cells.values())))
    shown = [painted(sign, color, style) for sign, color in ramp(style)]
    if low == high:
        yield f"{shown[-1]} {high}"
    elif len(low) + len(shown) + len(high) + 2 <= width:
        yield f"{low} {''.join(shown)} {high}"
    else:
        yield from (f"{shown[0]} {low}", f"{shown[-1]} {high}")


def remark(cells: Cells, most: int) -> str:
    """What is counted, how brightness tells it, and what a cell is that stands for several."""
    scale = ", on a logarithmic scale" if is_wide(cells.values()) else ""
    share = f"; a cell is the largest of up to {most:,} combinations" if most > 1 else ""
    return f"params{scale}{share}"
