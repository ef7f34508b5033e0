"""The summary as Keras 3 prints it: a table in boxes, by rich."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from dense_calc.errors import columns
from dense_calc.render import Style
from dense_calc.render.cells import Column, cells_of, columns_of, title, totals
from dense_calc.render.text import folded, shares
from dense_calc.report import Report

NATURAL = 100_000  # a width that wraps nothing
PADDING = 3  # columns between two cells: a line, and a space on each side of it
NARROWEST = 4  # columns left to a name or a shape, whatever the width

# Keras' colours of layer kinds, numbers and unknown sizes.
NUMBER = "color(34)"
KINDS = {r"\([\w\n]+\)$": "color(33)"}
SIZES = {r"\b\d[\d,]*\b": NUMBER, r"\bNone\b": "color(45)"}


def render(reports: Sequence[Report], style: Style) -> str:
    """One table below the other, each with Keras' totals."""
    return "\n".join(summary(report, style) for report in reports)


def summary(report: Report, style: Style) -> str:
    """One table and its totals."""
    table = table_of(report, style)
    output = io.StringIO()
    console = Console(
        file=output,
        width=max(style.width or NATURAL, least_width(table)),
        force_terminal=style.color,
        color_system="256" if style.color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Text(title(report), style="bold"))
    console.print(table)
    for what, count, size in totals(report):
        console.print(Text.assemble((f" {what}", "bold"), (count, NUMBER), size))
    return output.getvalue()


def table_of(report: Report, style: Style) -> Table:
    """The rows in boxes. No name, shape or number is cut: names and shapes are wrapped."""
    chosen = columns_of(report, style.columns)
    table = Table(box=box.ASCII_DOUBLE_HEAD if style.ascii else box.HEAVY_HEAD, show_lines=True)
    titles = [column.title for column in chosen]
    rows = [cells_of(row, chosen, style) for row in report.layers]
    widths = widths_of([titles, *rows], chosen, style.width)
    for column, width in zip(chosen, widths, strict=True):
        justify: JustifyMethod = "right" if column.number else "left"
        table.add_column(in_lines(column.title, width), justify=justify, width=width, no_wrap=True)
    for row in rows:
        lines = map(in_lines, row, widths)
        table.add_row(*map(coloured, lines, chosen) if style.color else lines)
    return table


def widths_of(rows: list[list[str]], chosen: Sequence[Column], width: int | None) -> list[int]:
    """The width of each column: what its cells need, or its share of a line that is too short."""
    needed = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    room = None if width is None else width - PADDING * len(needed) - 1
    if room is None or sum(needed) <= room:
        return needed
    found = shares(needed, [column.number for column in chosen], room)
    return [max(each, min(NARROWEST, need)) for each, need in zip(found, needed, strict=True)]


def in_lines(cell: str, width: int) -> str:
    """A cell in lines that fit into its column."""
    return "\n".join(folded(cell, width))


def coloured(cell: str, column: Column) -> Text:
    """A cell in Keras' colours."""
    text = Text(cell)
    for pattern, colour in (SIZES if column.sizes or column.number else KINDS).items():
        text.highlight_regex(pattern, colour)
    return text


def least_width(table: Table) -> int:
    """The width below which rich would cut what may not be cut."""
    return sum((column.width or 0) + PADDING for column in table.columns) + 1
