"""What a file of Keras' states of the shapes between layers, for layers that nobody can follow.

Keras 3 writes the shape of each tensor that a layer of a graph reads; since Keras 2.12, what a
layer was built on. Both tell what the layer before gave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dense_calc.call_inputs import OutputIndex, call_input_leaves
from dense_calc.errors import Note
from dense_calc.keras_format.assumed_layer import AssumedLayer, CustomLayer, OpaqueLayer
from dense_calc.keras_format.custom_objects import FileContext, WeightStore
from dense_calc.keras_format.inbound_nodes import INPUT_DTYPES, KERAS_TENSOR_CLASS
from dense_calc.layers.base import LayerKind
from dense_calc.layers.core import InputShape
from dense_calc.model import Node, RecordedOutput
from dense_calc.shapes import OPAQUE_SHAPE, Shape, Shapes, find_unknown_shape

_TRAINED_WEIGHTS_NOTE = (
    "the weights of '{}' are those that the file stores; it does not tell which of them are "
    "trained, and all are counted so"
)
_MAX_LAYER_OUTPUTS = 1000  # of a layer

_TensorShapes = dict[OutputIndex, Shape]  # the shapes that a file states
_ReadTensors = tuple[tuple[OutputIndex, Shapes], ...]  # tensors that are read, and their shapes
_TensorResolver = Callable[[Any], OutputIndex]  # the tensor that a history leads to


def with_recorded_outputs(
    nodes: dict[str, Node],
    calls: Iterable[Any],
    builds: Mapping[str, Any],
    stores: Mapping[str, WeightStore],
    leaf_of: _TensorResolver | None,
    file: FileContext,
) -> dict[str, Node]:
    """Nodes with what the file tells of those that cannot be followed.

    `calls` are the inbound nodes of all layers, `builds` what layers were built on, by the names
    of those that are called once, `stores` what the file stores of each layer.
    """
    if not file.opaque_gaps and not file.assumptions:
        return nodes
    foreign: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        if isinstance(node.layer, CustomLayer):
            foreign[node.holder].append(node)
    tensors = _tensor_shapes(nodes, calls, builds, leaf_of)
    dtypes = _tensor_dtypes(calls, leaf_of) if leaf_of else {}
    by_call = _collect_recorded_outputs(nodes.values(), tensors, dtypes)
    found = {name: replace(node, recorded_output=by_call.get(name)) for name, node in nodes.items()}
    for same in foreign.values():
        is_filled = all(_is_fully_recorded(by_call.get(node.name)) for node in same)
        layer = _resolve_custom_layer(same[0], stores[same[0].holder], is_filled, file)
        found |= {node.name: replace(found[node.name], layer=layer) for node in same}
    return found


def _is_fully_recorded(statement: RecordedOutput | None) -> bool:
    """Whether all that a call gives is stated."""
    return statement is not None and find_unknown_shape(statement.shape) is None


def _resolve_custom_layer(
    node: Node, store: WeightStore, is_filled: bool, file: FileContext
) -> LayerKind:
    """The layer of a node that cannot be followed, with what is assumed of what the file lacks."""
    layer = node.layer
    assert isinstance(layer, CustomLayer)
    held = layer.weight_shapes or store.read_weight_shapes()
    if held and not layer.weight_shapes and layer.trainable and node.place:
        file.remarks.append(Note(_TRAINED_WEIGHTS_NOTE.format(node.name), node.place))
    held = layer.weight_shapes if held is None else held
    if not isinstance(layer, OpaqueLayer):
        return replace(layer, weight_shapes=held)
    if layer.fallback is None:
        file.gaps.append(replace(layer.gap, is_filled=is_filled and held is not None))
        return replace(layer, weight_shapes=held)
    other = layer.fallback
    assert isinstance(other, AssumedLayer)
    held = other.weight_shapes if held is None else held
    return replace(layer, weight_shapes=held) if is_filled else replace(other, weight_shapes=held)


def _tensor_shapes(
    nodes: Mapping[str, Node],
    calls: Iterable[Any],
    builds: Mapping[str, Any],
    leaf_of: _TensorResolver | None,
) -> _TensorShapes:
    """The shapes that a file states of what layers read."""
    tensors: _TensorShapes = {}
    if leaf_of:
        for config in _tensor_configs(list(calls)):
            for shape in _parse_shapes([config.get("shape")]):
                tensors[leaf_of(config["keras_history"])] = shape
    for node in reversed(list(nodes.values())):
        for leaf, shape in _shapes_read_by(node, builds.get(node.name), tensors):
            tensors.setdefault(leaf, shape)
    return tensors


def _tensor_dtypes(calls: Iterable[Any], leaf_of: _TensorResolver) -> dict[OutputIndex, str]:
    """The dtypes that a file states of what layers read."""
    return {
        leaf_of(config["keras_history"]): config["dtype"]
        for config in _tensor_configs(list(calls))
        if config.get("dtype") in INPUT_DTYPES
    }


def _tensor_configs(written: Any) -> Iterator[dict[str, Any]]:
    """What inbound nodes of Keras 3 say of each tensor: its history, its shape, its dtype."""
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
    node: Node, build: Any, tensors: _TensorShapes
) -> Iterator[tuple[OutputIndex, Shape]]:
    """What a layer reads: as it was built on it, or as it gives it unchanged."""
    read = _input_tensors(node)
    built_on = input_shape_in(build)
    if built_on is not None:
        shapes = _parse_shapes([built_on]) or _parse_shapes(built_on)
        yield from zip(read, shapes if len(shapes) == len(read) else (), strict=False)
    elif type(node.layer).output_shape is LayerKind.output_shape and len(read) == 1:
        gives = tensors.get(OutputIndex(node.name, 0))
        yield from [] if gives is None else [(read[0], gives)]


def input_shape_in(build: Any) -> Any:
    """What a `build_config` says of the input of a layer, None if it says nothing."""
    return build.get("input_shape") if isinstance(build, dict) else None


def _parse_shapes(written: Any) -> list[Shape]:
    """The shapes that a list holds; none if one of them is no shape."""
    try:
        return convert(written, list[InputShape])
    except ValidationError:
        return []


def _collect_recorded_outputs(
    nodes: Iterable[Node], tensors: _TensorShapes, dtypes: Mapping[OutputIndex, str]
) -> dict[str, RecordedOutput]:
    """What is stated of what each call gives, with what it, or one before it, reads then."""
    given: defaultdict[str, dict[int, Shape]] = defaultdict(dict)
    for leaf, shape in tensors.items():
        given[leaf.name][leaf.index] = shape
    reads: dict[str, _ReadTensors] = {}
    by_call: dict[str, RecordedOutput] = {}
    for node in nodes:
        own = _input_tensors(node)
        if not own:
            reads[node.name] = ((OutputIndex(node.name, 0), node.layer.output_shape()),)
        elif all(leaf in tensors for leaf in own):
            reads[node.name] = tuple((leaf, tensors[leaf]) for leaf in own)
        elif len(own) == 1 and own[0].name in reads:
            reads[node.name] = reads[own[0].name]
        else:
            continue
        shapes = given.get(node.name)
        if shapes and own and max(shapes) < _MAX_LAYER_OUTPUTS:
            every = tuple(shapes.get(index, OPAQUE_SHAPE) for index in range(max(shapes) + 1))
            each = tuple(dtypes.get(OutputIndex(node.name, place)) for place in range(len(every)))
            output = (every, each) if len(every) > 1 else (every[0], each[0])
            by_call[node.name] = RecordedOutput(reads[node.name], *output)
    return by_call


def _input_tensors(node: Node) -> tuple[OutputIndex, ...]:
    """The tensors that a call reads, of a layer's whole output the first."""
    leaves = (leaf for each in node.call_inputs or node.inputs for leaf in call_input_leaves(each))
    return tuple(
        OutputIndex(leaf, 0) if isinstance(leaf, str) else leaf
        for leaf in leaves
        if isinstance(leaf, str | OutputIndex)
    )
