"""Reductions along axes, and operations such as sorts that read all elements along an axis."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.operations.operation import (
    AxesArgument,
    Int64,
    Operation,
    OperationGroup,
    axis_size,
    is_compatible_shape,
    normalize_axes,
    normalize_axis,
    operations_named,
    remove_axes,
)
from dense_calc.shapes import Shape, Shapes, as_tuple, size_product

_REDUCTION_ARGUMENTS: dict[str, Any] = {"axis": None, "keepdims": False}
_MATRIX_NORM_ORDERS = (None, "fro", "nuc", float("inf"), float("-inf"), 1, -1, 2, -2)


def _reduce_shape(
    shape: Shape, axes: AxesArgument, keepdims: bool, argument: str = "axis"
) -> Shape:
    """A shape after the reduction of `axes`, where None means all.

    Source: `reduce_shape` of keras/src/ops/operation_utils.py.
    """
    reduced = range(len(shape)) if axes is None else normalize_axes(axes, len(shape), argument)
    if keepdims:
        ones = set(reduced)
        return tuple(1 if axis in ones else size for axis, size in enumerate(shape))
    return remove_axes(shape, reduced, argument)


class _ReductionBase(Operation, frozen=True, kw_only=True):
    """An operation that reduces axes: it removes them, or keeps them with the size 1."""

    shape_rule = "(...) → (...')"

    axis: AxesArgument = None
    keepdims: bool = False


class Reduction(_ReductionBase, frozen=True, kw_only=True):
    """One number of all numbers along `axis`, by default of all elements."""

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _reduce_shape(x, self.axis, self.keepdims)


class _TypedReduction(Reduction, frozen=True, kw_only=True):
    """A reduction with an argument for the output dtype."""

    dtype: InputDtype | None = None


class _SingleAxisReduction(Reduction, frozen=True, kw_only=True):
    """A reduction along one axis, by default of all elements."""

    axis: Int64 | None = None


class CountNonzero(Operation, frozen=True, kw_only=True):
    """The count of the numbers along `axis` that are not 0."""

    shape_rule = Reduction.shape_rule

    axis: AxesArgument = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _reduce_shape(x, self.axis, keepdims=False)


class _QuantileReduction(_ReductionBase, frozen=True, kw_only=True):
    """Quantiles of the numbers along `axis`: one, or as many as `q` lists."""

    shape_rule = "(...), (points) → (points, ...')"

    def infer_shape(self, x: Shape, points: Shape, /) -> Shapes:
        return (*points[:1], *_reduce_shape(x, self.axis, self.keepdims))


class Average(Operation, frozen=True, kw_only=True):
    """The average along `axis`, with one weight for each place along it or for each element."""

    arity = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("x", "weights")
    shape_rule = Reduction.shape_rule

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, weights: Shape | None, /) -> Shapes:
        if weights is not None and not is_compatible_shape(x, weights):
            axis_shape = None if self.axis is None else (axis_size(x, self.axis),)
            if axis_shape is None or not is_compatible_shape(axis_shape, weights):
                raise LayerError(f"weights of {weights} do not fit an input of {x}")
        return _reduce_shape(x, self.axis, keepdims=False)


class Norm(Reduction, frozen=True, kw_only=True):
    """The norm of vectors along one axis, or of matrices along two."""

    ord: Int64 | float | str | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if isinstance(self.ord, str) and self.ord not in ("fro", "nuc"):
            raise LayerError(f"ord is 'fro', 'nuc' or a number, not '{self.ord}'", "ord")
        axis_count = len(x) if self.axis is None else len(as_tuple(self.axis))
        if axis_count == 1 and isinstance(self.ord, str):
            raise LayerError(f"'{self.ord}' is a norm of matrices, and there is one axis", "ord")
        if axis_count == 2 and self.ord not in _MATRIX_NORM_ORDERS:
            raise LayerError(f"{self.ord} is not a norm of matrices", "ord")
        return _reduce_shape(x, self.axis, self.keepdims)


class Moments(Operation, frozen=True, kw_only=True):
    """The mean and the variance along `axes`."""

    shape_rule = "(...) → (...'), (...')"

    axes: AxesArgument
    keepdims: bool = False
    synchronized: bool = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (_reduce_shape(x, self.axes, self.keepdims, "axes"),) * 2


class Trapezoid(Operation, frozen=True, kw_only=True):
    """The integral along `axis`, which Keras takes modulo the number of axes."""

    input_names: ClassVar[tuple[str, ...]] = ("y",)
    shape_rule = Reduction.shape_rule

    x: Any = None
    dx: Any = 1.0
    axis: Int64 | None = -1

    def infer_shape(self, y: Shape, /) -> Shapes:
        return remove_axes(y, [self.axis % len(y)]) if y and self.axis is not None else y


class _ScalarReduction(Operation, frozen=True, kw_only=True):
    """One number for inputs of any shape."""

    shape_rule = "(...) → ()"

    def infer_shape(self, *_shapes: Shape) -> Shapes:
        return ()


class Ndim(Operation, frozen=True, kw_only=True):
    """The number of axes; for Keras the output has as many elements."""

    shape_rule = "(...) → (axes)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (len(x),)


class PSNR(Operation, frozen=True, kw_only=True):
    """The ratio of signal to noise; both inputs must have the same number of axes."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x1", "x2")
    shape_rule = "(...), (...) → ()"

    max_val: Any

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if len(one) != len(other):
            raise LayerError(f"{one} and {other} have different numbers of axes")
        return ()


class _FlatteningOperation(Operation, frozen=True, kw_only=True):
    """Keeps the shape, or flattens it if `axis` is None; Keras does not check the axis."""

    shape_rule = "(...) → (...)"

    axis: AxesArgument = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (size_product(x),) if self.axis is None else x


class _FlatteningAxisOperation(_FlatteningOperation, frozen=True, kw_only=True):
    """Keeps the shape, in which `axis` must name an axis, or flattens it if `axis` is None."""

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is not None:
            normalize_axis(self.axis, len(x))
        return _FlatteningOperation.infer_shape(self, x)


class Argpartition(_FlatteningOperation, frozen=True, kw_only=True):
    """The places of elements along `axis`, those of the smallest first."""

    kth: Int64
    axis: AxesArgument = -1


# fmt: off
REDUCTIONS_GROUPS = (
    OperationGroup(Reduction, {
        **operations_named("""
            All Amax Amin Any Argmax Argmin Logsumexp Mean Median Nanmax Nanmean Nanmedian Nanmin
            Nanprod Nanstd Nansum Nanvar Ptp Std Sum Var
        """, **_REDUCTION_ARGUMENTS),
        **operations_named("Max Min", **_REDUCTION_ARGUMENTS, initial=None),
    }),
    OperationGroup(_TypedReduction, {"Prod": {**_REDUCTION_ARGUMENTS, "dtype": None}}),
    OperationGroup(
        _SingleAxisReduction, operations_named("Nanargmax Nanargmin", **_REDUCTION_ARGUMENTS)
    ),
    OperationGroup(
        _QuantileReduction,
        operations_named(
            "Nanpercentile Nanquantile Percentile Quantile",
            axis=None, method="linear", keepdims=False,
        ),
        input_names=("x", "q"),
    ),
    OperationGroup(_ScalarReduction, operations_named("Size")),
    OperationGroup(_ScalarReduction, {
        "AllClose": {"rtol": 1e-05, "atol": 1e-08, "equal_nan": False}, "Vdot": {},
    }, input_names=("x1", "x2")),
    OperationGroup(
        _FlatteningOperation, operations_named("Nancumprod Nancumsum", axis=None, dtype=None)
    ),
    OperationGroup(_FlatteningAxisOperation, {
        **operations_named("Argsort Sort", axis=-1),
        **operations_named("Cumprod Cumsum", axis=None, dtype=None),
    }),
)
# fmt: on
