"""JSON with a line for each item: of reports, explanations, the catalogue and the schema."""

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
_DELETE_CHARACTER = "\x7f"  # the only control character of ASCII that JSON does not escape
JSON_ENCODER = msgspec.json.Encoder()
# Keys that are left out where their value is empty.
OPTIONAL_REPORT_KEYS = (
    *("blocks", "unused", "partial", "state"),
    *("optimizer_params", "optimizer_bytes"),
)
_COUNT_KEYS = (
    *("params", "total_params", "trainable_params", "non_trainable_params"),
    *("total_bytes", "trainable_bytes", "non_trainable_bytes"),
)


def render_json(reports: Sequence[Report], style: Style) -> str:
    """The attributes of reports as JSON; an array of objects for several."""
    return escape_json(object_or_array(map(_report_json, reports), len(reports) > 1), style)


def _report_json(report: Report) -> str:
    """A report as JSON; unknown values are null, and `at_least` has the totals of known ones."""
    if not report.partial:
        return struct_json(report, "layers", OPTIONAL_REPORT_KEYS)
    totals = {name: getattr(report, name) for name in _COUNT_KEYS if hasattr(report, name)}
    extra = {"at_least": totals} if report.state == "unknown" else {}
    return struct_json(_null_unknowns(report), "layers", OPTIONAL_REPORT_KEYS, extra=extra)


def _null_unknowns(part: Any) -> Any:
    """A part of a report in which unknown values are None."""
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


def explanation_json(explanation: Explanation, style: Style) -> str:
    """The explanation of a model's layers as JSON, a line for each."""
    text = struct_json(explanation, "layers", ("symbolic_where",))
    return escape_json(f"{text}\n", style)


def catalogue_json(catalogue: Mapping[str, Any] | Sequence[Any], style: Style) -> str:
    """The families of layer kinds as JSON, a line for each kind; or an array of cards."""
    if isinstance(catalogue, Sequence):
        text = json_array(catalogue)
    else:
        text = json_object({family: json_array(kinds) for family, kinds in catalogue.items()})
    return escape_json(f"{text}\n", style)


def schema_json(schema: Mapping[str, Any], style: Style) -> str:
    """A JSON Schema, a line for each key and for each definition."""
    definitions = json_object(json_fields(schema["$defs"])).replace("\n", "\n  ")
    fields = json_fields(schema) | {"$defs": definitions}
    return escape_json(f"{json_object(fields)}\n", style)


def object_or_array(objects: Iterable[str], several: bool) -> str:
    """JSON objects as a text: one alone, or an array of them if `several` files were named."""
    text = ",\n".join(objects)
    return f"[\n{text}\n]\n" if several else f"{text}\n"


def struct_json(
    struct: Struct,
    list_field: str,
    optional_fields: Collection[str],
    hidden_field: str = "",
    extra: Mapping[str, Any] = _NO_EXTRA_FIELDS,
) -> str:
    """A struct as JSON, a line for each field; `list_field` comes last, a line for each item.

    The `optional_fields` are left out if they are empty; the `extra` ones stand before the last.
    """
    values = {
        name: getattr(struct, name)
        for name in struct.__struct_fields__
        if name not in (list_field, hidden_field)
        and (name not in optional_fields or getattr(struct, name))
    }
    fields = json_fields({**values, **extra})
    return json_object(fields | {list_field: json_array(getattr(struct, list_field))})


def json_text(value: Any) -> str:
    """A value as JSON, on one line."""
    return JSON_ENCODER.encode(value).decode()


def json_fields(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of an object, each as JSON."""
    return {name: json_text(value) for name, value in values.items()}


def json_array(items: Sequence[Any]) -> str:
    """A JSON array, a line for each item."""
    lines = JSON_ENCODER.encode_lines(items).decode().strip()
    return "[\n    " + lines.replace("\n", ",\n    ") + "\n  ]" if lines else "[]"


def json_object(fields: dict[str, str]) -> str:
    """A JSON object, a line for each key; the values of `fields` are JSON already."""
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in fields.items()) + "\n}"


def escape_json(text: str, style: Style) -> str:
    """JSON with escapes for characters that could control a terminal, or that it cannot show."""

    def escape(match: re.Match[str]) -> str:
        from json import dumps  # most JSON is ASCII and does without

        char = match[0]
        return char if char.isprintable() and not style.ascii else dumps(char)[1:-1]

    if text.isascii() and _DELETE_CHARACTER not in text:  # a hundred times faster than the search
        return text
    return re.sub(r"[^ -~\n]", escape, text)
