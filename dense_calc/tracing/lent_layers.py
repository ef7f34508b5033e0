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
from dense_calc.layers.base import LayerKind, name_of
from dense_calc.layers.borrowed import Borrowed, layers_in
from dense_calc.model import Loan, Model, Node

OUTSIDE = "//"  # what the name of a layer of the model around begins with
MAX_LENT = 100_000  # layers inside others that are called elsewhere
MAX_DEPTH = 32  # layers in each other that are called elsewhere, or hold what is

Path = tuple[str, ...]  # the way into a layer, by arguments and nodes, or by names


def with_loans(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes with the layers of others inside theirs, as those are now.

    Raises:
        SpecError: a layer would hold two of one name.
    """
    if not any(node.loans for node in nodes):
        return nodes
    lenders = Lenders(nodes)
    return [lenders.whole(node) for node in nodes]


class Lenders:
    """Nodes while the layers of others are put into theirs, into those of lenders first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        calls = {node.holder: node for node in reversed(nodes)}
        self.nodes = {**calls, **{node.name: node for node in nodes}}
        self.done: dict[str, Node] = {}
        self.made: dict[tuple[Any, ...], tuple[LayerKind, ...]] = {}  # with what its key is of

    def whole(self, node: Node) -> Node:
        """A node with the layers of others inside its own; a later call has those of the first."""
        first = self.nodes.get(node.holder, node)
        loans = node.loans or first.loans
        if not loans:
            return node
        if node.name not in self.done:
            self.done[node.name] = self.with_lent(replace(node, loans=loans))
        return self.done[node.name]

    def with_lent(self, node: Node) -> Node:
        """A node with what others lend it; those that are alike share what is made."""
        inner = {}
        for loan in node.loans:
            lent = self.lent(loan.holder)
            if lent is not None:  # else no output needs it, and it stays as it was
                inner[loan.path] = lent
        names = {loan.path: loan.holder.rpartition("/")[2] for loan in node.loans}
        ids = ((path, names[path], id(lent)) for path, lent in inner.items())
        key = id(node.layer), *ids
        if key not in self.made:
            named = {path: replace(lent, name=names[path]) for path, lent in inner.items()}
            layer = with_inner(node.layer, named)
            demand_single(node, layer)
            self.made[key] = layer, node.layer, *inner.values()
        return replace(node, layer=self.made[key][0])

    def lent(self, holder: str) -> LayerKind | None:
        """The layer of this name, None if these nodes have none."""
        name, steps = lender_of(holder, self.nodes)
        layer = self.whole(self.nodes[name]).layer if name else None
        return layer and layer_called(steps, layer)


def lends_unused(model: Model) -> bool:
    """Whether something in a model, or in one inside, holds a layer that no output needs."""
    nodes = {name: node for node in model.nodes for name in (node.name, node.holder)}
    return any(
        not loan.holder.startswith(OUTSIDE) and not is_used(loan.holder, nodes)
        for node in model.nodes
        for loan in node.loans
    ) or any(lends_unused(inner) for node in model.nodes for inner in models_in(node.layer))


def is_used(holder: str, nodes: Mapping[str, Node]) -> bool:
    """Whether a layer is one that an output needs, by the nodes that are."""
    name, inner = lender_of(holder, nodes)
    if not name or not inner:
        return bool(name)
    own = nodes[name].layer.model.nodes
    return is_used(inner, {each: node for node in own for each in (node.name, node.holder)})


def models_in(layer: LayerKind) -> Iterator[Model]:
    """The models that a layer is or has among its arguments."""
    if layer.model is not None:
        yield layer.model
    for _, inner in layers_in(layer):
        yield from models_in(inner)


def holds_model(layer: LayerKind) -> bool:
    """Whether a layer is a model, or has one inside."""
    if not layer.wraps:
        return layer.model is not None
    return any(holds_model(inner) for _, inner in layers_in(layer))


def layer_called(name: str, layer: LayerKind) -> LayerKind | None:
    """The layer of this name in a model, `dense` or `inner/dense`; the model itself if it is ''."""
    if not name or layer.model is None:
        return None if name else layer
    own, inner = lender_of(name, layer.model.by_name)
    return layer_called(inner, layer.model.by_name[own].layer) if own else None


def loans_of_models(layer: LayerKind, path: Path = ()) -> Iterator[Loan]:
    """What models in a layer hold of the model around them, by the names there."""
    for steps, inner in layers_in(layer):
        yield from loans_of_models(inner, (*path, *steps))
    for node in layer.model.all_nodes if layer.model else ():
        for loan in () if node.shares else node.loans:  # later calls have those of the first
            if loan.holder.startswith(OUTSIDE):
                yield Loan((*path, node.name, *loan.path), loan.holder.removeprefix(OUTSIDE))


def without_lent(layer: LayerKind, names: Mapping[Path, str]) -> LayerKind:
    """A layer with no more than these names of those inside it that are of others.

    What is in a model inside stays.
    """
    inner = {path: Borrowed(of=name) for path, name in names.items()}
    whole: LayerKind = with_inner(layer, inner, into_models=False)
    return whole


def lender_of(holder: str, names: Container[str]) -> tuple[str, str]:
    """The node with one of these names that lends a layer, and the name of that in it if any."""
    name, steps = holder, ""
    while name and name not in names:
        name, _, step = name.rpartition("/")
        steps = f"{step}/{steps}" if steps else step
    return name, steps


def lent_below(lent: Mapping[Path, str], way: Path) -> dict[Path, str]:
    """What is lent at the end of ways that begin with this one, by the rest of them."""
    depth = len(way)
    return {path[depth:]: name for path, name in lent.items() if path[:depth] == way}


def way_to(model: Model, layer: LayerKind) -> Path | None:
    """The way to a model inside a layer, by arguments; None if it is not there."""
    if layer.model is model:
        return ()
    for steps, inner in layers_in(layer):
        further = way_to(model, inner)
        if further is not None:
            return (*steps, *further)
    return None


def with_inner(
    held: Any, inner: Mapping[Path, LayerKind], path: Path = (), *, into_models: bool = True
) -> Any:
    """A layer, or a list of them, with others at the ends of these paths; itself if it has them."""
    if path in inner:
        return as_called(inner[path], held)
    if isinstance(held, tuple):
        items = [
            with_inner(each, inner, (*path, str(number)), into_models=into_models)
            for number, each in enumerate(held)
        ]
        return held if all(map(is_, items, held)) else tuple(items)
    if not isinstance(held, LayerKind):
        return held
    if held.model and into_models:
        model = with_inner_nodes(held.model, inner, path)
        return held if model is held.model else replace(held, model=model)
    own = {
        name: with_inner(getattr(held, name), inner, (*path, name), into_models=into_models)
        for name in held.wraps
    }
    return held if all(own[name] is getattr(held, name) for name in own) else replace(held, **own)


def with_inner_nodes(model: Model, inner: Mapping[Path, LayerKind], path: Path) -> Model:
    """A model with other layers at the ends of these paths; itself if it has them."""
    depth = len(path)
    leads = {way[depth] for way in inner if len(way) > depth and way[:depth] == path}
    nodes = list(model.all_nodes)
    for place, node in enumerate(nodes):
        if node.name in leads:
            layer = with_inner(node.layer, inner, (*path, node.name))
            nodes[place] = node if layer is node.layer else replace(node, layer=layer)
    if all(map(is_, nodes, model.all_nodes)):
        return model
    firsts = {node.name: node.layer for node in nodes if node.name in leads}
    for place, node in enumerate(nodes):
        if node.shares in firsts:
            layer = as_called(firsts[node.shares], node.layer)
            nodes[place] = replace(node, layer=layer)
    used = len(model.nodes)
    return replace(model, nodes=tuple(nodes[:used]), unused=tuple(nodes[used:]))


def as_called(lent: LayerKind, held: LayerKind) -> LayerKind:
    """A layer that is lent, called as the one that is held now; that itself if it is the same."""
    if type(lent) is not type(held):  # which is only a name
        return lent
    made = replace(lent, **{name: getattr(held, name) for name in lent.of_call})
    is_same = made == held or (
        made.model is not None
        and made.model is held.model
        and (made.name, made.trainable) == (held.name, held.trainable)
    )
    return held if is_same else made


def demand_single(node: Node, layer: LayerKind) -> None:
    """Raise SpecError where a layer inside that is called elsewhere has the name of one beside it.

    By their names we tell whose the weights are.
    """
    known = [loan for loan in node.loans if loan.path and not loan.holder.startswith(OUTSIDE)]
    lent = {weights_of(layer, loan.path)[0] for loan in known}
    for name, number in Counter(paths_inside(layer)).items():
        if number > 1 and name in lent:
            told = f"{type(layer).__name__} would hold '{name[-1]}' twice"
            why = "a layer that is called elsewhere must be the only one of its name"
            raise SpecError(f"{told}; {why}", node.place)


def paths_inside(layer: LayerKind, outer: Path = ()) -> Iterator[Path]:
    """The paths of the first calls of all layers inside another, by their names."""
    for _, inner in layers_in(layer):
        path = (*outer, name_of(inner))
        yield path
        yield from paths_inside(inner, path)
    for node in layer.model.nodes if layer.model else ():
        if layer.model.row_names[node.name] == node.name:
            path = (*outer, *node.name.split("/"))
            yield path
            yield from paths_inside(node.layer, path)


def walked(layer: LayerKind, path: Path) -> Iterator[tuple[str, Model | None, LayerKind]]:
    """The steps of a way into a layer, each with the model that it enters, if any, and the layer.

    What leads to an item of a list is one step.
    """
    held: Any = layer
    way = ""
    for step in path:
        model = held.model if isinstance(held, LayerKind) else None
        if model:
            held = model.by_name[step].layer
        else:
            held = held[int(step)] if isinstance(held, tuple) else getattr(held, step)
        way = f"{way}.{step}" if way else step
        if isinstance(held, LayerKind):
            yield way, model, held
            way = ""


def weights_of(layer: LayerKind, path: Path) -> tuple[Path, LayerKind]:
    """The layer at the end of a path, and what the paths of its weights begin with."""
    names: list[str] = []
    held = layer
    for step, model, inner in walked(layer, path):
        names += model.row_names[step].split("/") if model else [name_of(inner)]
        held = inner
    return tuple(names), held


def way_told(path: Path, layer: LayerKind) -> tuple[str, LayerKind]:
    """The way into a layer as it is written, `inner/each.layer`, and the layer there."""
    way = ""
    for step, model, held in walked(layer, path):
        way = f"{way}{'/' if model else '.'}{step}" if way else step
        layer = held
    return way, layer
