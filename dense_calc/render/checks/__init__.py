"""Verdicts → text: one table of formats, each with the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dense_calc.analysis.budget import CheckResult
from dense_calc.render import Style, import_function

VERDICT_FORMATS = {
    "text": "dense_calc.render.checks.text_checks:render_text_checks",
    "json": "dense_calc.render.checks.json_checks:render_json_checks",
    "github": "dense_calc.render.checks.github:render_github",
    "junit": "dense_calc.render.checks.junit:render_junit",
    "sarif": "dense_calc.render.checks.sarif:render_sarif",
    "markdown": "dense_calc.render.checks.markdown_checks:render_markdown_checks",
}


def render_verdicts(verdicts: Sequence[CheckResult], format: str, style: Style) -> str:
    """Verdicts in a format, ending in a newline, or nothing."""
    render: Callable[[Sequence[CheckResult], Style], str] = import_function(VERDICT_FORMATS[format])
    return render(verdicts, style)
