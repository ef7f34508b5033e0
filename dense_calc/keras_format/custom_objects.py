"""What a file names that is not Keras' own: something is assumed of it, or it is a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, get_args

from msgspec import Struct

from dense_calc.errors import Note
from dense_calc.gaps import ALL, Gap
from dense_calc.keras_format.assume import Assumption, kind_called, stand_in
from dense_calc.keras_format.assumed_layer import Held, Opaque
from dense_calc.keras_format.json_locations import Spot
from dense_calc.layers import OPERATION, REGISTERED, kind_named
from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind

OWN = r"keras(\.|$)|tf_keras(\.|$)|tensorflow\.|builtins$"  # modules whose names are Keras'
FUNCTION = "function"  # the class of a function
LAMBDA = "__lambda__"  # the class of code
PACKAGE = ">"  # what comes between the package and the name of what somebody registered
APPLICATIONS = r"(?:Custom|keras\.applications\.\w+)>(\w+)$"  # and so what Keras does not export
# How the arguments end that are objects, and the names of those that Keras has.
OBJECTS = {
    "activation": get_args(types.ActivationName),
    "constraint": get_args(types.ConstraintName),
    "initializer": (*get_args(types.InitializerName), "Constant", "constant"),
    "regularizer": get_args(types.RegularizerName),
}
CODE = "<lambda>"  # what code is called that has no name


class Store:
    """What a file stores of a layer or a model: nothing, where it has no weights."""

    def at(self, name: str, group: str) -> Store:
        """The same of a layer of the model, by its name and that of its group."""
        return self

    def within(self, argument: str) -> Store:
        """The same of the layer that is an argument of the layer."""
        return self

    def held(self) -> Held | None:
        """The weights of the layer; None where the file does not tell."""
        return None


NOTHING_STORED = Store()


class File(Struct):
    """What holds for a whole file: the version of Keras that wrote it, and what is assumed.

    `ordering` is Keras 1's word for where the channels of images are, '' in other files. `inside`
    reads a model that is a layer of another. `gaps` are what was found that the file does not tell,
    `opaque` are what may be among it; `remarks` are what is to be known of how the file was read.
    `stored` is what the file stores of the model, layer or argument that is read.
    """

    keras: int
    ordering: str
    assumed: Mapping[str, Assumption]
    inside: Callable[[dict[str, Any], Spot, File], Any]
    gaps: list[Gap] = []
    opaque: list[Gap] = []
    remarks: list[Note] = []
    stored: Store = NOTHING_STORED


def is_custom(module: Any, registered: str) -> bool:
    """Whether a class is somebody's own, whatever it is called."""
    return PACKAGE in registered or (isinstance(module, str) and not is_of_keras(module))


@lru_cache
def is_of_keras(module: str) -> bool:
    """Whether what stands in a module is Keras' own."""
    return re.match(OWN, module) is not None


def kind_of(name: str, is_operation: bool) -> type[LayerKind] | None:
    """The kind of a class of Keras' own, None if it has none of this name."""
    try:
        return kind_named(OPERATION + name if is_operation else name)
    except KeyError:
        return None


def assumption_of(file: File, *names: Any) -> Assumption | None:
    """What is assumed of what has these names, with or without the package that it is from."""
    for name in names if file.assumed else ():
        for known_as in (name, without_package(str(name))):
            if isinstance(known_as, str) and known_as in file.assumed:
                return file.assumed[known_as]
    return None


def without_package(name: str) -> str:
    """The name of a class without the package that it is from: `Scale` of `lab>Scale`."""
    return name if name.endswith(PACKAGE) else name.rpartition(PACKAGE)[2]


def names_in_keras(name: str, registered: str, config: Mapping[str, Any]) -> tuple[str, str]:
    """The names of a class; one of keras.applications that somebody registered is Keras' own.

    Its arguments tell it from another class of the same name.
    """
    found = re.match(APPLICATIONS, registered) if PACKAGE in registered else None
    if found is None or found[1] not in REGISTERED:
        return name, registered
    is_keras = config.keys() <= set(kind_named(found[1]).__struct_encode_fields__)
    return (found[1], found[1]) if is_keras else (name, registered)


def function_of(config: Mapping[str, Any]) -> str | None:
    """The name of the function that a layer runs, None where it has none."""
    match config.get(FUNCTION):
        case str(name) | {"class_name": "function", "config": str(name)}:
            return name
    return None


def class_gap(name: str, registered: str, spot: Spot) -> Gap:
    """A class that is not Keras' own, as a gap of its file."""
    short = without_package(name)
    title = f"'{short}'" if registered in (short, FUNCTION) else f"'{short}' ({registered})"
    return Gap(short, "class", title, spot.at("class_name"))


def code_gap(class_name: str, name: str, function: str | None, spot: Spot) -> Gap:
    """A layer that runs code, as a gap of its file; its function may have a name."""
    return Gap(function or name, "code", f"what the {class_name} '{name}' gives", spot)


def object_gap(name: str, spot: Spot) -> Gap:
    """A function, or an initializer and such, that is not Keras' own, as a gap of its file."""
    short = without_package(name)
    return Gap(short, "object", f"'{short}'", spot)


def opaque_layer(
    name: str, config: Mapping[str, Any], gap: Gap, file: File, held: Held | None = None
) -> LayerKind:
    """A layer of which only the file may tell what it gives, and what it holds if we do not."""
    short = without_package(name)
    everything = file.assumed.get(ALL)
    otherwise = stand_in(short, config, everything, gap.place) if everything else None
    file.opaque.append(gap)
    trained = config.get("trainable") is not False
    kind = kind_called(short, Opaque)
    layer: LayerKind = kind(held=held, gap=gap, otherwise=otherwise, trainable=trained)
    return layer


def class_in(value: Any) -> Any:
    """The class of a serialized object, None of any other value."""
    return value.get("class_name") if isinstance(value, dict) else None


@cache
def objects_of(kind: type[LayerKind]) -> Mapping[str, str]:
    """The arguments of a kind that are objects, each with its sort: an initializer or such."""
    return {
        name: next(sort for sort in OBJECTS if name.endswith(sort))
        for name in kind.__struct_encode_fields__
        if name.endswith(tuple(OBJECTS))
    }


def known(sort: str, value: Any, spot: Spot, file: File) -> Any:
    """An argument that is an object of a sort, if it is one of Keras' own.

    None stands for any other: either it is assumed to change nothing, or it is a gap of the file.
    """
    more = value if isinstance(value, dict) else {"class_name": value}
    name, config = more.get("class_name"), more.get("config")
    if name == FUNCTION and isinstance(config, str):
        name = config
    if not isinstance(name, str):
        return value
    name = CODE if name == LAMBDA else name
    registered = str(more.get("registered_name") or name)
    if not is_custom(more.get("module"), registered) and is_word(sort, name, value):
        return value
    if not assumption_of(file, name, registered, ALL):
        file.gaps.append(object_gap(name, spot))
    return None


def is_word(sort: str, name: str, value: Any) -> bool:
    """Whether Keras has an object of a sort with this name; an activation may be a layer."""
    if sort == "activation" and class_in(value) not in (None, FUNCTION):
        return kind_of(name, False) is not None
    return name in OBJECTS[sort]
