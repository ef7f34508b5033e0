"""Follow shapes through a Model and write down what each layer has: a Report."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.layers.initializers import demand_initializable
from dense_calc.layers.words import variable_dtype
from dense_calc.model import Model, Node
from dense_calc.report import Port, Report, Row, WeightRow
from dense_calc.shapes import Shape

MAX_PARAMS = 2**63 - 1  # of a weight, as in NumPy


def trace(model: Model) -> Report:
    """The shapes and parameters of every layer.

    A plain chain has no row for its input, a graph has one for each, as in Keras.

    Raises:
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
    """
    shapes: dict[str, Shape] = {}
    feeds = defaultdict(list)
    for node in model.nodes:
        for source in dict.fromkeys(node.inputs):
            feeds[source].append(node.name)
    rows = tuple([row(node, shapes, feeds[node.name]) for node in model.nodes])
    return Report(
        name=model.name,
        **totals(rows),
        inputs=tuple(Port(name, shapes[name]) for name in model.inputs),
        outputs=tuple(Port(name, shapes[name]) for name in model.outputs),
        layers=tuple(row for row in rows if row.connected_to) if model.is_chain else rows,
    )


def row(node: Node, shapes: dict[str, Shape], feeds: Iterable[str]) -> Row:
    """The row of one node; its output shape is added to `shapes`."""
    layer = node.layer
    inputs = tuple([shapes[source] for source in node.inputs])
    build = built if hashable(layer) else built.__wrapped__
    try:
        shape, weights, params, trained = build(layer, inputs)
    except LayerError as error:
        raise placed(error, node) from None
    shapes[node.name] = shape
    return Row(
        name=node.name,
        type=type(layer).__name__,
        output_shape=shape,
        params=params,
        trainable_params=trained,
        non_trainable_params=params - trained,
        connected_to=node.inputs,
        feeds=tuple(feeds),
        weights=weights,
    )


def hashable(layer: LayerKind) -> bool:
    """Whether a layer can be looked up: not if a serialized object is among its arguments."""
    try:
        hash(layer)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=1000)  # large models repeat few layers; to look one up is ten times faster
def built(
    layer: LayerKind, inputs: tuple[Shape, ...]
) -> tuple[Shape, tuple[WeightRow, ...], int, int]:
    """The output shape, the weights and the counts of a layer that reads inputs of these shapes."""
    if len(inputs) not in layer.takes:
        least = layer.takes.start
        raise LayerError(f"it takes {least} input{'s' * (least != 1)}, not {len(inputs)}", "from")
    shape = layer.output_shape(*inputs)
    weights = [weight_row(weight, layer) for weight in layer.weights(*inputs)]
    params = trained = 0
    for weight in weights:
        params += weight.params
        trained += weight.params * weight.trainable
    return shape, tuple(weights), params, trained


def weight_row(weight: Weight, layer: LayerKind) -> WeightRow:
    """A weight as it stands in the report.

    Raises:
        LayerError: Keras could not make it, or no machine could hold it.
    """
    shape = tuple(weight.axes.values())
    dtype = weight.dtype or variable_dtype(layer.dtype)
    params = math.prod(shape)
    demand_initializable(weight.name, shape, dtype, weight.initializer)
    if params > MAX_PARAMS:
        raise LayerError(f"its weight '{weight.name}' would hold more than {MAX_PARAMS:,} numbers")
    trainable = weight.trainable and layer.trainable
    return WeightRow(weight.name, shape, trainable, dtype, tuple(weight.axes), params)


def placed(error: LayerError, node: Node) -> LayerError:
    """The complaint of a kind as one about this node: with its name, and where it was written."""
    place = node.place
    if place is not None and error.argument is not None:
        place = place.part(error.argument)
    return LayerError(f"{type(node.layer).__name__} '{node.name}': {error.message}", place=place)


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """The totals of a report, in parameters and in bytes."""
    params = trained = size = trained_size = 0
    for row in rows:
        params += row.params
        trained += row.trainable_params
        for weight in row.weights:
            held = weight.bytes
            size += held
            if weight.trainable:
                trained_size += held
    return {
        "total_params": params,
        "trainable_params": trained,
        "non_trainable_params": params - trained,
        "total_bytes": size,
        "trainable_bytes": trained_size,
        "non_trainable_bytes": size - trained_size,
    }
