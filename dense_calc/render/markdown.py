"""A grid as a Markdown table, for a pull request or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dense_calc.render import Style
from dense_calc.render.grid import Grid

# Not the _ inside conv2d_1.
_MARKUP_CHARACTERS = re.compile(r"([\\`*<>\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
# Text that GitHub links or draws even if it is escaped: @name, #1, GH-1, https://, www., :100:
_AUTOLINK_STARTS = re.compile(
    r"@(?=\w)|#(?=\d)|GH(?=-\d)|www(?=\.)|:(?=//)"
    r"|:(?=[\w+-]+:)(?!(?!100:|1234:)\d+:)",  # of numbers, only these two are emoji
    re.IGNORECASE,
)
_ZERO_WIDTH_SPACE = "&#8203;"


def markdown_lines(grid: Grid, style: Style) -> Iterator[str]:
    """The Markdown lines of one grid."""
    yield f"**{escape_markdown(grid.title)}**"
    yield ""
    yield markdown_row(escape_markdown(column.title) for column in grid.columns)
    yield markdown_row("---:" if column.is_number else "---" for column in grid.columns)
    for row in grid.rows:
        yield markdown_row(map(escape_markdown, row))
    yield ""
    yield from (f"- {escape_markdown(''.join(parts))}" for parts in grid.totals)


def markdown_row(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str) -> str:
    """Markdown that shows `text` literally: no markup, no link, no mention of anybody."""
    literal = _MARKUP_CHARACTERS.sub(r"\\\1", text.replace("&", "&amp;"))
    return _AUTOLINK_STARTS.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", literal)
