"""Where `trainable: false` does not reach: layers inside a layer, which Keras goes on training.

Keras' constructors take `trainable` for the layer's own weights alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce

from dense_calc.errors import Note, Place
from dense_calc.layers.base import LayerKind
from dense_calc.layers.borrowed import layers_in
from dense_calc.model import Model, Node
from dense_calc.tracing.nested_model import Inside

LAYERS = "layers"  # what a model inside holds
LATE = "only Python can freeze them, by layer.trainable = False once it is built"


def idle_freezes(model: Model) -> Iterator[Note]:
    """A note for each layer that is written as frozen and holds others that are trained."""
    if not model.trainable:  # all of it is frozen
        return
    seen = set()
    for place, path, layer in frozen_layers(model):
        trained = list(dict.fromkeys(arguments_trained(layer)))
        key = id(place), path  # the copies of a block are written once
        if place and key not in seen and (trained or layer.makes_layers):
            seen.add(key)
            spot = reduce(lambda at, step: at.part(step), (*path, "trainable"), place)
            yield Note(complaint(type(layer).__name__, trained), spot)


def frozen_layers(model: Model) -> Iterator[tuple[Place | None, tuple[str, ...], LayerKind]]:
    """The frozen layers that hold others: where the outermost is written, and the way from it."""
    kinds = {type(node.layer) for node in model.nodes}
    holding = {
        kind for kind in kinds if kind.wraps or kind.makes_layers or issubclass(kind, Inside)
    }
    if not holding:  # as in most large models
        return
    for node in first_calls(model):
        if type(node.layer) not in holding:
            continue
        for path, each in with_layers_in(node.layer):
            if not each.trainable:
                yield node.place, path, each
            if isinstance(each, Inside):
                yield from frozen_layers(each.model)


def first_calls(model: Model) -> Collection[Node]:
    """The nodes of a model, one for each layer: what calls a layer again has no more to tell."""
    firsts: dict[int, Node] = {}
    for node in model.nodes:
        firsts.setdefault(id(node.layer), node)
    return firsts.values()


def with_layers_in(layer: LayerKind) -> Iterator[tuple[tuple[str, ...], LayerKind]]:
    """A layer and those that are its arguments, at any depth, each with the way to it."""
    yield (), layer
    for path, inner in layers_in(layer):
        for further, each in with_layers_in(inner):
            yield (*path, *further), each


def arguments_trained(layer: LayerKind) -> Iterator[str]:
    """The arguments of a layer that are layers with something to train."""
    if isinstance(layer, Inside):
        yield from (LAYERS for node in first_calls(layer.model) if is_trained(node.layer))
    for (argument, *_), inner in layers_in(layer):
        if is_trained(inner):
            yield argument


def is_trained(layer: LayerKind) -> bool:
    """Whether a layer has something to train that it could have been told to freeze."""
    if layer.wraps or isinstance(layer, Inside):
        return layer.trainable and any(arguments_trained(layer))
    return layer.trainable and type(layer).weights is not LayerKind.weights


def complaint(kind: str, arguments: list[str]) -> str:
    """That what is inside a layer is trained, and how to freeze it."""
    named = " and ".join(f"'{argument}'" for argument in arguments)
    mended = f"write 'trainable: false' in its {named}" if named else LATE
    return f"this does not freeze the layers inside {kind}, which Keras goes on training; {mended}"
