"""Layers that are arguments of another, and references to layers of the model among them.

A reference holds only a name until all layers of the model are known.
"""

from __future__ import annotations

from collections.abc import Iterator

from dense_calc.errors import Place
from dense_calc.layers.base import LayerKind


class LayerReference(LayerKind, frozen=True, kw_only=True, eq=False):
    """A reference, inside a layer, to the layer of the model called `target_name`."""

    target_name: str
    place: Place | None = None


def inner_layers(layer: LayerKind) -> Iterator[tuple[tuple[str, ...], LayerKind]]:
    """The layers that are arguments of another, each with its path: ("cells", "0")."""
    for argument in layer.inner_layer_arguments:
        value = getattr(layer, argument)
        if isinstance(value, LayerKind):
            yield (argument,), value
        elif isinstance(value, tuple):
            for number, inner in enumerate(value):
                if isinstance(inner, LayerKind):
                    yield (argument, str(number)), inner


def layer_references_in(
    layer: LayerKind, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], LayerReference, LayerKind]]:
    """The references inside a layer at any depth, each with its path and the layer around it."""
    for steps, inner in inner_layers(layer):
        if isinstance(inner, LayerReference):
            yield (*path, *steps), inner, layer
        else:
            yield from layer_references_in(inner, (*path, *steps))
