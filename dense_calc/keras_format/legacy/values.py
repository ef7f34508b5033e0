"""What old files say of initializers, regularizers, constraints, activations and dtypes, anew.

Sources: keras/initializations.py, regularizers.py and constraints.py of Keras 1.2.2, what they
became in Keras 2.0 to 2.3, and tf.keras.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dense_calc.layers.arguments.types import ARGUMENTS, plain

# Regularizers of Keras 1, which are all of one class there.
CLASSES = {
    "ActivityRegularizer": "L1L2",
    "L1L2Regularizer": "L1L2",
    "WeightRegularizer": "L1L2",
}

# Classes that Keras 3 does not have; they change no shape and no count.
GONE = {
    "ConvolutionDeltaOrthogonal", "ConvolutionOrthogonal", "ConvolutionOrthogonal1D",
    "ConvolutionOrthogonal2D", "ConvolutionOrthogonal3D", "EigenvalueRegularizer",
    "RadialConstraint", "UniformUnitScaling",
}  # fmt: skip

ARGUMENT_NAMES = {"m": "max_value", "low": "min_value", "high": "max_value"}  # constraints, Keras 1
DROPPED = {"dtype", "verify_shape"}  # what initializers of TensorFlow 1 were told besides
DISTRIBUTIONS = {"normal": "truncated_normal"}  # until Keras 2.2.3
LABELS = ("module", "registered_name")  # where a class comes from

# Functions by the names that TensorFlow gives to those of `tf.nn`.
ACTIVATIONS = {"log_softmax_v2": "log_softmax", "softmax_v2": "softmax"}
FUNCTIONS = ACTIVATIONS | {"hard_swish": "hard_silu", "swish": "silu"}  # as objects, in files

# Lists and mappings as TensorFlow writes them, and the keys that hold what is in them.
CONTAINERS = {"ListWrapper", "TensorShape", "_DictWrapper", "_TupleWrapper", "__tuple__"}
CONTENTS = ("items", "config")

# TensorFlow's other names of dtypes.
DTYPES = {"double": "float64", "float": "float32", "half": "float16"}
INFERRED = {"_infer", "infer", "infer_with_float32_vars"}  # policies: the dtype of the input
POLICIES = {"Policy", "PolicyV1"}


def translated(argument: str, value: Any) -> Any:
    """The value of an argument in Keras 3's words; what nobody knows stays."""
    for ending, translate in ENDINGS.items():
        if argument.endswith(ending):
            return translate(value)
    return value


def serialized(value: Any) -> Any:
    """An initializer, a regularizer or a constraint."""
    match value:
        case {"class_name": str(name)}:
            config = value.get("config")
        case {"name": str(name)}:  # Keras 1
            config = {each: value[each] for each in value if each != "name"}
        case _:
            return value
    name = CLASSES.get(name, re.sub("V[12]$", "", name))
    if name in GONE:
        return None
    if plain(name) not in ARGUMENTS or not isinstance(config, dict | None):
        return value
    labels = {label: value[label] for label in LABELS if isinstance(value.get(label), str)}
    return {**labels, "class_name": name, "config": arguments(config or {})}


def arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """What such an object is made of."""
    kept = {ARGUMENT_NAMES.get(name, name): config[name] for name in config if name not in DROPPED}
    return {
        name: one_of(DISTRIBUTIONS, value) if name == "distribution" else value
        for name, value in kept.items()
    }


def activation(value: Any) -> Any:
    """An activation: a name, or an object; Keras 2 did not write the module of a layer."""
    match value:
        case {"class_name": "function", "config": str(name)}:
            return {"module": "builtins", **value, "config": one_of(FUNCTIONS, name)}
        case {"class_name": str()} if not isinstance(value.get("module"), str):
            return {**value, "module": "keras.layers"}
    return one_of(ACTIVATIONS, value)


def dtype(value: Any) -> Any:
    """A dtype or the name of a dtype policy; None where the layer takes that of its input."""
    match value:
        case {"class_name": str(name), "config": {"name": policy}} if name in POLICIES:
            value = policy
    if not isinstance(value, str):
        return value
    return None if value in INFERRED else one_of(DTYPES, value.removesuffix("_ref"))


def unwrapped(value: Any) -> Any:
    """The value with all lists and mappings plain in it that TensorFlow wraps."""
    match value:
        case {"class_name": str(name)} if name in CONTAINERS:
            return unwrapped(next((value[each] for each in CONTENTS if each in value), None))
        case list():
            return [unwrapped(each) for each in value]
        case dict():
            return {name: unwrapped(each) for name, each in value.items()}
    return value


def one_of(table: Mapping[str, Any], value: Any) -> Any:
    """What a table has for a value; the value itself where it has nothing."""
    return table.get(value, value) if isinstance(value, str) else value


# How the names of the arguments end that hold such words.
ENDINGS: dict[str, Callable[[Any], Any]] = {
    "_initializer": serialized,
    "_regularizer": serialized,
    "_constraint": serialized,
    "activation": activation,
    "dtype": dtype,
}
