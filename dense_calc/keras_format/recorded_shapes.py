"""Shapes that a Keras file states, for layers whose output cannot be worked out.

Keras 3 writes the shape of each tensor that a layer of a graph reads. Keras has written the shape
on which it built a layer since 2.12. Both are shapes that the layer before returns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.call_inputs import OutputIndex, call_input_leaves
from dense_calc.errors import Note
from dense_calc.keras_format.custom_layers import AssumedLayer, CustomLayer, OpaqueLayer
from dense_calc.keras_format.custom_objects import FileContext, WeightStore
from dense_calc.keras_format.inbound_nodes import KERAS_TENSOR_CLASS
from dense_calc.keras_format.model_layers import ModelLayer
from dense_calc.layers.arguments.types import INPUT_DTYPES
from dense_calc.layers.base import LayerKind
from dense_calc.layers.core import InputShape
from dense_calc.model import Node, RecordedOutput
from dense_calc.shapes import OPAQUE_SHAPE, Shape, Shapes, find_unknown_shape

_TRAINED_WEIGHTS_NOTE = (
    "the weights of '{}' are those that the file stores; it does not tell which of them are "
    "trained, and all are counted so"
)
_MAX_LAYER_OUTPUTS = 1000

_TensorShapes = dict[OutputIndex, Shape]  # the shapes that a file states
_ReadTensors = tuple[tuple[OutputIndex, Shapes], ...]  # the tensors that a call reads
_TensorResolver = Callable[[Any], OutputIndex]  # from a `keras_history` to its tensor


def with_recorded_outputs(
    nodes: dict[str, Node],
    layers: list[ModelLayer],
    tensor_at: _TensorResolver | None,
    file: FileContext,
) -> dict[str, Node]:
    """The nodes with what the file states of custom layers: their outputs and their weights.

    `tensor_at` gives the tensor of a history; None in a Sequential, whose layers have no calls.
    """
    if not file.opaque_gaps and not file.assumptions:
        return nodes
    inbound = [layer.inbound_nodes for layer in layers]
    builds = {
        layer.name: layer.build_config
        for layer in layers
        if tensor_at is None or len(layer.inbound_nodes) == 1
    }
    shapes = _tensor_shapes(nodes, inbound, builds, tensor_at)
    dtypes = _tensor_dtypes(inbound, tensor_at) if tensor_at else {}
    recorded = _collect_recorded_outputs(nodes.values(), shapes, dtypes)
    nodes = {
        name: replace(node, recorded_output=recorded.get(name)) for name, node in nodes.items()
    }
    stores = {layer.name: layer.context.weight_store for layer in layers}
    custom: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        # A merged model has resolved its own layers, which stand before those of this one.
        if isinstance(node.layer, CustomLayer) and node.holder in stores:
            custom[node.holder].append(node)
    for holder, calls in custom.items():
        is_filled = all(_is_fully_recorded(node.recorded_output) for node in calls)
        layer = _resolve_custom_layer(calls[0], stores[holder], is_filled, file)
        nodes |= {node.name: replace(node, layer=layer) for node in calls}
    return nodes


def _is_fully_recorded(output: RecordedOutput | None) -> bool:
    """Whether the shapes of all outputs of a call are stated."""
    return output is not None and find_unknown_shape(output.shape) is None


def _resolve_custom_layer(
    node: Node, store: WeightStore, is_filled: bool, file: FileContext
) -> LayerKind:
    """The custom layer of a node, with stored weights, or with what is assumed for the rest.

    `is_filled` is whether the file states all outputs of the layer.
    """
    layer = node.layer
    assert isinstance(layer, CustomLayer)
    weights = layer.weight_shapes or store.read_weight_shapes()
    if weights and not layer.weight_shapes and layer.trainable and node.place:
        file.remarks.append(Note(_TRAINED_WEIGHTS_NOTE.format(node.name), node.place))
    if weights is None:
        weights = layer.weight_shapes
    if isinstance(layer, OpaqueLayer):
        fallback = layer.fallback
        if fallback is None:
            file.gaps.append(replace(layer.gap, is_filled=is_filled and weights is not None))
        else:
            assert isinstance(fallback, AssumedLayer)
            weights = fallback.weight_shapes if weights is None else weights
            layer = layer if is_filled else fallback
    return replace(layer, weight_shapes=weights)


def _tensor_shapes(
    nodes: Mapping[str, Node],
    inbound: list[Any],
    builds: Mapping[str, Any],
    tensor_at: _TensorResolver | None,
) -> _TensorShapes:
    """The stated shapes of the tensors that layers read.

    `inbound` are the inbound nodes of all layers; `builds` has a `build_config` for each layer that
    is called once.
    """
    shapes: _TensorShapes = {}
    if tensor_at:
        for config in _tensor_configs(inbound):
            for shape in _parse_shapes([config.get("shape")]):
                shapes[tensor_at(config["keras_history"])] = shape
    for node in reversed(list(nodes.values())):
        for tensor, shape in _shapes_read_by(node, builds.get(node.name), shapes):
            shapes.setdefault(tensor, shape)
    return shapes


def _tensor_dtypes(inbound: list[Any], tensor_at: _TensorResolver) -> dict[OutputIndex, str]:
    """The stated dtypes of the tensors that layers read."""
    return {
        tensor_at(config["keras_history"]): config["dtype"]
        for config in _tensor_configs(inbound)
        if config.get("dtype") in INPUT_DTYPES
    }


def _tensor_configs(written: Any) -> Iterator[dict[str, Any]]:
    """The config of each tensor in inbound nodes of Keras 3: its history, shape and dtype."""
    match written:
        case {"class_name": str(name), "config": {"keras_history": _} as config} if (
            name == KERAS_TENSOR_CLASS
        ):
            yield config
        case list():
            for each in written:
                yield from _tensor_configs(each)
        case dict():
            yield from _tensor_configs(list(written.values()))


def _shapes_read_by(
    node: Node, build: Any, shapes: _TensorShapes
) -> Iterator[tuple[OutputIndex, Shape]]:
    """The shapes that a layer reads: those it was built on, or its output's if it keeps shapes."""
    tensors = _input_tensors(node)
    built_on = input_shape_in(build)
    if built_on is not None:
        parsed = _parse_shapes([built_on]) or _parse_shapes(built_on)
        if len(parsed) == len(tensors):
            yield from zip(tensors, parsed, strict=True)
    elif type(node.layer).output_shape is LayerKind.output_shape and len(tensors) == 1:
        output_shape = shapes.get(OutputIndex(node.name, 0))
        if output_shape is not None:
            yield tensors[0], output_shape


def input_shape_in(build: Any) -> Any:
    """The input shape in the `build_config` of a layer; None if it has none."""
    return build.get("input_shape") if isinstance(build, dict) else None


def _parse_shapes(written: Any) -> list[Shape]:
    """The shapes in a list; [] if one item is no shape."""
    try:
        return convert(written, list[InputShape])
    except ValidationError:
        return []


def _collect_recorded_outputs(
    nodes: Iterable[Node], shapes: _TensorShapes, dtypes: Mapping[OutputIndex, str]
) -> dict[str, RecordedOutput]:
    """The stated output of each call, with the inputs for which the file states it.

    Where the inputs of a call have no stated shapes, those of the call before it count.
    """
    by_call: defaultdict[str, dict[int, Shape]] = defaultdict(dict)
    for tensor, shape in shapes.items():
        by_call[tensor.name][tensor.index] = shape
    reads: dict[str, _ReadTensors] = {}
    recorded: dict[str, RecordedOutput] = {}
    for node in nodes:
        inputs = _input_tensors(node)
        if not inputs:
            reads[node.name] = ((OutputIndex(node.name, 0), node.layer.output_shape()),)
            continue
        if all(tensor in shapes for tensor in inputs):
            reads[node.name] = tuple((tensor, shapes[tensor]) for tensor in inputs)
        elif len(inputs) == 1 and inputs[0].name in reads:
            reads[node.name] = reads[inputs[0].name]
        else:
            continue
        outputs = by_call.get(node.name)
        if outputs and max(outputs) < _MAX_LAYER_OUTPUTS:
            indices = range(max(outputs) + 1)
            output_shapes = tuple(outputs.get(index, OPAQUE_SHAPE) for index in indices)
            output_dtypes = tuple(dtypes.get(OutputIndex(node.name, index)) for index in indices)
            pair = (output_shapes, output_dtypes)
            output = pair if len(indices) > 1 else (output_shapes[0], output_dtypes[0])
            recorded[node.name] = RecordedOutput(reads[node.name], *output)
    return recorded


def _input_tensors(node: Node) -> tuple[OutputIndex, ...]:
    """The tensors that a call reads; the first one of a layer with several outputs."""
    leaves = (leaf for each in node.call_inputs or node.inputs for leaf in call_input_leaves(each))
    return tuple(
        OutputIndex(leaf, 0) if isinstance(leaf, str) else leaf
        for leaf in leaves
        if isinstance(leaf, str | OutputIndex)
    )
