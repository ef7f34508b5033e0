"""Notes on `trainable: false` that does not reach the layers inside a layer.

In a constructor, Keras applies `trainable` to the layer's own weights alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce

from dense_calc.errors import Note, Place
from dense_calc.layers.base import LayerKind
from dense_calc.layers.layer_references import inner_layers
from dense_calc.model import Model, Node
from dense_calc.tracing.nested_model import NestedModel

_LAYERS_ARGUMENT = "layers"  # of a nested model
_LATE_FREEZE_ADVICE = "only Python can freeze them, by layer.trainable = False once it is built"


def idle_freeze_notes(model: Model) -> Iterator[Note]:
    """A note for each frozen layer with layers inside that are trained."""
    if not model.trainable:  # all of it is frozen
        return
    noted = set()
    for place, path, layer in _frozen_layers(model):
        trained = list(dict.fromkeys(_trained_arguments(layer)))
        key = id(place), path  # the copies of a block are written once
        if place and key not in noted and (trained or layer.creates_sublayers):
            noted.add(key)
            spot = reduce(lambda at, step: at.locate_part(step), (*path, "trainable"), place)
            yield Note(_idle_freeze_message(type(layer).__name__, trained), spot)


def _frozen_layers(model: Model) -> Iterator[tuple[Place | None, tuple[str, ...], LayerKind]]:
    """The frozen layers with layers inside: the place of the outermost, and the path from it."""
    kinds = {type(node.layer) for node in model.nodes}
    outer_kinds = {
        kind
        for kind in kinds
        if kind.inner_layer_arguments or kind.creates_sublayers or issubclass(kind, NestedModel)
    }
    if not outer_kinds:  # as in most large models
        return
    for node in _first_call_nodes(model):
        if type(node.layer) not in outer_kinds:
            continue
        for path, each in _walk_layers(node.layer):
            if not each.trainable:
                yield node.place, path, each
            if isinstance(each, NestedModel):
                yield from _frozen_layers(each.model)


def _first_call_nodes(model: Model) -> Collection[Node]:
    """The nodes of a model, one for each layer."""
    firsts: dict[int, Node] = {}
    for node in model.nodes:
        firsts.setdefault(id(node.layer), node)
    return firsts.values()


def _walk_layers(layer: LayerKind) -> Iterator[tuple[tuple[str, ...], LayerKind]]:
    """A layer and the layers among its arguments, at any depth, each with the path to it."""
    yield (), layer
    for path, inner in inner_layers(layer):
        for further, each in _walk_layers(inner):
            yield (*path, *further), each


def _trained_arguments(layer: LayerKind) -> Iterator[str]:
    """The arguments of a layer that are layers with trainable weights."""
    if isinstance(layer, NestedModel):
        yield from (
            _LAYERS_ARGUMENT for node in _first_call_nodes(layer.model) if _is_trained(node.layer)
        )
    for (argument, *_), inner in inner_layers(layer):
        if _is_trained(inner):
            yield argument


def _is_trained(layer: LayerKind) -> bool:
    """Whether a layer has trainable weights that its `trainable: false` would freeze."""
    if layer.inner_layer_arguments or isinstance(layer, NestedModel):
        return layer.trainable and any(_trained_arguments(layer))
    return layer.trainable and type(layer).weights is not LayerKind.weights


def _idle_freeze_message(kind: str, arguments: list[str]) -> str:
    """The note that layers inside a layer are trained, with the way to freeze them."""
    named = " and ".join(f"'{argument}'" for argument in arguments)
    mended = f"write 'trainable: false' in its {named}" if named else _LATE_FREEZE_ADVICE
    return f"this does not freeze the layers inside {kind}, which Keras goes on training; {mended}"
