"""Slips in the arguments of a layer → hints: `(28, 28)`, `3x3`, `units:3`, `yes`, PyTorch's names.

Only a mistake needs this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.inspect import BoolType, FloatType, IntType
from msgspec.structs import fields

from dense_calc.errors import Place, describe_value, quote_form
from dense_calc.layers import is_kind_name
from dense_calc.layers.introspect.refusals import ValuePath
from dense_calc.layers.introspect.type_phrases import argument_type
from dense_calc.spec_language.colons import describe_missing_colon
from dense_calc.spec_language.commas import comma_error, describe_commas, is_number_with_commas
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.expression_types import takes_list
from dense_calc.spec_language.written_layers import (
    fill_in_required,
    format_layer,
    suggest_argument,
    suggest_from_call,
    suggest_padding,
)

_YAML_1_1_TRUTHS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON", "y", "Y"), "true"),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF", "n", "N"), "false"),
}


def suggest_mending(entry: SpecEntry, locate: Callable[[ValuePath], Place], path: ValuePath) -> str:
    """The hint for what is wrong at a path in the arguments of an entry, '' without one.

    `locate` gives the place of a path in the file.
    """
    if not path:
        return _suggest_form(entry)
    place = locate(path)
    value = getattr(place, "value", None)
    if path == ["padding"] and not isinstance(value, str):
        written = {name: each.plain_value() for name, (_, each) in entry.arguments.items()}
        return suggest_padding(entry.kind, written)
    if value == "None":
        return "; Python's None is null in YAML"
    if isinstance(value, str) and entry.arguments.get(value, (None,))[0] is place:  # it is a name
        return _suggest_argument(entry, value, place)
    takes = argument_type(entry.kind, str(path[0]))
    match value:
        case [one] if isinstance(takes, IntType | FloatType):
            return f"; write {describe_value(one.plain_value())}"
        case str() if isinstance(takes, BoolType):
            return f"; write {_YAML_1_1_TRUTHS[value]}" if value in _YAML_1_1_TRUTHS else ""
        case str() if isinstance(takes, IntType) and re.search(r"[^/]/[^/]", value):
            return "; '//' divides and rounds down"
        case str():
            return describe_commas(value) or describe_missing_colon(place)
    return ""


def suggest_several(entry: SpecEntry, name: str, text: str) -> str:
    """The hint for several arguments in the place of the first, `Conv2D: 32, 3`; else ''."""
    is_first = entry.arguments[name][0].coordinates == entry.coordinates
    if (
        not is_first
        or "," not in text
        or is_number_with_commas(text)
        or takes_list(entry.kind, name)
    ):
        return ""
    return suggest_from_call(entry.kind.__name__, text)


def _suggest_form(entry: SpecEntry) -> str:
    """The hint for a layer that needs more than the first argument, which stands under it."""
    values = {
        name: value.plain_value()
        for name, (word, value) in entry.arguments.items()
        if word.coordinates == entry.coordinates
    }
    form = values and fill_in_required(entry.kind.__name__, values)
    return f"; write {quote_form(form)}" if form else ""


def _suggest_argument(entry: SpecEntry, name: str, place: Place) -> str:
    """The hint for a name that no argument has: PyTorch's, a layer, or the rest of a value."""
    inner = getattr(entry.kind, "inner_layer_arguments", ())  # `expect` is no kind of layer
    if inner and is_kind_name(name):
        layer = {name: entry.arguments[name][1].plain_value() or {}}
        return f"; a layer inside needs a name: write {quote_form(format_layer(inner[0], layer))}"
    others = {each: value.plain_value() for each, (_, value) in entry.arguments.items()}
    match name, others.pop(name):
        case "config", dict(config):
            return f"; write {quote_form(format_layer(entry.kind.__name__, others | config))}"
        case "repeat", times:
            form = f"{{repeat: {times}, layers: [{format_layer(entry.kind.__name__, others)}]}}"
            return f"; write {quote_form(form)}"
    if hint := suggest_argument(entry.kind, name) or describe_missing_colon(place):
        return hint
    keys, values = zip(*entry.arguments.values(), strict=True)
    error = comma_error(keys, values, list(entry.arguments).index(name))
    if error:
        return f"; {error.message}"
    needed = (field.encode_name for field in fields(entry.kind) if field.required)
    longer = [each for each in needed if name in each.split("_")]  # 'shape' for 'target_shape'
    return f"; did you mean '{longer[0]}'?" if len(longer) == 1 else ""
