"""Verdicts → text: one table of formats, each a module with a function `render`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from dense_calc.analysis.budget import CheckResult
from dense_calc.render import Style

VERDICT_FORMATS = {
    "text": "dense_calc.render.checks.text_checks",
    "json": "dense_calc.render.checks.json_checks",
    "github": "dense_calc.render.checks.github",
    "junit": "dense_calc.render.checks.junit",
    "sarif": "dense_calc.render.checks.sarif",
    "markdown": "dense_calc.render.checks.markdown_checks",
}


def render_verdicts(verdicts: Sequence[CheckResult], format: str, style: Style) -> str:
    """Verdicts in a format, ending in a newline, or nothing."""
    render: Callable[[Sequence[CheckResult], Style], str] = import_module(
        VERDICT_FORMATS[format]
    ).render
    return render(verdicts, style)
