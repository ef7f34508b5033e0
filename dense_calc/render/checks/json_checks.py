"""Verdicts as JSON, a line for each check. Its keys are a contract: new ones may be added."""

from __future__ import annotations

from collections.abc import Sequence

from dense_calc.analysis.budget import CheckResult
from dense_calc.render import Style
from dense_calc.render.json import escape_json, struct_json

_OPTIONAL_VERDICT_KEYS = ("error", "line", "column", "other_errors", "notes")


def render_json_checks(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The checks of each file, and `ok`, whether all of them hold."""
    ok = "true" if all(verdict.ok for verdict in verdicts) else "false"
    texts = (struct_json(verdict, "checks", _OPTIONAL_VERDICT_KEYS) for verdict in verdicts)
    files = ",\n".join(texts).replace("\n", "\n    ")
    return escape_json(f'{{\n  "ok": {ok},\n  "files": [\n    {files}\n  ]\n}}\n', style)
