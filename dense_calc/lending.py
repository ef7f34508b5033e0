"""Layers that a model calls, put inside others that call them, too: `{layer: {reuse: dense}}`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind, layers_in, name_of
from dense_calc.layers.borrowed import Borrowed
from dense_calc.model import Node

Path = tuple[str, ...]  # the way into a layer, by arguments or by names


def with_loans(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes with the layers of others inside theirs, as those are now.

    Raises:
        SpecError: a layer would hold two of one name.
    """
    if not any(node.loans for node in nodes):
        return nodes
    layers = {node.name: node.layer for node in nodes}
    loans = {node.name: node.loans for node in nodes if node.loans}
    whole = []
    for node in nodes:
        own = node.loans or loans.get(node.holder)
        whole.append(with_lent(replace(node, loans=own), layers.get) if own else node)
    return whole


def with_lent(node: Node, lender: Callable[[str], LayerKind | None]) -> Node:
    """A node with the layers inside its own that these lenders have."""
    inner = {}
    for loan in node.loans:
        lent = lender(loan.holder)
        if lent is not None:  # else no output needs it, and it stays as it was
            inner[loan.path] = replace(lent, name=loan.holder.rpartition("/")[2])
    layer = with_inner(node.layer, inner)
    demand_single(node, layer)
    return node if layer == node.layer else replace(node, layer=layer)


def without_lent(node: Node, named: Callable[[str], str]) -> LayerKind:
    """The layer of a node with no more than the names of those inside it that are of others."""
    inner = {loan.path: Borrowed(of=named(loan.holder)) for loan in node.loans}
    layer: LayerKind = with_inner(node.layer, inner)
    return layer


def with_inner(held: Any, inner: Mapping[Path, LayerKind], path: Path = ()) -> Any:
    """A layer, or a list of them, with others at the ends of these paths."""
    if path in inner:
        return inner[path]
    if isinstance(held, tuple):
        return tuple(
            [with_inner(each, inner, (*path, str(number))) for number, each in enumerate(held)]
        )
    if not isinstance(held, LayerKind) or not held.wraps:
        return held
    own = {name: with_inner(getattr(held, name), inner, (*path, name)) for name in held.wraps}
    return replace(held, **own)


def demand_single(node: Node, layer: LayerKind) -> None:
    """Raise SpecError where a layer inside that is called elsewhere has the name of one beside it.

    By their names we tell whose the weights are.
    """
    lent = {weights_path(layer, loan.path) for loan in node.loans}
    for name, number in Counter(paths_inside(layer)).items():
        if number > 1 and name in lent:
            told = f"{type(layer).__name__} would hold '{name[-1]}' twice"
            why = "a layer that is called elsewhere must be the only one of its name"
            raise SpecError(f"{told}; {why}", node.place)


def paths_inside(layer: LayerKind, outer: Path = ()) -> Iterator[Path]:
    """The paths of all layers inside another, by their names."""
    for _, inner in layers_in(layer):
        path = (*outer, name_of(inner))
        yield path
        yield from paths_inside(inner, path)


def weights_path(layer: LayerKind, path: Path) -> Path:
    """What the paths of the weights begin with that the layer at the end of a path has."""
    held: Any = layer
    names = []
    for step in path:
        held = held[int(step)] if isinstance(held, tuple) else getattr(held, step)
        if isinstance(held, LayerKind):
            names.append(name_of(held))
    return tuple(names)
