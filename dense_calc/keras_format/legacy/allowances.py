"""What files hold though Keras 3.15.1 with JAX refuses it: other versions and backends took it.

A spec is held to what the constructors of Keras take. A file is there because something wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.keras_format.legacy.values import DTYPES
from dense_calc.layers.arguments.initializers import is_makeable
from dense_calc.layers.arguments.types import SerializedPolicy, policy_of
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.refusals import FIELD, problem_of

Change = Callable[[Any], Any]

FLOAT32 = "float32"
INITIALIZER = "_initializer"  # how arguments end that fill weights
OF_TENSORFLOW = ("ragged", "sparse", "synchronized")  # they change no shape, and only it takes them
# Arguments that Keras 3 has had, and that change no shape.
GONE = {"RandomRotation": {"value_range"}}  # until 3.5


def whole(value: Any) -> Any:
    """A whole number for one with a fraction of 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def truth(value: Any) -> Any:
    """A truth for 0 or 1."""
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def nothing(_value: Any) -> None:
    """No value, for one that does not matter."""


def known_dtype(value: Any) -> Any:
    """The dtype that TensorFlow knows by another name, too."""
    return DTYPES.get(value, value) if isinstance(value, str) else value


# What msgspec says of a value, of which argument, and what is made of it.
CHANGES: tuple[tuple[str, str, Change], ...] = (
    (r"Expected `[^`]*\bint\b[^`]*`, got `float`", "", whole),
    (r"Expected `[^`]*\bbool\b[^`]*`, got `(int|float)`", "", truth),
    (r"Invalid enum value|Expected `str` matching", "dtype", known_dtype),
    (r"Expected `int", "seed", nothing),  # negative, or larger than Keras 3 takes
)


def made_from_file(values: Mapping[str, Any], kind: type[LayerKind]) -> LayerKind:
    """The layer that a file describes with these values.

    Raises:
        ValidationError: they do not fit.
    """
    found = dict(values)
    tried: set[tuple[Any, Change]] = set()
    while True:
        try:
            return convert(found, kind)
        except ValidationError as error:
            problem, path = problem_of(error)
            field = re.fullmatch(FIELD, problem)
            if field and not path and field[2] in GONE.get(kind.__name__, ()):
                del found[field[2]]
                continue
            change = change_of(problem, path[0]) if path else None
            if change is None or (path[0], change) in tried:
                raise
            tried.add((path[0], change))
            found[str(path[0])] = changed(found[str(path[0])], change)


def change_of(problem: str, argument: str | int) -> Change | None:
    """What is done about a problem with an argument, None if it stays one."""
    for pattern, only, change in CHANGES:
        if only in ("", argument) and re.match(pattern, problem):
            return change
    return None


def changed(value: Any, change: Change) -> Any:
    """A value, or all in a list of them, changed."""
    return [changed(each, change) for each in value] if isinstance(value, list) else change(value)


def eased(layer: LayerKind) -> tuple[LayerKind, dict[str, str]]:
    """A layer without what only one backend takes, and why each such argument is left out."""
    reasons = {
        name: "is for TensorFlow alone, and changes no shape"
        for name in OF_TENSORFLOW
        if getattr(layer, name, None) is True and 0 not in layer.takes
    }
    if not is_float32(layer.dtype):
        dtype = policy_of(layer.dtype).variable
        reasons |= {
            name: f"cannot be made in {dtype} with JAX"
            for name in layer.__struct_fields__
            if name.endswith(INITIALIZER) and not is_makeable(getattr(layer, name), dtype)
        }
    left_out = {name: None if name.endswith(INITIALIZER) else False for name in reasons}
    return (replace(layer, **left_out) if reasons else layer), reasons


def is_float32(dtype: str | SerializedPolicy | None) -> bool:
    """Whether a dtype is that of nearly all layers, for which nobody need look further."""
    return dtype in (None, FLOAT32) or getattr(dtype, "config", None) == {"name": FLOAT32}
