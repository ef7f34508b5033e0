"""Follow shapes through a Model and write down what each layer has: a Report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.words import FLOATS, variable_dtype
from dense_calc.model import Model, Node
from dense_calc.report import Port, Report, Row, WeightRow
from dense_calc.shapes import Shape


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
    rows = tuple(row(node, shapes, feeds[node.name]) for node in model.nodes)
    return Report(
        name=model.name,
        **totals(rows),
        inputs=tuple(Port(name, shapes[name]) for name in model.inputs),
        outputs=tuple(Port(name, shapes[name]) for name in model.outputs),
        layers=tuple(row for row in rows if row.connected_to) if model.is_chain else rows,
    )


def row(node: Node, shapes: dict[str, Shape], feeds: Iterable[str]) -> Row:
    """The row of one node; its output shape is added to `shapes`."""
    try:
        shape, weights = built(node.layer, [shapes[source] for source in node.inputs])
    except LayerError as error:
        raise placed(error, node) from None
    shapes[node.name] = shape
    params = sum(weight.size for weight in weights)
    trained = sum(weight.size for weight in weights if weight.trainable)
    return Row(
        name=node.name,
        type=type(node.layer).__name__,
        output_shape=shape,
        params=params,
        trainable_params=trained,
        non_trainable_params=params - trained,
        connected_to=node.inputs,
        feeds=tuple(feeds),
        weights=weights,
    )


def built(layer: LayerKind, inputs: list[Shape]) -> tuple[Shape, tuple[WeightRow, ...]]:
    """The output shape and the weights of a layer that reads inputs of these shapes."""
    if len(inputs) not in layer.takes:
        least = layer.takes.start
        raise LayerError(f"it takes {least} input{'s' * (least != 1)}, not {len(inputs)}", "from")
    own_dtype = variable_dtype(layer.dtype)
    weights = tuple(
        WeightRow(
            weight.name,
            shape=tuple(weight.axes.values()),
            trainable=weight.trainable and layer.trainable,
            dtype=weight.dtype or own_dtype,
            axes=tuple(weight.axes),
        )
        for weight in layer.weights(*inputs)
    )
    if weights and own_dtype not in FLOATS:
        raise LayerError(f"its weights cannot be of dtype '{own_dtype}'; use a float", "dtype")
    return layer.output_shape(*inputs), weights


def placed(error: LayerError, node: Node) -> LayerError:
    """The complaint of a kind as one about this node: with its name, and where it was written."""
    place = node.place
    if place is not None and error.argument is not None:
        place = place.part(error.argument)
    return LayerError(f"{type(node.layer).__name__} '{node.name}': {error.message}", place=place)


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """The totals of a report, in parameters and in bytes."""
    weights = [weight for row in rows for weight in row.weights]
    trained = [weight for weight in weights if weight.trainable]
    params, trained_params = (sum(weight.size for weight in some) for some in (weights, trained))
    size, trained_size = (sum(weight.bytes for weight in some) for some in (weights, trained))
    return {
        "total_params": params,
        "trainable_params": trained_params,
        "non_trainable_params": params - trained_params,
        "total_bytes": size,
        "trainable_bytes": trained_size,
        "non_trainable_bytes": size - trained_size,
    }
