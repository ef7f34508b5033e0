"""Operations that join several inputs, or split one into several outputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, TWO_INPUTS
from dense_calc.layers.operations.operation import (
    Int64,
    Int64Tuple,
    ListOperation,
    Operation,
    collect_outputs,
    demand_few_outputs,
    is_compatible_shape,
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
    size_product,
    size_sum,
)


def _concatenate_shapes(shapes: Sequence[Shape], axis: int) -> Shape:
    """The shape of several inputs one after the other along `axis`, counted from the first axis.

    All other sizes are those of the first input, even where they are unknown.
    """
    first = shapes[0]
    if any(axis >= len(shape) for shape in shapes):
        raise LayerError(f"axis {axis} is not in every input", "axis")
    for shape in shapes:
        if not is_compatible_shape(shape, first, but=axis):
            raise LayerError(f"cannot join {first} and {shape} along axis {axis}", "axis")
    return replace_axis_size(first, axis, size_sum([shape[axis] for shape in shapes]))


class Concatenate(ListOperation, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`."""

    shape_rule = "(..., first), (..., second) → (..., joined')"

    axis: Int64 = 0

    def infer_shape(self, *shapes: Shape) -> Shapes:
        return _concatenate_shapes(shapes, normalize_axis(self.axis, len(shapes[0])))


class Stack(ListOperation, frozen=True, kw_only=True):
    """Its inputs one beside the other along a new axis."""

    shape_rule = "(...), (...) → (inputs, ...)"

    axis: Int64 = 0

    def infer_shape(self, *shapes: Shape) -> Shapes:
        first = shapes[0]
        axis = normalize_axis(self.axis, len(first) + 1)
        for shape in shapes:
            if not is_compatible_shape(shape, first):
                raise LayerError(f"cannot stack {first} and {shape}")
        return (*first[:axis], len(shapes), *first[axis:])


class _FixedAxisStack(ListOperation, frozen=True, kw_only=True):
    """Its inputs one after the other along an axis that depends on the operation."""

    shape_rule = "(..., first), (..., second) → (..., joined')"
    _fixed_axis: ClassVar[int]

    def infer_shape(self, *shapes: Shape) -> Shapes:
        return _concatenate_shapes(shapes, self._fixed_axis)


class Vstack(_FixedAxisStack, frozen=True, kw_only=True):
    """Its inputs one below the other, along the first axis."""

    _fixed_axis = 0


class Hstack(_FixedAxisStack, frozen=True, kw_only=True):
    """Its inputs side by side, along the second axis; Keras refuses those with one."""

    _fixed_axis = 1


class Dstack(_FixedAxisStack, frozen=True, kw_only=True):
    """Its inputs one behind the other, along the third axis, which Keras adds if it is missing."""

    _fixed_axis = 2

    def infer_shape(self, *shapes: Shape) -> Shapes:
        return _concatenate_shapes([_expand_to_3d(shape) for shape in shapes], self._fixed_axis)


def _expand_to_3d(shape: Shape) -> Shape:
    """A shape with axes of size 1 for those of the first three that it lacks."""
    if len(shape) > 2:
        return shape
    return (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1)


class Append(Operation, frozen=True, kw_only=True):
    """One input after the other along `axis`, or both flattened."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x1", "x2")
    shape_rule = "(..., first), (..., second) → (..., joined')"

    axis: Int64 | None = None

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if self.axis is None:
            return (size_sum([size_product(one), size_product(other)]),)
        axis = normalize_axis(self.axis, len(one))
        shape = _concatenate_shapes([one, other], axis)
        if shape[axis] is None:
            raise LayerError(f"Keras cannot append where axis {self.axis} is unknown", "axis")
        return shape


class Split(Operation, frozen=True, kw_only=True):
    """A number of equal parts along `axis`, or the parts between places where it is cut."""

    shape_rule = "(size, ...) → (part', ...), ..."

    indices_or_sections: Int64 | Int64Tuple
    axis: Int64 = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _split_shape(x, self.indices_or_sections, normalize_axis(self.axis, len(x)))


class _FixedAxisSplit(Operation, frozen=True, kw_only=True):
    """Parts along an axis that depends on the operation, as Split makes them."""

    shape_rule = Split.shape_rule
    _fixed_axis: ClassVar[int]

    indices_or_sections: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        axis = self._fixed_axis
        demand_rank(x, axis + 1, "(first, second, third, ...)", or_more=True)
        return _split_shape(x, self.indices_or_sections, axis)


class Vsplit(_FixedAxisSplit, frozen=True, kw_only=True):
    """Parts along the first axis; there must be a second."""

    _fixed_axis = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        return _split_shape(x, self.indices_or_sections, self._fixed_axis)


class Hsplit(_FixedAxisSplit, frozen=True, kw_only=True):
    """Parts along the second axis, or the only one."""

    _fixed_axis = 1

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, "(first, ...)", or_more=True)
        return _split_shape(x, self.indices_or_sections, min(self._fixed_axis, len(x) - 1))


class Dsplit(_FixedAxisSplit, frozen=True, kw_only=True):
    """Parts along the third axis."""

    _fixed_axis = 2


def _split_shape(shape: Shape, parts: int | Int64Tuple, axis: int) -> Shapes:
    """The shapes of the parts of a shape. Source: `_compute_split_output_spec` of Keras."""
    argument, size = "indices_or_sections", shape[axis]
    demand_few_outputs(parts if isinstance(parts, int) else len(parts), argument)
    if isinstance(parts, int):
        if size is not None and (parts == 0 or size % parts):
            raise LayerError(f"a size of {size} is not divisible into {parts} parts", argument)
        part = None if size is None else computed_size(size // parts, f"{size} // {parts}")
        return collect_outputs([replace_axis_size(shape, axis, part)] * parts, argument)
    cuts: tuple[Size, ...] = (0, *parts, size)
    return collect_outputs(
        (replace_axis_size(shape, axis, _section_size(*pair)) for pair in pairwise(cuts)), argument
    )


def _section_size(start: Size, end: Size) -> Size:
    """The size of the part between two cuts."""
    return None if start is None or end is None else computed_size(end - start, f"{end} - {start}")


class ArraySplit(Operation, frozen=True, kw_only=True):
    """Parts along `axis` whose sizes differ by 1 at most, larger ones first."""

    shape_rule = Split.shape_rule

    indices_or_sections: Int64 | Int64Tuple
    axis: Int64 = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        parts, argument = self.indices_or_sections, "indices_or_sections"
        if not isinstance(parts, int):
            raise LayerError("Keras needs the number of parts here, one integer", argument)
        demand_few_outputs(parts, argument)
        # Keras adds the rank to a negative axis, and then a list may count from its end again.
        axis = normalize_axis(self.axis + len(x) if self.axis < 0 else self.axis, len(x))
        size = x[axis]
        if size is None:
            return collect_outputs([x] * parts, argument)
        smaller, larger_count = divmod(size, parts) if parts else (0, 0)
        return collect_outputs(
            (replace_axis_size(x, axis, smaller + (part < larger_count)) for part in range(parts)),
            argument,
        )


class Unstack(Operation, frozen=True, kw_only=True):
    """One output for each place along `axis`."""

    shape_rule = "(size, ...) → (...), ..."

    num: Int64 | None = None
    axis: Int64 = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        axis = normalize_axis(self.axis, len(x))
        count = x[axis] if self.num is None else self.num
        if count is None:
            raise LayerError(f"axis {self.axis} of {x} is unknown; give num", "num")
        demand_few_outputs(count, "num")
        return collect_outputs([remove_axes(x, [axis])] * count, "num")


class Meshgrid(Operation, frozen=True, kw_only=True):
    """The coordinates of all points of a grid, one output for each input."""

    arity = LIST_OF_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ()
    shape_rule = "(first), (second) → (second, first), (second, first)"

    indexing: Literal["xy", "ij"] = "xy"

    def infer_shape(self, *shapes: Shape) -> Shapes:
        if len(shapes) > MAX_RANK:
            raise LayerError(f"a grid has at most {MAX_RANK} axes, not {len(shapes)}")
        grid = tuple(map(size_product, shapes))
        if self.indexing == "xy":
            if len(grid) == 1:
                raise LayerError("a grid of x and y needs two inputs at least", "indexing")
            grid = (grid[1], grid[0], *grid[2:])
        return (grid,) * len(shapes)
