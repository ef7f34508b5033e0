"""A grid as the plain summary that Keras 2 prints: `____`, `====`, no colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
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


def text_lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of one grid. Cells that are too wide are wrapped, never cut."""
    titles = [column.title for column in grid.columns]
    widths = _column_widths(*measure_columns(grid, style), grid.columns)
    length = sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)
    thin, thick = "_" * length, "=" * length
    yield from fold_text(grid.title, length)
    rules = chain((thin, thick), repeat(thin))
    for rule, cells in zip(rules, chain([titles], grid.rows), strict=False):
        yield rule
        yield from plain_row_lines(cells, widths, grid.columns)
    yield thick
    for parts in grid.totals:
        yield from wrap_text("".join(parts), length)
    yield thin


def measure_columns(grid: Grid, style: Style) -> tuple[list[int], int]:
    """The width that each column needs, and the width that a line may have."""
    widths = [display_width(column.title) for column in grid.columns]
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


def _column_widths(needed: list[int], width: int, columns: Sequence[Column]) -> list[int]:
    """The width of each column: what it needs, or its share of a line that is too short."""
    gaps = len(COLUMN_GAP) * (len(needed) - 1)
    if sum(needed) + gaps > width:
        return shrink_widths(needed, columns, width - gaps)
    first, *others = needed
    spare = min(width, _KERAS_LINE_WIDTH) - gaps - sum(needed)
    return [first + max(0, spare), *others]


def shrink_widths(needed: list[int], columns: Sequence[Column], room: int) -> list[int]:
    """Widths that sum to `room`: numbers keep what they need, the other columns share the rest."""
    flexible = [index for index, column in enumerate(columns) if not column.is_number]
    widths = list(needed)
    room -= sum(needed) - sum(needed[index] for index in flexible)
    for left, index in enumerate(sorted(flexible, key=needed.__getitem__), -len(flexible)):
        widths[index] = min(needed[index], max(columns[index].min_width, room // -left))
        room -= widths[index]
    return widths


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
