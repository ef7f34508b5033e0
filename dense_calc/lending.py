"""Layers that a model calls, put inside others that call them, too: `{layer: {reuse: dense}}`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind, layers_in, name_of
from dense_calc.layers.borrowed import Borrowed
from dense_calc.model import Node


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
    layer = node.layer
    for loan in node.loans:
        lent = lender(loan.holder)
        if lent is not None:  # else no output needs it, and it stays as it was
            named = replace(lent, name=loan.holder.rpartition("/")[2])
            layer = with_inner(layer, loan.path, named)
    for loan in node.loans:
        demand_single(node, layer, loan.path)
    return node if layer == node.layer else replace(node, layer=layer)


def without_lent(node: Node, named: Callable[[str], str]) -> LayerKind:
    """The layer of a node with no more than the names of those inside it that are of others."""
    layer = node.layer
    for loan in node.loans:
        layer = with_inner(layer, loan.path, Borrowed(of=named(loan.holder)))
    return layer


def with_inner(held: Any, path: Sequence[str], inner: LayerKind) -> Any:
    """A layer, or a list of them, with another one at the end of a path."""
    if not path:
        return inner
    step, *further = path
    if isinstance(held, tuple):
        number = int(step)
        return (*held[:number], with_inner(held[number], further, inner), *held[number + 1 :])
    return replace(held, **{step: with_inner(getattr(held, step), further, inner)})


def demand_single(node: Node, layer: LayerKind, path: Iterable[str]) -> None:
    """Raise SpecError where a layer at the end of a path has the name of one beside it."""
    *around, last = path
    if last.isdigit():
        around.pop()
    holder = reduce(getattr, around, layer)
    names = [name_of(each) for _, each in layers_in(holder)]
    for name in names:
        if names.count(name) > 1:
            told = f"{type(holder).__name__} would hold '{name}' twice"
            why = "a layer that is called elsewhere must be the only one of its name"
            raise SpecError(f"{told}; {why}", node.place)


def weights_path(layer: LayerKind, path: Iterable[str]) -> tuple[str, ...]:
    """What the paths of the weights begin with that the layer at the end of a path has."""
    held: Any = layer
    names = []
    for step in path:
        held = held[int(step)] if isinstance(held, tuple) else getattr(held, step)
        if isinstance(held, LayerKind):
            names.append(name_of(held))
    return tuple(names)
