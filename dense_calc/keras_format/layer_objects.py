"""What stands for a layer in a file of Keras': its class and its config → a layer kind's instance.

A file names classes, modules and functions. They are looked up in our own tables, never imported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, ValidationError
from msgspec.structs import replace

from dense_calc.errors import LayerError, Note, SpecError
from dense_calc.gaps import Gap
from dense_calc.keras_format.assume import stand_in
from dense_calc.keras_format.assumed_layer import Opaque
from dense_calc.keras_format.custom_objects import (
    FUNCTION,
    LAMBDA,
    File,
    assumption_of,
    class_gap,
    class_in,
    code_gap,
    function_of,
    is_custom,
    kind_of,
    known,
    names_in_keras,
    objects_of,
    opaque_layer,
    without_package,
)
from dense_calc.keras_format.json_locations import OldSpot, Spot
from dense_calc.keras_format.legacy.allowances import eased, made_from_file
from dense_calc.layers.base import LayerKind, layer_in, snake_case
from dense_calc.layers.introspect.refusals import problem_of, refusal
from dense_calc.model import ModelType
from dense_calc.spec_language.entries import INPUT_KIND

OPERATIONS = r"keras\.(src\.)?ops(\.|$)"
# Classes of functions of TensorFlow, and of operations.
TF_FUNCTIONS = ("SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer")
INPUT_SHAPE = "batch_input_shape"  # what Keras 1 and 2 write of a chain's first layer
NOTHING: dict[str, Any] = {}
# The classes that are models; Keras 1 and 2 call a Functional just Model.
MODELS: dict[str, ModelType] = {
    "Functional": "Functional",
    "Model": "Functional",
    "Sequential": "Sequential",
}


class Written(Struct):
    """A layer as it is written, in Keras 3's words; `made` if it needs no arguments of a call.

    `input_shape` is what an older version says of the input of a model's first layer, `function`
    the name of the function that the layer runs.
    """

    class_name: str
    kind: type[LayerKind]
    config: dict[str, Any]
    spot: Spot
    made: LayerKind | None = None
    input_shape: Any = None
    function: str | None = None


def is_model(value: Any) -> bool:
    """Whether this is how Keras writes a model of a class of its own."""
    match value:
        case {"class_name": str(name), "config": _}:
            return name in MODELS
    return False


def model_type(class_name: Any, config: Any) -> ModelType | None:
    """What a class of models is to Keras: also somebody's own if it has the config of one.

    A class that is derived from Keras' has its `get_config`, unless it has one of its own.
    """
    match config:
        case _ if class_name in MODELS:
            return MODELS[class_name]
        case {"layers": list(), "input_layers": list() | dict(), "output_layers": list() | dict()}:
            return "Functional"
        case {"layers": [{"class_name": str(first), "config": dict()}, *_]} if first == INPUT_KIND:
            return "Sequential"
    return None


def written(value: Any, spot: Spot, file: File) -> Written:
    """The class and the config of a layer, in the words of Keras 3.

    Raises:
        SpecError: it names no class, or one that is not known.
    """
    if is_model(value):
        model: Written = file.inside(value, spot, file)
        return model
    match value:
        case {"class_name": str(name), "config": dict(config)}:
            pass
        case _:
            raise SpecError("a layer is written as its class_name and its config", spot)
    registered = str(value.get("registered_name") or name)
    shape, function = config.get(INPUT_SHAPE), function_of(config)
    own_name = value.get("name") or config.get("name")
    assumed = assumption_of(file, name, registered, own_name, config.get("name"), function)
    if assumed:
        made = stand_in(without_package(name), config, assumed, spot)
        return Written(name, type(made), config, spot, made, shape)
    if model_type(name, config):
        derived: Written = file.inside(value, spot, file)
        return derived
    name, registered = names_in_keras(name, registered, config)
    if file.keras < 3:
        spot = OldSpot(*spot.where, spot.path, name, config, file.keras)
        name, config = of_today(name, config, spot, file)
        if name in TF_FUNCTIONS:
            return of_tensorflow(name, {**config, "name": own_name}, spot, file)
    module = value.get("module")
    kind = None
    if not is_custom(module, registered):
        is_op = is_operation(name, module, config, file)
        kind = kind_of(name, is_op) or (kind_of(name, False) if module is None else None)
    if kind is None:
        layer = opaque_layer(name, config, class_gap(name, registered, spot), file)
        return Written(name, type(layer), config, spot, layer, shape)
    return Written(name, kind, config, spot, None, shape, function)


def names_of(value: Any, counts: Counter[str]) -> tuple[str, str]:
    """The name of a layer, and that of the group in which Keras stores it: its class, numbered.

    `counts` are how often the classes of the layers before it are there; '' is what is no name.
    """
    match value:
        case {"class_name": str(class_name), "config": dict(config)}:
            group = snake_case(without_package(class_name))
            name = value.get("name") or config.get("name") or group
            counts[group] += 1
            number = f"_{counts[group] - 1}" if counts[group] > 1 else ""
            return str(name), group + number
    return "", ""


def of_today(
    class_name: str, config: dict[str, Any], spot: Spot, file: File
) -> tuple[str, dict[str, Any]]:
    """The class and the config of a layer of an older version in the words of Keras 3.

    Raises:
        SpecError: Keras 3 cannot say it.
    """
    from dense_calc.keras_format.legacy.layer_configs import modern, ordered  # few files are so old

    try:
        if file.ordering:
            config = ordered(class_name, config, file.ordering)
        return modern(class_name, config, file.keras)
    except LayerError as error:
        raise SpecError(f"{class_name}: {error.message}", spot) from None


def of_tensorflow(class_name: str, config: Mapping[str, Any], spot: Spot, file: File) -> Written:
    """A function or an operation of TensorFlow that stands as a layer in a file of Keras 2."""
    from dense_calc.keras_format.tensorflow.tf_functions import tf_kind  # few files have any
    from dense_calc.keras_format.tensorflow.tf_operations import name_in, operation_of

    own = {"name": config["name"]}
    node, function = config.get("node_def"), config.get(FUNCTION)
    made = operation_of(node, config.get("constants"))
    kind = type(made) if made else tf_kind(class_name, str(function))
    if kind:
        return Written(class_name, kind, own, spot, made)
    called = f"raw_ops.{name_in(node)}" if node else function
    title = f"what '{own['name']}' gives (tf.{called})"
    gap = Gap(str(own["name"]), "code", title, spot.at("class_name"))
    layer = opaque_layer(class_name, own, gap, file)
    return Written(class_name, type(layer), own, spot, layer)


def is_operation(name: str, module: Any, config: Mapping[str, Any], file: File) -> bool:
    """Whether a class is an operation: by its module, or in HDF5 files, which tell none.

    Unlike an operation, a layer always says whether it is trained; only an input does not.
    """
    if isinstance(module, str):
        return bool(re.match(OPERATIONS, module))
    return file.keras > 2 and "trainable" not in config and name != INPUT_KIND


def layer_of(written: Written, file: File, of_call: Mapping[str, Any] = NOTHING) -> LayerKind:
    """The layer that is written, called with these arguments of Keras' `call`.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if written.made:
        return written.made
    values = dict(written.kind.constructor_arguments(written.config))
    values.pop("name", None)
    objects = objects_of(written.kind)
    for name, value in values.items():
        if name in written.kind.wraps:
            within = replace(file, stored=file.stored.within(name))
            values[name] = inner_of(value, written.spot.at("config", name), within)
        elif name in objects and value is not None:
            values[name] = known(objects[name], value, written.spot.at("config", name), file)
        elif isinstance(value, dict) and class_in(value) == LAMBDA and name != FUNCTION:
            values[name] = None  # what code would say is not known
    values |= of_call
    inner = [each for name in written.kind.wraps for each in layers_in(values.get(name))]
    lacking = next((each for each in inner if isinstance(each, Opaque)), None)
    if lacking:
        return opaque_layer(written.class_name, written.config, lacking.gap, file)
    spot = written.spot
    try:
        made, left_out = eased(made_from_file(values, written.kind))
    except ValidationError as error:
        raise unfit(written, values, error) from None
    for name, reason in left_out.items():
        remark = Note(f"'{name}' {reason}; it is left out", spot.at("config", name))
        file.remarks.append(remark)
    if not made.is_opaque:
        return made
    name = str(written.config.get("name"))
    gap = code_gap(written.class_name, name, written.function, spot)
    return opaque_layer(written.class_name, written.config, gap, file, held={})


def unfit(written: Written, values: Mapping[str, Any], error: ValidationError) -> SpecError:
    """The complaint about an argument, in the words of the file."""
    spot = written.spot
    whose = spot.class_name if isinstance(spot, OldSpot) else written.class_name
    message, path = refusal(written.kind, whose, values, *problem_of(error))
    if not path:
        return SpecError(message, spot)
    own = message.replace(f"'{path[0]}'", f"'{spot.word(str(path[0]))}'", 1)
    return SpecError(own, spot.at("config", *path))


def layers_in(value: Any) -> list[Any]:
    """The layers that an argument is, one or a list of them."""
    return value if isinstance(value, list) else [value]


def inner_of(value: Any, spot: Spot, file: File) -> Any:
    """The layer, or the list of layers, that is an argument of another."""
    if isinstance(value, list):
        return [inner_of(each, spot.at(number), file) for number, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    inner = written(value, spot, file)
    layer = layer_of(inner, file)
    if isinstance(layer, Opaque):
        layer = layer_in(layer.otherwise) if layer.otherwise else layer
    name = inner.config.get("name")
    return replace(layer, name=name) if isinstance(name, str) and "/" not in name else layer
