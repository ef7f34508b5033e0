"""Reports → text: one table of formats, each a module with a function `render`.

A renderer computes nothing. Text from a file reaches it through `cells`, which escapes what could
speak to a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from msgspec import Struct

from dense_calc.report import Report

FORMATS = {
    "table": "dense_calc.render.table",
    "text": "dense_calc.render.text",
    "json": "dense_calc.render.json",
    "csv": "dense_calc.render.csv",
    "markdown": "dense_calc.render.markdown",
}


class Style(Struct, frozen=True):
    """How to show reports: `columns` None for those that fit, `width` None for no limit."""

    columns: tuple[str, ...] | None = None
    width: int | None = None
    ascii: bool = False
    color: bool = False


def rendered(reports: Sequence[Report], format: str, style: Style) -> str:
    """Reports in a format, ending in a newline."""
    render: Callable[[Sequence[Report], Style], str] = import_module(FORMATS[format]).render
    return render(reports, style)
