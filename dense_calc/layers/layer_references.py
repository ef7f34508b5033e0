"""Layers inside another; one of the model's own is only a name until all layers are known."""

from __future__ import annotations

from collections.abc import Iterator

from dense_calc.errors import Place
from dense_calc.layers.base import LayerKind


class LayerReference(LayerKind, frozen=True, kw_only=True, eq=False):
    """What stands inside a layer for one that the model calls elsewhere, by the name `of` that."""

    target_name: str
    place: Place | None = None


def inner_layers(layer: LayerKind) -> Iterator[tuple[tuple[str, ...], LayerKind]]:
    """The layers that are arguments of another, each with the way to it: ("cells", "0")."""
    for argument in layer.inner_layer_arguments:
        held = getattr(layer, argument)
        if isinstance(held, LayerKind):
            yield (argument,), held
        elif isinstance(held, tuple):
            for number, inner in enumerate(held):
                if isinstance(inner, LayerKind):
                    yield (argument, str(number)), inner


def layer_references_in(
    layer: LayerKind, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], LayerReference, LayerKind]]:
    """The borrowed layers inside another, each with the way to it and the layer that holds it."""
    for steps, inner in inner_layers(layer):
        if isinstance(inner, LayerReference):
            yield (*path, *steps), inner, layer
        else:
            yield from layer_references_in(inner, (*path, *steps))
