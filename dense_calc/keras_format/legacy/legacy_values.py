"""Initializers, regularizers, constraints, activations and dtypes of old files in Keras 3's words.

Sources: keras/initializations.py, regularizers.py and constraints.py of Keras 1.2.2, their
successors in Keras 2.0 to 2.3, and tf.keras.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dense_calc.layers.arguments.types import OBJECT_ARGUMENTS, normalize_object_name

LayerConfig = dict[str, Any]

INITIALIZER_SUFFIX = "_initializer"  # of the arguments that fill weights
RAW_SHAPE_TYPE = "raw"  # the `output_shape_type` of a shape that is no function

# Regularizers of Keras 1, which are all one class of Keras 3.
_KERAS_1_REGULARIZERS = {
    "ActivityRegularizer": "L1L2",
    "L1L2Regularizer": "L1L2",
    "WeightRegularizer": "L1L2",
}

# Classes that Keras 3 does not have; they change no shape and no count.
_REMOVED_CLASSES = {
    "ConvolutionDeltaOrthogonal", "ConvolutionOrthogonal", "ConvolutionOrthogonal1D",
    "ConvolutionOrthogonal2D", "ConvolutionOrthogonal3D", "EigenvalueRegularizer",
    "RadialConstraint", "UniformUnitScaling",
}  # fmt: skip

# Arguments of Keras 1's constraints.
_CONSTRAINT_ARGUMENTS = {"m": "max_value", "low": "min_value", "high": "max_value"}
# Arguments of TensorFlow 1's initializers.
_DROPPED_INITIALIZER_ARGUMENTS = {"dtype", "verify_shape"}
_DISTRIBUTION_NAMES = {"normal": "truncated_normal"}  # until Keras 2.2.3
_ORIGIN_KEYS = ("module", "registered_name")  # where a class is from

# TensorFlow's names of functions of `tf.nn`; and Keras' old names, where they are objects.
_TF_ACTIVATION_NAMES = {"log_softmax_v2": "log_softmax", "softmax_v2": "softmax"}
_ACTIVATION_FUNCTION_NAMES = _TF_ACTIVATION_NAMES | {"hard_swish": "hard_silu", "swish": "silu"}

# Lists and mappings as TensorFlow writes them, and the keys of their content.
_TF_CONTAINER_CLASSES = {"ListWrapper", "TensorShape", "_DictWrapper", "_TupleWrapper", "__tuple__"}
_CONTAINER_KEYS = ("items", "config")

# TensorFlow's second names of dtypes.
DTYPE_ALIASES = {"double": "float64", "float": "float32", "half": "float16"}
# Dtype policies that take the dtype of the input.
_INFERRED_POLICIES = {"_infer", "infer", "infer_with_float32_vars"}
_POLICY_CLASSES = {"Policy", "PolicyV1"}


def upgrade_argument(argument: str, value: Any) -> Any:
    """The value of an argument in Keras 3's words; an unknown value stays."""
    for suffix, upgrade in _UPGRADES_BY_SUFFIX.items():
        if argument.endswith(suffix):
            return upgrade(value)
    return value


def _upgrade_object(value: Any) -> Any:
    """An initializer, a regularizer or a constraint."""
    match value:
        case {"class_name": str(name)}:
            config = value.get("config")
        case {"name": str(name)}:  # Keras 1
            config = {each: value[each] for each in value if each != "name"}
        case _:
            return value
    name = _KERAS_1_REGULARIZERS.get(name, re.sub("V[12]$", "", name))
    if name in _REMOVED_CLASSES:
        return None
    if normalize_object_name(name) not in OBJECT_ARGUMENTS or not isinstance(config, dict | None):
        return value
    labels = {label: value[label] for label in _ORIGIN_KEYS if isinstance(value.get(label), str)}
    return {**labels, "class_name": name, "config": _upgrade_object_arguments(config or {})}


def _upgrade_object_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an initializer, a regularizer or a constraint."""
    arguments = {
        _CONSTRAINT_ARGUMENTS.get(name, name): config[name]
        for name in config
        if name not in _DROPPED_INITIALIZER_ARGUMENTS
    }
    if "distribution" in arguments:
        arguments["distribution"] = translate_word(_DISTRIBUTION_NAMES, arguments["distribution"])
    return arguments


def _upgrade_activation(value: Any) -> Any:
    """An activation: a name or an object. Keras 2 did not write the module of a layer."""
    match value:
        case {"class_name": "function", "config": str(name)}:
            name = _ACTIVATION_FUNCTION_NAMES.get(name, name)
            return {"module": "builtins", **value, "config": name}
        case {"class_name": str()} if not isinstance(value.get("module"), str):
            return {**value, "module": "keras.layers"}
    return translate_word(_TF_ACTIVATION_NAMES, value)


def _upgrade_dtype(value: Any) -> Any:
    """A dtype or the name of a dtype policy; None for a policy that takes the input's dtype."""
    match value:
        case {"class_name": str(name), "config": {"name": policy}} if name in _POLICY_CLASSES:
            value = policy
    if not isinstance(value, str):
        return value
    if value in _INFERRED_POLICIES:
        return None
    return translate_word(DTYPE_ALIASES, value.removesuffix("_ref"))


def unwrap_containers(value: Any) -> Any:
    """The value with plain lists and mappings in place of TensorFlow's wrappers, at any depth."""
    match value:
        case {"class_name": str(name)} if name in _TF_CONTAINER_CLASSES:
            content = (value[each] for each in _CONTAINER_KEYS if each in value)
            return unwrap_containers(next(content, None))
        case list():
            return [unwrap_containers(each) for each in value]
        case dict():
            return {name: unwrap_containers(each) for name, each in value.items()}
    return value


def translate_word(table: Mapping[str, Any], value: Any) -> Any:
    """The entry of a table for a word; the value itself where the table has none."""
    return table.get(value, value) if isinstance(value, str) else value


# The upgrades of values by the endings of their arguments' names.
_UPGRADES_BY_SUFFIX: dict[str, Callable[[Any], Any]] = {
    INITIALIZER_SUFFIX: _upgrade_object,
    "_regularizer": _upgrade_object,
    "_constraint": _upgrade_object,
    "activation": _upgrade_activation,
    "dtype": _upgrade_dtype,
}
