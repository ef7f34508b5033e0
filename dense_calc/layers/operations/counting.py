"""Operations whose output has a size from an argument, or one that only data tell."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import field

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import TWO_INPUTS, NonNegativeInt
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.introspect.refusals import NO_TUPLES_MESSAGE
from dense_calc.layers.operations.operation import (
    Int64,
    Operation,
    OperationGroup,
    collect_outputs,
    normalize_axis,
    operations_named,
    replace_axis_size,
)
from dense_calc.shapes import Shape, Shapes, computed_size


class _SpacedRange(Operation, frozen=True, kw_only=True):
    """`num` numbers between each start and each stop."""

    shape_rule = "(...), (...) → (num, ...)"

    num: Int64 = 50
    axis: Int64 = 0

    def infer_shape(self, start: Shape, stop: Shape, /) -> Shapes:
        shape = broadcast_shapes(start, stop)
        axis = normalize_axis(self.axis, len(shape) + 1)
        return (*shape[:axis], self.num, *shape[axis:])


class Linspace(_SpacedRange, frozen=True, kw_only=True):
    """`num` numbers between each start and each stop, at equal distances."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("start", "stop")

    endpoint: Any = True
    retstep: bool = False
    dtype: InputDtype | None = None

    def infer_shape(self, start: Shape, stop: Shape, /) -> Shapes:
        if self.retstep:
            raise LayerError("Keras gives no step in a model; remove retstep", "retstep")
        return _SpacedRange.infer_shape(self, start, stop)


class Bincount(Operation, frozen=True, kw_only=True):
    """The count of each number along the last axis; only data tell the largest number."""

    shape_rule = "(..., size) → (..., unknown)"

    bin_weights: Any = field(name="weights", default=None)
    minlength: Any = 0
    sparse: Any = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x[:-1], None)


class Histogram(Operation, frozen=True, kw_only=True):
    """The count of the elements in each of `bins` bins, and the edges of the bins."""

    shape_rule = "(...) → (bins), (bins + 1)"

    bins: NonNegativeInt = 10
    range: tuple[float, ...] | None = None

    def demand_serializable(self) -> None:
        if self.range:
            raise LayerError(NO_TUPLES_MESSAGE, "range")

    def infer_shape(self, _x: Shape, /) -> Shapes:
        if self.range and (len(self.range) < 2 or self.range[1] < self.range[0]):
            raise LayerError(f"range is its start and its end, not {list(self.range)}", "range")
        return (self.bins,), (computed_size(self.bins + 1, f"{self.bins} + 1"),)


class OneHot(Operation, frozen=True, kw_only=True):
    """A row of `num_classes` for each number, with 1 at the place of the number."""

    shape_rule = "(...) → (..., num_classes)"

    num_classes: Int64
    axis: Int64 = -1
    dtype: InputDtype | None = None
    sparse: Any = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _add_class_axis(x, self.num_classes, self.axis)


class MultiHot(Operation, frozen=True, kw_only=True):
    """A row of `num_classes` for each row of numbers, with 1 at the place of each number."""

    input_names: ClassVar[tuple[str, ...]] = ("inputs",)
    shape_rule = "(..., numbers) → (..., num_classes)"

    num_classes: Int64 | None = None
    axis: Int64 = -1
    dtype: InputDtype | None = None
    sparse: Any = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.num_classes is None:
            raise LayerError("num_classes must be given", "num_classes")
        shape = _add_class_axis(x, self.num_classes, self.axis)
        # Keras removes the second axis, or the first of two.
        return shape[-1:] if len(shape) == 2 else (shape[0], *shape[2:])


def _add_class_axis(shape: Shape, classes: int, axis: int) -> Shape:
    """A shape with an axis for classes; the only negative number that Keras takes is -1."""
    if axis == -1:
        return (*shape, classes)
    if not 0 <= axis < len(shape):
        raise LayerError(f"axis must be -1 or one of the axes of {shape}, not {axis}", "axis")
    return (*shape[:axis], classes, *shape[axis:])


class Nonzero(Operation, frozen=True, kw_only=True):
    """The places of the elements that are not 0, one output for each axis."""

    shape_rule = "(...) → (places), ..."

    def infer_shape(self, x: Shape, /) -> Shapes:
        return collect_outputs([(None,)] * len(x), "x")


class Unique(Operation, frozen=True, kw_only=True):
    """The unique elements, or slices along `axis`, and perhaps their places and counts."""

    shape_rule = "(...) → (unknown)"

    sorted: Any = True
    return_index: bool = False
    return_inverse: bool = False
    return_counts: bool = False
    axis: Int64 | None = None
    size: Int64 | None = None
    fill_value: Any = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        count: Shape = (self.size,)
        values, inverse = count, x
        if self.axis is not None:
            axis = normalize_axis(self.axis, len(x))
            values, inverse = replace_axis_size(x, axis, self.size), (x[axis],)
        outputs = [values]
        outputs += [count] * self.return_index
        outputs += [inverse] * self.return_inverse
        outputs += [count] * self.return_counts
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def output_dtype(self, x: Dtypes, /) -> Dtypes:
        places = self.return_index + self.return_inverse + self.return_counts
        return (x, *["int32"] * places) if places else x


class _SegmentReduction(Operation, frozen=True, kw_only=True):
    """A reduction of each of `num_segments` parts of the first axis."""

    shape_rule = "(size, ...), (size) → (num_segments, ...)"

    num_segments: Int64 | None = None

    def infer_shape(self, data: Shape, _ids: Shape, /) -> Shapes:
        return (self.num_segments, *data[1:])


_SPACING_ARGUMENTS = {"num": 50, "endpoint": True, "dtype": None, "axis": 0}
COUNTING_GROUPS = (
    OperationGroup(
        _SpacedRange,
        {"Geomspace": _SPACING_ARGUMENTS, "Logspace": {**_SPACING_ARGUMENTS, "base": 10}},
        input_names=("start", "stop"),
    ),
    OperationGroup(
        _SegmentReduction,
        operations_named(
            "SegmentMax SegmentMin SegmentProd SegmentSum", num_segments=None, sorted=False
        ),
        input_names=("data", "segment_ids"),
    ),
)
