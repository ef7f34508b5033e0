"""The arguments of a layer as plain values, as files hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from msgspec import NODEFAULT, to_builtins
from msgspec.structs import FieldInfo, fields

from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind, WindowSize, to_snake_case

_InnerLayerWriter = Callable[[LayerKind], Any]  # writes a layer that is an argument

# The values that Keras writes to its files in place of a default of None.
_IMPLIED_VALUES = {
    "activation": "linear",
    "data_format": "channels_last",
    "ragged": False,
    "sparse": False,
}
# The default arguments of initializers and regularizers, as Keras writes them.
_DEFAULT_OBJECT_CONFIGS: dict[str, dict[str, Any]] = {
    "orthogonal": {"gain": 1.0},
    "identity": {"gain": 1.0},
    "randomnormal": {"mean": 0.0, "stddev": 0.05},
    "randomuniform": {"minval": -0.05, "maxval": 0.05},
    "truncatednormal": {"mean": 0.0, "stddev": 0.05},
    "variancescaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.01},
}


INPUT_SIZE_ARGUMENTS = ("shape", "batch_size", "batch_shape")  # of an InputLayer

_NAMED_OBJECT_TYPES = (
    types.SerializedConstraint,
    types.SerializedInitializer,
    types.SerializedPolicy,
    types.SerializedRegularizer,
)


def config_arguments(layer: LayerKind, inner: _InnerLayerWriter) -> dict[str, Any]:
    """The constructor arguments of a layer as Keras writes them, but for its name.

    An argument is left out where both its value and its default are None.
    """
    return {
        field.encode_name: _to_builtin_value(getattr(layer, field.name), inner)
        for field in _constructor_fields(layer)
        if (getattr(layer, field.name), _field_default(field)) != (None, None)
    }


def readable_arguments(layer: LayerKind, inner: _InnerLayerWriter) -> dict[str, Any]:
    """The constructor arguments that differ from their defaults, required ones first.

    Values of a layer take their shortest form; an operation treats each form differently.
    """
    arguments = {}
    for field in sorted(_constructor_fields(layer), key=lambda field: not field.required):
        value, default = getattr(layer, field.name), _field_default(field)
        differs = value != default
        if differs and not layer.is_operation:
            value = _shorten_value(value, field)
            differs = not _is_default_value(
                value, _implied_value(layer, field) if default is None else default
            )
        if differs:
            arguments[field.encode_name] = _to_builtin_value(value, inner)
    return arguments


def normalized_arguments(layer: LayerKind, inner: _InnerLayerWriter) -> dict[str, Any]:
    """All arguments but the name, also those of `call`, each in one form for equal meanings."""
    arguments = {}
    for field in _struct_fields(type(layer)):
        if field.name != "name":
            value = getattr(layer, field.name)
            if value is None:
                value = _implied_value(layer, field)
            arguments[field.encode_name] = _to_builtin_value(_shorten_value(value, field), inner)
    return arguments


def call_argument_values(layer: LayerKind) -> dict[str, Any]:
    """The arguments of Keras' `call` that differ from their defaults."""
    return {
        field.encode_name: to_builtins(getattr(layer, field.name))
        for field in _struct_fields(type(layer))
        if field.encode_name in layer.call_arguments
        and getattr(layer, field.name) != _field_default(field)
    }


_struct_fields = cache(fields)  # saves 300 µs, in which it evaluates annotations


def _constructor_fields(layer: LayerKind) -> Iterator[FieldInfo]:
    """The fields of a layer that its constructor takes, but for the name."""
    for field in _struct_fields(type(layer)):
        if field.name != "name" and field.encode_name not in layer.call_arguments:
            yield field


def _field_default(field: FieldInfo) -> Any:
    """The default of an argument, msgspec's NODEFAULT for a required one."""
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _implied_value(layer: LayerKind, field: FieldInfo) -> Any:
    """The value that None stands for in an argument."""
    return (
        layer.default_dtype
        if field.encode_name == "dtype"
        else _IMPLIED_VALUES.get(field.encode_name)
    )


def _is_default_value(value: Any, default: Any) -> bool:
    """Whether a value means the default, perhaps as a list of one or by another name."""
    if isinstance(value, str) and isinstance(default, str):
        return types.normalize_object_name(value) == types.normalize_object_name(default)
    return bool(value == default or (default is not None and value == (default,)))


def _shorten_value(value: Any, field: FieldInfo) -> Any:
    """A value in its shortest form: one size for all axes, an object by its name alone."""
    if isinstance(value, tuple) and field.type == WindowSize and len(set(value)) == 1:
        return value[0]
    if not isinstance(value, _NAMED_OBJECT_TYPES):
        return value
    config = {name: each for name, each in (value.config or {}).items() if each is not None}
    if isinstance(value, types.SerializedPolicy):
        return config.get("name", value) if value.class_name == "DTypePolicy" else value
    if config == _DEFAULT_OBJECT_CONFIGS.get(types.normalize_object_name(value.class_name), {}):
        return to_snake_case(value.class_name)
    return {"class_name": value.class_name, "config": config}


def _to_builtin_value(value: Any, inner: _InnerLayerWriter) -> Any:
    """A value as mappings, lists, text and numbers."""
    if isinstance(value, LayerKind):
        return inner(value)
    if isinstance(value, tuple):
        return [_to_builtin_value(each, inner) for each in value]
    return to_builtins(value)
