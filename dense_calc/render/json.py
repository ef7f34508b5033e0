"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.render import Style
from dense_calc.report import LayerRow, Port, Report
from dense_calc.shapes import UnknownShape

if TYPE_CHECKING:
    from dense_calc.analysis.explanation import Explanation

_NO_EXTRA_FIELDS: Mapping[str, Any] = {}
_DELETE_CHARACTER = "\x7f"  # of ASCII's control characters the one that JSON does not escape
JSON_ENCODER = msgspec.json.Encoder()
# Keys that are there where there is anything under them.
OPTIONAL_REPORT_KEYS = (
    *("blocks", "unused", "partial", "state"),
    *("optimizer_params", "optimizer_bytes"),
)
_COUNT_KEYS = (
    *("params", "total_params", "trainable_params", "non_trainable_params"),
    *("total_bytes", "trainable_bytes", "non_trainable_bytes"),
)


def render(reports: Sequence[Report], style: Style) -> str:
    """The attributes of the reports."""
    texts = list(map(_report_json, reports))
    return escape_json(object_or_array(texts, len(texts) > 1), style)


def _report_json(report: Report) -> str:
    """A report, with null for what is not known; then its totals are `at_least` so large."""
    if not report.partial:
        return struct_json(report, "layers", OPTIONAL_REPORT_KEYS)
    known = {name: getattr(report, name) for name in _COUNT_KEYS if hasattr(report, name)}
    least = {"at_least": known} if report.state == "unknown" else {}
    return struct_json(_null_unknowns(report), "layers", OPTIONAL_REPORT_KEYS, more=least)


def _null_unknowns(part: Any) -> Any:
    """A part of a report with null for what is not known."""
    match part:
        case UnknownShape():
            return None
        case LayerRow() | Report() | Port():
            known = {name: _null_unknowns(each) for name, each in asdict(part).items()}
            unknown = _COUNT_KEYS if getattr(part, "state", "") == "unknown" else ()
            return replace(part, **known | {name: None for name in unknown if name in known})
        case tuple():
            return tuple(map(_null_unknowns, part))
        case dict():
            return {key: _null_unknowns(each) for key, each in part.items()}
    return part


def explanation_json(report: Report, explanations: Sequence[Explanation], style: Style) -> str:
    """The explanations of a model's layers, a line for each."""
    fields = {
        "name": JSON_ENCODER.encode(report.name).decode(),
        "total_params": str(report.total_params),
        "layers": json_array(explanations),
    }
    return escape_json(f"{json_object(fields)}\n", style)


def catalogue_json(shown: Mapping[str, Any] | Sequence[Any], style: Style) -> str:
    """The families of layer kinds, a line for each kind; or an array of cards."""
    text = (
        json_array(shown)
        if isinstance(shown, Sequence)
        else json_object({family: json_array(kinds) for family, kinds in shown.items()})
    )
    return escape_json(f"{text}\n", style)


def schema_json(schema: Mapping[str, Any], style: Style) -> str:
    """A JSON Schema, a line for each key and for each definition."""
    fields = {name: JSON_ENCODER.encode(part).decode() for name, part in schema.items()}
    definitions = {
        name: JSON_ENCODER.encode(part).decode() for name, part in schema["$defs"].items()
    }
    fields["$defs"] = json_object(definitions).replace("\n", "\n  ")
    return escape_json(f"{json_object(fields)}\n", style)


def object_or_array(objects: Iterable[str], several: bool) -> str:
    """An object, or an array of them if several files were asked for."""
    text = ",\n".join(objects)
    return f"[\n{text}\n]\n" if several else f"{text}\n"


def struct_json(
    struct: Struct,
    listed: str,
    seldom: Collection[str],
    never: str = "",
    more: Mapping[str, Any] = _NO_EXTRA_FIELDS,
) -> str:
    """The fields of a struct, a line for each, and for each item of the one that is `listed`, last.

    The `seldom` ones are there where there is anything under them; `more` stand before the last.
    """
    fields = {
        name: JSON_ENCODER.encode(getattr(struct, name)).decode()
        for name in struct.__struct_fields__
        if name not in (listed, never) and (name not in seldom or getattr(struct, name))
    }
    fields |= {name: JSON_ENCODER.encode(each).decode() for name, each in more.items()}
    return json_object(fields | {listed: json_array(getattr(struct, listed))})


def json_array(items: Sequence[Any]) -> str:
    """An array with a line for each item."""
    lines = JSON_ENCODER.encode_lines(items).decode().strip()
    return "[\n    " + lines.replace("\n", ",\n    ") + "\n  ]" if lines else "[]"


def json_object(fields: dict[str, str]) -> str:
    """An object of keys and of values that are JSON already, a line for each."""
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in fields.items()) + "\n}"


def escape_json(text: str, style: Style) -> str:
    """JSON with the characters escaped that could speak to a terminal, or that it cannot show."""

    def escaped(found: re.Match[str]) -> str:
        from json import dumps  # the rare sign pays for it

        char = found[0]
        return char if char.isprintable() and not style.ascii else dumps(char)[1:-1]

    if (
        text.isascii() and _DELETE_CHARACTER not in text
    ):  # which is most, and seen a hundred times faster
        return text
    return re.sub(r"[^ -~\n]", escaped, text)
