"""What files hold though Keras 3.15.1 with JAX refuses it: other versions and backends took it.

A spec is held to what the constructors of Keras take. A file is there because something wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.keras_format.legacy.values import DTYPE_ALIASES
from dense_calc.layers.arguments.initializers import can_initialize
from dense_calc.layers.arguments.types import SerializedPolicy, dtype_policy_of
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.refusals import FIELD_PATTERN, parse_validation_error

_ValueRepair = Callable[[Any], Any]

_FLOAT32 = "float32"
_INITIALIZER_SUFFIX = "_initializer"  # how arguments end that fill weights
_TF_ONLY_ARGUMENTS = (
    "ragged",
    "sparse",
    "synchronized",
)  # they change no shape, and only it takes them
# Arguments that Keras 3 has had, and that change no shape.
_REMOVED_ARGUMENTS = {"RandomRotation": {"value_range"}}  # until 3.5


def _int_from_float(value: Any) -> Any:
    """A whole number for one with a fraction of 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bool_from_number(value: Any) -> Any:
    """A truth for 0 or 1."""
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def _drop_value(_value: Any) -> None:
    """No value, for one that does not matter."""


def _resolve_dtype_alias(value: Any) -> Any:
    """The dtype that TensorFlow knows by another name, too."""
    return DTYPE_ALIASES.get(value, value) if isinstance(value, str) else value


# What msgspec says of a value, of which argument, and what is made of it.
_VALUE_REPAIRS: tuple[tuple[str, str, _ValueRepair], ...] = (
    (r"Expected `[^`]*\bint\b[^`]*`, got `float`", "", _int_from_float),
    (r"Expected `[^`]*\bbool\b[^`]*`, got `(int|float)`", "", _bool_from_number),
    (r"Invalid enum value|Expected `str` matching", "dtype", _resolve_dtype_alias),
    (r"Expected `int", "seed", _drop_value),  # negative, or larger than Keras 3 takes
)


def build_layer_from_file(values: Mapping[str, Any], kind: type[LayerKind]) -> LayerKind:
    """The layer that a file describes with these values.

    Raises:
        ValidationError: they do not fit.
    """
    found = dict(values)
    tried: set[tuple[Any, _ValueRepair]] = set()
    while True:
        try:
            return convert(found, kind)
        except ValidationError as error:
            problem, path = parse_validation_error(error)
            field = re.fullmatch(FIELD_PATTERN, problem)
            if field and not path and field[2] in _REMOVED_ARGUMENTS.get(kind.__name__, ()):
                del found[field[2]]
                continue
            change = _find_repair(problem, path[0]) if path else None
            if change is None or (path[0], change) in tried:
                raise
            tried.add((path[0], change))
            found[str(path[0])] = _repair_value(found[str(path[0])], change)


def _find_repair(problem: str, argument: str | int) -> _ValueRepair | None:
    """What is done about a problem with an argument, None if it stays one."""
    for pattern, only, change in _VALUE_REPAIRS:
        if only in ("", argument) and re.match(pattern, problem):
            return change
    return None


def _repair_value(value: Any, change: _ValueRepair) -> Any:
    """A value, or all in a list of them, changed."""
    return (
        [_repair_value(each, change) for each in value]
        if isinstance(value, list)
        else change(value)
    )


def drop_backend_arguments(layer: LayerKind) -> tuple[LayerKind, dict[str, str]]:
    """A layer without what only one backend takes, and why each such argument is left out."""
    reasons = {
        name: "is for TensorFlow alone, and changes no shape"
        for name in _TF_ONLY_ARGUMENTS
        if getattr(layer, name, None) is True and 0 not in layer.arity
    }
    if not _is_float32(layer.dtype):
        dtype = dtype_policy_of(layer.dtype).variable_dtype
        reasons |= {
            name: f"cannot be made in {dtype} with JAX"
            for name in layer.__struct_fields__
            if name.endswith(_INITIALIZER_SUFFIX)
            and not can_initialize(getattr(layer, name), dtype)
        }
    left_out = {name: None if name.endswith(_INITIALIZER_SUFFIX) else False for name in reasons}
    return (replace(layer, **left_out) if reasons else layer), reasons


def _is_float32(dtype: str | SerializedPolicy | None) -> bool:
    """Whether a dtype is that of nearly all layers, for which nobody need look further."""
    return dtype in (None, _FLOAT32) or getattr(dtype, "config", None) == {"name": _FLOAT32}
