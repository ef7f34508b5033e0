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

from dense_calc.errors import Note
from dense_calc.keras_format.assumed_layer import Foreign, Opaque, Stated
from dense_calc.keras_format.custom_objects import File, Store
from dense_calc.keras_format.inbound_nodes import DTYPES, TENSOR
from dense_calc.layers.base import LayerKind
from dense_calc.layers.core import InputShape
from dense_calc.model import Given, Leaf, Node, Statement
from dense_calc.shapes import OPAQUE, Shape, Shapes, reason

TRAINED = (
    "the weights of '{}' are those that the file stores; it does not tell which of them are "
    "trained, and all are counted so"
)
MAX_OUTPUTS = 1000  # of a layer

Tensors = dict[Leaf, Shape]  # the shapes that a file states
Reads = tuple[tuple[Leaf, Shapes], ...]  # tensors that are read, and their shapes
LeafOf = Callable[[Any], Leaf]  # the tensor that a history leads to


def with_statements(
    nodes: dict[str, Node],
    calls: Iterable[Any],
    builds: Mapping[str, Any],
    stores: Mapping[str, Store],
    leaf_of: LeafOf | None,
    file: File,
) -> dict[str, Node]:
    """Nodes with what the file tells of those that cannot be followed.

    `calls` are the inbound nodes of all layers, `builds` what layers were built on, by the names
    of those that are called once, `stores` what the file stores of each layer.
    """
    if not file.opaque and not file.assumed:
        return nodes
    foreign: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        if isinstance(node.layer, Foreign):
            foreign[node.holder].append(node)
    tensors = tensor_shapes(nodes, calls, builds, leaf_of)
    dtypes = tensor_dtypes(calls, leaf_of) if leaf_of else {}
    by_call = statements(nodes.values(), tensors, dtypes)
    found = {name: replace(node, statement=by_call.get(name)) for name, node in nodes.items()}
    for same in foreign.values():
        is_filled = all(is_whole(by_call.get(node.name)) for node in same)
        layer = foreign_layer(same[0], stores[same[0].holder], is_filled, file)
        found |= {node.name: replace(found[node.name], layer=layer) for node in same}
    return found


def is_whole(statement: Statement | None) -> bool:
    """Whether all that a call gives is stated."""
    return statement is not None and reason(statement.shape) is None


def foreign_layer(node: Node, store: Store, is_filled: bool, file: File) -> LayerKind:
    """The layer of a node that cannot be followed, with what is assumed of what the file lacks."""
    layer = node.layer
    assert isinstance(layer, Foreign)
    held = layer.held or store.held()
    if held and not layer.held and layer.trainable and node.place:
        file.remarks.append(Note(TRAINED.format(node.name), node.place))
    held = layer.held if held is None else held
    if not isinstance(layer, Opaque):
        return replace(layer, held=held)
    if layer.otherwise is None:
        file.gaps.append(replace(layer.gap, is_filled=is_filled and held is not None))
        return replace(layer, held=held)
    other = layer.otherwise
    assert isinstance(other, Stated)
    held = other.held if held is None else held
    return replace(layer, held=held) if is_filled else replace(other, held=held)


def tensor_shapes(
    nodes: Mapping[str, Node],
    calls: Iterable[Any],
    builds: Mapping[str, Any],
    leaf_of: LeafOf | None,
) -> Tensors:
    """The shapes that a file states of what layers read."""
    tensors: Tensors = {}
    if leaf_of:
        for config in tensors_in(list(calls)):
            for shape in shapes_in([config.get("shape")]):
                tensors[leaf_of(config["keras_history"])] = shape
    for node in reversed(list(nodes.values())):
        for leaf, shape in read_by(node, builds.get(node.name), tensors):
            tensors.setdefault(leaf, shape)
    return tensors


def tensor_dtypes(calls: Iterable[Any], leaf_of: LeafOf) -> dict[Leaf, str]:
    """The dtypes that a file states of what layers read."""
    return {
        leaf_of(config["keras_history"]): config["dtype"]
        for config in tensors_in(list(calls))
        if config.get("dtype") in DTYPES
    }


def tensors_in(written: Any) -> Iterator[dict[str, Any]]:
    """What inbound nodes of Keras 3 say of each tensor: its history, its shape, its dtype."""
    match written:
        case {"class_name": str(name), "config": {"keras_history": _} as config} if name == TENSOR:
            yield config
        case list():
            for each in written:
                yield from tensors_in(each)
        case dict():
            yield from tensors_in(list(written.values()))


def read_by(node: Node, build: Any, tensors: Tensors) -> Iterator[tuple[Leaf, Shape]]:
    """What a layer reads: as it was built on it, or as it gives it unchanged."""
    read = leaves_read(node)
    built_on = input_shape_in(build)
    if built_on is not None:
        shapes = shapes_in([built_on]) or shapes_in(built_on)
        yield from zip(read, shapes if len(shapes) == len(read) else (), strict=False)
    elif type(node.layer).output_shape is LayerKind.output_shape and len(read) == 1:
        gives = tensors.get(Leaf(node.name, 0))
        yield from [] if gives is None else [(read[0], gives)]


def input_shape_in(build: Any) -> Any:
    """What a `build_config` says of the input of a layer, None if it says nothing."""
    return build.get("input_shape") if isinstance(build, dict) else None


def shapes_in(written: Any) -> list[Shape]:
    """The shapes that a list holds; none if one of them is no shape."""
    try:
        return convert(written, list[InputShape])
    except ValidationError:
        return []


def statements(
    nodes: Iterable[Node], tensors: Tensors, dtypes: Mapping[Leaf, str]
) -> dict[str, Statement]:
    """What is stated of what each call gives, with what it, or one before it, reads then."""
    given: defaultdict[str, dict[int, Shape]] = defaultdict(dict)
    for leaf, shape in tensors.items():
        given[leaf.name][leaf.index] = shape
    reads: dict[str, Reads] = {}
    by_call: dict[str, Statement] = {}
    for node in nodes:
        own = leaves_read(node)
        if not own:
            reads[node.name] = ((Leaf(node.name, 0), node.layer.output_shape()),)
        elif all(leaf in tensors for leaf in own):
            reads[node.name] = tuple((leaf, tensors[leaf]) for leaf in own)
        elif len(own) == 1 and own[0].name in reads:
            reads[node.name] = reads[own[0].name]
        else:
            continue
        shapes = given.get(node.name)
        if shapes and own and max(shapes) < MAX_OUTPUTS:
            every = tuple(shapes.get(index, OPAQUE) for index in range(max(shapes) + 1))
            each = tuple(dtypes.get(Leaf(node.name, place)) for place in range(len(every)))
            output = (every, each) if len(every) > 1 else (every[0], each[0])
            by_call[node.name] = Statement(reads[node.name], *output)
    return by_call


def leaves_read(node: Node) -> tuple[Leaf, ...]:
    """The tensors that a call reads, of a layer's whole output the first."""
    return tuple(leaf for each in node.call or node.inputs for leaf in leaves_in(each))


def leaves_in(what: Given) -> Iterator[Leaf]:
    """The tensors in what an input is given."""
    match what:
        case Leaf():
            yield what
        case str():
            yield Leaf(what, 0)
        case tuple(items):
            for item in items:
                yield from leaves_in(item)
        case dict(pairs):
            for _, item in sorted(pairs.items()):
                yield from leaves_in(item)
