"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from dense_calc.render import Style
from dense_calc.report import Report

if TYPE_CHECKING:
    from dense_calc.explanation import Explanation

ENCODER = msgspec.json.Encoder()
SELDOM = ("blocks", "unused")  # keys that are there where there is anything under them


def render(reports: Sequence[Report], style: Style) -> str:
    """The attributes of the reports."""
    objects = ",\n".join(map(report_lines, reports))
    text = f"{objects}\n" if len(reports) == 1 else f"[\n{objects}\n]\n"
    return safe(text, style)


def explanation_json(report: Report, explanations: Sequence[Explanation], style: Style) -> str:
    """The explanations of a model's layers, a line for each."""
    fields = {
        "name": ENCODER.encode(report.name).decode(),
        "total_params": str(report.total_params),
        "layers": lines_of(explanations),
    }
    return safe(f"{object_of(fields)}\n", style)


def catalogue_json(shown: Mapping[str, Any] | Sequence[Any], style: Style) -> str:
    """The families of layer kinds, a line for each kind; or an array of cards."""
    text = (
        lines_of(shown)
        if isinstance(shown, Sequence)
        else object_of({family: lines_of(kinds) for family, kinds in shown.items()})
    )
    return safe(f"{text}\n", style)


def schema_json(schema: Mapping[str, Any], style: Style) -> str:
    """A JSON Schema, a line for each key and for each definition."""
    fields = {name: ENCODER.encode(part).decode() for name, part in schema.items()}
    definitions = {name: ENCODER.encode(part).decode() for name, part in schema["$defs"].items()}
    fields["$defs"] = object_of(definitions).replace("\n", "\n  ")
    return safe(f"{object_of(fields)}\n", style)


def report_lines(report: Report) -> str:
    """A report with a line for each key, and for each layer."""
    fields = {
        name: ENCODER.encode(getattr(report, name)).decode()
        for name in report.__struct_fields__
        if name != "layers" and (name not in SELDOM or getattr(report, name))
    }
    return object_of(fields | {"layers": lines_of(report.layers)})


def lines_of(items: Sequence[Any]) -> str:
    """An array with a line for each item."""
    lines = ENCODER.encode_lines(items).decode().strip()
    return "[\n    " + lines.replace("\n", ",\n    ") + "\n  ]" if lines else "[]"


def object_of(fields: dict[str, str]) -> str:
    """An object of keys and of values that are JSON already, a line for each."""
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in fields.items()) + "\n}"


def safe(text: str, style: Style) -> str:
    """JSON with the characters escaped that could speak to a terminal, or that it cannot show."""

    def escaped(found: re.Match[str]) -> str:
        from json import dumps  # the rare sign pays for it

        char = found[0]
        return char if char.isprintable() and not style.ascii else dumps(char)[1:-1]

    return re.sub(r"[^ -~\n]", escaped, text)
