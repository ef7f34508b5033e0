"""A grid as Keras 3 prints a summary: in boxes, with the boxes and the styles of rich.

rich's own Table measures and wraps cell by cell, 140 µs a row; this module wraps them faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import zip_longest

from rich import box

from dense_calc.render import Style
from dense_calc.render.grid import Column, Grid
from dense_calc.render.plain_text import (
    UNLIMITED_WIDTH,
    fit_widths,
    fold_text,
    lines_on_screen,
    pad_cell,
    wrap_text,
)

# Groups are painted: layer kinds, numbers, unknown sizes and labels of totals in Keras' colours.
_NUMBER_PATTERN = r"\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[+-]?\d+)?%?(?![.,]?\w)"  # a whole one or none
_KIND_PATTERN = r"(?P<kind>\(\w+\)$)"
_SIZE_PATTERN = rf"(?P<number>(?<![\w.])[-+]?{_NUMBER_PATTERN})|(?P<unknown>\bNone\b)"
_CHANGE_PATTERN = rf"(?P<more>\+(?:< )?{_NUMBER_PATTERN})|(?P<less>-(?:< )?{_NUMBER_PATTERN})"
_TOTAL_PATTERN = (
    r"(?P<bold>^[^:]+: (?:at least )?)"
    rf"|(?P<number>(?:(?<=: )|(?<=: at least )|(?<=[→>] )){_NUMBER_PATTERN})|{_CHANGE_PATTERN}"
)
_WHOLE_LINE_PATTERN = r"(?P<bold>.+)"
PAINT_STYLES = {
    "kind": "color(33)",
    "number": "color(34)",
    "unknown": "color(45)",
    "bold": "bold",
    "more": "red",
    "less": "green",
    "good": "green",
    "bad": "bold red",
}


def table_lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of a table and its totals. Cells that are too wide are wrapped, never cut.

    On a page that is too narrow for the numbers otherwise, no spaces stand around the cells.
    """
    count = len(grid.columns)
    widths, edge = fit_widths(grid, style, 3 * count + 1, count + 1)
    padding = " " if edge > count + 1 else ""
    return lines_on_screen(
        lambda has_rules: _boxed_lines(grid, widths, padding, has_rules, style), style
    )


def _boxed_lines(
    grid: Grid, widths: list[int], padding: str, has_rules: bool, style: Style
) -> Iterator[str]:
    """The lines of a table with this padding around its cells, and with rules between its rows."""
    spaces = [width + 2 * len(padding) for width in widths]
    page_width = max(style.width or UNLIMITED_WIDTH, sum(spaces) + len(spaces) + 1)
    frame = box.ASCII_DOUBLE_HEAD if style.ascii else box.HEAVY_HEAD
    title_lines = wrap_text(grid.title, page_width)
    yield from _paint_lines(grid.title, title_lines, _WHOLE_LINE_PATTERN, style)
    yield frame.get_top(spaces)
    yield from _head_lines(grid, widths, padding, frame, style)
    yield frame.get_row(spaces, "head")
    rule = frame.get_row(spaces, "row") if has_rules else ""
    yield from _body_lines(grid, widths, padding, frame, rule, style)
    yield frame.get_bottom(spaces)
    for parts in grid.totals:
        text = "".join(parts)
        lines = wrap_text(text, page_width - 1)
        yield from (f" {line}" for line in _paint_lines(text, lines, _TOTAL_PATTERN, style))


def _head_lines(
    grid: Grid, widths: list[int], padding: str, frame: box.Box, style: Style
) -> Iterator[str]:
    """The lines of the titles of the columns."""
    edges = _padded_edges(frame.head_left, frame.head_vertical, frame.head_right, padding)
    titles = [column.title for column in grid.columns]
    patterns = [_WHOLE_LINE_PATTERN] * len(titles)
    return _boxed_row_lines(titles, widths, grid.columns, edges, patterns, style)


def _body_lines(
    grid: Grid, widths: list[int], padding: str, frame: box.Box, rule: str, style: Style
) -> Iterator[str]:
    """The lines of all rows, with a rule between two of them, if there is one."""
    edges = _padded_edges(frame.mid_left, frame.mid_vertical, frame.mid_right, padding)
    patterns = [_column_pattern(column) for column in grid.columns]
    for number, row in enumerate(grid.rows):
        if number and rule:
            yield rule
        yield from _boxed_row_lines(row, widths, grid.columns, edges, patterns, style)


def _column_pattern(column: Column) -> str:
    """The parts to paint in the cells of a column."""
    if column.is_change:
        return _CHANGE_PATTERN
    return _SIZE_PATTERN if column.has_sizes or column.is_number else _KIND_PATTERN


def _padded_edges(left: str, between: str, right: str, padding: str) -> tuple[str, str, str]:
    """What stands before, between and after the cells of a row, with padding around the cells."""
    return left + padding, padding + between + padding, padding + right


def _boxed_row_lines(
    cells: list[str],
    widths: list[int],
    columns: Sequence[Column],
    edges: tuple[str, str, str],
    patterns: Sequence[str],
    style: Style,
) -> Iterator[str]:
    """The lines of one row between the edges of its cells; `patterns` match the parts to paint."""
    left, between, right = edges
    folds = list(map(fold_text, cells, widths))
    painted_folds = [
        _paint_lines(*each, style) for each in zip(cells, folds, patterns, strict=True)
    ]
    for parts, painted_parts in zip(
        zip_longest(*folds, fillvalue=""), zip_longest(*painted_folds, fillvalue=""), strict=True
    ):
        padded = map(pad_cell, parts, widths, columns)
        if style.color:  # after padding, because codes of colours take no room
            padded = map(str.replace, padded, parts, painted_parts)
        yield f"{left}{between.join(padded)}{right}"


def _paint_lines(text: str, lines: list[str], pattern: str, style: Style) -> Iterable[str]:
    """The lines of a text in colour: each match of a pattern, also where it goes over lines."""
    if not style.color:
        return lines
    painted, matches, end = [], list(re.finditer(pattern, text)), 0
    for line in lines:
        start = text.index(line, end)  # between lines, only spaces are left out
        end = start + len(line)
        painted.append(_paint_spans(text, start, end, matches))
    return painted


def _paint_spans(text: str, start: int, end: int, matches: Iterable[re.Match[str]]) -> str:
    """A part of a text, with what of each match is in it in the colour of the named group."""
    painted = ""
    for match in matches:
        first, last = max(match.start(), start), min(match.end(), end)
        if first < last:
            paint = rich_painter(PAINT_STYLES[str(match.lastgroup)])
            painted += text[start:first] + paint(text[first:last])
            start = last
    return painted + text[start:end]


@cache
def rich_painter(paint: str) -> Callable[[str], str]:
    """A function that adds the codes of a rich style to a text, for a terminal with 256 colours."""
    from rich.color import ColorSystem  # only output in colour needs it
    from rich.style import Style as Paint

    return partial(Paint.parse(paint).render, color_system=ColorSystem.EIGHT_BIT)
