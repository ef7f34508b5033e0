"""Layers that are called elsewhere, put where others hold them: `{layer: {reuse: dense}}`.

Others are wrappers and models inside; a call of a layer of another model has it lent, too. Who
lends is named as a node, `dense`, or as a layer of one that is a model, `inner/dense`; a name that
begins with `//` is one of the model around, which puts the layer in its place.
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
from dense_calc.model import LentLayer, Model, Node

OUTER_PREFIX = "//"  # what the name of a layer of the model around begins with
MAX_LENT_LAYERS = 100_000  # layers inside others that are called elsewhere
MAX_LENT_DEPTH = 32  # layers in each other that are called elsewhere, or hold what is

LayerPath = tuple[str, ...]  # the way into a layer, by arguments and nodes, or by names


def insert_lent_layers(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes with the layers of others inside theirs, as those are now.

    Raises:
        SpecError: a layer would hold two of one name.
    """
    if not any(node.lent_layers for node in nodes):
        return nodes
    lenders = _LentLayerInserter(nodes)
    return [lenders.complete_node(node) for node in nodes]


class _LentLayerInserter:
    """Nodes while the layers of others are put into theirs, into those of lenders first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        calls = {node.holder: node for node in reversed(nodes)}
        self.nodes = {**calls, **{node.name: node for node in nodes}}
        self.finished_nodes: dict[str, Node] = {}
        self.built_layers: dict[
            tuple[Any, ...], tuple[LayerKind, ...]
        ] = {}  # with what its key is of

    def complete_node(self, node: Node) -> Node:
        """A node with the layers of others inside its own; a later call has those of the first."""
        first = self.nodes.get(node.holder, node)
        loans = node.lent_layers or first.lent_layers
        if not loans:
            return node
        if node.name not in self.finished_nodes:
            self.finished_nodes[node.name] = self.insert_into_node(replace(node, lent_layers=loans))
        return self.finished_nodes[node.name]

    def insert_into_node(self, node: Node) -> Node:
        """A node with what others lend it; those that are alike share what is made."""
        inner = {}
        for loan in node.lent_layers:
            lent = self.find_lent_layer(loan.holder)
            if lent is not None:  # else no output needs it, and it stays as it was
                inner[loan.path] = lent
        names = {loan.path: loan.holder.rpartition("/")[2] for loan in node.lent_layers}
        ids = ((path, names[path], id(lent)) for path, lent in inner.items())
        key = id(node.layer), *ids
        if key not in self.built_layers:
            named = {path: replace(lent, name=names[path]) for path, lent in inner.items()}
            layer = _replace_inner_layers(node.layer, named)
            _demand_unique_lent_names(node, layer)
            self.built_layers[key] = layer, node.layer, *inner.values()
        return replace(node, layer=self.built_layers[key][0])

    def find_lent_layer(self, holder: str) -> LayerKind | None:
        """The layer of this name, None if these nodes have none."""
        name, steps = find_lender(holder, self.nodes)
        layer = self.complete_node(self.nodes[name]).layer if name else None
        return layer and _find_inner_layer(steps, layer)


def lends_unused_layer(model: Model) -> bool:
    """Whether something in a model, or in one inside, holds a layer that no output needs."""
    nodes = {name: node for node in model.nodes for name in (node.name, node.holder)}
    return any(
        not loan.holder.startswith(OUTER_PREFIX) and not _is_used_layer(loan.holder, nodes)
        for node in model.nodes
        for loan in node.lent_layers
    ) or any(
        lends_unused_layer(inner) for node in model.nodes for inner in _nested_models_in(node.layer)
    )


def _is_used_layer(holder: str, nodes: Mapping[str, Node]) -> bool:
    """Whether a layer is one that an output needs, by the nodes that are."""
    name, inner = find_lender(holder, nodes)
    if not name or not inner:
        return bool(name)
    own = nodes[name].layer.model.nodes
    return _is_used_layer(inner, {each: node for node in own for each in (node.name, node.holder)})


def _nested_models_in(layer: LayerKind) -> Iterator[Model]:
    """The models that a layer is or has among its arguments."""
    if layer.model is not None:
        yield layer.model
    for _, inner in inner_layers(layer):
        yield from _nested_models_in(inner)


def holds_model(layer: LayerKind) -> bool:
    """Whether a layer is a model, or has one inside."""
    if not layer.inner_layer_arguments:
        return layer.model is not None
    return any(holds_model(inner) for _, inner in inner_layers(layer))


def _find_inner_layer(name: str, layer: LayerKind) -> LayerKind | None:
    """The layer of this name in a model, `dense` or `inner/dense`; the model itself if it is ''."""
    if not name or layer.model is None:
        return None if name else layer
    own, inner = find_lender(name, layer.model.nodes_by_name)
    return _find_inner_layer(inner, layer.model.nodes_by_name[own].layer) if own else None


def outer_layers_lent(layer: LayerKind, path: LayerPath = ()) -> Iterator[LentLayer]:
    """What models in a layer hold of the model around them, by the names there."""
    for steps, inner in inner_layers(layer):
        yield from outer_layers_lent(inner, (*path, *steps))
    for node in layer.model.all_nodes if layer.model else ():
        for loan in (
            () if node.first_call else node.lent_layers
        ):  # later calls have those of the first
            if loan.holder.startswith(OUTER_PREFIX):
                yield LentLayer(
                    (*path, node.name, *loan.path), loan.holder.removeprefix(OUTER_PREFIX)
                )


def strip_lent_layers(layer: LayerKind, names: Mapping[LayerPath, str]) -> LayerKind:
    """A layer with no more than these names of those inside it that are of others.

    What is in a model inside stays.
    """
    inner = {path: LayerReference(target_name=name) for path, name in names.items()}
    whole: LayerKind = _replace_inner_layers(layer, inner, into_models=False)
    return whole


def find_lender(holder: str, names: Container[str]) -> tuple[str, str]:
    """The node with one of these names that lends a layer, and the name of that in it if any."""
    name, steps = holder, ""
    while name and name not in names:
        name, _, step = name.rpartition("/")
        steps = f"{step}/{steps}" if steps else step
    return name, steps


def lent_under_path(lent: Mapping[LayerPath, str], way: LayerPath) -> dict[LayerPath, str]:
    """What is lent at the end of ways that begin with this one, by the rest of them."""
    depth = len(way)
    return {path[depth:]: name for path, name in lent.items() if path[:depth] == way}


def path_to_model(model: Model, layer: LayerKind) -> LayerPath | None:
    """The way to a model inside a layer, by arguments; None if it is not there."""
    if layer.model is model:
        return ()
    for steps, inner in inner_layers(layer):
        further = path_to_model(model, inner)
        if further is not None:
            return (*steps, *further)
    return None


def _replace_inner_layers(
    held: Any,
    inner: Mapping[LayerPath, LayerKind],
    path: LayerPath = (),
    *,
    into_models: bool = True,
) -> Any:
    """A layer, or a list of them, with others at the ends of these paths; itself if it has them."""
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
    own = {
        name: _replace_inner_layers(
            getattr(held, name), inner, (*path, name), into_models=into_models
        )
        for name in held.inner_layer_arguments
    }
    return held if all(own[name] is getattr(held, name) for name in own) else replace(held, **own)


def _replace_inner_nodes(
    model: Model, inner: Mapping[LayerPath, LayerKind], path: LayerPath
) -> Model:
    """A model with other layers at the ends of these paths; itself if it has them."""
    depth = len(path)
    leads = {way[depth] for way in inner if len(way) > depth and way[:depth] == path}
    nodes = list(model.all_nodes)
    for place, node in enumerate(nodes):
        if node.name in leads:
            layer = _replace_inner_layers(node.layer, inner, (*path, node.name))
            nodes[place] = node if layer is node.layer else replace(node, layer=layer)
    if all(map(is_, nodes, model.all_nodes)):
        return model
    firsts = {node.name: node.layer for node in nodes if node.name in leads}
    for place, node in enumerate(nodes):
        if node.first_call in firsts:
            layer = _adopt_call_arguments(firsts[node.first_call], node.layer)
            nodes[place] = replace(node, layer=layer)
    used = len(model.nodes)
    return replace(model, nodes=tuple(nodes[:used]), unused=tuple(nodes[used:]))


def _adopt_call_arguments(lent: LayerKind, held: LayerKind) -> LayerKind:
    """A layer that is lent, called as the one that is held now; that itself if it is the same."""
    if type(lent) is not type(held):  # which is only a name
        return lent
    made = replace(lent, **{name: getattr(held, name) for name in lent.call_arguments})
    is_same = made == held or (
        made.model is not None
        and made.model is held.model
        and (made.name, made.trainable) == (held.name, held.trainable)
    )
    return held if is_same else made


def _demand_unique_lent_names(node: Node, layer: LayerKind) -> None:
    """Raise SpecError where a layer inside that is called elsewhere has the name of one beside it.

    By their names we tell whose the weights are.
    """
    known = [
        loan for loan in node.lent_layers if loan.path and not loan.holder.startswith(OUTER_PREFIX)
    ]
    lent = {find_weights_path(layer, loan.path)[0] for loan in known}
    for name, number in Counter(_inner_layer_paths(layer)).items():
        if number > 1 and name in lent:
            told = f"{type(layer).__name__} would hold '{name[-1]}' twice"
            why = "a layer that is called elsewhere must be the only one of its name"
            raise SpecError(f"{told}; {why}", node.place)


def _inner_layer_paths(layer: LayerKind, outer: LayerPath = ()) -> Iterator[LayerPath]:
    """The paths of the first calls of all layers inside another, by their names."""
    for _, inner in inner_layers(layer):
        path = (*outer, sublayer_name(inner))
        yield path
        yield from _inner_layer_paths(inner, path)
    for node in layer.model.nodes if layer.model else ():
        if layer.model.row_names[node.name] == node.name:
            path = (*outer, *node.name.split("/"))
            yield path
            yield from _inner_layer_paths(node.layer, path)


def _walk_layer_path(
    layer: LayerKind, path: LayerPath
) -> Iterator[tuple[str, Model | None, LayerKind]]:
    """The steps of a way into a layer, each with the model that it enters, if any, and the layer.

    What leads to an item of a list is one step.
    """
    held: Any = layer
    way = ""
    for step in path:
        model = held.model if isinstance(held, LayerKind) else None
        if model:
            held = model.nodes_by_name[step].layer
        else:
            held = held[int(step)] if isinstance(held, tuple) else getattr(held, step)
        way = f"{way}.{step}" if way else step
        if isinstance(held, LayerKind):
            yield way, model, held
            way = ""


def find_weights_path(layer: LayerKind, path: LayerPath) -> tuple[LayerPath, LayerKind]:
    """The layer at the end of a path, and what the paths of its weights begin with."""
    names: list[str] = []
    held = layer
    for step, model, inner in _walk_layer_path(layer, path):
        names += model.row_names[step].split("/") if model else [sublayer_name(inner)]
        held = inner
    return tuple(names), held


def format_layer_path(path: LayerPath, layer: LayerKind) -> tuple[str, LayerKind]:
    """The way into a layer as it is written, `inner/each.layer`, and the layer there."""
    way = ""
    for step, model, held in _walk_layer_path(layer, path):
        way = f"{way}{'/' if model else '.'}{step}" if way else step
        layer = held
    return way, layer
