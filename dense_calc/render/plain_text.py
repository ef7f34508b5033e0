"""A grid as the plain summary that Keras 2 prints: `____`, `====`, no colour."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat, zip_longest
from operator import le

import click

from dense_calc.errors import display_width
from dense_calc.render import Style
from dense_calc.render.grid import Column, Grid, translate_signs

COLUMN_GAP = "  "
UNLIMITED_WIDTH = 100_000  # wraps nothing
_MAX_TABLE_CHARACTERS = 2**25  # a longer table is wrapped, at _LONG_TABLE_WIDTH or more
_LONG_TABLE_WIDTH = 200
_ROW_BATCH_SIZE = 10_000  # rows that are measured at a time
_KERAS_LINE_WIDTH = 65
_MIN_COLUMN_WIDTH = 4  # of a name or a shape, if the page has room for the numbers


def text_lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of one grid. Cells that are too wide are wrapped, never cut."""
    widths = _column_widths(grid, style)
    return lines_on_screen(lambda has_rules: _plain_lines(grid, widths, has_rules), style)


def lines_on_screen(draw: Callable[[bool], Iterator[str]], style: Style) -> Iterator[str]:
    """The lines of a table that is drawn with rules between its rows, or without them."""
    if style.compact or style.height is None:
        return draw(not style.compact)
    lines = list(islice(draw(True), style.height))
    return iter(lines) if len(lines) < style.height else draw(False)


def _plain_lines(grid: Grid, widths: list[int], has_rules: bool) -> Iterator[str]:
    """The lines of one grid, with a rule between two rows if it `has_rules`."""
    titles = [column.title for column in grid.columns]
    length = sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)
    thin, thick = "_" * length, "=" * length
    yield from fold_text(grid.title, length)
    rules = chain((thin, thick), repeat(thin if has_rules else ""))
    for rule, cells in zip(rules, chain([titles], grid.rows), strict=False):
        if rule:
            yield rule
        yield from plain_row_lines(cells, widths, grid.columns)
    yield thick
    for parts in grid.totals:
        yield from wrap_text("".join(parts), length)
    yield thin


def _measure_cells(grid: Grid, style: Style) -> tuple[list[int], int]:
    """The width of the widest cell in each column, and the width that a line may have."""
    widths = [0 for _ in grid.columns]
    rows = iter(grid.rows)
    number = 1
    while batch := list(islice(rows, _ROW_BATCH_SIZE)):
        number += len(batch)
        cells = zip(*batch, strict=True)
        widths = [
            max(width, *map(display_width, each)) for width, each in zip(widths, cells, strict=True)
        ]
    return widths, min(
        style.width or UNLIMITED_WIDTH, max(_LONG_TABLE_WIDTH, _MAX_TABLE_CHARACTERS // number)
    )


def _column_widths(grid: Grid, style: Style) -> list[int]:
    """The width of each column, the first one wide enough for a line of Keras' width."""
    gaps = len(COLUMN_GAP) * (len(grid.columns) - 1)
    (first, *others), _ = fit_widths(grid, style, gaps)
    spare = min(style.width or UNLIMITED_WIDTH, _KERAS_LINE_WIDTH) - gaps - first - sum(others)
    return [first + max(0, spare), *others]


def fit_widths(grid: Grid, style: Style, *frames: int) -> tuple[list[int], int]:
    """The width of each column, and that of the first of these frames that leaves room for them.

    In a line that is too short, names and shapes are wrapped, then titles, at last also within
    words, and then sizes before their unit. No number is broken: a line may be too long for it.
    """
    columns = grid.columns
    cells, width = _measure_cells(grid, style)
    titles = [display_width(column.title) for column in columns]
    needed = list(map(max, titles, cells))
    whole = [
        cell if column.is_number else min(need, max(column.min_width, _MIN_COLUMN_WIDTH))
        for column, cell, need in zip(columns, cells, needed, strict=True)
    ]
    words = [max(_word_width(each.title), low) for each, low in zip(columns, whole, strict=True)]
    for frame in frames:
        room = width - frame
        for widths in (
            needed,
            _shrink_texts(needed, columns, room),
            _level_widths(needed, words, room),
        ):
            if sum(widths) <= room:
                return widths, frame
    widths = _level_widths(needed, whole, room)
    if sum(widths) > room:
        widths = _level_widths(needed, _number_widths(grid), room)
    return widths, frame


def _shrink_texts(needed: list[int], columns: Sequence[Column], room: int) -> list[int]:
    """Widths that sum to `room`: numbers keep what they need, the other columns share the rest."""
    flexible = [index for index, column in enumerate(columns) if not column.is_number]
    widths = list(needed)
    room -= sum(needed) - sum(needed[index] for index in flexible)
    for left, index in enumerate(sorted(flexible, key=needed.__getitem__), -len(flexible)):
        least = max(columns[index].min_width, _MIN_COLUMN_WIDTH, room // -left)
        widths[index] = min(needed[index], least)
        room -= widths[index]
    return widths


def _level_widths(needed: list[int], least: list[int], room: int) -> list[int]:
    """The largest widths in `room`, all equal but for columns that need less or `least` more."""

    def widths(level: int) -> list[int]:
        return [min(need, max(low, level)) for need, low in zip(needed, least, strict=True)]

    levels = range(max(room, 0) + 1)
    return widths(bisect_right(levels, room, key=lambda level: sum(widths(level))) - 1)


def _number_widths(grid: Grid) -> list[int]:
    """The width of the longest number in each column, without its unit; 1 in other columns."""
    widths = [1 for _ in grid.columns]
    for row in grid.rows:
        for index, column in enumerate(grid.columns):
            if column.is_number:
                widths[index] = max(widths[index], _word_width(row[index]))
    return widths


def _word_width(text: str) -> int:
    """The width of the longest word in a text."""
    return max(map(display_width, text.split()), default=0)


def plain_row_lines(
    cells: list[str], widths: list[int], columns: Sequence[Column]
) -> Iterator[str]:
    """The lines of one row: a single one, unless a cell is wrapped."""
    if all(map(le, map(display_width, cells), widths)):
        yield COLUMN_GAP.join(map(pad_cell, cells, widths, columns)).rstrip()
        return
    for parts in zip_longest(*map(fold_text, cells, widths), fillvalue=""):
        yield COLUMN_GAP.join(map(pad_cell, parts, widths, columns)).rstrip()


def pad_cell(text: str, width: int, column: Column) -> str:
    """`text` padded to the width of its column: numbers on the left, other text on the right."""
    if not text.isascii():
        width -= display_width(text) - len(text)  # str counts a wide character once
    return text.rjust(width) if column.is_number else text.ljust(width)


def join_paragraphs(paragraphs: Iterable[Iterable[str]], style: Style) -> str:
    """Paragraphs of lines as a text, an empty line between two of them."""
    text = "\n".join("".join(f"{line}\n" for line in lines) for lines in paragraphs)
    return translate_signs(text, style)


def bold_text(text: str, style: Style) -> str:
    """`text` in bold, if there is colour."""
    return click.style(text, bold=True) if style.color and text else text


def align_right(text: str, width: int) -> str:
    """`text` padded to `width` on its left."""
    return " " * (width - display_width(text)) + text


def fold_text(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`; a longer word is broken, on lines of its own."""
    if display_width(text) <= width:
        return [text]
    return [part for line in wrap_text(text, width) for part in _chop_line(line, width)]


def _chop_line(line: str, width: int) -> list[str]:
    """`line` in pieces of at most `width`; each has one character at least, be it wide."""
    if line.isascii():
        return [line[start : start + width] for start in range(0, len(line), width)]
    from rich.cells import chop_cells  # some 5 ms, only for names beyond ASCII

    return [piece for piece in chop_cells(line, width) if piece]


class _LayerNameWrapper(textwrap.TextWrapper):
    """Breaks lines at spaces, and in the names of layers in blocks after a slash: `encoder_3/`."""

    wordsep_simple_re = re.compile(r"(\s+|(?<=\w/)(?=\w))")


def wrap_text(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`; a longer word has a line of its own."""
    return _LayerNameWrapper(width, break_long_words=False, break_on_hyphens=False).wrap(text)
