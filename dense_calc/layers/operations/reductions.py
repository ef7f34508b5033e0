"""Operations that make one number of the elements along axes, and those that need all of them."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.operations.operation import (
    AxesArgument,
    Int64,
    Int64Tuple,
    Operation,
    OperationGroup,
    axis_size,
    is_compatible_shape,
    normalize_axes,
    normalize_axis,
    remove_axes,
    without_arguments,
)
from dense_calc.shapes import Shape, Shapes, size_product

_REDUCTION_ARGUMENTS = {"axis": None, "keepdims": False}
_MATRIX_NORM_ORDERS = (None, "fro", "nuc", float("inf"), float("-inf"), 1, -1, 2, -2)


def _reduce_shape(
    shape: Shape, axes: AxesArgument, keepdims: bool, argument: str = "axis"
) -> Shape:
    """A shape without the axes that are reduced; None is all of them.

    Source: `reduce_shape` of keras/src/ops/operation_utils.py.
    """
    gone = range(len(shape)) if axes is None else normalize_axes(axes, len(shape), argument)
    if keepdims:
        ones = set(gone)
        return tuple(1 if axis in ones else size for axis, size in enumerate(shape))
    return remove_axes(shape, gone, argument)


class _ReductionBase(Operation, frozen=True, kw_only=True):
    """What an operation needs that reduces axes, or keeps them as 1."""

    shape_rule: ClassVar[str] = "(...) → (...')"

    axis: AxesArgument = None
    keepdims: bool = False


class Reduction(_ReductionBase, frozen=True, kw_only=True):
    """One number of those along `axis`, by default of all."""

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _reduce_shape(x, self.axis, self.keepdims)


class _TypedReduction(Reduction, frozen=True, kw_only=True):
    """One number of those along `axis`, with a dtype of its own."""

    dtype: InputDtype | None = None


class _SingleAxisReduction(Reduction, frozen=True, kw_only=True):
    """One number of those along one axis, by default of all."""

    axis: Int64 | None = None


class CountNonzero(Operation, frozen=True, kw_only=True):
    """How many of the numbers along `axis` are not 0."""

    shape_rule: ClassVar[str] = Reduction.shape_rule

    axis: AxesArgument = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _reduce_shape(x, self.axis, keepdims=False)


class _QuantileReduction(_ReductionBase, frozen=True, kw_only=True):
    """One number, or as many as `q` lists, of those along `axis`."""

    shape_rule: ClassVar[str] = "(...), (points) → (points, ...')"

    def infer_shape(self, x: Shape, points: Shape, /) -> Shapes:
        return (*points[:1], *_reduce_shape(x, self.axis, self.keepdims))


class Average(Operation, frozen=True, kw_only=True):
    """The average along `axis`, weighted by as many weights or by one for each element."""

    arity: ClassVar[range] = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("x", "weights")
    shape_rule: ClassVar[str] = Reduction.shape_rule

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, weights: Shape | None, /) -> Shapes:
        if weights is not None and not is_compatible_shape(x, weights):
            along = None if self.axis is None else (axis_size(x, self.axis),)
            if along is None or not is_compatible_shape(along, weights):
                raise LayerError(f"weights of {weights} do not fit an input of {x}")
        return _reduce_shape(x, self.axis, keepdims=False)


class Norm(Reduction, frozen=True, kw_only=True):
    """The norm of vectors, or of matrices where there are two axes."""

    ord: Int64 | float | str | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if isinstance(self.ord, str) and self.ord not in ("fro", "nuc"):
            raise LayerError(f"ord is 'fro', 'nuc' or a number, not '{self.ord}'", "ord")
        several = len(x) if self.axis is None else len(self.norm_axes())
        if several == 1 and isinstance(self.ord, str):
            raise LayerError(f"'{self.ord}' is a norm of matrices, and there is one axis", "ord")
        if several == 2 and self.ord not in _MATRIX_NORM_ORDERS:
            raise LayerError(f"{self.ord} is no norm of matrices", "ord")
        return _reduce_shape(x, self.axis, self.keepdims)

    def norm_axes(self) -> Int64Tuple:
        """The axes as they are given."""
        return self.axis if isinstance(self.axis, tuple) else (self.axis or 0,)


class Moments(Operation, frozen=True, kw_only=True):
    """The mean and the variance along `axes`."""

    shape_rule: ClassVar[str] = "(...) → (...'), (...')"

    axes: AxesArgument
    keepdims: bool = False
    synchronized: bool = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        both = _reduce_shape(x, self.axes, self.keepdims, "axes")
        return both, both


class Trapezoid(Operation, frozen=True, kw_only=True):
    """The integral along `axis`; Keras counts around an axis too far."""

    input_names: ClassVar[tuple[str, ...]] = ("y",)
    shape_rule: ClassVar[str] = Reduction.shape_rule

    x: Any = None
    dx: Any = 1.0
    axis: Int64 | None = -1

    def infer_shape(self, y: Shape, /) -> Shapes:
        return remove_axes(y, [self.axis % len(y)]) if y and self.axis is not None else y


class _ScalarReduction(Operation, frozen=True, kw_only=True):
    """One number of all of its inputs, whatever they are."""

    shape_rule: ClassVar[str] = "(...) → ()"

    def infer_shape(self, *_shapes: Shape) -> Shapes:
        return ()


class Ndim(Operation, frozen=True, kw_only=True):
    """The number of axes; Keras takes it for as many numbers."""

    shape_rule: ClassVar[str] = "(...) → (axes)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (len(x),)


class PSNR(Operation, frozen=True, kw_only=True):
    """The ratio of signal and noise; both inputs have as many axes."""

    arity: ClassVar[range] = range(2, 3)
    input_names: ClassVar[tuple[str, ...]] = ("x1", "x2")
    shape_rule: ClassVar[str] = "(...), (...) → ()"

    max_val: Any

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if len(one) != len(other):
            raise LayerError(f"{one} and {other} have other numbers of axes")
        return ()


class _FlatteningOperation(Operation, frozen=True, kw_only=True):
    """Keeps the shape, or makes one axis of all if `axis` is None. Keras looks no further."""

    shape_rule: ClassVar[str] = "(...) → (...)"

    axis: AxesArgument = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (size_product(x),) if self.axis is None else x


class _FlatteningAxisOperation(_FlatteningOperation, frozen=True, kw_only=True):
    """Keeps the shape, which must have the axis, or makes one axis of all if `axis` is None."""

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is not None:
            normalize_axis(self.axis, len(x))
        return _FlatteningOperation.infer_shape(self, x)


class Argpartition(_FlatteningOperation, frozen=True, kw_only=True):
    """The places of the smallest elements before those of the others."""

    kth: Int64
    axis: AxesArgument = -1


_QUANTILE_ARGUMENTS = {"axis": None, "method": "linear", "keepdims": False}
# fmt: off
OPERATION_GROUPS = (
    OperationGroup(Reduction, {
        "All": _REDUCTION_ARGUMENTS, "Amax": _REDUCTION_ARGUMENTS, "Amin": _REDUCTION_ARGUMENTS, "Any": _REDUCTION_ARGUMENTS, "Argmax": _REDUCTION_ARGUMENTS, "Argmin": _REDUCTION_ARGUMENTS,
        "Logsumexp": _REDUCTION_ARGUMENTS, "Max": {**_REDUCTION_ARGUMENTS, "initial": None}, "Mean": _REDUCTION_ARGUMENTS, "Median": _REDUCTION_ARGUMENTS,
        "Min": {**_REDUCTION_ARGUMENTS, "initial": None}, "Nanmax": _REDUCTION_ARGUMENTS, "Nanmean": _REDUCTION_ARGUMENTS, "Nanmedian": _REDUCTION_ARGUMENTS,
        "Nanmin": _REDUCTION_ARGUMENTS, "Nanprod": _REDUCTION_ARGUMENTS, "Nanstd": _REDUCTION_ARGUMENTS, "Nansum": _REDUCTION_ARGUMENTS, "Nanvar": _REDUCTION_ARGUMENTS,
        "Ptp": _REDUCTION_ARGUMENTS, "Std": _REDUCTION_ARGUMENTS, "Sum": _REDUCTION_ARGUMENTS, "Var": _REDUCTION_ARGUMENTS,
    }),
    OperationGroup(_TypedReduction, {"Prod": {**_REDUCTION_ARGUMENTS, "dtype": None}}),
    OperationGroup(_SingleAxisReduction, {"Nanargmax": _REDUCTION_ARGUMENTS, "Nanargmin": _REDUCTION_ARGUMENTS}),
    OperationGroup(_QuantileReduction, {
        "Nanpercentile": _QUANTILE_ARGUMENTS, "Nanquantile": _QUANTILE_ARGUMENTS,
        "Percentile": _QUANTILE_ARGUMENTS, "Quantile": _QUANTILE_ARGUMENTS,
    }, input_names=("x", "q")),
    OperationGroup(_ScalarReduction, without_arguments("Size")),
    OperationGroup(_ScalarReduction, without_arguments("Vdot"), input_names=("x1", "x2")),
    OperationGroup(_ScalarReduction, {
        "AllClose": {"rtol": 1e-05, "atol": 1e-08, "equal_nan": False},
    }, input_names=("x1", "x2")),
    OperationGroup(_FlatteningOperation, {
        "Nancumprod": {"axis": None, "dtype": None}, "Nancumsum": {"axis": None, "dtype": None},
    }),
    OperationGroup(_FlatteningAxisOperation, {
        "Argsort": {"axis": -1}, "Cumprod": {"axis": None, "dtype": None},
        "Cumsum": {"axis": None, "dtype": None}, "Sort": {"axis": -1},
    }),
)
# fmt: on
