"""Operations that make one number of the elements along axes, and those that need all of them."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.operations.operation import (
    Alike,
    Axes,
    Int,
    Ints,
    Operation,
    agree,
    at,
    place,
    places,
    plain,
    without,
)
from dense_calc.shapes import Shape, Shapes, product

KEPT = {"axis": None, "keepdims": False}
OF_MATRICES = (None, "fro", "nuc", float("inf"), float("-inf"), 1, -1, 2, -2)


def reduced(shape: Shape, axes: Axes, keepdims: bool, argument: str = "axis") -> Shape:
    """A shape without the axes that are reduced; None is all of them.

    Source: `reduce_shape` of keras/src/ops/operation_utils.py.
    """
    gone = range(len(shape)) if axes is None else places(axes, len(shape), argument)
    if keepdims:
        ones = set(gone)
        return tuple(1 if axis in ones else size for axis, size in enumerate(shape))
    return without(shape, gone, argument)


class AlongAxes(Operation, frozen=True, kw_only=True):
    """What an operation needs that reduces axes, or keeps them as 1."""

    rule: ClassVar[str] = "(...) → (...')"

    axis: Axes = None
    keepdims: bool = False


class Reduction(AlongAxes, frozen=True, kw_only=True):
    """One number of those along `axis`, by default of all."""

    def result(self, x: Shape, /) -> Shapes:
        return reduced(x, self.axis, self.keepdims)


class TypedReduction(Reduction, frozen=True, kw_only=True):
    """One number of those along `axis`, with a dtype of its own."""

    dtype: InputDtype | None = None


class AlongOne(Reduction, frozen=True, kw_only=True):
    """One number of those along one axis, by default of all."""

    axis: Int | None = None


class CountNonzero(Operation, frozen=True, kw_only=True):
    """How many of the numbers along `axis` are not 0."""

    rule: ClassVar[str] = Reduction.rule

    axis: Axes = None

    def result(self, x: Shape, /) -> Shapes:
        return reduced(x, self.axis, keepdims=False)


class Quantiles(AlongAxes, frozen=True, kw_only=True):
    """One number, or as many as `q` lists, of those along `axis`."""

    rule: ClassVar[str] = "(...), (points) → (points, ...')"

    def result(self, x: Shape, points: Shape, /) -> Shapes:
        return (*points[:1], *reduced(x, self.axis, self.keepdims))


class Average(Operation, frozen=True, kw_only=True):
    """The average along `axis`, weighted by as many weights or by one for each element."""

    takes: ClassVar[range] = range(1, 3)
    inputs: ClassVar[tuple[str, ...]] = ("x", "weights")
    rule: ClassVar[str] = Reduction.rule

    axis: Int | None = None

    def result(self, x: Shape, weights: Shape | None, /) -> Shapes:
        if weights is not None and not agree(x, weights):
            along = None if self.axis is None else (at(x, self.axis),)
            if along is None or not agree(along, weights):
                raise LayerError(f"weights of {weights} do not fit an input of {x}")
        return reduced(x, self.axis, keepdims=False)


class Norm(Reduction, frozen=True, kw_only=True):
    """The norm of vectors, or of matrices where there are two axes."""

    ord: Int | float | str | None = None

    def result(self, x: Shape, /) -> Shapes:
        if isinstance(self.ord, str) and self.ord not in ("fro", "nuc"):
            raise LayerError(f"ord is 'fro', 'nuc' or a number, not '{self.ord}'", "ord")
        several = len(x) if self.axis is None else len(self.axis_list())
        if several == 1 and isinstance(self.ord, str):
            raise LayerError(f"'{self.ord}' is a norm of matrices, and there is one axis", "ord")
        if several == 2 and self.ord not in OF_MATRICES:
            raise LayerError(f"{self.ord} is no norm of matrices", "ord")
        return reduced(x, self.axis, self.keepdims)

    def axis_list(self) -> Ints:
        """The axes as they are given."""
        return self.axis if isinstance(self.axis, tuple) else (self.axis or 0,)


class Moments(Operation, frozen=True, kw_only=True):
    """The mean and the variance along `axes`."""

    rule: ClassVar[str] = "(...) → (...'), (...')"

    axes: Axes
    keepdims: bool = False
    synchronized: bool = False

    def result(self, x: Shape, /) -> Shapes:
        both = reduced(x, self.axes, self.keepdims, "axes")
        return both, both


class Trapezoid(Operation, frozen=True, kw_only=True):
    """The integral along `axis`; Keras counts around an axis too far."""

    inputs: ClassVar[tuple[str, ...]] = ("y",)
    rule: ClassVar[str] = Reduction.rule

    x: Any = None
    dx: Any = 1.0
    axis: Int | None = -1

    def result(self, y: Shape, /) -> Shapes:
        return without(y, [self.axis % len(y)]) if y and self.axis is not None else y


class Scalar(Operation, frozen=True, kw_only=True):
    """One number of all of its inputs, whatever they are."""

    rule: ClassVar[str] = "(...) → ()"

    def result(self, *_shapes: Shape) -> Shapes:
        return ()


class Ndim(Operation, frozen=True, kw_only=True):
    """The number of axes; Keras takes it for as many numbers."""

    rule: ClassVar[str] = "(...) → (axes)"

    def result(self, x: Shape, /) -> Shapes:
        return (len(x),)


class PSNR(Operation, frozen=True, kw_only=True):
    """The ratio of signal and noise; both inputs have as many axes."""

    takes: ClassVar[range] = range(2, 3)
    inputs: ClassVar[tuple[str, ...]] = ("x1", "x2")
    rule: ClassVar[str] = "(...), (...) → ()"

    max_val: Any

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        if len(one) != len(other):
            raise LayerError(f"{one} and {other} have other numbers of axes")
        return ()


class Flat(Operation, frozen=True, kw_only=True):
    """Keeps the shape, or makes one axis of all if `axis` is None. Keras looks no further."""

    rule: ClassVar[str] = "(...) → (...)"

    axis: Axes = None

    def result(self, x: Shape, /) -> Shapes:
        return (product(x),) if self.axis is None else x


class FlatOrAlong(Flat, frozen=True, kw_only=True):
    """Keeps the shape, which must have the axis, or makes one axis of all if `axis` is None."""

    axis: Int | None = None

    def result(self, x: Shape, /) -> Shapes:
        if self.axis is not None:
            place(self.axis, len(x))
        return Flat.result(self, x)


class Argpartition(Flat, frozen=True, kw_only=True):
    """The places of the smallest elements before those of the others."""

    kth: Int
    axis: Axes = -1


QUANTILES = {"axis": None, "method": "linear", "keepdims": False}
# fmt: off
ALIKE = (
    Alike(Reduction, {
        "All": KEPT, "Amax": KEPT, "Amin": KEPT, "Any": KEPT, "Argmax": KEPT, "Argmin": KEPT,
        "Logsumexp": KEPT, "Max": {**KEPT, "initial": None}, "Mean": KEPT, "Median": KEPT,
        "Min": {**KEPT, "initial": None}, "Nanmax": KEPT, "Nanmean": KEPT, "Nanmedian": KEPT,
        "Nanmin": KEPT, "Nanprod": KEPT, "Nanstd": KEPT, "Nansum": KEPT, "Nanvar": KEPT,
        "Ptp": KEPT, "Std": KEPT, "Sum": KEPT, "Var": KEPT,
    }),
    Alike(TypedReduction, {"Prod": {**KEPT, "dtype": None}}),
    Alike(AlongOne, {"Nanargmax": KEPT, "Nanargmin": KEPT}),
    Alike(Quantiles, {
        "Nanpercentile": QUANTILES, "Nanquantile": QUANTILES,
        "Percentile": QUANTILES, "Quantile": QUANTILES,
    }, inputs=("x", "q")),
    Alike(Scalar, plain("Size")),
    Alike(Scalar, plain("Vdot"), inputs=("x1", "x2")),
    Alike(Scalar, {
        "AllClose": {"rtol": 1e-05, "atol": 1e-08, "equal_nan": False},
    }, inputs=("x1", "x2")),
    Alike(Flat, {
        "Nancumprod": {"axis": None, "dtype": None}, "Nancumsum": {"axis": None, "dtype": None},
    }),
    Alike(FlatOrAlong, {
        "Argsort": {"axis": -1}, "Cumprod": {"axis": None, "dtype": None},
        "Cumsum": {"axis": None, "dtype": None}, "Sort": {"axis": -1},
    }),
)
# fmt: on
