"""How many values a report takes, and how many it may take."""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.shapes import Shapes, Sizes, is_shape, leaf_shapes

MAX_REPORT_VALUES = (
    10_000_000  # of the shapes and weights of a model, those of models inside included
)
MAX_OUTPUT_TENSORS = 1024  # that one call gives: whoever reads one of them looks through all
_VALUES_PER_WEIGHT = 5  # values of one beside its sizes and their names


def count_shape_values(shapes: Shapes) -> int:
    """How many values a nest of shapes takes: its sizes, and each shape itself."""
    if is_shape(shapes):
        return 1 + len(shapes)
    return sum(1 + len(shape) for shape in leaf_shapes(shapes))


def count_weight_values(shape: Sizes) -> int:
    """How many values a weight of this shape takes."""
    return _VALUES_PER_WEIGHT + 2 * len(shape)


def count_call_values(layer: LayerKind, inputs: tuple[Shapes | None, ...], shape: Shapes) -> int:
    """How many values the row of a layer takes for what it reads, gives and has inside.

    Raises:
        LayerError: more than a report may take, or too many tensors.
    """
    if not is_shape(shape) and sum(1 for _ in leaf_shapes(shape)) > MAX_OUTPUT_TENSORS:
        raise LayerError(f"it gives more than {MAX_OUTPUT_TENSORS:,} tensors")
    shapes = sum([count_shape_values(each) for each in (shape, *inputs) if each is not None])
    return demand_few_values(shapes + layer.nested_value_count(*inputs))


def demand_few_values(values: int) -> int:
    """So many values; LayerError where a report would take more than it may."""
    if values > MAX_REPORT_VALUES:
        raise LayerError(
            f"the shapes and weights up to here take more than {MAX_REPORT_VALUES:,} values"
        )
    return values
