"""How many values a report takes, and how many it may take."""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.shapes import Shapes, Sizes, is_shape, leaves

MAX_VALUES = 10_000_000  # of the shapes and weights of a model, those of models inside included
MAX_TENSORS = 1024  # that one call gives: whoever reads one of them looks through all
OF_A_WEIGHT = 5  # values of one beside its sizes and their names


def values_in(shapes: Shapes) -> int:
    """How many values a nest of shapes takes: its sizes, and each shape itself."""
    if is_shape(shapes):
        return 1 + len(shapes)
    return sum(1 + len(shape) for shape in leaves(shapes))


def values_of_weight(shape: Sizes) -> int:
    """How many values a weight of this shape takes."""
    return OF_A_WEIGHT + 2 * len(shape)


def values_of_call(layer: LayerKind, inputs: tuple[Shapes | None, ...], shape: Shapes) -> int:
    """How many values the row of a layer takes for what it reads, gives and has inside.

    Raises:
        LayerError: more than a report may take, or too many tensors.
    """
    if not is_shape(shape) and sum(1 for _ in leaves(shape)) > MAX_TENSORS:
        raise LayerError(f"it gives more than {MAX_TENSORS:,} tensors")
    shapes = sum([values_in(each) for each in (shape, *inputs) if each is not None])
    return demand_few(shapes + layer.values_inside(*inputs))


def demand_few(values: int) -> int:
    """So many values; LayerError where a report would take more than it may."""
    if values > MAX_VALUES:
        raise LayerError(f"the shapes and weights up to here take more than {MAX_VALUES:,} values")
    return values
