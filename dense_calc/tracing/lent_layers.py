"""Lent layers: layers of the model that are inside other layers, too: `{layer: {reuse: dense}}`.

They are inside wrappers and inside nested models; a node that calls a layer of another model has
it lent as well. A lent layer is known by its holder: the name of a node, `dense`, or of a layer in
a nested model, `inner/dense`. A holder that begins with `//` is a name in the model around, which
inserts the layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from operator import is_
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind, sublayer_name
from dense_calc.layers.layer_references import LayerReference, inner_layers
from dense_calc.model import LentLayer, Model, Node, index_nodes
from dense_calc.tracing.layer_paths import LayerPath, find_weights_path

OUTER_PREFIX = "//"  # of the name of a holder in the model around
MAX_LENT_LAYERS = 100_000  # in one model
MAX_LENT_DEPTH = 32  # of lent layers, and layers with lent layers inside, in each other


def insert_lent_layers(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes, with each lent layer as its holder has it now.

    Raises:
        SpecError: a layer would have two layers of one name inside.
    """
    if not any(node.lent_layers for node in nodes):
        return nodes
    inserter = _LentLayerInserter(nodes)
    return [inserter.complete_node(node) for node in nodes]


class _LentLayerInserter:
    """Nodes while lent layers are inserted into their layers, into those of holders first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = index_nodes(nodes)
        self.finished_nodes: dict[str, Node] = {}
        # by the ids of the layers that go into each, which are kept so that no id is used again
        self.built_layers: dict[tuple[Any, ...], tuple[LayerKind, ...]] = {}

    def complete_node(self, node: Node) -> Node:
        """The node with its lent layers inserted; a later call has those of the first."""
        first = self.nodes.get(node.holder, node)
        lent_layers = node.lent_layers or first.lent_layers
        if not lent_layers:
            return node
        if node.name not in self.finished_nodes:
            self.finished_nodes[node.name] = self.insert_into_node(
                replace(node, lent_layers=lent_layers)
            )
        return self.finished_nodes[node.name]

    def insert_into_node(self, node: Node) -> Node:
        """The node with its lent layers inserted; nodes that are alike share the layer."""
        inner = {}
        for lent in node.lent_layers:
            layer = self.find_lent_layer(lent.holder)
            if layer is not None:  # else no output needs it, and it stays as it was
                inner[lent.path] = layer
        names = {lent.path: lent.holder.rpartition("/")[2] for lent in node.lent_layers}
        ids = ((path, names[path], id(layer)) for path, layer in inner.items())
        key = id(node.layer), *ids
        if key not in self.built_layers:
            named = {path: replace(layer, name=names[path]) for path, layer in inner.items()}
            outer = _replace_inner_layers(node.layer, named)
            _demand_unique_lent_names(node, outer)
            self.built_layers[key] = outer, node.layer, *inner.values()
        return replace(node, layer=self.built_layers[key][0])

    def find_lent_layer(self, holder: str) -> LayerKind | None:
        """The layer of this holder, None if no node has it."""
        name, steps = find_lender(holder, self.nodes)
        layer = self.complete_node(self.nodes[name]).layer if name else None
        return layer and _find_inner_layer(steps, layer)


def lends_unused_layer(model: Model) -> bool:
    """Whether a lent layer in a model, or in a model inside it, is one that no output needs."""
    nodes = index_nodes(model.nodes)
    return any(
        not lent.holder.startswith(OUTER_PREFIX) and not _is_used_layer(lent.holder, nodes)
        for node in model.nodes
        for lent in node.lent_layers
    ) or any(
        lends_unused_layer(inner) for node in model.nodes for inner in _nested_models_in(node.layer)
    )


def _is_used_layer(holder: str, nodes: Mapping[str, Node]) -> bool:
    """Whether the layer of a holder is among these nodes, or in a nested model among them."""
    name, inner = find_lender(holder, nodes)
    if not name or not inner:
        return bool(name)
    return _is_used_layer(inner, index_nodes(nodes[name].layer.model.nodes))


def _nested_models_in(layer: LayerKind) -> Iterator[Model]:
    """The model of a layer that is a nested model, and those among its arguments."""
    if layer.model is not None:
        yield layer.model
    for _, inner in inner_layers(layer):
        yield from _nested_models_in(inner)


def holds_model(layer: LayerKind) -> bool:
    """Whether a layer is a nested model, or has one inside."""
    if not layer.inner_layer_arguments:
        return layer.model is not None
    return any(holds_model(inner) for _, inner in inner_layers(layer))


def _find_inner_layer(name: str, layer: LayerKind) -> LayerKind | None:
    """The layer of this name in a nested model, `dense` or `inner/dense`; itself if it is ''."""
    if not name or layer.model is None:
        return None if name else layer
    node_name, inner = find_lender(name, layer.model.nodes_by_name)
    nodes = layer.model.nodes_by_name
    return _find_inner_layer(inner, nodes[node_name].layer) if node_name else None


def outer_layers_lent(layer: LayerKind, path: LayerPath = ()) -> Iterator[LentLayer]:
    """The layers of the model around that are lent to nested models in a layer."""
    for steps, inner in inner_layers(layer):
        yield from outer_layers_lent(inner, (*path, *steps))
    for node in layer.model.all_nodes if layer.model else ():
        if node.first_call:  # which has the same
            continue
        for lent in node.lent_layers:
            if lent.holder.startswith(OUTER_PREFIX):
                holder = lent.holder.removeprefix(OUTER_PREFIX)
                yield LentLayer((*path, node.name, *lent.path), holder)


def strip_lent_layers(layer: LayerKind, names: Mapping[LayerPath, str]) -> LayerKind:
    """A layer with references in place of its lent layers, but for those in nested models.

    `names` are the names to refer to, by the paths of the lent layers.
    """
    references = {path: LayerReference(target_name=name) for path, name in names.items()}
    stripped: LayerKind = _replace_inner_layers(layer, references, into_models=False)
    return stripped


def find_lender(holder: str, names: Container[str]) -> tuple[str, str]:
    """The name of the node that lends a layer, and the layer's name inside it, '' if it is itself.

    `names` are those of all nodes; '' stands for the node if the holder is none of them.
    """
    name, steps = holder, ""
    while name and name not in names:
        name, _, step = name.rpartition("/")
        steps = f"{step}/{steps}" if steps else step
    return name, steps


def lent_under_path(lent: Mapping[LayerPath, str], way: LayerPath) -> dict[LayerPath, str]:
    """The layers lent below a path, by the rest of their paths."""
    depth = len(way)
    return {path[depth:]: name for path, name in lent.items() if path[:depth] == way}


def _replace_inner_layers(
    held: Any,
    inner: Mapping[LayerPath, LayerKind],
    path: LayerPath = (),
    *,
    into_models: bool = True,
) -> Any:
    """A layer, or a tuple of layers, with other layers at these paths; itself if it has them."""
    if path in inner:
        return _adopt_call_arguments(inner[path], held)
    if isinstance(held, tuple):
        items = [
            _replace_inner_layers(each, inner, (*path, str(number)), into_models=into_models)
            for number, each in enumerate(held)
        ]
        return held if all(map(is_, items, held)) else tuple(items)
    if not isinstance(held, LayerKind):
        return held
    if held.model and into_models:
        model = _replace_inner_nodes(held.model, inner, path)
        return held if model is held.model else replace(held, model=model)
    arguments = {name: getattr(held, name) for name in held.inner_layer_arguments}
    changed = {
        name: _replace_inner_layers(value, inner, (*path, name), into_models=into_models)
        for name, value in arguments.items()
    }
    is_same = all(map(is_, changed.values(), arguments.values()))
    return held if is_same else replace(held, **changed)


def _replace_inner_nodes(
    model: Model, inner: Mapping[LayerPath, LayerKind], path: LayerPath
) -> Model:
    """A model with other layers at these paths; itself if it has them."""
    depth = len(path)
    changed = {way[depth] for way in inner if len(way) > depth and way[:depth] == path}
    nodes = list(model.all_nodes)
    for place, node in enumerate(nodes):
        if node.name in changed:
            layer = _replace_inner_layers(node.layer, inner, (*path, node.name))
            nodes[place] = node if layer is node.layer else replace(node, layer=layer)
    if all(map(is_, nodes, model.all_nodes)):
        return model
    firsts = {node.name: node.layer for node in nodes if node.name in changed}
    for place, node in enumerate(nodes):
        if node.first_call in firsts:
            layer = _adopt_call_arguments(firsts[node.first_call], node.layer)
            nodes[place] = replace(node, layer=layer)
    used = len(model.nodes)
    return replace(model, nodes=tuple(nodes[:used]), unused=tuple(nodes[used:]))


def _adopt_call_arguments(lent: LayerKind, held: LayerKind) -> LayerKind:
    """A lent layer with the call arguments of the layer that it replaces, or that one if equal."""
    if type(lent) is not type(held):  # which is a reference
        return lent
    adopted = replace(lent, **{name: getattr(held, name) for name in lent.call_arguments})
    is_same = adopted == held or (
        adopted.model is not None
        and adopted.model is held.model
        and (adopted.name, adopted.trainable) == (held.name, held.trainable)
    )
    return held if is_same else adopted


def _demand_unique_lent_names(node: Node, layer: LayerKind) -> None:
    """Raise SpecError where a lent layer has the name of a layer beside it.

    The names of the layers tell whose the weights are.
    """
    lent_paths = {
        find_weights_path(layer, lent.path)[0]
        for lent in node.lent_layers
        if lent.path and not lent.holder.startswith(OUTER_PREFIX)
    }
    for path, number in Counter(_inner_layer_paths(layer)).items():
        if number > 1 and path in lent_paths:
            problem = f"{type(layer).__name__} would hold '{path[-1]}' twice"
            why = "a layer that is used elsewhere must have a unique name"
            raise SpecError(f"{problem}; {why}", node.place)


def _inner_layer_paths(layer: LayerKind, outer: LayerPath = ()) -> Iterator[LayerPath]:
    """The paths of all layers inside a layer, by the names of their first calls."""
    for _, inner in inner_layers(layer):
        path = (*outer, sublayer_name(inner))
        yield path
        yield from _inner_layer_paths(inner, path)
    for node in layer.model.nodes if layer.model else ():
        if layer.model.row_names[node.name] == node.name:
            path = (*outer, *node.name.split("/"))
            yield path
            yield from _inner_layer_paths(node.layer, path)
