"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from dense_calc.render import Style
from dense_calc.report import Report

if TYPE_CHECKING:
    from dense_calc.explanation import Explanation

ENCODER = msgspec.json.Encoder()


def render(reports: Sequence[Report], _style: Style) -> str:
    """The attributes of the reports, whatever the style."""
    objects = ",\n".join(map(report_lines, reports))
    text = f"{objects}\n" if len(reports) == 1 else f"[\n{objects}\n]\n"
    return "\n".join(map(safe, text.split("\n")))


def explanation_json(report: Report, explanations: Sequence[Explanation]) -> str:
    """The explanations of a model's layers, a line for each."""
    fields = {
        "name": ENCODER.encode(report.name).decode(),
        "total_params": str(report.total_params),
        "layers": lines_of(explanations),
    }
    return "\n".join(map(safe, f"{object_of(fields)}\n".split("\n")))


def catalogue_json(shown: Mapping[str, Any] | Sequence[Any]) -> str:
    """The families of layer kinds, a line for each kind; or an array of cards."""
    if isinstance(shown, Mapping):
        return object_of({family: lines_of(kinds) for family, kinds in shown.items()}) + "\n"
    return lines_of(shown) + "\n"


def report_lines(report: Report) -> str:
    """A report with a line for each key, and for each layer."""
    fields = {
        name: ENCODER.encode(getattr(report, name)).decode()
        for name in report.__struct_fields__
        if name != "layers"
    }
    return object_of(fields | {"layers": lines_of(report.layers)})


def lines_of(items: Sequence[Any]) -> str:
    """An array with a line for each item."""
    lines = ENCODER.encode_lines(items).decode().strip()
    return "[\n    " + lines.replace("\n", ",\n    ") + "\n  ]" if lines else "[]"


def object_of(fields: dict[str, str]) -> str:
    """An object of keys and of values that are JSON already, a line for each."""
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in fields.items()) + "\n}"


def safe(line: str) -> str:
    """A line of JSON with the characters escaped that could speak to a terminal."""
    if line.isprintable():
        return line
    from json import dumps

    return "".join(char if char.isprintable() else dumps(char)[1:-1] for char in line)
