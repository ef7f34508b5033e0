"""The arguments of a layer as they are written → the layer, decoded by the types of its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

from msgspec import ValidationError, convert

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.spec.document import said
from dense_calc.spec.entries import Entry

# How msgspec words a value that does not fit: the problem, then the path to the value.
# Patterns are compiled when they are first needed.
PROBLEM = r"(?s)(.*?)(?: - at (?:`key` in )?`\$(.*)`)?"
STEP = r"\.(\w+)|\[(\d+)\]"
FIELD = r"(?s)Object (contains unknown|missing required) field `(.*)`"
TEXT_FOR_NUMBER = r"Expected `[^`]*\b(int|float)\b[^`]*`, got `str`"

Path = list[str | int]


def layer_of(entry: Entry, names: Mapping[str, int | float]) -> LayerKind:
    """The layer that an entry describes.

    Types decide what is an expression: text that stands where the kind wants a number.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    values: Any = {
        name: value.plain() for name, (_, value) in entry.arguments.items() if name != "from"
    }
    while True:
        try:
            return convert(values, entry.kind)
        except ValidationError as error:
            problem, path = problem_of(error)
        if not path:
            raise unfit_name(entry, problem)
        *steps, last = path
        holder = reduce(lambda inside, step: inside[step], steps, values)
        if not re.match(TEXT_FOR_NUMBER, problem):
            raise unfit(entry, path, f"not {said(holder[last])}")
        from dense_calc.spec.expressions import ExpressionError, evaluate  # many models have none

        try:
            holder[last] = evaluate(holder[last], names)
        except ExpressionError as error:
            raise unfit(entry, path, f"but {error}") from None


def problem_of(error: ValidationError) -> tuple[str, Path]:
    """What msgspec found, and the path to the value that it found it in."""
    match = re.fullmatch(PROBLEM, str(error))
    assert match
    steps = re.findall(STEP, match[2] or "")
    return match[1], [int(index) if index else name for name, index in steps]


def unfit_name(entry: Entry, problem: str) -> SpecError:
    """The complaint about an argument that is missing or that the kind does not have."""
    match = re.fullmatch(FIELD, problem)
    assert match
    kind, name = entry.kind, match[2]
    if match[1] == "missing required":
        return SpecError(f"{kind.__name__} needs '{name}'", entry)
    hint = did_you_mean(name, kind.__struct_fields__)
    return SpecError(f"{kind.__name__} has no argument '{name}'{hint}", entry.arguments[name][0])


def unfit(entry: Entry, path: Path, instead: str) -> SpecError:
    """The complaint about a value of the wrong type: what it must be, and what it is instead."""
    from dense_calc.layers.phrases import phrase, type_of, words_of  # only a mistake pays for it

    name, *steps = path
    place = entry.arguments[str(name)][1]
    for step in steps:
        place = place.value[step]
    wanted = type_of(entry.kind, str(name))
    hint = did_you_mean(str(place.value), words_of(wanted))
    return SpecError(
        f"{entry.kind.__name__}'s '{name}' must be {phrase(wanted)}, {instead}{hint}", place
    )
