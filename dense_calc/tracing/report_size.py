"""The size of a report, in values, and the most that it may have."""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.shapes import Shapes, Sizes, is_shape, leaf_shapes
from dense_calc.symbolic.state import UnlikeCopiesError, is_symbolic

MAX_REPORT_VALUES = 10_000_000  # of all shapes and weights, those of models inside included
MAX_OUTPUT_TENSORS = 1024  # of one call: whoever reads one of them looks through all
_VALUES_PER_WEIGHT = 5  # beside its sizes and their names


def count_shape_values(shapes: Shapes) -> int:
    """The values of a nest of shapes: its sizes, and one for each shape."""
    if is_shape(shapes):
        return 1 + len(shapes)
    return sum(1 + len(shape) for shape in leaf_shapes(shapes))


def count_weight_values(shape: Sizes) -> int:
    """The values of a weight of this shape."""
    return _VALUES_PER_WEIGHT + 2 * len(shape)


def count_call_values(layer: LayerKind, inputs: tuple[Shapes | None, ...], shape: Shapes) -> int:
    """The values of a row for its inputs, its output and the rows inside it.

    Raises:
        LayerError: they are more than a report may have, or the outputs too many tensors.
    """
    if not is_shape(shape) and sum(1 for _ in leaf_shapes(shape)) > MAX_OUTPUT_TENSORS:
        raise LayerError(f"it gives more than {MAX_OUTPUT_TENSORS:,} tensors")
    shapes = sum([count_shape_values(each) for each in (shape, *inputs) if each is not None])
    return demand_few_values(shapes + layer.nested_value_count(*inputs))


def demand_few_values(values: int) -> int:
    """The same number of values; LayerError where it is more than a report may have."""
    if values > MAX_REPORT_VALUES:
        if is_symbolic(values):
            raise UnlikeCopiesError  # in which copy depends on how many there are
        raise LayerError(
            f"the shapes and weights up to here take more than {MAX_REPORT_VALUES:,} values"
        )
    return values
