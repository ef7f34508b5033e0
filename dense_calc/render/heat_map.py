"""The counts over two variables as a field of cells in the terminal, the larger the brighter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from dense_calc.errors import display_width
from dense_calc.render import Style
from dense_calc.render.axes import CellCounts, VariableAxis, human_count, needs_log_scale
from dense_calc.render.frame import (
    LABEL_GAP,
    MIN_PICTURE_WIDTH,
    align_right,
    axis_signs,
    labels_by_column,
    lower_axis_lines,
    name_lines,
    paint_text,
    value_labels,
)
from dense_calc.render.plain_text import fold_text

_MAX_MAP_ROWS = 24
_MAP_HEIGHT = 12  # that a few rows fill
_MIN_CELL_WIDTH = 6  # columns of a cell whose label needs no more

# What fills a cell, from the smallest count to the largest: a character and its colour. Blank is
# a combination that is not there. The colours are matplotlib's viridis, on a terminal with 256.
_BrightnessRamp = Sequence[tuple[str, str]]
_SHADE_RAMP: _BrightnessRamp = [(sign, "") for sign in "░▒▓█"]
_ASCII_RAMP: _BrightnessRamp = [(sign, "") for sign in ".:-=+*#%@"]
_VIRIDIS_COLORS = (53, 54, 60, 24, 30, 36, 71, 77, 113, 148, 184, 220)
_COLOR_RAMP: _BrightnessRamp = [(" ", f"on color({color})") for color in _VIRIDIS_COLORS]


class _AxisParts(Struct, frozen=True):
    """An axis in equal parts: the first label of each, the part of each value, the most in one."""

    labels: list[str]
    part_indices: list[int]
    max_values: int


def _partition_axis(along: VariableAxis, most: int, style: Style) -> _AxisParts:
    """An axis in as many parts as it has values, or in so many if that is less."""
    labels = value_labels(along, style)
    number = min(len(labels), most)
    of = [index * number // len(labels) for index in range(len(labels))]
    return _AxisParts(
        [labels[of.index(part)] for part in range(number)], of, -(-len(labels) // number)
    )


def heat_map_lines(
    across: VariableAxis, up: VariableAxis, counts: CellCounts, width: int, style: Style
) -> Iterator[str]:
    """The lines of a picture of two variables; none where there is no room."""
    rows = _partition_axis(up, _MAX_MAP_ROWS, style)
    edge = max(map(display_width, rows.labels)) + 1
    room = width - edge - 1
    if room < MIN_PICTURE_WIDTH or len(human_count(max(counts.values()))) + LABEL_GAP > width:
        return
    titles = _partition_axis(across, room, style)
    number = len(titles.labels)
    wide = min(
        room // number, max(_MIN_CELL_WIDTH, LABEL_GAP + max(map(display_width, titles.labels)))
    )
    cells = _largest_counts(counts, titles, rows)
    lines = list(
        zip(rows.labels, _field_lines(cells, number, len(rows.labels), wide, style), strict=True)
    )
    yield from name_lines(up.name, width, style)
    for label, line in reversed(lines) if up.is_numeric else lines:
        yield from _cell_row_lines(
            label, line, edge, max(1, min(wide // 2, _MAP_HEIGHT // len(lines))), style
        )
    middles = [wide * column + wide // 2 for column in range(number)]
    yield from lower_axis_lines(
        across.name, labels_by_column(middles, titles.labels), edge, wide * number, style
    )
    yield from _legend_lines(cells, width, style)
    yield from fold_text(_heat_map_note(cells, titles.max_values * rows.max_values), width)


def _largest_counts(
    counts: CellCounts, across: _AxisParts, up: _AxisParts
) -> dict[tuple[int, int], int]:
    """The largest count of each cell, by its column and row."""
    found: dict[tuple[int, int], int] = {}
    for (x, y), total in counts.items():
        place = across.part_indices[x], up.part_indices[y]
        found[place] = max(total, found.get(place, 0))
    return found


def _field_lines(cells: CellCounts, across: int, up: int, wide: int, style: Style) -> Iterator[str]:
    """The rows of a field of so many columns and rows, `wide` characters to a cell."""
    looks = _brightness_ramp(style)
    bright = _brightness_levels(cells, len(looks))
    for row in range(up):
        line = ""
        for level, run in groupby(bright.get((column, row)) for column in range(across)):
            sign, color = (" ", "") if level is None else looks[level]
            line += paint_text(sign * wide * len(list(run)), color, style)
        yield line.rstrip()


def _cell_row_lines(label: str, line: str, edge: int, tall: int, style: Style) -> Iterator[str]:
    """A row of cells with its label at its middle, so many lines high."""
    for each in range(tall):
        text = label if each == tall // 2 else ""
        yield f"{align_right(text, edge - 1)} {axis_signs(style).vertical}{line}"


def _brightness_levels(cells: CellCounts, steps: int) -> dict[tuple[int, int], int]:
    """How bright each cell is, of so many steps; the brightest if all are alike."""
    scale = math.log if needs_log_scale(cells.values()) else int
    low, high = scale(min(cells.values())), scale(max(cells.values()))
    if low == high:
        return dict.fromkeys(cells, steps - 1)
    return {
        place: min(steps - 1, int(steps * ((scale(total) - low) / (high - low))))
        for place, total in cells.items()
    }


def _brightness_ramp(style: Style) -> _BrightnessRamp:
    """What the output can carry of brightness."""
    return _COLOR_RAMP if style.color else _ASCII_RAMP if style.ascii else _SHADE_RAMP


def _legend_lines(cells: CellCounts, width: int, style: Style) -> Iterator[str]:
    """What the darkest and the brightest mean, on two lines where one is too short."""
    low, high = (human_count(each) for each in (min(cells.values()), max(cells.values())))
    shown = [paint_text(sign, color, style) for sign, color in _brightness_ramp(style)]
    if low == high:
        yield f"{shown[-1]} {high}"
    elif len(low) + len(shown) + len(high) + 2 <= width:
        yield f"{low} {''.join(shown)} {high}"
    else:
        yield from (f"{shown[0]} {low}", f"{shown[-1]} {high}")


def _heat_map_note(cells: CellCounts, most: int) -> str:
    """What is counted, how brightness tells it, and what a cell is that stands for several."""
    scale = ", on a logarithmic scale" if needs_log_scale(cells.values()) else ""
    share = f"; a cell is the largest of up to {most:,} combinations" if most > 1 else ""
    return f"params{scale}{share}"
