"""A layer → the arguments that make it, in plain values, as files hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import NODEFAULT, to_builtins
from msgspec.structs import fields

from dense_calc.layers.base import LayerKind

Inner = Callable[[LayerKind], Any]  # how a layer inside another is written


def arguments_of(layer: LayerKind, inner: Inner, *, all_set: bool = False) -> dict[str, Any]:
    """The arguments of a layer that are not the defaults; or all that are set to anything.

    Neither its name is among them nor what Keras' `call` takes.
    """
    found = {}
    for field in fields(layer):
        value = getattr(layer, field.name)
        default = field.default
        if default is NODEFAULT and field.default_factory is not NODEFAULT:
            default = field.default_factory()
        is_told = value != default or (all_set and value is not None)
        if is_told and field.name != "name" and field.encode_name not in layer.of_call:
            found[field.encode_name] = plain(value, inner)
    return found


def arguments_of_call(layer: LayerKind) -> dict[str, Any]:
    """The arguments of Keras' `call` that are not the defaults."""
    return {
        field.encode_name: to_builtins(getattr(layer, field.name))
        for field in fields(layer)
        if field.encode_name in layer.of_call and getattr(layer, field.name) != field.default
    }


def plain(value: Any, inner: Inner) -> Any:
    """A value in mappings, lists, text and numbers."""
    if isinstance(value, LayerKind):
        return inner(value)
    if isinstance(value, tuple):
        return [plain(each, inner) for each in value]
    return to_builtins(value)
