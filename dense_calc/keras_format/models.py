"""The models in a file of Keras': Sequential and Functional, each perhaps a layer of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from dense_calc.call_inputs import CallInput
from dense_calc.errors import LayerError, Note, SpecError, describe_value
from dense_calc.keras_format.assume import derive_named_kind
from dense_calc.keras_format.call_arguments import bind_call, demand_known_inputs
from dense_calc.keras_format.custom_objects import EMPTY_STORE, FileContext, strip_package
from dense_calc.keras_format.inbound_nodes import LayerCalls, layer_references
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.keras_format.layer_objects import (
    INPUT_SHAPE_KEY,
    MODEL_TYPES,
    TF_FUNCTION_CLASSES,
    SerializedLayer,
    build_serialized_layer,
    layer_and_group_name,
    model_type,
    parse_layer,
)
from dense_calc.keras_format.legacy.allowances import build_layer_from_file
from dense_calc.keras_format.legacy.merged_models import is_merge_layer, merged_nodes
from dense_calc.keras_format.model_ends import (
    demand_called_layers,
    label_ends,
    parse_ends,
    undeclared_inputs,
)
from dense_calc.keras_format.recorded_shapes import input_shape_in, with_recorded_outputs
from dense_calc.layers import find_kind
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.model import Model, ModelOutput, ModelType, Node
from dense_calc.spec_language.entries import INPUT_KIND
from dense_calc.tracing.graph import build_model
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS, Functional, NestedModel

_MAX_MODEL_DEPTH = 32  # models in models
_STEPS_PER_MODEL = 3  # from a model to a layer in it


class _ModelLayer(Struct):
    """A layer of a model: its name, what is written of it, and its inbound nodes.

    `build` is what Keras wrote of the shapes that it was built on, `file` what holds for it.
    """

    name: str
    context: FileContext
    layer: SerializedLayer
    inbound_nodes: list[Any]
    build_config: Any

    @property
    def is_nested_model(self) -> bool:
        """Whether it is a model itself."""
        return issubclass(self.layer.kind, NestedModel)


def _build_keras_model(value: Any, spot: JsonPlace, file: FileContext, name: str) -> Model:
    """The model that is written; `name` is what it is called if it does not say.

    Raises:
        SpecError: it is none, or something in it is not known.
    """
    return build_model_from_config(
        value["class_name"], value["config"], spot.inner_place("config"), file, name
    )


def build_model_from_config(
    class_name: str, config: Any, spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The same of a class and its config; `spot` is where the config stands.

    Raises:
        SpecError: it is none, or something in it is not known.
    """
    if len(spot.path) > _MAX_MODEL_DEPTH * _STEPS_PER_MODEL:
        raise SpecError(f"more than {_MAX_MODEL_DEPTH} models are in each other", spot)
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
    own = config.get("name")
    name = own if isinstance(own, str) and own else name
    return build(config, spot, file, name)


def _parse_layers(layers: list[Any], spot: JsonPlace, file: FileContext) -> Iterator[_ModelLayer]:
    """The layers of a model, each with a name of its own.

    Raises:
        SpecError: a layer has no name, or that of another; or it is not known.
    """
    names: set[str] = set()
    counts: Counter[str] = Counter()
    for number, value in enumerate(layers):
        here = spot.inner_place(number)
        own = file
        if file.weight_store is not EMPTY_STORE:
            own = replace(
                file, weight_store=file.weight_store.for_layer(*layer_and_group_name(value, counts))
            )
        layer = parse_layer(value, here, own)
        name = value.get("name") or layer.config.get("name") or to_snake_case(layer.class_name)
        calls = value.get("inbound_nodes") or []
        if not isinstance(name, str) or not isinstance(calls, list):
            raise SpecError("a layer's 'name' is text, and its 'inbound_nodes' a list", here)
        if name in names:
            raise SpecError(f"the name '{name}' stands here twice", here)
        names.add(name)
        yield _ModelLayer(name, own, layer, calls, value.get("build_config"))


def _build_functional(
    config: dict[str, Any], spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The graph that a Functional's config describes.

    Raises:
        SpecError: it describes none.
    """
    layers = list(_parse_layers(config["layers"], spot.inner_place("layers"), file))
    calls = _build_layer_calls(layers)
    nodes = {node.name: node for part in layers for node in _layer_nodes(part, calls)}
    builds = {part.name: part.build_config for part in layers if len(part.inbound_nodes) == 1}
    stores = {part.name: part.context.weight_store for part in layers}
    inbound = [part.inbound_nodes for part in layers]
    leaf = partial(calls.resolve_tensor, spot=spot)
    nodes = with_recorded_outputs(nodes, inbound, builds, stores, leaf, file)
    if any(part.layer.class_name in TF_FUNCTION_CLASSES for part in layers):
        from dense_calc.keras_format.tensorflow.size_lists import (
            attach_size_lists,  # few files have any
        )

        nodes = attach_size_lists(nodes)
    starts = parse_ends(config.get("input_layers"), calls, spot.inner_place("input_layers"))
    told = config.get("output_layers")
    ends = tuple(label_ends(parse_ends(told, calls, spot.inner_place("output_layers")), told))
    if not ends:
        raise SpecError("a Functional needs 'output_layers'", spot)
    demand_called_layers(nodes, ends)
    inputs = [start.name for start in starts if start.name in nodes]
    if not inputs:
        raise SpecError("a Functional needs 'input_layers'", spot)
    ordered = {name: nodes[name] for name in (*inputs, *nodes)}
    model = build_model(name, tuple(ordered.values()), ends, type="Functional")
    strangers = undeclared_inputs(model, inputs)
    known = tuple(node for node in model.nodes if node not in strangers)
    return replace(model, nodes=known, inputs=tuple(inputs)) if strangers else model


def _build_layer_calls(layers: list[_ModelLayer]) -> LayerCalls:
    """The names of the calls of a model's layers.

    Keras 3 counts the calls of a Functional inside from 1 in a model's outputs, older versions
    those of all models, and everywhere; but not where a file says 0.
    """
    numbers = {part.name: max(1, len(part.inbound_nodes)) for part in layers}
    inside = {part.name: part.layer.kind for part in layers if part.is_nested_model}
    if any(
        isinstance(call, dict) and "args" in call for part in layers for call in part.inbound_nodes
    ):
        return LayerCalls(
            numbers, (), {name for name in inside if issubclass(inside[name], Functional)}
        )
    from_0 = {
        name for part in layers for name, call in layer_references(part.inbound_nodes) if not call
    }
    return LayerCalls(numbers, inside.keys() - from_0, inside.keys() - from_0)


def _layer_nodes(part: _ModelLayer, calls: LayerCalls) -> Iterator[Node]:
    """The nodes of a layer: an input, or one for each call; none where it is never called.

    Raises:
        SpecError: a call is given no tensor, or what is not there.
    """
    layer, spot = part.layer, part.layer.place
    if not part.inbound_nodes and 0 in layer.kind.arity:
        yield Node(part.name, build_serialized_layer(layer, part.context), (), spot)
    made: LayerKind | None = None
    for number, call in enumerate(part.inbound_nodes):
        here = spot.inner_place("inbound_nodes", number)
        try:
            given = bind_call(calls.parse_call(call, here), layer.kind)
            if not part.is_nested_model:  # whose inputs may be optional
                demand_known_inputs(layer.kind, given.inputs)
        except LayerError as error:
            raise SpecError(f"'{part.name}': {error.message}", here) from None
        if part.is_nested_model:
            given.inputs = tuple(_order_nested_inputs(each, layer) for each in given.inputs)
        if not given.read_names or (layer.kind.inputs_as_list and None in given.inputs):
            raise SpecError(f"'{part.name}' is called with what is no tensor", here)
        if made is None or layer.kind.call_arguments:
            made = build_serialized_layer(layer, part.context, given.call_arguments)
        shares = part.name if number else None
        name = calls.node_names[part.name][number]
        yield Node(name, made, given.read_names, spot, given.inputs, shares, mask=given.mask)


def _order_nested_inputs(given: CallInput, inside: SerializedLayer) -> CallInput:
    """What a call of a model inside is given, as a list where a mapping is not by its inputs alone.

    Keras takes more than them, and a model may have names for them that are not those of layers.
    """
    told = inside.config.get("input_layers")
    inputs = inside.ready_layer.model.inputs if isinstance(inside.ready_layer, NestedModel) else ()
    names = sorted(told) if isinstance(told, dict) else inputs
    if not isinstance(given, dict) or not set(names) <= given.keys() or given.keys() == set(inputs):
        return given
    return tuple(given[name] for name in names)


def _build_sequential(
    config: dict[str, Any], spot: JsonPlace, file: FileContext, name: str
) -> Model:
    """The chain that a Sequential's config describes.

    Raises:
        SpecError: it describes none, or not what the first layer reads.
    """
    if not config["layers"]:
        return Model(name, (), (), (), type="Sequential")
    first = config["layers"][0]
    layers = list(_parse_layers(config["layers"], spot.inner_place("layers"), file))
    if is_merge_layer(first):
        nodes = merged_nodes(first, layers[0].name, layers[0].layer, file)
    else:
        nodes = list(_first_nodes(layers, config))
    for part in layers[1:]:
        above = (nodes[-1].name,)
        nodes.append(
            Node(
                part.name, build_serialized_layer(part.layer, part.context), above, part.layer.place
            )
        )
    builds = {part.name: part.build_config for part in layers}
    stores = {part.name: part.context.weight_store for part in layers}
    by_name = with_recorded_outputs(
        {node.name: node for node in nodes}, (), builds, stores, None, file
    )
    ends = (ModelOutput(nodes[-1].name),) if is_merge_layer(first) else ()
    kind: ModelType = "Functional" if ends else "Sequential"
    return build_model(name, tuple(by_name.values()), ends, type=kind)


def _first_nodes(layers: list[_ModelLayer], config: dict[str, Any]) -> Iterator[Node]:
    """The first layer of a chain, and the input before it, unless that is its first layer."""
    first = layers[0]
    above: tuple[str, ...] = ()
    if 0 not in first.layer.kind.arity:
        taken = {part.name for part in layers}
        unlike = next(each for each in _spare_input_names() if each not in taken)
        above = (unlike,)
        yield Node(unlike, _build_chain_input(first, config), (), first.layer.place)
    yield Node(
        first.name, build_serialized_layer(first.layer, first.context), above, first.layer.place
    )


def _spare_input_names() -> Iterator[str]:
    """Names for an input that a model does not name."""
    yield from (to_snake_case(INPUT_KIND) + f"_{number}" * (number > 0) for number in count())


def _build_chain_input(first: _ModelLayer, config: dict[str, Any]) -> LayerKind:
    """The input of a chain whose first layer does not stand for it; it may have no shape."""
    made = first.layer.ready_layer
    if isinstance(made, NestedModel) and not made.model.is_unbuilt:
        return made.model.nodes[0].layer
    kind = find_kind(INPUT_KIND)
    told = first.layer.input_shape
    try:
        if told is not None:
            return build_layer_from_file({"batch_shape": told}, kind)
    except ValidationError:
        spot = first.layer.place.inner_place("config", INPUT_SHAPE_KEY)
        raise SpecError(
            f"'{INPUT_SHAPE_KEY}' is a list of sizes, not {describe_value(told)}", spot
        ) from None
    for shape in (config.get("build_input_shape"), input_shape_in(first.build_config)):
        if isinstance(shape, list):
            with suppress(ValidationError):
                return convert({"batch_shape": shape}, kind)
    return kind()


def read_nested_model(value: dict[str, Any], spot: JsonPlace, file: FileContext) -> SerializedLayer:
    """A model that is a layer of another.

    Raises:
        SpecError: it is none, or has no layers, so that Keras cannot call it.
    """
    config = value["config"] if isinstance(value["config"], dict) else {}
    kind = NESTED_MODEL_KINDS[model_type(value["class_name"], config) or ""]
    if value["class_name"] not in MODEL_TYPES:
        kind = derive_named_kind(strip_package(value["class_name"]), kind)
    model = _build_keras_model(value, spot, file, to_snake_case(kind.__name__))
    if not model.nodes:
        raise SpecError(f"'{model.name}' has no layers, and cannot be called", spot)
    if model.type == "Functional" and issubclass(kind, NESTED_MODEL_KINDS["Sequential"]):
        kind = Functional  # it begins with a merge of models, which are its inputs
    made = kind(model=model, trainable=config.get("trainable") is not False)
    facts = {"name": model.name, "input_layers": config.get("input_layers")}
    return SerializedLayer(kind.__name__, kind, facts, spot, made)
