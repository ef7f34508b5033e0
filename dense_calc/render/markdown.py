"""A grid as a Markdown table, for a pull request or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dense_calc.render import Style
from dense_calc.render.grid import Grid

SPECIAL = re.compile(r"([\\`*<>\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")  # not the _ inside conv2d_1
# What GitHub links or draws although it stands escaped: @name, #1, GH-1, https://, www., :100:
LIVELY = re.compile(
    r"@(?=\w)|#(?=\d)|GH(?=-\d)|www(?=\.)|:(?=//)"
    r"|:(?=[\w+-]+:)(?!(?!100:|1234:)\d+:)",  # of numbers, only these two are emoji
    re.IGNORECASE,
)
NOTHING = "&#8203;"  # a space of no width


def lines(grid: Grid, style: Style) -> Iterator[str]:
    """The lines of one grid."""
    yield f"**{escaped(grid.title)}**"
    yield ""
    yield table_row(escaped(column.title) for column in grid.columns)
    yield table_row("---:" if column.number else "---" for column in grid.columns)
    for row in grid.rows:
        yield table_row(map(escaped, row))
    yield ""
    yield from (f"- {escaped(''.join(parts))}" for parts in grid.totals)


def table_row(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """`text` that Markdown shows as it is: no markup, no link, no mention of anybody."""
    literal = SPECIAL.sub(r"\\\1", text.replace("&", "&amp;"))
    return LIVELY.sub(rf"\g<0>{NOTHING}", literal)
