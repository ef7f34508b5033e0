"""The numbers of a spec that can be set, one by one: as vars in their places, or as arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect
from msgspec.structs import fields

from dense_calc.layers.base import LayerKind
from dense_calc.model import Model
from dense_calc.settings.targets import input_sizes
from dense_calc.settings.variants import ModelVariants
from dense_calc.spec_language.expression_types import type_choices
from support.drawn_specs import variants_of
from support.formula_proof import plain_outcome

_NO_SETTINGS = ("name", "model")


def with_vars(spec: dict[str, Any]) -> tuple[ModelVariants, dict[str, Any]]:
    """A spec with a var in place of each number that may be one, and the values of these vars."""
    numbers: dict[str, Any] = {}
    lifted = _lift_numbers(spec, numbers)
    outcome = plain_outcome(variants_of(spec), {})
    if plain_outcome(variants_of({"vars": numbers, **lifted}), {}) != outcome:
        for name in list(numbers):
            single = {"vars": numbers, **_insert_numbers(lifted, numbers, {name})}
            if plain_outcome(variants_of(single), {}) != outcome:
                lifted = _insert_numbers(lifted, numbers, numbers.keys() - {name})
                del numbers[name]
    return variants_of({"vars": numbers, **lifted}), numbers


def _lift_numbers(value: Any, numbers: dict[str, Any]) -> Any:
    """A value with names in place of its numbers, which are added to `numbers`."""
    if isinstance(value, dict):
        return {key: _lift_numbers(each, numbers) for key, each in value.items()}
    if isinstance(value, list):
        return [_lift_numbers(each, numbers) for each in value]
    if type(value) not in (int, float):
        return value
    name = f"v{len(numbers)}"
    numbers[name] = value
    return name


def _insert_numbers(value: Any, numbers: dict[str, Any], kept: set[str]) -> Any:
    """A value with numbers in place of their names but for those that are kept."""
    if isinstance(value, dict):
        return {key: _insert_numbers(each, numbers, kept) for key, each in value.items()}
    if isinstance(value, list):
        return [_insert_numbers(each, numbers, kept) for each in value]
    is_name = isinstance(value, str) and value in numbers.keys() - kept
    return numbers[value] if is_name else value


def numeric_arguments(model: Model) -> Iterator[tuple[str, Any]]:
    """The sizes of inputs and the arguments of layers that may be numbers, and their values."""
    for node in model.nodes:
        sizes = input_sizes(node.layer) if node.name in model.inputs else None
        yield from ((f"{node.name}[{axis}]", size) for axis, size in enumerate(sizes or ()))
        yield from _numeric_arguments_of(node.layer, node.name)


def _numeric_arguments_of(layer: LayerKind, path: str) -> Iterator[tuple[str, Any]]:
    """The arguments of a layer, and of those inside it, that may be numbers."""
    for field in fields(type(layer)):
        value, setting = getattr(layer, field.name), f"{path}.{field.encode_name}"
        if isinstance(value, LayerKind):
            yield from _numeric_arguments_of(value, setting)
        elif isinstance(value, tuple) and any(isinstance(each, LayerKind) for each in value):
            for number, each in enumerate(value):
                yield from _numeric_arguments_of(each, f"{setting}.{number}")
        elif field.encode_name not in _NO_SETTINGS:
            choices = type_choices(type(layer), (field.encode_name,))
            if any(isinstance(each, inspect.IntType | inspect.FloatType) for each in choices):
                yield setting, value
