"""Reports → text: one table of formats, each with the function that writes it.

A renderer computes nothing. It escapes the text of a file, which must not control a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dense_calc.render.style import Style as Style
from dense_calc.report import Report

if TYPE_CHECKING:
    from dense_calc.render.grid import Grid

# The formats of a table draw any grid of cells; the others write every attribute of a report.
GRID_FORMATS = {
    "table": "dense_calc.render.table:table_lines",
    "text": "dense_calc.render.plain_text:text_lines",
    "markdown": "dense_calc.render.markdown:markdown_lines",
}
REPORT_FORMATS = {
    **GRID_FORMATS,
    "json": "dense_calc.render.json:render_json",
    "csv": "dense_calc.render.csv:render_csv",
}


def render_reports(reports: Sequence[Report], format: str, style: Style) -> str:
    """The text of reports in a format; it ends in a newline."""
    if format in GRID_FORMATS:
        from dense_calc.render.grid import report_grid  # JSON needs none of it

        return render_grids((report_grid(report, style) for report in reports), format, style)
    render: Callable[[Sequence[Report], Style], str] = import_function(REPORT_FORMATS[format])
    return render(reports, style)


def render_grids(grids: Iterable[Grid], format: str, style: Style) -> str:
    """The text of grids in a format, one below the other."""
    return "\n".join("".join(stream_grid(grid, format, style)) for grid in grids)


def stream_grid(grid: Grid, format: str, style: Style) -> Iterator[str]:
    """The lines of a grid in a format, each made when it is read."""
    lines: Callable[[Grid, Style], Iterator[str]] = import_function(GRID_FORMATS[format])
    return (f"{line}\n" for line in lines(grid, style))


def import_function(path: str) -> Any:
    """The function at `module:name`, imported when a format is first used."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
