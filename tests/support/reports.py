"""The report of a spec, and what its rows say in short."""

from __future__ import annotations

import textwrap

from dense_calc.errors import Source
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace


def report_of(text: str) -> Report:
    """The report on a spec."""
    return trace(parse_spec(Source("spec", textwrap.dedent(text)), "spec"))


def units(report: Report) -> list[int | None]:
    """The last axis of each row."""
    shapes = [row.output_shape for row in report.layers]
    return [
        shape[-1]
        for shape in shapes
        if isinstance(shape, tuple) and not isinstance(shape[-1], tuple | dict)
    ]


def names(report: Report) -> str:
    """The names of the rows."""
    return " ".join(row.name for row in report.layers)


def reads(report: Report) -> dict[str, str]:
    """What each row reads."""
    return {row.name: " ".join(row.connected_to) for row in report.layers}
