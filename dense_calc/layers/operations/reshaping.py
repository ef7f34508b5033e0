"""Operations that keep the elements and change their shape, their order or their dtype."""

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
    as_tuple,
    computed_size,
    demand_rank,
    format_sizes,
    size_product,
)

_EMPTY_SLOT = -1  # a place without a size, in the shape before or after a move


class Reshape(Operation, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for the size that the others leave."""

    shape_rule = "(...) → newshape"

    newshape: ShapeArgument

    def infer_shape(self, x: Shape, /) -> Shapes:
        target = self.newshape
        if target.count(-1) > 1 or any(size is not None and size < -1 for size in target):
            raise LayerError("newshape may hold -1 once, and no other negative size", "newshape")
        elements = size_product(x)
        if elements is None or None in target:
            return tuple(None if size == -1 else size for size in target)
        known = math.prod(size for size in target if size is not None and size != -1)
        fits = elements == known if -1 not in target else known and elements % known == 0
        if not fits:
            raise LayerError(
                f"newshape {list(target)} does not hold the elements of the input, {x}", "newshape"
            )
        return tuple(
            computed_size(elements // known, f"{elements} // {known}") if size == -1 else size
            for size in target
        )


class Ravel(Operation, frozen=True, kw_only=True):
    """All axes in one."""

    shape_rule = "(...) → (elements)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (size_product(x),)


class ExpandDims(Operation, frozen=True, kw_only=True):
    """New axes of size 1 at the places `axis` of the output."""

    shape_rule = "(...) → (..., 1, ...)"

    axis: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        axes = as_tuple(self.axis)
        rank = len(x) + len(axes)
        new = set(normalize_axes(axes, rank))
        if len(new) < len(axes) or rank > MAX_RANK:
            raise LayerError("axis names an axis twice, or too many", "axis")
        old = iter(x)
        return tuple(1 if axis in new else next(old) for axis in range(rank))


class Squeeze(Operation, frozen=True, kw_only=True):
    """Removes axes of size 1: those of `axis`, or all."""

    shape_rule = "(..., 1, ...) → (...)"

    axis: Int64 | Int64Tuple | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is None:
            return tuple(size for size in x if size != 1)
        axes = normalize_axes(self.axis, len(x))
        for axis in axes:
            if x[axis] != 1:
                raise LayerError(f"axis {axis} of {x} is not 1", "axis")
        return remove_axes(x, axes)


class Transpose(Operation, frozen=True, kw_only=True):
    """The axes in another order, by default in the reverse order."""

    shape_rule = "(...) → (...')"

    axes: Int64Tuple | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axes is None:
            return x[::-1]
        order = normalize_axes(self.axes, len(x), "axes")
        if sorted(order) != list(range(len(x))):
            raise LayerError(f"axes must name each axis of {x} once", "axes")
        return tuple(x[axis] for axis in order)


class Swapaxes(Operation, frozen=True, kw_only=True):
    """Exchanges two axes."""

    shape_rule = Transpose.shape_rule

    axis1: Int64
    axis2: Int64

    def infer_shape(self, x: Shape, /) -> Shapes:
        axis1 = normalize_axis(self.axis1, len(x), "axis1")
        axis2 = normalize_axis(self.axis2, len(x), "axis2")
        return _swap_axes(x, axis1, axis2)


class Moveaxis(Operation, frozen=True, kw_only=True):
    """Moves axes to other places; the other axes keep their order."""

    shape_rule = Transpose.shape_rule

    source: Int64 | Int64Tuple
    destination: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        sources = normalize_axes(self.source, len(x), "source")
        destinations = normalize_axes(self.destination, len(x), "destination")
        if len(sources) != len(destinations):
            raise LayerError("source and destination must name as many axes", "destination")
        remaining: list[Size] = list(x)
        moved: list[Size] = [_EMPTY_SLOT] * len(x)
        for source, destination in zip(sources, destinations, strict=True):
            moved[destination], remaining[source] = remaining[source], _EMPTY_SLOT
        others = iter([size for size in remaining if size != _EMPTY_SLOT])
        if moved.count(_EMPTY_SLOT) > len(remaining) - remaining.count(_EMPTY_SLOT):
            raise LayerError("source or destination names an axis twice", "destination")
        return tuple(next(others) if size == _EMPTY_SLOT else size for size in moved)


class Rot90(Operation, frozen=True, kw_only=True):
    """A rotation in the plane of two axes, which Keras exchanges whatever `k` is."""

    input_names: ClassVar[tuple[str, ...]] = ("array",)
    shape_rule = Transpose.shape_rule

    k: Any = 1
    axes: Int64Tuple = (0, 1)

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        if len(self.axes) != 2 or self.axes[0] == self.axes[1]:
            raise LayerError(f"axes must be two, not {list(self.axes)}", "axes")
        one, other = normalize_axes(self.axes, len(x), "axes")
        return _swap_axes(x, one, other)


def _swap_axes(shape: Shape, one: int, other: int) -> Shape:
    """A shape with two axes exchanged."""
    return replace_axis_size(replace_axis_size(shape, one, shape[other]), other, shape[one])


class View(Operation, frozen=True, kw_only=True):
    """The same bytes with another dtype; the last axis becomes longer or shorter."""

    shape_rule = "(..., size) → (..., size')"

    dtype: InputDtype | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x[:-1], None) if self.dtype else x  # the size depends on the input dtype

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        (x,), (input_dtype, *_) = shapes, dtypes
        if input_dtype is None:
            return super().output_spec(shapes, dtypes)
        dtype = self.output_dtype(input_dtype)
        input_bytes, output_bytes = _element_bytes(str(input_dtype)), _element_bytes(str(dtype))
        if input_bytes == output_bytes:
            return x, dtype
        size = axis_size(x, -1, "dtype")
        if size is None:
            return x, dtype
        if size * input_bytes % output_bytes:
            raise LayerError(f"{size} numbers of {input_dtype} cannot be read as {dtype}", "dtype")
        arithmetic = f"{format_sizes((size, input_bytes))} // {output_bytes}"
        return (*x[:-1], computed_size(size * input_bytes // output_bytes, arithmetic)), dtype


class ViewAsComplex(Operation, frozen=True, kw_only=True):
    """Pairs of numbers as complex numbers; Keras does not check that they are pairs."""

    shape_rule = "(..., 2) → (...)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return x[:-1]


class ViewAsReal(Operation, frozen=True, kw_only=True):
    """Complex numbers as pairs of numbers."""

    shape_rule = "(...) → (..., 2)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x, 2)


def _element_bytes(dtype: str) -> int:
    """The bytes of one element of this dtype; LayerError for text, which has no fixed number."""
    if dtype not in DTYPE_BITS:
        raise LayerError(f"elements of dtype {dtype} have no fixed size", "dtype")
    return max(1, DTYPE_BITS[dtype] // 8)
