"""Operations that give the same elements in other shapes or orders, or repeat them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DTYPE_BITS, InputDtype
from dense_calc.layers.operations.operation import (
    Int64,
    Int64Tuple,
    Operation,
    ShapeArgument,
    axis_size,
    normalize_axes,
    normalize_axis,
    remove_axes,
    replace_axis_size,
)
from dense_calc.shapes import (
    MAX_RANK,
    Shape,
    Shapes,
    Size,
    computed_size,
    demand_rank,
    format_sizes,
    size_product,
)

_EMPTY_SLOT = -1  # a place that no size has been moved to, or that it was moved from


class Reshape(Operation, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for what is left."""

    shape_rule: ClassVar[str] = "(...) → newshape"

    newshape: ShapeArgument

    def infer_shape(self, x: Shape, /) -> Shapes:
        target = self.newshape
        if target.count(-1) > 1 or any(size is not None and size < -1 for size in target):
            raise LayerError("newshape may hold -1 once, and no other negative size", "newshape")
        elements = size_product(x)
        if elements is None or None in target:
            return tuple(None if size == -1 else size for size in target)
        rest = math.prod(size for size in target if size is not None and size != -1)
        fits = elements == rest if -1 not in target else rest and elements % rest == 0
        if not fits:
            raise LayerError(
                f"newshape {list(target)} does not hold the elements of the input, {x}", "newshape"
            )
        left = elements // (rest or 1)
        return tuple(
            computed_size(left, f"{elements} // {rest}") if size == -1 else size for size in target
        )


class Ravel(Operation, frozen=True, kw_only=True):
    """All axes in one."""

    shape_rule: ClassVar[str] = "(...) → (elements)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (size_product(x),)


class ExpandDims(Operation, frozen=True, kw_only=True):
    """New axes of size 1; `axis` says where they stand in the output."""

    shape_rule: ClassVar[str] = "(...) → (..., 1, ...)"

    axis: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        given = (self.axis,) if isinstance(self.axis, int) else self.axis
        rank = len(x) + len(given)
        new = set(normalize_axes(given, rank))
        if len(new) < len(given) or rank > MAX_RANK:
            raise LayerError("axis names an axis twice, or too many", "axis")
        old = iter(x)
        return tuple(1 if axis in new else next(old) for axis in range(rank))


class Squeeze(Operation, frozen=True, kw_only=True):
    """Without axes of size 1: those of `axis`, or all."""

    shape_rule: ClassVar[str] = "(..., 1, ...) → (...)"

    axis: Int64 | Int64Tuple | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is None:
            return tuple(size for size in x if size != 1)
        gone = normalize_axes(self.axis, len(x))
        for axis in gone:
            if x[axis] != 1:
                raise LayerError(f"axis {axis} of {x} is not 1", "axis")
        return remove_axes(x, gone)


class Transpose(Operation, frozen=True, kw_only=True):
    """The axes in another order, by default the reverse."""

    shape_rule: ClassVar[str] = "(...) → (...')"

    axes: Int64Tuple | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axes is None:
            return x[::-1]
        order = normalize_axes(self.axes, len(x), "axes")
        if sorted(order) != list(range(len(x))):
            raise LayerError(f"axes must name each axis of {x} once", "axes")
        return tuple(x[axis] for axis in order)


class Swapaxes(Operation, frozen=True, kw_only=True):
    """Two axes change places."""

    shape_rule: ClassVar[str] = Transpose.shape_rule

    axis1: Int64
    axis2: Int64

    def infer_shape(self, x: Shape, /) -> Shapes:
        one, other = (
            normalize_axis(self.axis1, len(x), "axis1"),
            normalize_axis(self.axis2, len(x), "axis2"),
        )
        return replace_axis_size(replace_axis_size(x, one, x[other]), other, x[one])


class Moveaxis(Operation, frozen=True, kw_only=True):
    """Axes move to other places; the others keep their order."""

    shape_rule: ClassVar[str] = Transpose.shape_rule

    source: Int64 | Int64Tuple
    destination: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        sources = normalize_axes(self.source, len(x), "source")
        destinations = normalize_axes(self.destination, len(x), "destination")
        if len(sources) != len(destinations):
            raise LayerError("source and destination must name as many axes", "destination")
        left: list[Size] = list(x)
        moved: list[Size] = [_EMPTY_SLOT] * len(x)
        for source, destination in zip(sources, destinations, strict=True):
            moved[destination], left[source] = left[source], _EMPTY_SLOT
        rest = iter([size for size in left if size != _EMPTY_SLOT])
        if moved.count(_EMPTY_SLOT) > len(left) - left.count(_EMPTY_SLOT):
            raise LayerError("source or destination names an axis twice", "destination")
        return tuple(next(rest) if size == _EMPTY_SLOT else size for size in moved)


class Rot90(Operation, frozen=True, kw_only=True):
    """Turned in the plane of two axes. Keras exchanges them, whatever `k` is."""

    input_names: ClassVar[tuple[str, ...]] = ("array",)
    shape_rule: ClassVar[str] = Transpose.shape_rule

    k: Any = 1
    axes: Int64Tuple = (0, 1)

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        if len(self.axes) != 2 or self.axes[0] == self.axes[1]:
            raise LayerError(f"axes must be two, not {list(self.axes)}", "axes")
        one, other = normalize_axes(self.axes, len(x), "axes")
        return replace_axis_size(replace_axis_size(x, one, x[other]), other, x[one])


class View(Operation, frozen=True, kw_only=True):
    """The bytes of the last axis read as another dtype."""

    shape_rule: ClassVar[str] = "(..., size) → (..., size')"

    dtype: InputDtype | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x[:-1], None) if self.dtype else x  # only the dtype of the input tells

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        (x,), (read, *_) = shapes, dtypes
        if read is None:
            return super().output_spec(shapes, dtypes)
        made = self.output_dtype(read)
        held, size = _element_bytes(str(read)), _element_bytes(str(made))
        if held == size:
            return x, made
        last = axis_size(x, -1, "dtype")
        if last is None:
            return x, made
        if last * held % size:
            raise LayerError(f"{last} numbers of {read} cannot be read as {made}", "dtype")
        return (
            *x[:-1],
            computed_size(last * held // size, f"{format_sizes((last, held))} // {size}"),
        ), made


class ViewAsComplex(Operation, frozen=True, kw_only=True):
    """Pairs of numbers as complex ones; Keras does not look whether they are pairs."""

    shape_rule: ClassVar[str] = "(..., 2) → (...)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return x[:-1]


class ViewAsReal(Operation, frozen=True, kw_only=True):
    """Complex numbers as pairs."""

    shape_rule: ClassVar[str] = "(...) → (..., 2)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x, 2)


def _element_bytes(dtype: str) -> int:
    """The bytes of one element in an array.

    Raises:
        LayerError: text has no fixed number.
    """
    if dtype not in DTYPE_BITS:
        raise LayerError(f"elements of {dtype} have no fixed size", "dtype")
    return max(1, DTYPE_BITS[dtype] // 8)
