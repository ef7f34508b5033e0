"""A grid as the plain summary that older Keras prints: `____`, `====`, no colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat, zip_longest
from operator import le

from dense_calc.errors import display_width
from dense_calc.render import Style
from dense_calc.render.grid import Column, Grid

COLUMN_GAP = "  "
UNLIMITED_WIDTH = 100_000  # a width that wraps nothing
_MAX_TABLE_CHARACTERS = 2**25  # characters of a table, beyond which a line may be only so
_LONG_TABLE_WIDTH = 200  # columns
_ROW_BATCH_SIZE = 10_000  # rows that are measured at a time
_KERAS_LINE_WIDTH = 65  # columns of Keras' line


def grid_lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of one grid. No name, shape or number is cut: what is too wide is wrapped."""
    chosen = grid.columns
    titles = [column.title for column in chosen]
    widths = _column_widths(*measure_columns(grid, style), chosen)
    length = sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)
    thin, thick = "_" * length, "=" * length
    yield from fold_text(grid.title, length)
    rules = chain((thin, thick), repeat(thin))
    for rule, cells in zip(rules, chain([titles], grid.rows), strict=False):
        yield rule
        yield from plain_row_lines(cells, widths, chosen)
    yield thick
    for parts in grid.totals:
        yield from wrap_text("".join(parts), length)
    yield thin


def measure_columns(grid: Grid, style: Style) -> tuple[list[int], int]:
    """The width that each column needs, and the one that a line may have."""
    widths = [display_width(column.title) for column in grid.columns]
    rows = iter(grid.rows)
    number = 1
    while some := list(islice(rows, _ROW_BATCH_SIZE)):
        number += len(some)
        cells = zip(*some, strict=True)
        widths = [
            max(width, *map(display_width, each)) for width, each in zip(widths, cells, strict=True)
        ]
    return widths, min(
        style.width or UNLIMITED_WIDTH, max(_LONG_TABLE_WIDTH, _MAX_TABLE_CHARACTERS // number)
    )


def _column_widths(needed: list[int], width: int, chosen: Sequence[Column]) -> list[int]:
    """The width of each column: what it needs, or its share of a line that is too short."""
    gaps = len(COLUMN_GAP) * (len(needed) - 1)
    if sum(needed) + gaps > width:
        return shrink_widths(needed, chosen, width - gaps)
    first, *others = needed
    spare = min(width, _KERAS_LINE_WIDTH) - gaps - sum(needed)
    return [first + max(0, spare), *others]


def shrink_widths(needed: list[int], chosen: Sequence[Column], room: int) -> list[int]:
    """Widths of `room` together: numbers have what they need, the others share what is left."""
    flexible = [index for index, column in enumerate(chosen) if not column.is_number]
    widths = list(needed)
    room -= sum(needed) - sum(needed[index] for index in flexible)
    for left, index in enumerate(sorted(flexible, key=needed.__getitem__), -len(flexible)):
        widths[index] = min(needed[index], max(chosen[index].min_width, room // -left))
        room -= widths[index]
    return widths


def plain_row_lines(cells: list[str], widths: list[int], chosen: Sequence[Column]) -> Iterator[str]:
    """The lines of one row: one, unless a cell is wrapped."""
    if all(map(le, map(display_width, cells), widths)):
        yield COLUMN_GAP.join(map(pad_cell, cells, widths, chosen)).rstrip()
        return
    for parts in zip_longest(*map(fold_text, cells, widths), fillvalue=""):
        yield COLUMN_GAP.join(map(pad_cell, parts, widths, chosen)).rstrip()


def pad_cell(text: str, width: int, column: Column) -> str:
    """`text` on its side of a column."""
    if not text.isascii():
        width -= display_width(text) - len(text)  # what str counts, for wide characters
    return text.rjust(width) if column.is_number else text.ljust(width)


def fold_text(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`: a word that is longer is broken, on lines of its own."""
    if display_width(text) <= width:
        return [text]
    return [part for line in wrap_text(text, width) for part in _chop_line(line, width)]


def _chop_line(line: str, width: int) -> list[str]:
    """`line` in pieces of at most `width`; one wide character is a piece at least."""
    if line.isascii():
        return [line[start : start + width] for start in range(0, len(line), width)]
    from rich.cells import chop_cells  # some 5 ms: only names beyond ASCII pay

    return [piece for piece in chop_cells(line, width) if piece]


class _LayerNameWrapper(textwrap.TextWrapper):
    """Breaks lines at spaces, and in the names of layers in blocks, after `encoder_3/`."""

    wordsep_simple_re = re.compile(r"(\s+|(?<=\w/)(?=\w))")


def wrap_text(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`, or of a word that is longer."""
    return _LayerNameWrapper(width, break_long_words=False, break_on_hyphens=False).wrap(text)
