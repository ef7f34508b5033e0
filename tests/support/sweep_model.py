"""A small model to sweep, and what each row of a sweep must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from conftest import ROOT

from dense_calc import load, summarize, trace
from dense_calc.analysis.budget import check_limits
from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.report import Report

Told = Callable[..., str]
Row = dict[str, Any]

# With a width w and a depth d: 9 w, and w (w + 1) for each further copy, and 4 (w + 1).
MODEL = """\
vars: {w: 16, d: 1}
input: [8]
blocks: {b: [Dense: {units: w, name: body}]}
layers: [b: {repeat: d}, Dense: {units: 4, name: head}]
budget: {params: 300}
"""
NO_UNITS = "Dense's 'units' must be a positive integer, not 0"


def params(w: int, d: int = 1) -> int:
    """The parameters of the model."""
    return 9 * w + (d - 1) * w * (w + 1) + 4 * (w + 1)


def rows(told: Told, *arguments: str) -> list[Row]:
    """The rows of a run, as JSON has them."""
    return [json.loads(line) for line in told(*arguments, "--format", "json").splitlines()]


def widths(told: Told, *arguments: str) -> list[Any]:
    """What the width is in each row of a run."""
    return [row["set"]["w"] for row in rows(told, "m.yaml", *arguments)]


def fields(report: Report) -> Row:
    """What a row has of a report."""
    names = ("total_params", "trainable_params", "non_trainable_params", "total_bytes")
    return {name: getattr(report, name) for name in names}


def expected(path: Path, values: Mapping[str, Any]) -> Row:
    """The row that these settings must have, worked out anew."""
    base = summarize(path).total_params
    try:
        model = load(path, **values)
        report = trace(model)
    except DenseCalcError as error:
        return {"set": values, "error": error.message}
    row = {"set": values, **fields(report), "change": report.total_params - base}
    limits = [limit for limit in model.limits if limit.rule != "exact"]
    if not limits:
        return row
    try:
        return row | {"within_budget": all(check.ok for check in check_limits(report, limits))}
    except SpecError:
        return row | {"within_budget": None}


SPEC_FILES = {path.stem: path for path in sorted((ROOT / "specs").glob("*.yaml"))}
VARS: dict[str, dict[str, Any]] = {
    name: found["vars"]
    for name, path in SPEC_FILES.items()
    if "vars" in (found := yaml.safe_load(path.read_text("utf-8")))
}


INNER = """\
input: [4]
layers:
  - Sequential: {name: inner, input: [4], layers: [Dense: {units: 4, name: one}]}
"""
