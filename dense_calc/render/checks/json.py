"""Verdicts as JSON: a contract, to which keys may be added; a line for each check."""

from __future__ import annotations

from collections.abc import Sequence

from dense_calc.budgets import Verdict
from dense_calc.render import Style
from dense_calc.render.json import ENCODER, lines_of, object_of, safe


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """Whether all is well, and the checks of each file."""
    ok = "true" if all(verdict.ok for verdict in verdicts) else "false"
    files = ",\n".join(map(file_lines, verdicts)).replace("\n", "\n    ")
    return safe(f'{{\n  "ok": {ok},\n  "files": [\n    {files}\n  ]\n}}\n', style)


def file_lines(verdict: Verdict) -> str:
    """One file, with a line for each key that it has and for each check."""
    fields = {
        name: ENCODER.encode(getattr(verdict, name)).decode()
        for name in ("file", "ok", "error", "line", "column", "notes")
        if getattr(verdict, name) not in (None, ())
    }
    return object_of(fields | {"checks": lines_of(verdict.checks)})
