"""Results of the library as text, as HTML and as plain data, whichever job they are of."""

from __future__ import annotations

from typing import Any

import msgspec

from dense_calc.analysis.budget import CheckResult
from dense_calc.analysis.collapse import fold_long_report
from dense_calc.analysis.difference import ModelComparison, fold_copies
from dense_calc.analysis.explanation import Explanation
from dense_calc.render import Style
from dense_calc.render.checks import render_verdicts
from dense_calc.render.difference_grid import comparison_grid, render_comparisons
from dense_calc.render.explanation_text import render_explanation
from dense_calc.render.fit_grid import answer_grid, render_answer
from dense_calc.render.grid import Grid, report_grid
from dense_calc.render.growth_text import growth_json, render_growth
from dense_calc.render.html import html_table, html_text
from dense_calc.render.json import explanation_json, render_json
from dense_calc.render.sweep_grid import combination_grid
from dense_calc.render.table import table_lines
from dense_calc.report import Report
from dense_calc.result import JsonResult, Result
from dense_calc.whatif.fitting.answers import FitResult
from dense_calc.whatif.growing import GrowthResult
from dense_calc.whatif.sweeping import Sweep

_STYLE = Style()
_MAX_HTML_ROWS = 100  # of a sweep, which a notebook shows unasked


def result_text(result: Result) -> str:
    """A result as its command prints it, without a newline at the end."""
    page = _draw_page(result)
    return page.rstrip("\n") if isinstance(page, str) else "\n".join(table_lines(page, _STYLE))


def result_html(result: Result) -> str:
    """A result as a notebook shows it: a table, or text as it is. Of a sweep, the first rows."""
    if isinstance(result, Sweep):
        return html_table(combination_grid(result, result[:_MAX_HTML_ROWS], _STYLE))
    page = _draw_page(result)
    return html_text(page) if isinstance(page, str) else html_table(page)


def result_dict(result: JsonResult) -> dict[str, Any]:
    """The keys and values of the JSON that the command prints."""
    values: dict[str, Any] = msgspec.json.decode(_write_json(result))
    return values


def _draw_page(result: Result) -> Grid | str:
    """The grid of a result, or its text where that is no table."""
    match result:
        case Report():
            return report_grid(fold_long_report(result), _STYLE)
        case ModelComparison():
            return comparison_grid(fold_copies(result), _STYLE)
        case FitResult():
            return answer_grid(result, _STYLE)
        case Sweep():
            return combination_grid(result, result, _STYLE)
        case CheckResult():
            return render_verdicts([result], "text", _STYLE)
        case Explanation():
            return render_explanation(result, _STYLE)
        case GrowthResult():
            return render_growth(result, _STYLE)
    raise TypeError(f"{type(result).__name__} has no look")


def _write_json(result: JsonResult) -> str:
    """The JSON of a result, as the command prints it."""
    match result:
        case Report():
            return render_json([result], _STYLE)
        case ModelComparison():
            return render_comparisons([result], False, "json", _STYLE)
        case FitResult():
            return render_answer(result, "json", _STYLE)
        case CheckResult():
            return render_verdicts([result], "json", _STYLE)
        case Explanation():
            return explanation_json(result, _STYLE)
        case GrowthResult():
            return growth_json(result, _STYLE)
    raise TypeError(f"{type(result).__name__} has no JSON")
