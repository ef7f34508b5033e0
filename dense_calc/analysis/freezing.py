"""Where `trainable: false` does not reach: layers inside a layer, which Keras goes on training.

Keras' constructors take `trainable` for the layer's own weights alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce

from dense_calc.errors import Note, Place
from dense_calc.layers.base import LayerKind
from dense_calc.layers.layer_references import inner_layers
from dense_calc.model import Model, Node
from dense_calc.tracing.nested_model import NestedModel

_LAYERS_ARGUMENT = "layers"  # what a model inside holds
_LATE_FREEZE_ADVICE = "only Python can freeze them, by layer.trainable = False once it is built"


def idle_freeze_notes(model: Model) -> Iterator[Note]:
    """A note for each layer that is written as frozen and holds others that are trained."""
    if not model.trainable:  # all of it is frozen
        return
    seen = set()
    for place, path, layer in _frozen_layers(model):
        trained = list(dict.fromkeys(_trained_arguments(layer)))
        key = id(place), path  # the copies of a block are written once
        if place and key not in seen and (trained or layer.creates_sublayers):
            seen.add(key)
            spot = reduce(lambda at, step: at.locate_part(step), (*path, "trainable"), place)
            yield Note(_idle_freeze_message(type(layer).__name__, trained), spot)


def _frozen_layers(model: Model) -> Iterator[tuple[Place | None, tuple[str, ...], LayerKind]]:
    """The frozen layers that hold others: where the outermost is written, and the way from it."""
    kinds = {type(node.layer) for node in model.nodes}
    holding = {
        kind
        for kind in kinds
        if kind.inner_layer_arguments or kind.creates_sublayers or issubclass(kind, NestedModel)
    }
    if not holding:  # as in most large models
        return
    for node in _first_call_nodes(model):
        if type(node.layer) not in holding:
            continue
        for path, each in _walk_layers(node.layer):
            if not each.trainable:
                yield node.place, path, each
            if isinstance(each, NestedModel):
                yield from _frozen_layers(each.model)


def _first_call_nodes(model: Model) -> Collection[Node]:
    """The nodes of a model, one for each layer: what calls a layer again has no more to tell."""
    firsts: dict[int, Node] = {}
    for node in model.nodes:
        firsts.setdefault(id(node.layer), node)
    return firsts.values()


def _walk_layers(layer: LayerKind) -> Iterator[tuple[tuple[str, ...], LayerKind]]:
    """A layer and those that are its arguments, at any depth, each with the way to it."""
    yield (), layer
    for path, inner in inner_layers(layer):
        for further, each in _walk_layers(inner):
            yield (*path, *further), each


def _trained_arguments(layer: LayerKind) -> Iterator[str]:
    """The arguments of a layer that are layers with something to train."""
    if isinstance(layer, NestedModel):
        yield from (
            _LAYERS_ARGUMENT for node in _first_call_nodes(layer.model) if _is_trained(node.layer)
        )
    for (argument, *_), inner in inner_layers(layer):
        if _is_trained(inner):
            yield argument


def _is_trained(layer: LayerKind) -> bool:
    """Whether a layer has something to train that it could have been told to freeze."""
    if layer.inner_layer_arguments or isinstance(layer, NestedModel):
        return layer.trainable and any(_trained_arguments(layer))
    return layer.trainable and type(layer).weights is not LayerKind.weights


def _idle_freeze_message(kind: str, arguments: list[str]) -> str:
    """That what is inside a layer is trained, and how to freeze it."""
    named = " and ".join(f"'{argument}'" for argument in arguments)
    mended = f"write 'trainable: false' in its {named}" if named else _LATE_FREEZE_ADVICE
    return f"this does not freeze the layers inside {kind}, which Keras goes on training; {mended}"
