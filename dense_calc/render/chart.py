"""The counts of a sweep as a picture in the terminal: a curve, bars for words, or a heat map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from dense_calc.render import Style
from dense_calc.render.axes import (
    SweepPoints,
    VariableAxis,
    build_axes,
    count_ticks,
    counts_by_cell,
    counts_by_value,
    human_count,
)
from dense_calc.render.frame import (
    MIN_PICTURE_WIDTH,
    axis_signs,
    labels_by_column,
    lower_axis_lines,
    paint_text,
    value_labels,
)
from dense_calc.render.heat_map import heat_map_lines

_DEFAULT_CHART_WIDTH = 80
_MAX_CHART_WIDTH = 120
_CURVE_HEIGHT = 12  # rows above the lowest one
_CURVE_TITLE = "params"
_CURVE_COLOR = "color(33)"  # the colour of layer kinds in a table

_DOTS_ACROSS, _DOTS_UP = 2, 4  # dots in a character of Braille, a bit for each
_BLANK_BRAILLE, _UPPER_DOTS, _LOWER_DOTS, _MIN_DENSE_DOTS = 0x2800, 0b00011011, 0b11100100, 6


def _ascii_for_dots(dots: int) -> str:
    """The ASCII character for one of Braille: by the place of its dots, or for many of them."""
    if dots.bit_count() >= _MIN_DENSE_DOTS:
        return "#"
    return " '.:"[bool(dots & _UPPER_DOTS) + 2 * bool(dots & _LOWER_DOTS)]


_BRAILLE_BLANK_TO_SPACE = {_BLANK_BRAILLE: " "}  # some fonts draw empty dots
_BRAILLE_TO_ASCII = {_BLANK_BRAILLE + dots: _ascii_for_dots(dots) for dots in range(256)}


def render_chart(names: Sequence[str], points: SweepPoints, style: Style) -> str:
    """The chart of the counts over one or two variables; '' without points or without room."""
    width = min(_DEFAULT_CHART_WIDTH if style.width is None else style.width, _MAX_CHART_WIDTH)
    if not points or width < MIN_PICTURE_WIDTH * 2:
        return ""
    across, *others = build_axes(names, points)
    if not others:
        lines = _curve_lines(across, counts_by_value(across, points), width, style)
    else:
        up = others[0]
        lines = heat_map_lines(across, up, counts_by_cell(across, up, points), width, style)
    return "".join(f"{line}\n" for line in lines)


def _curve_lines(
    axis: VariableAxis, counts: Sequence[int], width: int, style: Style
) -> Iterator[str]:
    """The lines of a curve or of bars; none without room."""
    marks = count_ticks(min(counts) if axis.is_numeric else 0, max(counts))
    distance = _CURVE_HEIGHT // (len(marks) - 1)
    labels = {distance * index: human_count(mark) for index, mark in enumerate(marks)}
    edge = max(map(len, [_CURVE_TITLE, *labels.values()])) + 1
    room = width - edge - 1
    if room < MIN_PICTURE_WIDTH:
        return
    heights = [(total - marks[0]) / (marks[-1] - marks[0]) for total in counts]
    picture = _curve_rows(axis, heights, room, max(labels) + 1, style)
    sign = axis_signs(style)
    yield _CURVE_TITLE.rjust(edge - 1)
    for row, dots in zip(range(max(labels), -1, -1), picture, strict=True):
        side = sign.row_tick if row in labels else sign.vertical
        yield f"{labels.get(row, ''):>{edge - 1}} {side}{paint_text(dots, _CURVE_COLOR, style)}"
    middles = [round(place * (room - 1)) for place in axis.positions]
    yield from lower_axis_lines(
        axis.name, labels_by_column(middles, value_labels(axis, style)), edge, room, style
    )


def _curve_rows(
    axis: VariableAxis, heights: Sequence[float], room: int, rows: int, style: Style
) -> list[str]:
    """The rows of a picture: a line through numbers, with its points if they are few; or bars."""
    from plotille import Canvas  # 4 ms, for curves only

    across, up = _DOTS_ACROSS * room - 1, _DOTS_UP * (rows - 1)
    canvas = Canvas(room, rows, 0, 0, _DOTS_ACROSS * room, _DOTS_UP * rows)
    middle = _DOTS_UP // 2  # of a row, where its tick is
    ends = [
        (round(place * across), middle + round(height * up))
        for place, height in zip(axis.positions, heights, strict=True)
    ]
    for start, end in pairwise(ends) if axis.is_numeric else _bar_strokes(ends, across):
        canvas.line(*start, *end)
    if axis.is_numeric and len(ends) <= room // 4:
        for x, y in ends:
            canvas.point(x, y, marker=axis_signs(style).point)
    dots = canvas.plot("\n").translate(
        _BRAILLE_TO_ASCII if style.ascii else _BRAILLE_BLANK_TO_SPACE
    )
    return [row.rstrip() for row in dots.split("\n")]


def _bar_strokes(
    ends: Sequence[tuple[int, int]], across: int
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Vertical lines side by side up to each end: bars that together fill half of the room."""
    half = across // len(ends) // 4
    for x, y in ends:
        yield from (((each, 0), (each, y)) for each in range(x - half, x + half + 1))
