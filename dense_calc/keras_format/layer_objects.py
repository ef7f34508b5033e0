"""Build a layer from its class and config in a Keras file.

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
from dense_calc.keras_format.assumptions import build_stand_in
from dense_calc.keras_format.custom_layers import OpaqueLayer
from dense_calc.keras_format.custom_objects import (
    FUNCTION,
    LAMBDA_CLASS,
    FileContext,
    canonical_class_names,
    class_gap,
    class_name_in,
    code_gap,
    find_assumption,
    function_name_in,
    is_custom_class,
    keras_kind,
    make_opaque_layer,
    object_arguments,
    resolve_object,
    strip_package,
)
from dense_calc.keras_format.json_locations import JsonPlace, LegacyLayerPlace
from dense_calc.keras_format.legacy.allowances import build_layer_from_file, drop_backend_arguments
from dense_calc.layers.base import LayerKind, as_layer_kind, to_snake_case
from dense_calc.layers.introspect.refusals import describe_refusal, parse_validation_error
from dense_calc.model import ModelType
from dense_calc.spec_language.entries import INPUT_KIND

_OPERATION_MODULE_PATTERN = r"keras\.(src\.)?ops(\.|$)"
# The classes under which Keras 2 writes TensorFlow's functions and operations as layers.
TF_FUNCTION_CLASSES = ("SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer")
INPUT_SHAPE_KEY = "batch_input_shape"  # an argument of a chain's first layer in Keras 1 and 2
_NO_CALL_ARGUMENTS: dict[str, Any] = {}
# The classes that are models; Keras 1 and 2 call a Functional just Model.
MODEL_TYPES: dict[str, ModelType] = {
    "Functional": "Functional",
    "Model": "Functional",
    "Sequential": "Sequential",
}


class SerializedLayer(Struct):
    """A layer of a file, in the words of Keras 3; `ready_layer` if it is already built.

    `input_shape` is the `batch_input_shape` of an older version, `function_name` the name of the
    function that the layer runs.
    """

    class_name: str
    kind: type[LayerKind]
    config: dict[str, Any]
    place: JsonPlace
    ready_layer: LayerKind | None = None
    input_shape: Any = None
    function_name: str | None = None


def is_serialized_model(value: Any) -> bool:
    """Whether a value is a model of one of Keras' own classes."""
    match value:
        case {"class_name": str(name), "config": _}:
            return name in MODEL_TYPES
    return False


def model_type(class_name: Any, config: Any) -> ModelType | None:
    """The type of model that a class is, judged by its config if it is not Keras' own.

    A subclass of a model inherits `get_config`, unless it overrides it. None if it is no model.
    """
    match config:
        case _ if class_name in MODEL_TYPES:
            return MODEL_TYPES[class_name]
        case {"layers": list(), "input_layers": list() | dict(), "output_layers": list() | dict()}:
            return "Functional"
        case {"layers": [{"class_name": str(first), "config": dict()}, *_]} if first == INPUT_KIND:
            return "Sequential"
    return None


def parse_layer(value: Any, spot: JsonPlace, file: FileContext) -> SerializedLayer:
    """A layer of a file, in the words of Keras 3.

    Raises:
        SpecError: the value is no layer, or Keras 3 cannot express it.
    """
    if is_serialized_model(value):
        model: SerializedLayer = file.nested_reader(value, spot, file)
        return model
    match value:
        case {"class_name": str(name), "config": dict(config)}:
            pass
        case _:
            raise SpecError("a layer must have a class_name and a config", spot)
    registered = str(value.get("registered_name") or name)
    shape, function = config.get(INPUT_SHAPE_KEY), function_name_in(config)
    layer_name = value.get("name") or config.get("name")
    assumption = find_assumption(file, name, registered, layer_name, config.get("name"), function)
    if assumption:
        layer = build_stand_in(strip_package(name), config, assumption)
        return SerializedLayer(name, type(layer), config, spot, layer, shape)
    if model_type(name, config):
        derived: SerializedLayer = file.nested_reader(value, spot, file)
        return derived
    name, registered = canonical_class_names(name, registered, config)
    if file.keras_version < 3:
        spot = LegacyLayerPlace(*spot.coordinates, spot.path, name, config, file.keras_version)
        name, config = _upgrade_layer(name, config, spot, file)
        if name in TF_FUNCTION_CLASSES:
            return _parse_tf_layer(name, {**config, "name": layer_name}, spot, file)
    module = value.get("module")
    kind = None
    if not is_custom_class(module, registered):
        is_op = _is_operation_class(name, module, config, file)
        kind = keras_kind(name, is_op) or (keras_kind(name, False) if module is None else None)
    if kind is None:
        layer = make_opaque_layer(name, config, class_gap(name, registered, spot), file)
        return SerializedLayer(name, type(layer), config, spot, layer, shape)
    return SerializedLayer(name, kind, config, spot, None, shape, function)


def layer_and_group_name(value: Any, counts: Counter[str]) -> tuple[str, str]:
    """The name of a layer, and of the group in which Keras stores it: its class with a number.

    `counts` has the number of layers of each class so far. Both names are '' if the value is no
    layer.
    """
    match value:
        case {"class_name": str(class_name), "config": dict(config)}:
            group = to_snake_case(strip_package(class_name))
            name = value.get("name") or config.get("name") or group
            counts[group] += 1
            number = f"_{counts[group] - 1}" if counts[group] > 1 else ""
            return str(name), group + number
    return "", ""


def _upgrade_layer(
    class_name: str, config: dict[str, Any], spot: JsonPlace, file: FileContext
) -> tuple[str, dict[str, Any]]:
    """The class and the config of a layer of an older version in the words of Keras 3.

    Raises:
        SpecError: Keras 3 cannot express it.
    """
    from dense_calc.keras_format.legacy.keras_1_configs import with_dim_ordering
    from dense_calc.keras_format.legacy.layer_configs import upgrade_config  # few files are so old

    try:
        if file.dim_ordering:
            config = with_dim_ordering(class_name, config, file.dim_ordering)
        return upgrade_config(class_name, config, file.keras_version)
    except LayerError as error:
        raise SpecError(f"{class_name}: {error.message}", spot) from None


def _parse_tf_layer(
    class_name: str, config: Mapping[str, Any], spot: JsonPlace, file: FileContext
) -> SerializedLayer:
    """A function or an operation of TensorFlow that is a layer in a file of Keras 2."""
    from dense_calc.keras_format.tensorflow.tf_functions import tf_function_kind  # few files do
    from dense_calc.keras_format.tensorflow.tf_operations import (
        build_operation_layer,
        node_operation_name,
    )

    name = config["name"]
    node, function = config.get("node_def"), config.get(FUNCTION)
    operation = build_operation_layer(node, config.get("constants"))
    kind = type(operation) if operation else tf_function_kind(class_name, str(function))
    if kind:
        return SerializedLayer(class_name, kind, {"name": name}, spot, operation)
    tf_name = f"raw_ops.{node_operation_name(node)}" if node else function
    title = f"what '{name}' gives (tf.{tf_name})"
    gap = Gap(str(name), "code", title, spot.inner_place("class_name"))
    layer = make_opaque_layer(class_name, {"name": name}, gap, file)
    return SerializedLayer(class_name, type(layer), {"name": name}, spot, layer)


def _is_operation_class(
    name: str, module: Any, config: Mapping[str, Any], file: FileContext
) -> bool:
    """Whether a class is an operation of `keras.ops`: by its module, or by its config.

    HDF5 files do not name modules. But only operations and inputs have no `trainable`.
    """
    if isinstance(module, str):
        return bool(re.match(_OPERATION_MODULE_PATTERN, module))
    return file.keras_version > 2 and "trainable" not in config and name != INPUT_KIND


def build_serialized_layer(
    written: SerializedLayer,
    file: FileContext,
    call_arguments: Mapping[str, Any] = _NO_CALL_ARGUMENTS,
) -> LayerKind:
    """The layer that is written, with these arguments of its call.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if written.ready_layer:
        return written.ready_layer
    values = {**_layer_arguments(written, file), **call_arguments}
    inner = [
        each
        for name in written.kind.inner_layer_arguments
        for each in _as_layer_list(values.get(name))
    ]
    opaque = next((each for each in inner if isinstance(each, OpaqueLayer)), None)
    if opaque:
        return make_opaque_layer(written.class_name, written.config, opaque.gap, file)
    spot = written.place
    try:
        layer, dropped = drop_backend_arguments(build_layer_from_file(values, written.kind))
    except ValidationError as error:
        raise _argument_error(written, values, error) from None
    for name, reason in dropped.items():
        remark = Note(f"'{name}' {reason}; it is left out", spot.inner_place("config", name))
        file.remarks.append(remark)
    if not layer.is_opaque:
        return layer
    name = str(written.config.get("name"))
    gap = code_gap(written.class_name, name, written.function_name, spot)
    return make_opaque_layer(written.class_name, written.config, gap, file, weights={})


def _layer_arguments(written: SerializedLayer, file: FileContext) -> dict[str, Any]:
    """The arguments of a layer, with layers and objects among them in place of their configs."""
    values = dict(written.kind.constructor_arguments(written.config))
    values.pop("name", None)
    objects = object_arguments(written.kind)
    for name, value in values.items():
        spot = written.place.inner_place("config", name)
        if name in written.kind.inner_layer_arguments:
            context = replace(file, weight_store=file.weight_store.for_argument(name))
            values[name] = _build_inner_layer(value, spot, context)
        elif name in objects and value is not None:
            values[name] = resolve_object(objects[name], value, spot, file)
        elif isinstance(value, dict) and class_name_in(value) == LAMBDA_CLASS and name != FUNCTION:
            values[name] = None  # the result of code is unknown
    return values


def _argument_error(
    written: SerializedLayer, values: Mapping[str, Any], error: ValidationError
) -> SpecError:
    """The complaint about an argument, in the words of the file."""
    spot = written.place
    owner = spot.class_name if isinstance(spot, LegacyLayerPlace) else written.class_name
    message, path = describe_refusal(written.kind, owner, values, *parse_validation_error(error))
    if not path:
        return SpecError(message, spot)
    message = message.replace(f"'{path[0]}'", f"'{spot.written_name(str(path[0]))}'", 1)
    return SpecError(message, spot.inner_place("config", *path))


def _as_layer_list(value: Any) -> list[Any]:
    """The value of an argument as a list of layers."""
    return value if isinstance(value, list) else [value]


def _build_inner_layer(value: Any, spot: JsonPlace, file: FileContext) -> Any:
    """The layer, or the list of layers, in an argument of another layer."""
    if isinstance(value, list):
        return [
            _build_inner_layer(each, spot.inner_place(number), file)
            for number, each in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    inner = parse_layer(value, spot, file)
    layer = build_serialized_layer(inner, file)
    if isinstance(layer, OpaqueLayer):
        layer = as_layer_kind(layer.fallback) if layer.fallback else layer
    name = inner.config.get("name")
    return replace(layer, name=name) if isinstance(name, str) and "/" not in name else layer
