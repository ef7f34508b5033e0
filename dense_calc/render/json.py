"""The report as JSON, a line for each layer: an object, or an array of them for several files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.render import Style
from dense_calc.report import Port, Report, Row
from dense_calc.shapes import Unknown

if TYPE_CHECKING:
    from dense_calc.analysis.explanation import Explanation

NOTHING: Mapping[str, Any] = {}
DELETE = "\x7f"  # of ASCII's control characters the one that JSON does not escape
ENCODER = msgspec.json.Encoder()
# Keys that are there where there is anything under them.
SELDOM = (
    *("blocks", "unused", "partial", "state"),
    *("optimizer_params", "optimizer_bytes"),
)
COUNTS = (
    *("params", "total_params", "trainable_params", "non_trainable_params"),
    *("total_bytes", "trainable_bytes", "non_trainable_bytes"),
)


def render(reports: Sequence[Report], style: Style) -> str:
    """The attributes of the reports."""
    texts = list(map(text_of, reports))
    return safe(one_or_all(texts, len(texts) > 1), style)


def text_of(report: Report) -> str:
    """A report, with null for what is not known; then its totals are `at_least` so large."""
    if not report.partial:
        return by_key(report, "layers", SELDOM)
    known = {name: getattr(report, name) for name in COUNTS if hasattr(report, name)}
    least = {"at_least": known} if report.state == "unknown" else {}
    return by_key(with_nulls(report), "layers", SELDOM, more=least)


def with_nulls(part: Any) -> Any:
    """A part of a report with null for what is not known."""
    match part:
        case Unknown():
            return None
        case Row() | Report() | Port():
            known = {name: with_nulls(each) for name, each in asdict(part).items()}
            unknown = COUNTS if getattr(part, "state", "") == "unknown" else ()
            return replace(part, **known | {name: None for name in unknown if name in known})
        case tuple():
            return tuple(map(with_nulls, part))
        case dict():
            return {key: with_nulls(each) for key, each in part.items()}
    return part


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


def one_or_all(objects: Iterable[str], several: bool) -> str:
    """An object, or an array of them if several files were asked for."""
    text = ",\n".join(objects)
    return f"[\n{text}\n]\n" if several else f"{text}\n"


def by_key(
    struct: Struct,
    listed: str,
    seldom: Collection[str],
    never: str = "",
    more: Mapping[str, Any] = NOTHING,
) -> str:
    """The fields of a struct, a line for each, and for each item of the one that is `listed`, last.

    The `seldom` ones are there where there is anything under them; `more` stand before the last.
    """
    fields = {
        name: ENCODER.encode(getattr(struct, name)).decode()
        for name in struct.__struct_fields__
        if name not in (listed, never) and (name not in seldom or getattr(struct, name))
    }
    fields |= {name: ENCODER.encode(each).decode() for name, each in more.items()}
    return object_of(fields | {listed: lines_of(getattr(struct, listed))})


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

    if text.isascii() and DELETE not in text:  # which is most, and seen a hundred times faster
        return text
    return re.sub(r"[^ -~\n]", escaped, text)
