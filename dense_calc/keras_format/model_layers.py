"""The layers of one model in a Keras file, and the nodes of their calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.call_inputs import CallInput
from dense_calc.errors import LayerError, SpecError
from dense_calc.keras_format.call_arguments import bind_call, demand_known_inputs
from dense_calc.keras_format.custom_objects import EMPTY_STORE, FileContext
from dense_calc.keras_format.inbound_nodes import LayerCalls, layer_references
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.keras_format.layer_objects import (
    SerializedLayer,
    build_serialized_layer,
    layer_and_group_name,
    parse_layer,
)
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.model import Node
from dense_calc.tracing.nested_model import Functional, NestedModel


class ModelLayer(Struct):
    """A layer of a model, by name: its class and config, its context, and its inbound nodes.

    `build_config` is what Keras wrote of the shapes on which it built the layer.
    """

    name: str
    context: FileContext
    serialized: SerializedLayer
    inbound_nodes: list[Any]
    build_config: Any

    @property
    def is_nested_model(self) -> bool:
        """Whether the layer is a model."""
        return issubclass(self.serialized.kind, NestedModel)

    def build(self) -> LayerKind:
        """The layer, where it needs no arguments of a call."""
        return build_serialized_layer(self.serialized, self.context)


def parse_layers(layers: list[Any], spot: JsonPlace, file: FileContext) -> Iterator[ModelLayer]:
    """The layers of a model, under unique names.

    Raises:
        SpecError: a layer is unknown, or two have the same name.
    """
    names: set[str] = set()
    counts: Counter[str] = Counter()
    for number, value in enumerate(layers):
        here = spot.inner_place(number)
        context = file
        if file.weight_store is not EMPTY_STORE:
            store = file.weight_store.for_layer(*layer_and_group_name(value, counts))
            context = replace(file, weight_store=store)
        layer = parse_layer(value, here, context)
        name = value.get("name") or layer.config.get("name") or to_snake_case(layer.class_name)
        calls = value.get("inbound_nodes") or []
        if not isinstance(name, str) or not isinstance(calls, list):
            raise SpecError("a layer's 'name' is text, and its 'inbound_nodes' a list", here)
        if name in names:
            raise SpecError(f"the name '{name}' is used twice", here)
        names.add(name)
        yield ModelLayer(name, context, layer, calls, value.get("build_config"))


def build_layer_calls(layers: list[ModelLayer]) -> LayerCalls:
    """The calls of a model's layers, numbered as the version of the file numbers them.

    Keras 3 numbers the calls of a nested Functional from 1, but only in a model's outputs. Older
    versions number those of every nested model from 1, unless an inbound node has the number 0.
    """
    numbers = {layer.name: max(1, len(layer.inbound_nodes)) for layer in layers}
    nested = {layer.name: layer.serialized.kind for layer in layers if layer.is_nested_model}
    calls = [call for layer in layers for call in layer.inbound_nodes]
    if any(isinstance(call, dict) and "args" in call for call in calls):
        return LayerCalls(
            numbers, (), {name for name, kind in nested.items() if issubclass(kind, Functional)}
        )
    from_1 = nested.keys() - {name for name, number in layer_references(calls) if not number}
    return LayerCalls(numbers, from_1, from_1)


def layer_nodes(layer: ModelLayer, calls: LayerCalls) -> Iterator[Node]:
    """The nodes of a layer: an input, or one for each call; none if it is never called.

    Raises:
        SpecError: a call reads no tensor, or one that does not exist.
    """
    kind, spot = layer.serialized.kind, layer.serialized.place
    if not layer.inbound_nodes and 0 in kind.arity:
        yield Node(layer.name, layer.build(), (), spot)
    built: LayerKind | None = None
    for number, call in enumerate(layer.inbound_nodes):
        here = spot.inner_place("inbound_nodes", number)
        try:
            bound = bind_call(calls.parse_call(call, here), kind)
            if not layer.is_nested_model:  # the inputs of a model may be optional
                demand_known_inputs(kind, bound.inputs)
        except LayerError as error:
            raise SpecError(f"'{layer.name}': {error.message}", here) from None
        inputs = bound.inputs
        if layer.is_nested_model:
            inputs = tuple(_order_nested_inputs(each, layer.serialized) for each in inputs)
        if not bound.read_names or (kind.inputs_as_list and None in inputs):
            raise SpecError(f"'{layer.name}' is called with something that is not a tensor", here)
        if built is None or kind.call_arguments:
            built = build_serialized_layer(layer.serialized, layer.context, bound.call_arguments)
        first_call = layer.name if number else None
        name = calls.node_names[layer.name][number]
        yield Node(name, built, bound.read_names, spot, inputs, first_call, mask=bound.mask)


def _order_nested_inputs(call_input: CallInput, nested: SerializedLayer) -> CallInput:
    """The input of a call of a nested model; a mapping becomes a list, in order of its inputs.

    A mapping stays where its keys are the names of the model's input layers. Keras also accepts
    keys that a model does not read, and a model may have other names for its inputs.
    """
    written = nested.config.get("input_layers")
    inputs = nested.ready_layer.model.inputs if isinstance(nested.ready_layer, NestedModel) else ()
    names = sorted(written) if isinstance(written, dict) else inputs
    if (
        not isinstance(call_input, dict)
        or not set(names) <= call_input.keys()
        or call_input.keys() == set(inputs)
    ):
        return call_input
    return tuple(call_input[name] for name in names)
