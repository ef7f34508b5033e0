"""What a file names that is not Keras' own: something is assumed of it, or it is a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, get_args

from msgspec import Struct

from dense_calc.errors import Note
from dense_calc.gaps import ALL_GAPS, Gap
from dense_calc.keras_format.assume import Assumption, build_stand_in, derive_named_kind
from dense_calc.keras_format.assumed_layer import OpaqueLayer, WeightShapes
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.layers import APPLICATION_KINDS, OPERATION_PREFIX, find_kind
from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind

_KERAS_MODULE_PATTERN = (
    r"keras(\.|$)|tf_keras(\.|$)|tensorflow\.|builtins$"  # modules whose names are Keras'
)
FUNCTION = "function"  # the class of a function
LAMBDA_CLASS = "__lambda__"  # the class of code
_PACKAGE_SEPARATOR = ">"  # what comes between the package and the name of what somebody registered
_APPLICATION_CLASS_PATTERN = (
    r"(?:Custom|keras\.applications\.\w+)>(\w+)$"  # and so what Keras does not export
)
# How the arguments end that are objects, and the names of those that Keras has.
_OBJECT_NAMES = {
    "activation": get_args(types.ActivationName),
    "constraint": get_args(types.ConstraintName),
    "initializer": (*get_args(types.InitializerName), "Constant", "constant"),
    "regularizer": get_args(types.RegularizerName),
}
_LAMBDA_NAME = "<lambda>"  # what code is called that has no name


class WeightStore:
    """What a file stores of a layer or a model: nothing, where it has no weights."""

    def for_layer(self, name: str, group: str) -> WeightStore:
        """The same of a layer of the model, by its name and that of its group."""
        return self

    def for_argument(self, argument: str) -> WeightStore:
        """The same of the layer that is an argument of the layer."""
        return self

    def read_weight_shapes(self) -> WeightShapes | None:
        """The weights of the layer; None where the file does not tell."""
        return None


EMPTY_STORE = WeightStore()


class FileContext(Struct):
    """What holds for a whole file: the version of Keras that wrote it, and what is assumed.

    `ordering` is Keras 1's word for where the channels of images are, '' in other files. `inside`
    reads a model that is a layer of another. `gaps` are what was found that the file does not tell,
    `opaque` are what may be among it; `remarks` are what is to be known of how the file was read.
    `stored` is what the file stores of the model, layer or argument that is read.
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
    """Whether a class is somebody's own, whatever it is called."""
    return _PACKAGE_SEPARATOR in registered or (
        isinstance(module, str) and not _is_keras_module(module)
    )


@lru_cache
def _is_keras_module(module: str) -> bool:
    """Whether what stands in a module is Keras' own."""
    return re.match(_KERAS_MODULE_PATTERN, module) is not None


def keras_kind(name: str, is_operation: bool) -> type[LayerKind] | None:
    """The kind of a class of Keras' own, None if it has none of this name."""
    try:
        return find_kind(OPERATION_PREFIX + name if is_operation else name)
    except KeyError:
        return None


def find_assumption(file: FileContext, *names: Any) -> Assumption | None:
    """What is assumed of what has these names, with or without the package that it is from."""
    for name in names if file.assumptions else ():
        for known_as in (name, strip_package(str(name))):
            if isinstance(known_as, str) and known_as in file.assumptions:
                return file.assumptions[known_as]
    return None


def strip_package(name: str) -> str:
    """The name of a class without the package that it is from: `Scale` of `lab>Scale`."""
    return name if name.endswith(_PACKAGE_SEPARATOR) else name.rpartition(_PACKAGE_SEPARATOR)[2]


def canonical_class_names(name: str, registered: str, config: Mapping[str, Any]) -> tuple[str, str]:
    """The names of a class; one of keras.applications that somebody registered is Keras' own.

    Its arguments tell it from another class of the same name.
    """
    found = (
        re.match(_APPLICATION_CLASS_PATTERN, registered)
        if _PACKAGE_SEPARATOR in registered
        else None
    )
    if found is None or found[1] not in APPLICATION_KINDS:
        return name, registered
    is_keras = config.keys() <= set(find_kind(found[1]).__struct_encode_fields__)
    return (found[1], found[1]) if is_keras else (name, registered)


def function_name_in(config: Mapping[str, Any]) -> str | None:
    """The name of the function that a layer runs, None where it has none."""
    match config.get(FUNCTION):
        case str(name) | {"class_name": "function", "config": str(name)}:
            return name
    return None


def class_gap(name: str, registered: str, spot: JsonPlace) -> Gap:
    """A class that is not Keras' own, as a gap of its file."""
    short = strip_package(name)
    title = f"'{short}'" if registered in (short, FUNCTION) else f"'{short}' ({registered})"
    return Gap(short, "class", title, spot.inner_place("class_name"))


def code_gap(class_name: str, name: str, function: str | None, spot: JsonPlace) -> Gap:
    """A layer that runs code, as a gap of its file; its function may have a name."""
    return Gap(function or name, "code", f"what the {class_name} '{name}' gives", spot)


def _object_gap(name: str, spot: JsonPlace) -> Gap:
    """A function, or an initializer and such, that is not Keras' own, as a gap of its file."""
    short = strip_package(name)
    return Gap(short, "object", f"'{short}'", spot)


def make_opaque_layer(
    name: str,
    config: Mapping[str, Any],
    gap: Gap,
    file: FileContext,
    held: WeightShapes | None = None,
) -> LayerKind:
    """A layer of which only the file may tell what it gives, and what it holds if we do not."""
    short = strip_package(name)
    everything = file.assumptions.get(ALL_GAPS)
    otherwise = build_stand_in(short, config, everything, gap.place) if everything else None
    file.opaque_gaps.append(gap)
    trained = config.get("trainable") is not False
    kind = derive_named_kind(short, OpaqueLayer)
    layer: LayerKind = kind(weight_shapes=held, gap=gap, fallback=otherwise, trainable=trained)
    return layer


def class_name_in(value: Any) -> Any:
    """The class of a serialized object, None of any other value."""
    return value.get("class_name") if isinstance(value, dict) else None


@cache
def object_arguments(kind: type[LayerKind]) -> Mapping[str, str]:
    """The arguments of a kind that are objects, each with its sort: an initializer or such."""
    return {
        name: next(sort for sort in _OBJECT_NAMES if name.endswith(sort))
        for name in kind.__struct_encode_fields__
        if name.endswith(tuple(_OBJECT_NAMES))
    }


def resolve_object(sort: str, value: Any, spot: JsonPlace, file: FileContext) -> Any:
    """An argument that is an object of a sort, if it is one of Keras' own.

    None stands for any other: either it is assumed to change nothing, or it is a gap of the file.
    """
    more = value if isinstance(value, dict) else {"class_name": value}
    name, config = more.get("class_name"), more.get("config")
    if name == FUNCTION and isinstance(config, str):
        name = config
    if not isinstance(name, str):
        return value
    name = _LAMBDA_NAME if name == LAMBDA_CLASS else name
    registered = str(more.get("registered_name") or name)
    if not is_custom_class(more.get("module"), registered) and _is_keras_object(sort, name, value):
        return value
    if not find_assumption(file, name, registered, ALL_GAPS):
        file.gaps.append(_object_gap(name, spot))
    return None


def _is_keras_object(sort: str, name: str, value: Any) -> bool:
    """Whether Keras has an object of a sort with this name; an activation may be a layer."""
    if sort == "activation" and class_name_in(value) not in (None, FUNCTION):
        return keras_kind(name, False) is not None
    return name in _OBJECT_NAMES[sort]
