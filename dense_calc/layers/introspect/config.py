"""A layer → the arguments that make it, in plain values, as files hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from msgspec import NODEFAULT, to_builtins
from msgspec.structs import FieldInfo, fields

from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind, Window, snake_case

Inner = Callable[[LayerKind], Any]  # how a layer inside another is written

# What Keras writes into its files where a layer's default of None means the same.
MEANT = {
    "activation": "linear",
    "data_format": "channels_last",
    "ragged": False,
    "sparse": False,
}
# The arguments of initializers and such as Keras writes them where nobody has set them.
UNSET: dict[str, dict[str, Any]] = {
    "orthogonal": {"gain": 1.0},
    "identity": {"gain": 1.0},
    "randomnormal": {"mean": 0.0, "stddev": 0.05},
    "randomuniform": {"minval": -0.05, "maxval": 0.05},
    "truncatednormal": {"mean": 0.0, "stddev": 0.05},
    "variancescaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.01},
}


SIZES = ("shape", "batch_size", "batch_shape")  # the ways to say the shape of an input

NAMED = (
    types.SerializedConstraint,
    types.SerializedInitializer,
    types.SerializedPolicy,
    types.SerializedRegularizer,
)


def arguments_of(layer: LayerKind, inner: Inner) -> dict[str, Any]:
    """The arguments of a layer that are set to anything, as Keras writes them.

    Neither its name is among them nor what Keras' `call` takes.
    """
    return {
        field.encode_name: plain(getattr(layer, field.name), inner)
        for field in own_fields(layer)
        if (getattr(layer, field.name), default_of(field)) != (None, None)
    }


def readable_arguments(layer: LayerKind, inner: Inner) -> dict[str, Any]:
    """The arguments that are not the defaults, the needed ones first.

    Those of a layer are in their shortest form; to an operation every form is another.
    """
    found = {}
    for field in sorted(own_fields(layer), key=lambda field: not field.required):
        value, default = getattr(layer, field.name), default_of(field)
        is_told = value != default
        if is_told and not layer.is_operation:
            value = shortest(value, field)
            is_told = not is_same(value, meant(layer, field) if default is None else default)
        if is_told:
            found[field.encode_name] = plain(value, inner)
    return found


def settled_arguments(layer: LayerKind, inner: Inner) -> dict[str, Any]:
    """All arguments but the name, defaults among them, each in one form for all that mean the same.

    Those of Keras' `call` are among them.
    """
    found = {}
    for field in fields_of(type(layer)):
        if field.name != "name":
            value = getattr(layer, field.name)
            if value is None:
                value = meant(layer, field)
            found[field.encode_name] = plain(shortest(value, field), inner)
    return found


def arguments_of_call(layer: LayerKind) -> dict[str, Any]:
    """The arguments of Keras' `call` that are not the defaults."""
    return {
        field.encode_name: to_builtins(getattr(layer, field.name))
        for field in fields_of(type(layer))
        if field.encode_name in layer.of_call and getattr(layer, field.name) != default_of(field)
    }


fields_of = cache(fields)  # which evaluates the annotations of a class anew, 300 µs


def own_fields(layer: LayerKind) -> Iterator[FieldInfo]:
    """The arguments of the class of a layer, without its name."""
    for field in fields_of(type(layer)):
        if field.name != "name" and field.encode_name not in layer.of_call:
            yield field


def default_of(field: FieldInfo) -> Any:
    """The default of an argument, or msgspec's sign that there is none."""
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def meant(layer: LayerKind, field: FieldInfo) -> Any:
    """What it means that an argument is None, in Keras' words."""
    return layer.usual_dtype if field.encode_name == "dtype" else MEANT.get(field.encode_name)


def is_same(value: Any, default: Any) -> bool:
    """Whether a value means the default: as a list of one, or in other words of Keras'."""
    if isinstance(value, str) and isinstance(default, str):
        return types.plain(value) == types.plain(default)
    listed = isinstance(value, tuple) and default is not None
    return bool(value == default or (listed and value == (default,)))


def shortest(value: Any, field: FieldInfo) -> Any:
    """A value in its shortest form: one size for all sides, an object by its name alone."""
    if isinstance(value, tuple) and field.type == Window and len(set(value)) == 1:
        return value[0]
    if not isinstance(value, NAMED):
        return value
    config = {name: each for name, each in (value.config or {}).items() if each is not None}
    if isinstance(value, types.SerializedPolicy):
        return config.get("name", value) if value.class_name == "DTypePolicy" else value
    if config == UNSET.get(types.plain(value.class_name), {}):
        return snake_case(value.class_name)
    return {"class_name": value.class_name, "config": config}


def plain(value: Any, inner: Inner) -> Any:
    """A value in mappings, lists, text and numbers."""
    if isinstance(value, LayerKind):
        return inner(value)
    if isinstance(value, tuple):
        return [plain(each, inner) for each in value]
    return to_builtins(value)
