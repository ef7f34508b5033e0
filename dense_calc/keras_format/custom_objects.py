"""Classes and objects in a file that are not Keras' own: each has an assumption, or is a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, get_args

from msgspec import Struct

from dense_calc.errors import Note
from dense_calc.gaps import ALL_GAPS, Gap
from dense_calc.keras_format.assumptions import Assumption, build_stand_in, derive_named_kind
from dense_calc.keras_format.custom_layers import OpaqueLayer, WeightShapes
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.layers import APPLICATION_KINDS, OPERATION_PREFIX, find_kind
from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind

_KERAS_MODULE_PATTERN = r"keras(\.|$)|tf_keras(\.|$)|tensorflow\.|builtins$"
FUNCTION = "function"  # the class of a function
LAMBDA_CLASS = "__lambda__"  # the class of code
PACKAGE_SEPARATOR = ">"  # in the name of a registered class: `package>Class`
# Registered names of classes that keras.applications has and does not export.
_APPLICATION_CLASS_PATTERN = r"(?:Custom|keras\.applications\.\w+)>(\w+)$"
# The endings of arguments that are objects, and the names of Keras' objects for each.
_OBJECT_NAMES = {
    "activation": get_args(types.ActivationName),
    "constraint": get_args(types.ConstraintName),
    "initializer": (*get_args(types.InitializerName), "Constant", "constant"),
    "regularizer": get_args(types.RegularizerName),
}
_LAMBDA_NAME = "<lambda>"  # the name of code without a name


class WeightStore:
    """The weights that a file stores of a layer or a model; here those of a file without any."""

    def for_layer(self, name: str, group: str) -> WeightStore:
        """The store of a layer of the model, by its name and the name of its group."""
        return self

    def for_argument(self, argument: str) -> WeightStore:
        """The store of the layer in an argument of the layer."""
        return self

    def read_weight_shapes(self) -> WeightShapes | None:
        """The shapes of the layer's weights; None where the file does not tell them."""
        return None


EMPTY_STORE = WeightStore()


class FileContext(Struct):
    """Facts about a whole file, and what its reading has found so far.

    `keras_version` is the major version that wrote it. `dim_ordering` is Keras 1's word for where
    channels stand, '' in other files. `nested_reader` reads a model that is a layer of another.
    `gaps` are what the file does not tell; `opaque_gaps` are those of layers, which may turn out to
    be told. `remarks` go into the report. `weight_store` is that of the model, layer or argument
    that is read.
    """

    keras_version: int
    dim_ordering: str
    assumptions: Mapping[str, Assumption]
    nested_reader: Callable[[dict[str, Any], JsonPlace, FileContext], Any]
    gaps: list[Gap] = []
    opaque_gaps: list[Gap] = []
    remarks: list[Note] = []
    weight_store: WeightStore = EMPTY_STORE


def is_custom_class(module: Any, registered: str) -> bool:
    """Whether a class is not Keras' own, by its registered name and its module."""
    return PACKAGE_SEPARATOR in registered or (
        isinstance(module, str) and not _is_keras_module(module)
    )


@lru_cache
def _is_keras_module(module: str) -> bool:
    """Whether a module is one of Keras, or one of those that Keras names for its own classes."""
    return re.match(_KERAS_MODULE_PATTERN, module) is not None


def keras_kind(name: str, is_operation: bool) -> type[LayerKind] | None:
    """The kind of a Keras class; None if Keras has no class of this name."""
    try:
        return find_kind(OPERATION_PREFIX + name if is_operation else name)
    except KeyError:
        return None


def find_assumption(file: FileContext, *names: Any) -> Assumption | None:
    """The assumption for one of these names, with or without its package; None if none."""
    for name in names if file.assumptions else ():
        for key in (name, strip_package(str(name))):
            if isinstance(key, str) and key in file.assumptions:
                return file.assumptions[key]
    return None


def strip_package(name: str) -> str:
    """The name of a class without its package: `Scale` of `lab>Scale`."""
    return name if name.endswith(PACKAGE_SEPARATOR) else name.rpartition(PACKAGE_SEPARATOR)[2]


def canonical_class_names(name: str, registered: str, config: Mapping[str, Any]) -> tuple[str, str]:
    """The class name and the registered name of a class, as Keras' own if it is from its models.

    A class of keras.applications has to be registered, like a custom one. Its arguments tell it
    from a custom class of the same name.
    """
    match = re.match(_APPLICATION_CLASS_PATTERN, registered)
    if match is None or match[1] not in APPLICATION_KINDS:
        return name, registered
    is_keras = config.keys() <= set(find_kind(match[1]).__struct_encode_fields__)
    return (match[1], match[1]) if is_keras else (name, registered)


def function_name_in(config: Mapping[str, Any]) -> str | None:
    """The name of the function that a layer runs; None if it runs none, or one without a name."""
    match config.get(FUNCTION):
        case str(name) | {"class_name": "function", "config": str(name)}:
            return name
    return None


def class_gap(name: str, registered: str, spot: JsonPlace) -> Gap:
    """The gap for a class that is not Keras' own."""
    short = strip_package(name)
    title = f"'{short}'" if registered in (short, FUNCTION) else f"'{short}' ({registered})"
    return Gap(short, "class", title, spot.inner_place("class_name"))


def code_gap(class_name: str, name: str, function: str | None, spot: JsonPlace) -> Gap:
    """The gap for a layer that runs code, perhaps a function with a name."""
    return Gap(function or name, "code", f"what the {class_name} '{name}' gives", spot)


def _object_gap(name: str, spot: JsonPlace) -> Gap:
    """The gap for a function, initializer or the like that is not Keras' own."""
    short = strip_package(name)
    return Gap(short, "object", f"'{short}'", spot)


def make_opaque_layer(
    name: str,
    config: Mapping[str, Any],
    gap: Gap,
    file: FileContext,
    weights: WeightShapes | None = None,
) -> LayerKind:
    """A layer whose output only the file may state; so with its weights, unless they are known."""
    short = strip_package(name)
    assumption = file.assumptions.get(ALL_GAPS)
    fallback = build_stand_in(short, config, assumption) if assumption else None
    file.opaque_gaps.append(gap)
    kind = derive_named_kind(short, OpaqueLayer)
    trainable = config.get("trainable") is not False
    layer: LayerKind = kind(weight_shapes=weights, gap=gap, fallback=fallback, trainable=trainable)
    return layer


def class_name_in(value: Any) -> Any:
    """The class of a serialized object; None for any other value."""
    return value.get("class_name") if isinstance(value, dict) else None


@cache
def object_arguments(kind: type[LayerKind]) -> Mapping[str, str]:
    """The arguments of a kind that are objects, each with its sort: "initializer" and so on."""
    return {
        name: next(sort for sort in _OBJECT_NAMES if name.endswith(sort))
        for name in kind.__struct_encode_fields__
        if name.endswith(tuple(_OBJECT_NAMES))
    }


def resolve_object(sort: str, value: Any, spot: JsonPlace, file: FileContext) -> Any:
    """The value of an argument that is an object of this sort; None if it is not Keras' own.

    A custom object without an assumption is a gap of the file.
    """
    written = value if isinstance(value, dict) else {"class_name": value}
    name, config = written.get("class_name"), written.get("config")
    if name == FUNCTION and isinstance(config, str):
        name = config
    if not isinstance(name, str):
        return value
    name = _LAMBDA_NAME if name == LAMBDA_CLASS else name
    registered = str(written.get("registered_name") or name)
    if not is_custom_class(written.get("module"), registered) and _is_keras_object(
        sort, name, value
    ):
        return value
    if not find_assumption(file, name, registered, ALL_GAPS):
        file.gaps.append(_object_gap(name, spot))
    return None


def _is_keras_object(sort: str, name: str, value: Any) -> bool:
    """Whether Keras has an object of this sort and name; an activation may be a layer."""
    if sort == "activation" and class_name_in(value) not in (None, FUNCTION):
        return keras_kind(name, False) is not None
    return name in _OBJECT_NAMES[sort]
