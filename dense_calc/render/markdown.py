"""The summary as a Markdown table, for a pull request or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dense_calc.render import Style
from dense_calc.render.cells import cells_of, columns_of, title, totals
from dense_calc.report import Report

SPECIAL = re.compile(r"([\\`*<>\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")  # not the _ inside conv2d_1


def render(reports: Sequence[Report], style: Style) -> str:
    """One table below the other."""
    return "\n".join("\n".join(lines(report, style)) + "\n" for report in reports)


def lines(report: Report, style: Style) -> Iterator[str]:
    """The lines of one summary."""
    chosen = columns_of(report, style.columns)
    yield f"**{escaped(title(report))}**"
    yield ""
    yield table_row(column.title for column in chosen)
    yield table_row("---:" if column.number else "---" for column in chosen)
    for row in report.layers:
        yield table_row(map(escaped, cells_of(row, chosen, style)))
    yield ""
    yield from (f"- {''.join(parts)}" for parts in totals(report))


def table_row(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """`text` with the characters escaped that mean something to Markdown."""
    return SPECIAL.sub(r"\\\1", text)
