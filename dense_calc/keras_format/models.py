"""Build the models in a Keras file: Sequential and Functional, also as layers of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.errors import Note, SpecError, describe_value
from dense_calc.keras_format.assumptions import derive_named_kind
from dense_calc.keras_format.custom_objects import FileContext, strip_package
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.keras_format.layer_objects import (
    INPUT_SHAPE_KEY,
    MODEL_TYPES,
    TF_FUNCTION_CLASSES,
    SerializedLayer,
    model_type,
)
from dense_calc.keras_format.legacy.allowances import build_layer_from_file
from dense_calc.keras_format.legacy.merged_models import is_merge_layer, merged_nodes
from dense_calc.keras_format.model_ends import (
    demand_called_layers,
    label_ends,
    parse_ends,
    undeclared_inputs,
)
from dense_calc.keras_format.model_layers import (
    ModelLayer,
    build_layer_calls,
    layer_nodes,
    parse_layers,
)
from dense_calc.keras_format.recorded_shapes import input_shape_in, with_recorded_outputs
from dense_calc.layers import find_kind
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.model import Model, ModelOutput, ModelType, Node
from dense_calc.spec_language.entries import INPUT_KIND
from dense_calc.tracing.graph import build_model
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS, Functional, NestedModel

_MAX_MODEL_DEPTH = 32  # models in models
_STEPS_PER_MODEL = 3  # of a path, from a model to a layer in it


def build_model_from_config(
    class_name: str, config: Any, spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The model of a class and its config at `spot`; `name` is for a config without a name.

    Raises:
        SpecError: the config is no model, or something in it is unknown.
    """
    if len(spot.path) > _MAX_MODEL_DEPTH * _STEPS_PER_MODEL:
        raise SpecError(f"more than {_MAX_MODEL_DEPTH} models are nested in each other", spot)
    if isinstance(config, list):  # as early versions write a Sequential
        config = {"layers": config}
    if not isinstance(config, dict):
        raise SpecError(f"a model's config is a mapping, not {describe_value(config)}", spot)
    type_name = model_type(class_name, config)
    build = _build_sequential if type_name == "Sequential" else _build_functional
    if class_name not in MODEL_TYPES:
        note = f"'{strip_package(class_name)}' is read as the {type_name} that its config tells"
        file.remarks.append(Note(note, spot))
    layers = config.get("layers")
    if not isinstance(layers, list) or not (layers or build is _build_sequential):
        raise SpecError("a model needs 'layers', a list", spot.inner_place("layers"))
    written_name = config.get("name")
    if isinstance(written_name, str) and written_name:
        name = written_name
    return build(config, spot, file, name)


def _build_functional(
    config: dict[str, Any], spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The graph of a Functional's config.

    Raises:
        SpecError: the config is no graph.
    """
    layers = list(parse_layers(config["layers"], spot.inner_place("layers"), file))
    calls = build_layer_calls(layers)
    nodes = {node.name: node for layer in layers for node in layer_nodes(layer, calls)}
    tensor_at = partial(calls.resolve_tensor, spot=spot)
    nodes = with_recorded_outputs(nodes, layers, tensor_at, file)
    if any(layer.serialized.class_name in TF_FUNCTION_CLASSES for layer in layers):
        from dense_calc.keras_format.tensorflow import size_lists  # for few files

        nodes = size_lists.attach_size_lists(nodes)
    starts = parse_ends(config.get("input_layers"), calls, spot.inner_place("input_layers"))
    written = config.get("output_layers")
    ends = label_ends(parse_ends(written, calls, spot.inner_place("output_layers")), written)
    return _build_graph(name, nodes, [start.name for start in starts], tuple(ends), spot)


def _build_graph(
    name: str,
    nodes: dict[str, Node],
    starts: list[str],
    ends: tuple[ModelOutput, ...],
    spot: JsonPlace,
) -> Model:
    """The graph from the input layers `starts` to the outputs `ends`.

    Raises:
        SpecError: a start or an end is missing, or what the nodes read is.
    """
    if not ends:
        raise SpecError("a Functional needs 'output_layers'", spot)
    demand_called_layers(nodes, ends)
    inputs = [start for start in starts if start in nodes]
    if not inputs:
        raise SpecError("a Functional needs 'input_layers'", spot)
    ordered = {name: nodes[name] for name in (*inputs, *nodes)}
    model = build_model(name, tuple(ordered.values()), ends, type="Functional")
    strangers = undeclared_inputs(model, inputs)
    known = tuple(node for node in model.nodes if node not in strangers)
    return replace(model, nodes=known, inputs=tuple(inputs)) if strangers else model


def _build_sequential(
    config: dict[str, Any], spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The chain of a Sequential's config.

    Raises:
        SpecError: a layer is unknown, or the shape of the input is none.
    """
    if not config["layers"]:
        return Model(name, (), (), (), type="Sequential")
    first = config["layers"][0]
    layers = list(parse_layers(config["layers"], spot.inner_place("layers"), file))
    is_merge = is_merge_layer(first)
    if is_merge:
        nodes = merged_nodes(first, layers[0].name, layers[0].serialized, file)
    else:
        nodes = list(_first_nodes(layers, config))
    for layer in layers[1:]:
        inputs = (nodes[-1].name,)
        nodes.append(Node(layer.name, layer.build(), inputs, layer.serialized.place))
    by_name = with_recorded_outputs({node.name: node for node in nodes}, layers, None, file)
    ends = (ModelOutput(nodes[-1].name),) if is_merge else ()
    kind: ModelType = "Functional" if is_merge else "Sequential"
    return build_model(name, tuple(by_name.values()), ends, type=kind)


def _first_nodes(layers: list[ModelLayer], config: dict[str, Any]) -> Iterator[Node]:
    """The first layer of a chain, after an input unless it is one itself."""
    first = layers[0]
    inputs: tuple[str, ...] = ()
    if 0 not in first.serialized.kind.arity:
        taken = {layer.name for layer in layers}
        name = next(each for each in _spare_input_names() if each not in taken)
        inputs = (name,)
        yield Node(name, _build_chain_input(first, config), (), first.serialized.place)
    yield Node(first.name, first.build(), inputs, first.serialized.place)


def _spare_input_names() -> Iterator[str]:
    """Names for the input that a chain lacks."""
    yield from (to_snake_case(INPUT_KIND) + f"_{number}" * (number > 0) for number in count())


def _build_chain_input(first: ModelLayer, config: dict[str, Any]) -> LayerKind:
    """The input before the first layer of a chain; it may have no shape."""
    layer = first.serialized
    if isinstance(layer.ready_layer, NestedModel) and not layer.ready_layer.model.is_unbuilt:
        return layer.ready_layer.model.nodes[0].layer
    kind = find_kind(INPUT_KIND)
    try:
        if layer.input_shape is not None:
            return build_layer_from_file({"batch_shape": layer.input_shape}, kind)
    except ValidationError:
        raise SpecError(
            f"'{INPUT_SHAPE_KEY}' is a list of sizes, not {describe_value(layer.input_shape)}",
            layer.place.inner_place("config", INPUT_SHAPE_KEY),
        ) from None
    for shape in (config.get("build_input_shape"), input_shape_in(first.build_config)):
        if isinstance(shape, list):
            with suppress(ValidationError):
                return convert({"batch_shape": shape}, kind)
    return kind()


def read_nested_model(value: dict[str, Any], spot: JsonPlace, file: FileContext) -> SerializedLayer:
    """A model that is a layer of another.

    Raises:
        SpecError: it is no model, or has no layers, so that Keras cannot call it.
    """
    class_name, content = value["class_name"], value["config"]
    config = content if isinstance(content, dict) else {}
    kind = NESTED_MODEL_KINDS[model_type(class_name, config) or ""]
    if class_name not in MODEL_TYPES:
        kind = derive_named_kind(strip_package(class_name), kind)
    name = to_snake_case(kind.__name__)
    model = build_model_from_config(class_name, content, spot.inner_place("config"), file, name)
    if not model.nodes:
        raise SpecError(f"'{model.name}' has no layers, and cannot be called", spot)
    if model.type == "Functional" and issubclass(kind, NESTED_MODEL_KINDS["Sequential"]):
        kind = Functional  # it begins with a merge of models, so it has several inputs
    layer = kind(model=model, trainable=config.get("trainable") is not False)
    kept = {"name": model.name, "input_layers": config.get("input_layers")}
    return SerializedLayer(kind.__name__, kind, kept, spot, layer)
