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
from dense_calc.render.plain_text import NATURAL, folded, needed, pad, shares, wrapped

PADDING = 3  # columns between two cells: a line, and a space on each side of it
NARROWEST = 4  # columns left to a name or a shape, whatever the width

# What is painted, in Keras' colours: layer kinds, numbers and unknown sizes, what totals are of.
NAMES = r"(?P<kind>\([\w\n]+\)$)"
SIZES = r"(?P<number>\b\d[\d,]*\b)|(?P<unknown>\bNone\b)"
TOTALS = r"(?P<bold>^[^:]+: (?:at least )?)|(?P<number>(?<=: )[\d,]+|(?<=: at least )[\d,]+)"
WHOLE = r"(?P<bold>.+)"
PAINTS = {
    "kind": "color(33)",
    "number": "color(34)",
    "unknown": "color(45)",
    "bold": "bold",
    "good": "green",
    "bad": "bold red",
}


def lines(grid: Grid, style: Style) -> Iterator[str]:
    """One table and its totals. No name, shape or number is cut: names and shapes are wrapped."""
    chosen, rows = grid.columns, grid.rows
    titles = [column.title for column in chosen]
    widths = widths_of(*needed(grid, style), chosen)
    spaces = [width + PADDING - 1 for width in widths]
    room = max(style.width or NATURAL, sum(spaces) + len(spaces) + 1)
    frame = box.ASCII_DOUBLE_HEAD if style.ascii else box.HEAVY_HEAD
    head = (frame.head_left, frame.head_vertical, frame.head_right)
    body = (frame.mid_left, frame.mid_vertical, frame.mid_right)
    rule = frame.get_row(spaces, "row")
    paints = [SIZES if column.sizes or column.number else NAMES for column in chosen]
    for line in wrapped(grid.title, room):
        yield painted(line, WHOLE) if style.color else line
    yield frame.get_top(spaces)
    yield from row_lines(titles, widths, chosen, head, [WHOLE] * len(chosen), style)
    yield frame.get_row(spaces, "head")
    for number, row in enumerate(rows):
        if number:
            yield rule
        yield from row_lines(row, widths, chosen, body, paints, style)
    yield frame.get_bottom(spaces)
    for parts in grid.totals:
        for line in wrapped("".join(parts), room - 1):
            yield f" {painted(line, TOTALS) if style.color else line}"


def row_lines(
    cells: list[str],
    widths: list[int],
    chosen: Sequence[Column],
    edges: tuple[str, str, str],
    paints: Sequence[str],
    style: Style,
) -> Iterator[str]:
    """The lines of one row between the edges of its cells."""
    left, between, right = edges
    folds = [folded(cell, width) for cell, width in zip(cells, widths, strict=True)]
    shown = list(map(painted_lines, folds, paints)) if style.color else folds
    for parts, looks in zip(
        zip_longest(*folds, fillvalue=""), zip_longest(*shown, fillvalue=""), strict=True
    ):
        padded = map(pad, parts, widths, chosen)
        if style.color:  # which takes no room
            padded = map(str.replace, padded, parts, looks)
        yield f"{left} {f' {between} '.join(padded)} {right}"


def widths_of(needed: list[int], width: int, chosen: Sequence[Column]) -> list[int]:
    """The width of each column: what its cells need, or its share of a line that is too short."""
    room = width - PADDING * len(needed) - 1
    if sum(needed) <= room:
        return needed
    found = shares(needed, chosen, room)
    return [max(each, min(NARROWEST, need)) for each, need in zip(found, needed, strict=True)]


def painted_lines(lines: list[str], pattern: str) -> list[str]:
    """The lines of a cell in colour; what is painted may go over several."""
    return painted("\n".join(lines), pattern).split("\n")


def painted(text: str, pattern: str) -> str:
    """`text` with what its pattern finds in the colour of the group's name."""

    def paint(found: re.Match[str]) -> str:
        paint = painter(PAINTS[str(found.lastgroup)])
        return "\n".join(map(paint, found[0].split("\n")))

    return re.sub(pattern, paint, text)


@cache
def painter(paint: str) -> Callable[[str], str]:
    """What puts a text between the codes of a style of rich's, on a terminal with 256 colours."""
    from rich.color import ColorSystem  # only what is in colour pays for it
    from rich.style import Style as Paint

    return partial(Paint.parse(paint).render, color_system=ColorSystem.EIGHT_BIT)
