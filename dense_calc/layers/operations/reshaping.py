"""Operations that give the same elements in other shapes or orders, or repeat them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import BITS, InputDtype
from dense_calc.layers.operations.operation import (
    Int,
    Ints,
    Operation,
    Sizes,
    at,
    place,
    places,
    with_size,
    without,
)
from dense_calc.shapes import MAX_RANK, Shape, Shapes, Size, demand_rank, product, times, worked

BLANK = -1  # a place that no size has been moved to, or that it was moved from


class Reshape(Operation, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for what is left."""

    rule: ClassVar[str] = "(...) → newshape"

    newshape: Sizes

    def result(self, x: Shape, /) -> Shapes:
        target = self.newshape
        if target.count(-1) > 1 or any(size is not None and size < -1 for size in target):
            raise LayerError("newshape may hold -1 once, and no other negative size", "newshape")
        elements = product(x)
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
            worked(left, f"{elements} // {rest}") if size == -1 else size for size in target
        )


class Ravel(Operation, frozen=True, kw_only=True):
    """All axes in one."""

    rule: ClassVar[str] = "(...) → (elements)"

    def result(self, x: Shape, /) -> Shapes:
        return (product(x),)


class ExpandDims(Operation, frozen=True, kw_only=True):
    """New axes of size 1; `axis` says where they stand in the output."""

    rule: ClassVar[str] = "(...) → (..., 1, ...)"

    axis: Int | Ints

    def result(self, x: Shape, /) -> Shapes:
        given = (self.axis,) if isinstance(self.axis, int) else self.axis
        rank = len(x) + len(given)
        new = set(places(given, rank))
        if len(new) < len(given) or rank > MAX_RANK:
            raise LayerError("axis names an axis twice, or too many", "axis")
        old = iter(x)
        return tuple(1 if axis in new else next(old) for axis in range(rank))


class Squeeze(Operation, frozen=True, kw_only=True):
    """Without axes of size 1: those of `axis`, or all."""

    rule: ClassVar[str] = "(..., 1, ...) → (...)"

    axis: Int | Ints | None = None

    def result(self, x: Shape, /) -> Shapes:
        if self.axis is None:
            return tuple(size for size in x if size != 1)
        gone = places(self.axis, len(x))
        for axis in gone:
            if x[axis] != 1:
                raise LayerError(f"axis {axis} of {x} is not 1", "axis")
        return without(x, gone)


class Transpose(Operation, frozen=True, kw_only=True):
    """The axes in another order, by default the reverse."""

    rule: ClassVar[str] = "(...) → (...')"

    axes: Ints | None = None

    def result(self, x: Shape, /) -> Shapes:
        if self.axes is None:
            return x[::-1]
        order = places(self.axes, len(x), "axes")
        if sorted(order) != list(range(len(x))):
            raise LayerError(f"axes must name each axis of {x} once", "axes")
        return tuple(x[axis] for axis in order)


class Swapaxes(Operation, frozen=True, kw_only=True):
    """Two axes change places."""

    rule: ClassVar[str] = Transpose.rule

    axis1: Int
    axis2: Int

    def result(self, x: Shape, /) -> Shapes:
        one, other = place(self.axis1, len(x), "axis1"), place(self.axis2, len(x), "axis2")
        return with_size(with_size(x, one, x[other]), other, x[one])


class Moveaxis(Operation, frozen=True, kw_only=True):
    """Axes move to other places; the others keep their order."""

    rule: ClassVar[str] = Transpose.rule

    source: Int | Ints
    destination: Int | Ints

    def result(self, x: Shape, /) -> Shapes:
        sources = places(self.source, len(x), "source")
        destinations = places(self.destination, len(x), "destination")
        if len(sources) != len(destinations):
            raise LayerError("source and destination must name as many axes", "destination")
        left: list[Size] = list(x)
        moved: list[Size] = [BLANK] * len(x)
        for source, destination in zip(sources, destinations, strict=True):
            moved[destination], left[source] = left[source], BLANK
        rest = iter([size for size in left if size != BLANK])
        if moved.count(BLANK) > len(left) - left.count(BLANK):
            raise LayerError("source or destination names an axis twice", "destination")
        return tuple(next(rest) if size == BLANK else size for size in moved)


class Rot90(Operation, frozen=True, kw_only=True):
    """Turned in the plane of two axes. Keras exchanges them, whatever `k` is."""

    inputs: ClassVar[tuple[str, ...]] = ("array",)
    rule: ClassVar[str] = Transpose.rule

    k: Any = 1
    axes: Ints = (0, 1)

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        if len(self.axes) != 2 or self.axes[0] == self.axes[1]:
            raise LayerError(f"axes must be two, not {list(self.axes)}", "axes")
        one, other = places(self.axes, len(x), "axes")
        return with_size(with_size(x, one, x[other]), other, x[one])


class View(Operation, frozen=True, kw_only=True):
    """The bytes of the last axis read as another dtype."""

    rule: ClassVar[str] = "(..., size) → (..., size')"

    dtype: InputDtype | None = None

    def result(self, x: Shape, /) -> Shapes:
        return (*x[:-1], None) if self.dtype else x  # only the dtype of the input tells

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        (x,), (read, *_) = shapes, dtypes
        if read is None:
            return super().output_spec(shapes, dtypes)
        made = self.output_dtype(read)
        held, size = bytes_of(str(read)), bytes_of(str(made))
        if held == size:
            return x, made
        last = at(x, -1, "dtype")
        if last is None:
            return x, made
        if last * held % size:
            raise LayerError(f"{last} numbers of {read} cannot be read as {made}", "dtype")
        return (*x[:-1], worked(last * held // size, f"{times((last, held))} // {size}")), made


class ViewAsComplex(Operation, frozen=True, kw_only=True):
    """Pairs of numbers as complex ones; Keras does not look whether they are pairs."""

    rule: ClassVar[str] = "(..., 2) → (...)"

    def result(self, x: Shape, /) -> Shapes:
        return x[:-1]


class ViewAsReal(Operation, frozen=True, kw_only=True):
    """Complex numbers as pairs."""

    rule: ClassVar[str] = "(...) → (..., 2)"

    def result(self, x: Shape, /) -> Shapes:
        return (*x, 2)


def bytes_of(dtype: str) -> int:
    """The bytes of one element in an array.

    Raises:
        LayerError: text has no fixed number.
    """
    if dtype not in BITS:
        raise LayerError(f"elements of {dtype} have no fixed size", "dtype")
    return max(1, BITS[dtype] // 8)
