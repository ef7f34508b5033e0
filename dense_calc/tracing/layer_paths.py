"""Paths into a layer: to its inner layers, by arguments and nodes, and to their weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dense_calc.layers.base import LayerKind, sublayer_name
from dense_calc.layers.layer_references import inner_layers
from dense_calc.model import Model

LayerPath = tuple[str, ...]  # the way into a layer, by arguments and nodes, or by names


def path_to_model(model: Model, layer: LayerKind) -> LayerPath | None:
    """The path to a model inside a layer, by arguments; None if it is not there."""
    if layer.model is model:
        return ()
    for steps, inner in inner_layers(layer):
        further = path_to_model(model, inner)
        if further is not None:
            return (*steps, *further)
    return None


def _walk_layer_path(
    layer: LayerKind, path: LayerPath
) -> Iterator[tuple[str, Model | None, LayerKind]]:
    """The steps of a path into a layer: each step, the nested model it is taken in, and the layer.

    An argument and the index in its list are one step.
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
    """The start of the paths of the weights of an inner layer, and that layer."""
    names: list[str] = []
    held = layer
    for step, model, inner in _walk_layer_path(layer, path):
        names += model.row_names[step].split("/") if model else [sublayer_name(inner)]
        held = inner
    return tuple(names), held


def format_layer_path(path: LayerPath, layer: LayerKind) -> tuple[str, LayerKind]:
    """A path into a layer as text, `inner/each.layer`, and the layer at its end."""
    way = ""
    for step, model, held in _walk_layer_path(layer, path):
        way = f"{way}{'/' if model else '.'}{step}" if way else step
        layer = held
    return way, layer
