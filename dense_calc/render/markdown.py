"""A grid as a Markdown table, for a pull request or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dense_calc.render import Style
from dense_calc.render.cells import Grid

SPECIAL = re.compile(r"([\\`*<>\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")  # not the _ inside conv2d_1


def lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of one grid."""
    yield f"**{escaped(grid.title)}**"
    yield ""
    yield table_row(column.title for column in grid.columns)
    yield table_row("---:" if column.number else "---" for column in grid.columns)
    for row in grid.rows:
        yield table_row(map(escaped, row))
    yield ""
    yield from (f"- {''.join(parts)}" for parts in grid.totals)


def table_row(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """`text` with the characters escaped that mean something to Markdown."""
    return SPECIAL.sub(r"\\\1", text)
