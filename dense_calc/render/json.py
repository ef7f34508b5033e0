"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dense_calc.render import Style
from dense_calc.report import Report


def render(reports: Sequence[Report], _style: Style) -> str:
    """The attributes of the reports, whatever the style."""
    objects = ",\n".join(map(report_lines, reports))
    return f"{objects}\n" if len(reports) == 1 else f"[\n{objects}\n]\n"


def report_lines(report: Report) -> str:
    """A report with a line for each key, and for each layer."""
    values = {name: line(getattr(report, name)) for name in report.__struct_fields__}
    values["layers"] = "[\n    " + ",\n    ".join(map(line, report.layers)) + "\n  ]"
    return "{\n  " + ",\n  ".join(f'"{name}": {value}' for name, value in values.items()) + "\n}"


def line(value: Any) -> str:
    """A value on one line. Characters that could speak to a terminal are escaped."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if text.isprintable():
        return text
    from json import dumps

    return "".join(char if char.isprintable() else dumps(char)[1:-1] for char in text)
