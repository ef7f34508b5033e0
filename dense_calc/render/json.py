"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dense_calc.render import Style
from dense_calc.report import Report

ENCODER = msgspec.json.Encoder()


def render(reports: Sequence[Report], _style: Style) -> str:
    """The attributes of the reports, whatever the style."""
    objects = ",\n".join(map(report_lines, reports))
    text = f"{objects}\n" if len(reports) == 1 else f"[\n{objects}\n]\n"
    return "\n".join(map(safe, text.split("\n")))


def report_lines(report: Report) -> str:
    """A report with a line for each key, and for each layer."""
    fields = {
        name: ENCODER.encode(getattr(report, name)).decode()
        for name in report.__struct_fields__
        if name != "layers"
    }
    rows = ENCODER.encode_lines(report.layers).decode().strip()
    fields["layers"] = "[\n    " + rows.replace("\n", ",\n    ") + "\n  ]" if rows else "[]"
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in fields.items()) + "\n}"


def safe(line: str) -> str:
    """A line of JSON with the characters escaped that could speak to a terminal."""
    if line.isprintable():
        return line
    from json import dumps

    return "".join(char if char.isprintable() else dumps(char)[1:-1] for char in line)
