"""Operations that join several inputs, or take one apart into several outputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS
from dense_calc.layers.operations.operation import (
    TWO,
    Int,
    Ints,
    OnAList,
    Operation,
    agree,
    demand_few,
    place,
    several,
    with_size,
    without,
)
from dense_calc.shapes import MAX_RANK, Shape, Shapes, Size, demand_rank, product, total, worked


def joined(shapes: Sequence[Shape], axis: int) -> Shape:
    """The shape of several one after the other along an axis that counts from the first.

    The other sizes are those of the first, also where they are unknown.
    """
    first = shapes[0]
    if any(axis >= len(shape) for shape in shapes):
        raise LayerError(f"axis {axis} is not in every input", "axis")
    for shape in shapes:
        if not agree(shape, first, but=axis):
            raise LayerError(f"cannot join {first} and {shape} along axis {axis}", "axis")
    return with_size(first, axis, total([shape[axis] for shape in shapes]))


class Concatenate(OnAList, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`."""

    rule: ClassVar[str] = "(..., first), (..., second) → (..., joined')"

    axis: Int = 0

    def result(self, *shapes: Shape) -> Shapes:
        return joined(shapes, place(self.axis, len(shapes[0])))


class Stack(OnAList, frozen=True, kw_only=True):
    """Its inputs one beside the other along a new axis."""

    rule: ClassVar[str] = "(...), (...) → (inputs, ...)"

    axis: Int = 0

    def result(self, *shapes: Shape) -> Shapes:
        first = shapes[0]
        axis = place(self.axis, len(first) + 1)
        for shape in shapes:
            if not agree(shape, first):
                raise LayerError(f"cannot stack {first} and {shape}")
        return (*first[:axis], len(shapes), *first[axis:])


class Stacked(OnAList, frozen=True, kw_only=True):
    """Its inputs one after the other along an axis that its name tells."""

    rule: ClassVar[str] = "(..., first), (..., second) → (..., joined')"
    along: ClassVar[int]

    def result(self, *shapes: Shape) -> Shapes:
        return joined(shapes, self.along)


class Vstack(Stacked, frozen=True, kw_only=True):
    """Its inputs one below the other, along the first axis."""

    along = 0


class Hstack(Stacked, frozen=True, kw_only=True):
    """Its inputs side by side, along the second axis; Keras refuses those with one."""

    along = 1


class Dstack(Stacked, frozen=True, kw_only=True):
    """Its inputs one behind the other, along the third axis, which they need not have."""

    along = 2

    def result(self, *shapes: Shape) -> Shapes:
        return joined([deep(shape) for shape in shapes], self.along)


def deep(shape: Shape) -> Shape:
    """A shape with three axes at least."""
    if len(shape) > 2:
        return shape
    return (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1)


class Append(Operation, frozen=True, kw_only=True):
    """One input after the other along `axis`, or as single numbers."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("x1", "x2")
    rule: ClassVar[str] = "(..., first), (..., second) → (..., joined')"

    axis: Int | None = None

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        if self.axis is None:
            return (total([product(one), product(other)]),)
        axis = place(self.axis, len(one))
        shape = joined([one, other], axis)
        if shape[axis] is None:
            raise LayerError(f"Keras cannot append where axis {self.axis} is unknown", "axis")
        return shape


class Split(Operation, frozen=True, kw_only=True):
    """As many equal parts along `axis`, or those between the places where it is cut."""

    rule: ClassVar[str] = "(size, ...) → (part', ...), ..."

    indices_or_sections: Int | Ints
    axis: Int = 0

    def result(self, x: Shape, /) -> Shapes:
        return split(x, self.indices_or_sections, place(self.axis, len(x)))


class AlongIts(Operation, frozen=True, kw_only=True):
    """Parts along an axis that its name tells, as Split gives them."""

    rule: ClassVar[str] = Split.rule
    along: ClassVar[int]

    indices_or_sections: Int | Ints

    def result(self, x: Shape, /) -> Shapes:
        axis = self.along
        demand_rank(x, axis + 1, "(first, second, third, ...)", or_more=True)
        return split(x, self.indices_or_sections, axis)


class Vsplit(AlongIts, frozen=True, kw_only=True):
    """Parts along the first axis; there must be a second."""

    along = 0

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        return split(x, self.indices_or_sections, self.along)


class Hsplit(AlongIts, frozen=True, kw_only=True):
    """Parts along the second axis, or the only one."""

    along = 1

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, "(first, ...)", or_more=True)
        return split(x, self.indices_or_sections, min(self.along, len(x) - 1))


class Dsplit(AlongIts, frozen=True, kw_only=True):
    """Parts along the third axis."""

    along = 2


def split(shape: Shape, parts: int | Ints, axis: int) -> Shapes:
    """The shapes of the parts of a shape. Source: `_compute_split_output_spec` of Keras."""
    argument, size = "indices_or_sections", shape[axis]
    demand_few(parts if isinstance(parts, int) else len(parts), argument)
    if isinstance(parts, int):
        if size is not None and (parts == 0 or size % parts):
            raise LayerError(f"a size of {size} is not divisible into {parts} parts", argument)
        each = None if size is None else worked(size // parts, f"{size} // {parts}")
        return several([with_size(shape, axis, each)] * parts, argument)
    cuts: tuple[Size, ...] = (0, *parts, size)
    return several((with_size(shape, axis, between(*pair)) for pair in pairwise(cuts)), argument)


def between(start: Size, end: Size) -> Size:
    """The size of what lies between two cuts."""
    return None if start is None or end is None else worked(end - start, f"{end} - {start}")


class ArraySplit(Operation, frozen=True, kw_only=True):
    """Parts along `axis` that are as equal as can be; the first are the larger ones."""

    rule: ClassVar[str] = Split.rule

    indices_or_sections: Int | Ints
    axis: Int = 0

    def result(self, x: Shape, /) -> Shapes:
        parts, argument = self.indices_or_sections, "indices_or_sections"
        if not isinstance(parts, int):
            raise LayerError("Keras wants the number of parts here, one integer", argument)
        demand_few(parts, argument)
        # Keras counts from the end twice: once itself, once as a list does.
        axis = place(self.axis + len(x) if self.axis < 0 else self.axis, len(x))
        size = x[axis]
        if size is None:
            return several([x] * parts, argument)
        small, larger = divmod(size, parts) if parts else (0, 0)
        return several(
            (with_size(x, axis, small + (part < larger)) for part in range(parts)), argument
        )


class Unstack(Operation, frozen=True, kw_only=True):
    """One output for each place along `axis`."""

    rule: ClassVar[str] = "(size, ...) → (...), ..."

    num: Int | None = None
    axis: Int = 0

    def result(self, x: Shape, /) -> Shapes:
        axis = place(self.axis, len(x))
        count = x[axis] if self.num is None else self.num
        if count is None:
            raise LayerError(f"axis {self.axis} of {x} is unknown; give num", "num")
        demand_few(count, "num")
        return several([without(x, [axis])] * count, "num")


class Meshgrid(Operation, frozen=True, kw_only=True):
    """The coordinates of a grid, one output for each input."""

    takes: ClassVar[range] = LIST_OF_INPUTS
    inputs: ClassVar[tuple[str, ...]] = ()
    rule: ClassVar[str] = "(first), (second) → (second, first), (second, first)"

    indexing: Literal["xy", "ij"] = "xy"

    def result(self, *shapes: Shape) -> Shapes:
        if len(shapes) > MAX_RANK:
            raise LayerError(f"a grid has at most {MAX_RANK} axes, not {len(shapes)}")
        grid = tuple(map(product, shapes))
        if self.indexing == "xy":
            if len(grid) == 1:
                raise LayerError("a grid of x and y needs two inputs at least", "indexing")
            grid = (grid[1], grid[0], *grid[2:])
        return (grid,) * len(shapes)
