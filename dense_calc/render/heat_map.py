"""Counts over two variables as a heat map in the terminal: the larger, the brighter."""

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
    axis_signs,
    labels_by_column,
    lower_axis_lines,
    name_lines,
    paint_text,
    value_labels,
)
from dense_calc.render.plain_text import align_right, fold_text

_MAX_MAP_ROWS = 24
_MAP_HEIGHT = 12  # lines that a map with few rows fills
_MIN_CELL_WIDTH = 6  # columns

# The characters of cells and their colours, from the smallest count to the largest. A missing
# combination is blank. The colours are matplotlib's viridis among the 256 of a terminal.
_BrightnessRamp = Sequence[tuple[str, str]]
_SHADE_RAMP: _BrightnessRamp = [(sign, "") for sign in "░▒▓█"]
_ASCII_RAMP: _BrightnessRamp = [(sign, "") for sign in ".:-=+*#%@"]
_VIRIDIS_COLORS = (53, 54, 60, 24, 30, 36, 71, 77, 113, 148, 184, 220)
_COLOR_RAMP: _BrightnessRamp = [(" ", f"on color({color})") for color in _VIRIDIS_COLORS]


class _AxisParts(Struct, frozen=True):
    """An axis cut into parts: the first label of each, and the part that each value belongs to.

    No part has more than `max_values` values.
    """

    labels: list[str]
    part_indices: list[int]
    max_values: int


def _partition_axis(axis: VariableAxis, max_parts: int, style: Style) -> _AxisParts:
    """An axis with a part for each value, or in `max_parts` parts if it has more values."""
    labels = value_labels(axis, style)
    number = min(len(labels), max_parts)
    parts = [index * number // len(labels) for index in range(len(labels))]
    first_labels = [labels[parts.index(part)] for part in range(number)]
    return _AxisParts(first_labels, parts, -(-len(labels) // number))


def heat_map_lines(
    across: VariableAxis, up: VariableAxis, counts: CellCounts, width: int, style: Style
) -> Iterator[str]:
    """The lines of a heat map; none without room."""
    rows = _partition_axis(up, _MAX_MAP_ROWS, style)
    edge = max(map(display_width, rows.labels)) + 1
    room = width - edge - 1
    if room < MIN_PICTURE_WIDTH or len(human_count(max(counts.values()))) + LABEL_GAP > width:
        return
    titles = _partition_axis(across, room, style)
    number = len(titles.labels)
    label_width = LABEL_GAP + max(map(display_width, titles.labels))
    cell_width = min(room // number, max(_MIN_CELL_WIDTH, label_width))
    cell_height = max(1, min(cell_width // 2, _MAP_HEIGHT // len(rows.labels)))
    cells = _largest_counts(counts, titles, rows)
    field = _field_lines(cells, number, len(rows.labels), cell_width, style)
    lines = list(zip(rows.labels, field, strict=True))
    yield from name_lines(up.name, width, style)
    for label, line in reversed(lines) if up.is_numeric else lines:
        yield from _cell_row_lines(label, line, edge, cell_height, style)
    middles = [cell_width * column + cell_width // 2 for column in range(number)]
    labels = labels_by_column(middles, titles.labels)
    yield from lower_axis_lines(across.name, labels, edge, cell_width * number, style)
    yield from _legend_lines(cells, width, style)
    yield from fold_text(_heat_map_note(cells, titles.max_values * rows.max_values), width)


def _largest_counts(
    counts: CellCounts, across: _AxisParts, up: _AxisParts
) -> dict[tuple[int, int], int]:
    """The largest count in each cell, by its column and row."""
    largest: dict[tuple[int, int], int] = {}
    for (x, y), total in counts.items():
        place = across.part_indices[x], up.part_indices[y]
        largest[place] = max(total, largest.get(place, 0))
    return largest


def _field_lines(
    cells: CellCounts, columns: int, rows: int, cell_width: int, style: Style
) -> Iterator[str]:
    """The rows of a field of cells, one line each."""
    ramp = _brightness_ramp(style)
    levels = _brightness_levels(cells, len(ramp))
    for row in range(rows):
        line = ""
        for level, run in groupby(levels.get((column, row)) for column in range(columns)):
            sign, color = (" ", "") if level is None else ramp[level]
            line += paint_text(sign * cell_width * len(list(run)), color, style)
        yield line.rstrip()


def _cell_row_lines(label: str, line: str, edge: int, height: int, style: Style) -> Iterator[str]:
    """A row of cells, `height` lines high, its label at the middle one."""
    for index in range(height):
        text = label if index == height // 2 else ""
        yield f"{align_right(text, edge - 1)} {axis_signs(style).vertical}{line}"


def _brightness_levels(cells: CellCounts, steps: int) -> dict[tuple[int, int], int]:
    """The brightness of each cell, below `steps`; the highest if all counts are the same."""
    scale = math.log if needs_log_scale(cells.values()) else int
    low, high = scale(min(cells.values())), scale(max(cells.values()))
    if low == high:
        return dict.fromkeys(cells, steps - 1)
    return {
        place: min(steps - 1, int(steps * ((scale(total) - low) / (high - low))))
        for place, total in cells.items()
    }


def _brightness_ramp(style: Style) -> _BrightnessRamp:
    """The ramp that the output can show."""
    return _COLOR_RAMP if style.color else _ASCII_RAMP if style.ascii else _SHADE_RAMP


def _legend_lines(cells: CellCounts, width: int, style: Style) -> Iterator[str]:
    """The smallest and the largest count with their signs, on two lines if one is too short."""
    low, high = (human_count(each) for each in (min(cells.values()), max(cells.values())))
    signs = [paint_text(sign, color, style) for sign, color in _brightness_ramp(style)]
    if low == high:
        yield f"{signs[-1]} {high}"
    elif len(low) + len(signs) + len(high) + 2 <= width:
        yield f"{low} {''.join(signs)} {high}"
    else:
        yield from (f"{signs[0]} {low}", f"{signs[-1]} {high}")


def _heat_map_note(cells: CellCounts, max_combinations: int) -> str:
    """The line below: what is counted, on which scale, and how many combinations share a cell."""
    scale = ", on a logarithmic scale" if needs_log_scale(cells.values()) else ""
    share = ""
    if max_combinations > 1:
        share = f"; a cell is the largest of up to {max_combinations:,} combinations"
    return f"params{scale}{share}"
