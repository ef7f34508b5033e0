"""What stands for a layer in a file of Keras': its class and its config → a layer kind's instance.

A file names classes, modules and functions. They are looked up in our own tables, never imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from dense_calc.errors import LayerError, SpecError
from dense_calc.keras_format.assumptions import Assumption, stand_in
from dense_calc.keras_format.places import Spot
from dense_calc.layers import OPERATION, kind_named
from dense_calc.layers.base import LayerKind
from dense_calc.layers.refusals import problem_of, refusal
from dense_calc.layers.words import ActivationName
from dense_calc.model import ModelType
from dense_calc.spec.entries import INPUT_KIND

OWN = r"keras(\.|$)|tf_keras(\.|$)|tensorflow\.|builtins$"  # modules whose names are Keras'
OPERATIONS = r"keras\.(src\.)?ops(\.|$)"
FUNCTION = "function"  # the class of a function
TF_FUNCTIONS = ("SlicingOpLambda", "TFOpLambda")  # classes of functions of TensorFlow
LAMBDA = "__lambda__"  # the class of code
PACKAGE = ">"  # what comes between the package and the name of what somebody registered
NOTHING: dict[str, Any] = {}
# The classes that are models; Keras 1 and 2 call a Functional just Model.
MODELS: dict[str, ModelType] = {
    "Functional": "Functional",
    "Model": "Functional",
    "Sequential": "Sequential",
}
OBJECTS = ("activation", "constraint", "initializer", "regularizer")  # how their arguments end
ACTIVATIONS = get_args(ActivationName)


class File(Struct):
    """What holds for a whole file: the version of Keras that wrote it, and what is assumed.

    `ordering` is Keras 1's word for where the channels of images are, '' in other files. `inside`
    reads a model that is a layer of another.
    """

    keras: int
    ordering: str
    assumed: Mapping[str, Assumption]
    inside: Callable[[dict[str, Any], Spot, File], Written]


class Written(Struct):
    """A layer as it is written, in Keras 3's words; `made` if it needs no arguments of a call.

    `input_shape` is what an older version says of the input of a model's first layer.
    """

    class_name: str
    kind: type[LayerKind]
    config: dict[str, Any]
    spot: Spot
    made: LayerKind | None = None
    input_shape: Any = None


def is_model(value: Any) -> bool:
    """Whether this is how Keras writes a model."""
    match value:
        case {"class_name": str(name), "config": _}:
            return name in MODELS
    return False


def written(value: Any, spot: Spot, file: File) -> Written:
    """The class and the config of a layer, in the words of Keras 3.

    Raises:
        SpecError: it names no class, or one that is not known.
    """
    if is_model(value):
        return file.inside(value, spot, file)
    match value:
        case {"class_name": str(name), "config": dict(config)}:
            pass
        case _:
            raise SpecError("a layer is written as its class_name and its config", spot)
    registered = str(value.get("registered_name") or name)
    assumed = assumption_of(file, name, registered, config.get("name"))
    if assumed:
        made = stand_in(name.rpartition(PACKAGE)[2], config, assumed, spot)
        return Written(name, type(made), config, spot, made)
    shape = config.get("batch_input_shape")
    if file.keras < 3:
        from dense_calc.layers.legacy import modern, ordered  # few files are so old

        try:
            if file.ordering:
                config = ordered(name, config, file.ordering)
            name, config = modern(name, config, file.keras)
        except LayerError as error:
            raise SpecError(f"{name}: {error.message}", spot) from None
        if name in TF_FUNCTIONS:
            return of_tensorflow(name, config, spot)
    module = value.get("module")
    kind = None
    if not is_custom(module, registered):
        is_op = is_operation(name, module, config, file)
        kind = kind_of(name, is_op) or (kind_of(name, False) if module is None else None)
    if kind is None:
        raise unknown(name, registered, spot)
    return Written(name, kind, config, spot, input_shape=shape)


def of_tensorflow(name: str, config: Mapping[str, Any], spot: Spot) -> Written:
    """A function of TensorFlow that stands as a layer in a file of Keras 2.

    Raises:
        SpecError: it is not known.
    """
    from dense_calc.layers.tf_functions import tf_kind  # few files have any

    function = str(config.get("function"))
    kind = tf_kind(name, function)
    if kind is None:
        raise unknown(name, f"tf.{function}", spot)
    return Written(name, kind, {"name": config.get("name")}, spot)


def is_custom(module: Any, registered: str) -> bool:
    """Whether a class is somebody's own, whatever it is called."""
    return (isinstance(module, str) and not re.match(OWN, module)) or PACKAGE in registered


def is_operation(name: str, module: Any, config: Mapping[str, Any], file: File) -> bool:
    """Whether a class is an operation: by its module, or in HDF5 files, which tell none.

    Unlike an operation, a layer always says whether it is trained; only an input does not.
    """
    if isinstance(module, str):
        return bool(re.match(OPERATIONS, module))
    return file.keras > 2 and "trainable" not in config and name != INPUT_KIND


def kind_of(name: str, is_operation: bool) -> type[LayerKind] | None:
    """The kind of a class of Keras' own, None if it has none of this name."""
    try:
        return kind_named(OPERATION + name if is_operation else name)
    except KeyError:
        return None


def assumption_of(file: File, *names: Any) -> Assumption | None:
    """What is assumed of what has these names, with or without the package that it is from."""
    for name in names:
        for known_as in (name, str(name).rpartition(PACKAGE)[2]):
            if isinstance(known_as, str) and known_as in file.assumed:
                return file.assumed[known_as]
    return None


def unknown(name: str, registered: str, spot: Spot) -> SpecError:
    """The complaint about a class that is not Keras' own, with the ways on."""
    short = name.rpartition(PACKAGE)[2]
    told = f"'{short}'" if registered in (short, FUNCTION) else f"'{short}' ({registered})"
    return SpecError(
        f"{told} is not known, and no code is run; say what it does: --assume {short}=identity, or "
        f"--assume '{short}={{output_shape: [64], weights: {{kernel: [10, 64]}}}}'",
        spot.at("class_name"),
    )


def unknown_object(name: str, spot: Spot) -> SpecError:
    """The complaint about a function, or an initializer and such, that is not Keras' own."""
    short = name.rpartition(PACKAGE)[2]
    return SpecError(
        f"'{short}' is not known, and no code is run; if it changes no shape, say so: "
        f"--assume {short}=identity",
        spot,
    )


def layer_of(written: Written, file: File, of_call: Mapping[str, Any] = NOTHING) -> LayerKind:
    """The layer that is written, called with these arguments of Keras' `call`.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if written.made:
        return written.made
    values = dict(written.config)
    values.pop("name", None)
    for name, value in values.items():
        if name in written.kind.wraps:
            values[name] = inner_of(value, written.spot.at("config", name), file)
        elif not isinstance(value, dict) or "class_name" not in value:
            continue
        elif value["class_name"] == LAMBDA and name != FUNCTION:
            values[name] = None  # what code would say is not known
        elif name.endswith(OBJECTS):
            values[name] = known(value, written.spot.at("config", name), file)
    values |= of_call
    try:
        return convert(values, written.kind)
    except ValidationError as error:
        message, path = refusal(written.kind, written.class_name, values, *problem_of(error))
        spot = written.spot
        raise SpecError(message, spot.at("config", *path) if path else spot) from None


def inner_of(value: Any, spot: Spot, file: File) -> Any:
    """The layer, or the list of layers, that is an argument of another."""
    if isinstance(value, list):
        return [inner_of(each, spot.at(number), file) for number, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    inner = written(value, spot, file)
    layer = layer_of(inner, file)
    name = inner.config.get("name")
    return replace(layer, name=name) if isinstance(name, str) and "/" not in name else layer


def is_unknown_function(value: Mapping[str, Any]) -> bool:
    """Whether this is a function that is not among Keras' activations."""
    return value["class_name"] == FUNCTION and value.get("config") not in ACTIVATIONS


def known(value: dict[str, Any], spot: Spot, file: File) -> Any:
    """An object that is an argument: an initializer, a function; None where it is assumed away."""
    name = value.get("config") if value["class_name"] == FUNCTION else value["class_name"]
    registered = str(value.get("registered_name") or name)
    if assumption_of(file, name, registered):
        return None
    if is_custom(value.get("module"), registered) or is_unknown_function(value):
        raise unknown_object(str(name), spot)
    return value
