"""A grid as an HTML table, for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from dense_calc.render.grid import Grid

_ALIGNMENTS = {True: "right", False: "left"}


def html_table(grid: Grid) -> str:
    """The table with its title above it, and the lines of its totals below."""
    return "\n".join(_table_lines(grid))


def html_text(text: str) -> str:
    """A text of lines, as it is."""
    return f"<pre>{escape(text)}</pre>"


def _table_lines(grid: Grid) -> Iterator[str]:
    """The lines of the HTML of a table."""
    numbers = [column.is_number for column in grid.columns]
    yield "<table>"
    yield f'<caption style="text-align: left"><strong>{escape(grid.title)}</strong></caption>'
    yield f"<thead>{_row('th', (column.title for column in grid.columns), numbers)}</thead>"
    yield "<tbody>"
    yield from (_row("td", row, numbers) for row in grid.rows)
    yield "</tbody>"
    yield "</table>"
    yield from (f"<div>{escape(''.join(parts))}</div>" for parts in grid.totals)


def _row(tag: str, cells: Iterable[str], numbers: Iterable[bool]) -> str:
    """One row of a table; numbers stand to the right."""
    texts = (
        f'<{tag} style="text-align: {_ALIGNMENTS[is_number]}">{escape(cell)}</{tag}>'
        for cell, is_number in zip(cells, numbers, strict=True)
    )
    return f"<tr>{''.join(texts)}</tr>"
