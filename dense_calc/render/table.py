"""A grid as Keras 3 prints a summary: in boxes, with the boxes and the styles of rich.

rich's own Table measures and wraps cell by cell, 140 µs a row; here the cells are wrapped already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import zip_longest

from rich import box

from dense_calc.render import Style
from dense_calc.render.grid import Column, Grid
from dense_calc.render.plain_text import (
    UNLIMITED_WIDTH,
    fold_text,
    measure_columns,
    pad_cell,
    shrink_widths,
    wrap_text,
)

_CELL_PADDING = 3  # columns between two cells: a line, and a space on each side of it
_MIN_COLUMN_WIDTH = 4  # columns left to a name or a shape, whatever the width

# What is painted, in Keras' colours: layer kinds, numbers and unknown sizes, what totals are of.
_KIND_PATTERN = r"(?P<kind>\([\w\n]+\)$)"
_SIZE_PATTERN = r"(?P<number>\b\d[\d,]*\b)|(?P<unknown>\bNone\b)"
_TOTAL_PATTERN = (
    r"(?P<bold>^[^:]+: (?:at least )?)|(?P<number>(?<=: )[\d,]+|(?<=: at least )[\d,]+)"
)
_WHOLE_LINE_PATTERN = r"(?P<bold>.+)"
PAINT_STYLES = {
    "kind": "color(33)",
    "number": "color(34)",
    "unknown": "color(45)",
    "bold": "bold",
    "good": "green",
    "bad": "bold red",
}


def grid_lines(grid: Grid, style: Style) -> Iterator[str]:
    """One table and its totals. No name, shape or number is cut: names and shapes are wrapped."""
    chosen, rows = grid.columns, grid.rows
    titles = [column.title for column in chosen]
    widths = _boxed_widths(*measure_columns(grid, style), chosen)
    spaces = [width + _CELL_PADDING - 1 for width in widths]
    room = max(style.width or UNLIMITED_WIDTH, sum(spaces) + len(spaces) + 1)
    frame = box.ASCII_DOUBLE_HEAD if style.ascii else box.HEAVY_HEAD
    head = (frame.head_left, frame.head_vertical, frame.head_right)
    body = (frame.mid_left, frame.mid_vertical, frame.mid_right)
    rule = frame.get_row(spaces, "row")
    paints = [
        _SIZE_PATTERN if column.has_sizes or column.is_number else _KIND_PATTERN
        for column in chosen
    ]
    for line in wrap_text(grid.title, room):
        yield _paint_matches(line, _WHOLE_LINE_PATTERN) if style.color else line
    yield frame.get_top(spaces)
    yield from _boxed_row_lines(
        titles, widths, chosen, head, [_WHOLE_LINE_PATTERN] * len(chosen), style
    )
    yield frame.get_row(spaces, "head")
    for number, row in enumerate(rows):
        if number:
            yield rule
        yield from _boxed_row_lines(row, widths, chosen, body, paints, style)
    yield frame.get_bottom(spaces)
    for parts in grid.totals:
        for line in wrap_text("".join(parts), room - 1):
            yield f" {_paint_matches(line, _TOTAL_PATTERN) if style.color else line}"


def _boxed_row_lines(
    cells: list[str],
    widths: list[int],
    chosen: Sequence[Column],
    edges: tuple[str, str, str],
    paints: Sequence[str],
    style: Style,
) -> Iterator[str]:
    """The lines of one row between the edges of its cells."""
    left, between, right = edges
    folds = [fold_text(cell, width) for cell, width in zip(cells, widths, strict=True)]
    shown = list(map(_paint_lines, folds, paints)) if style.color else folds
    for parts, looks in zip(
        zip_longest(*folds, fillvalue=""), zip_longest(*shown, fillvalue=""), strict=True
    ):
        padded = map(pad_cell, parts, widths, chosen)
        if style.color:  # which takes no room
            padded = map(str.replace, padded, parts, looks)
        yield f"{left} {f' {between} '.join(padded)} {right}"


def _boxed_widths(needed: list[int], width: int, chosen: Sequence[Column]) -> list[int]:
    """The width of each column: what its cells need, or its share of a line that is too short."""
    room = width - _CELL_PADDING * len(needed) - 1
    if sum(needed) <= room:
        return needed
    found = shrink_widths(needed, chosen, room)
    return [
        max(each, min(_MIN_COLUMN_WIDTH, need)) for each, need in zip(found, needed, strict=True)
    ]


def _paint_lines(lines: list[str], pattern: str) -> list[str]:
    """The lines of a cell in colour; what is painted may go over several."""
    return _paint_matches("\n".join(lines), pattern).split("\n")


def _paint_matches(text: str, pattern: str) -> str:
    """`text` with what its pattern finds in the colour of the group's name."""

    def paint(found: re.Match[str]) -> str:
        paint = rich_painter(PAINT_STYLES[str(found.lastgroup)])
        return "\n".join(map(paint, found[0].split("\n")))

    return re.sub(pattern, paint, text)


@cache
def rich_painter(paint: str) -> Callable[[str], str]:
    """What puts a text between the codes of a style of rich's, on a terminal with 256 colours."""
    from rich.color import ColorSystem  # only what is in colour pays for it
    from rich.style import Style as Paint

    return partial(Paint.parse(paint).render, color_system=ColorSystem.EIGHT_BIT)
