"""Arguments that Keras 3.15.1 with JAX refuses, and that other versions and backends accepted.

They are allowed in files, which some version of Keras wrote. In a spec they are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.keras_format.legacy.legacy_values import (
    DTYPE_ALIASES,
    INITIALIZER_SUFFIX,
    translate_word,
)
from dense_calc.layers.arguments.initializers import can_initialize
from dense_calc.layers.arguments.types import SerializedPolicy, dtype_policy_of
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.refusals import FIELD_PATTERN, parse_validation_error

_ValueRepair = Callable[[Any], Any]

_FLOAT32 = "float32"
_TF_ONLY_ARGUMENTS = ("ragged", "sparse", "synchronized")  # they change no shape
# Former arguments of Keras 3, which change no shape.
_REMOVED_ARGUMENTS = {"RandomRotation": {"value_range"}}  # until 3.5


def _int_from_float(value: Any) -> Any:
    """The integer for a float without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bool_from_number(value: Any) -> Any:
    """The truth value for 0 or 1."""
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def _drop_value(_value: Any) -> None:
    """None, for a value that does not matter."""


def _resolve_dtype_alias(value: Any) -> Any:
    """Keras' name of a dtype for TensorFlow's second name."""
    return translate_word(DTYPE_ALIASES, value)


# A pattern of msgspec's message about a value, the argument ('' for any), and the repair.
_VALUE_REPAIRS: tuple[tuple[str, str, _ValueRepair], ...] = (
    (r"Expected `[^`]*\bint\b[^`]*`, got `float`", "", _int_from_float),
    (r"Expected `[^`]*\bbool\b[^`]*`, got `(int|float)`", "", _bool_from_number),
    (r"Invalid enum value|Expected `str` matching", "dtype", _resolve_dtype_alias),
    (r"Expected `int", "seed", _drop_value),  # negative, or larger than Keras 3 takes
)


def build_layer_from_file(values: Mapping[str, Any], kind: type[LayerKind]) -> LayerKind:
    """The layer of a kind with these arguments, repaired where older versions wrote others.

    Raises:
        ValidationError: an argument does not fit.
    """
    arguments = dict(values)
    tried: set[tuple[Any, _ValueRepair]] = set()
    while True:
        try:
            return convert(arguments, kind)
        except ValidationError as error:
            problem, path = parse_validation_error(error)
            field = re.fullmatch(FIELD_PATTERN, problem)
            if field and not path and field[2] in _REMOVED_ARGUMENTS.get(kind.__name__, ()):
                del arguments[field[2]]
                continue
            repair = _find_repair(problem, path[0]) if path else None
            if repair is None or (path[0], repair) in tried:
                raise
            tried.add((path[0], repair))
            arguments[str(path[0])] = _repair_value(arguments[str(path[0])], repair)


def _find_repair(problem: str, argument: str | int) -> _ValueRepair | None:
    """The repair for a problem with an argument; None if there is none."""
    for pattern, only, repair in _VALUE_REPAIRS:
        if only in ("", argument) and re.match(pattern, problem):
            return repair
    return None


def _repair_value(value: Any, repair: _ValueRepair) -> Any:
    """A repaired value; in lists, each item is repaired."""
    if isinstance(value, list):
        return [_repair_value(each, repair) for each in value]
    return repair(value)


def drop_backend_arguments(layer: LayerKind) -> tuple[LayerKind, dict[str, str]]:
    """The layer without arguments that JAX refuses, and the reason for each that is dropped."""
    reasons = {
        name: "is for TensorFlow only, and does not change shapes"
        for name in _TF_ONLY_ARGUMENTS
        if getattr(layer, name, None) is True and 0 not in layer.arity
    }
    if not _is_float32(layer.dtype):
        dtype = dtype_policy_of(layer.dtype).variable_dtype
        reasons |= {
            name: f"cannot be made in {dtype} with JAX"
            for name in layer.__struct_fields__
            if name.endswith(INITIALIZER_SUFFIX) and not can_initialize(getattr(layer, name), dtype)
        }
    idle = {name: None if name.endswith(INITIALIZER_SUFFIX) else False for name in reasons}
    return (replace(layer, **idle) if reasons else layer), reasons


def _is_float32(dtype: str | SerializedPolicy | None) -> bool:
    """Whether a dtype is float32, that of nearly all layers; the test saves much work."""
    return dtype in (None, _FLOAT32) or getattr(dtype, "config", None) == {"name": _FLOAT32}
