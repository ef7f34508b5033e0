"""Products of two or more inputs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, TWO_INPUTS
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.operations.operation import (
    Int64,
    Int64Tuple,
    Operation,
    axis_size,
    drop_axes,
    is_compatible_shape,
    normalize_axes,
    normalize_axis,
)
from dense_calc.shapes import Shape, Shapes, Size, computed_size, demand_rank, size_product

_MAX_SUBSCRIPTS_LENGTH = 1000  # characters of a formula: more axes than there can be
_CROSS_VECTOR_SIZES = (2, 3, None)  # of vectors that have a cross product


class _BinaryOperation(Operation, frozen=True, kw_only=True):
    """An operation on two inputs."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x1", "x2")
    shape_rule = "(..., size), (..., size) → (...')"


class Matmul(_BinaryOperation, frozen=True, kw_only=True):
    """The product of matrices, or of vectors; the axes before the last two broadcast."""

    shape_rule = "(..., rows, size), (..., size, columns) → (..., rows, columns)"

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 1, "(..., size)", or_more=True)
        demand_rank(other, 1, "(..., size)", or_more=True)
        left = one if len(one) > 1 else (1, *one)
        right = other if len(other) > 1 else (*other, 1)
        _demand_equal_sizes(left[-1], right[-2], one, other)
        rows, columns = left[-2:-1] * (len(one) > 1), right[-1:] * (len(other) > 1)
        return (*broadcast_shapes(left[:-2], right[:-2]), *rows, *columns)


class Dot(_BinaryOperation, frozen=True, kw_only=True):
    """The product over the last axis of one input and the last but one of the other.

    Keras does not compare the sizes of two vectors. Of a matrix and a vector both sizes must be
    known, or both unknown.
    """

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if not one or not other:
            return broadcast_shapes(one, other)
        if len(other) == 1:
            if len(one) > 1 and one[-1] != other[0]:
                raise LayerError(f"the last sizes of {one} and {other} must be the same")
            return one[:-1]
        _demand_equal_sizes(one[-1], other[-2], one, other)
        return (*one[:-1], *other[:-2], other[-1])


class Inner(_BinaryOperation, frozen=True, kw_only=True):
    """The inner product of each pair of vectors along the last axes."""

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if one and other:
            _demand_equal_sizes(one[-1], other[-1], one, other)
            return one[:-1] + other[:-1]
        return one or other


class Outer(_BinaryOperation, frozen=True, kw_only=True):
    """The product of each element of one input with each of the other."""

    shape_rule = "(...), (...) → (first, second)"

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        return size_product(one), size_product(other)


class Kron(_BinaryOperation, frozen=True, kw_only=True):
    """The Kronecker product; Keras drops the axes that one input lacks."""

    shape_rule = "(...), (...) → (...')"

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        return tuple(size_product(sizes) for sizes in zip(one, other, strict=False))


class Cross(_BinaryOperation, frozen=True, kw_only=True):
    """The cross product of vectors of 2 or 3 numbers."""

    shape_rule = "(..., 3), (..., 3) → (..., 3)"

    axisa: Int64 = -1
    axisb: Int64 = -1
    axisc: Int64 = -1
    axis: Int64 | None = None

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        first, second, third = (
            (self.axisa, self.axisb, self.axisc) if self.axis is None else (self.axis,) * 3
        )
        sizes = axis_size(one, first, "axisa"), axis_size(other, second, "axisb")
        if any(size not in _CROSS_VECTOR_SIZES for size in sizes):
            raise LayerError(f"vectors have 2 or 3 numbers, not {sizes[0]} and {sizes[1]}")
        others = broadcast_shapes(
            drop_axes(one, normalize_axes(first, len(one))),
            drop_axes(other, normalize_axes(second, len(other))),
        )
        vector = (3,) * (3 in sizes)
        axis = normalize_axis(third, len(others) + len(vector), "axisc")
        return (*others[:axis], *vector, *others[axis:])


class Tensordot(_BinaryOperation, frozen=True, kw_only=True):
    """The product over several axes: a number of last and first axes, or lists of axes.

    If `axes` is a number, Keras does not compare the sizes.
    """

    axes: Int64 | tuple[Int64Tuple, ...] = 2

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        if isinstance(self.axes, int):
            return one + other if self.axes <= 0 else one[: -self.axes] + other[self.axes :]
        if len(self.axes) < 2:
            raise LayerError("axes must be a number, or a list for each input", "axes")
        left = normalize_axes(self.axes[0], len(one), "axes")
        right = normalize_axes(self.axes[1], len(other), "axes")
        left_sizes = tuple(one[axis] for axis in left)
        if not is_compatible_shape(left_sizes, tuple(other[axis] for axis in right)):
            raise LayerError(f"along axes {list(self.axes)} {one} and {other} differ", "axes")
        return drop_axes(one, left) + drop_axes(other, right)


class CDist(Operation, frozen=True, kw_only=True):
    """The distance between each row of one input and each row of the other."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x", "y")
    shape_rule = "(..., first, size), (..., second, size) → (..., first, second)"

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 2, "(..., rows, size)", or_more=True)
        demand_rank(other, 2, "(..., rows, size)", or_more=True)
        _demand_equal_sizes(one[-1], other[-1], one, other)
        return (*broadcast_shapes(one[:-2], other[:-2]), one[-2], other[-2])


class Correlate(_BinaryOperation, frozen=True, kw_only=True):
    """The correlation of two sequences; their lengths must be known."""

    shape_rule = "(first), (second) → (places)"

    mode: Literal["valid", "same", "full"] = "valid"

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 1, "(length)")
        demand_rank(other, 1, "(length)")
        if one[0] is None or other[0] is None:
            raise LayerError("both lengths must be known")
        short, long = sorted((one[0], other[0]))
        if self.mode == "same":
            return (long,)
        if self.mode == "full":
            return (computed_size(long + short - 1, f"{long} + {short} - 1"),)
        return (computed_size(long - short + 1, f"{long} - {short} + 1"),)


class Einsum(Operation, frozen=True, kw_only=True):
    """A sum of products in Einstein's notation, read as Keras reads it."""

    arity = LIST_OF_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ()
    shape_rule = "(...), (...) → subscripts"

    subscripts: Annotated[str, Meta(max_length=_MAX_SUBSCRIPTS_LENGTH)]

    def infer_shape(self, *shapes: Shape) -> Shapes:
        left, *outputs = self.subscripts.split("->")
        operands = left.split(",")
        if len(outputs) > 1 or len(operands) != len(shapes):
            raise LayerError(
                f"'{self.subscripts}' does not speak of {len(shapes)} inputs", "subscripts"
            )
        letters = sorted(
            letter for letter in set(left) if letter.isalpha() and left.count(letter) == 1
        )
        output = outputs[0] if outputs else f"...{''.join(letters)}"
        try:
            expanded = [
                _expand_operand(*operand, output) for operand in zip(operands, shapes, strict=True)
            ]
        except (IndexError, ValueError):
            raise LayerError(
                f"'{self.subscripts}' does not fit {', '.join(map(str, shapes))}", "subscripts"
            ) from None
        return broadcast_shapes(*expanded)


def _expand_operand(letters: str, shape: Shape, output: str) -> Shape:
    """The shape of an operand with all axes of the output, 1 for those that it lacks.

    As Keras does, with all its oddities, this replaces letters by sizes in the text of the output.

    Raises:
        IndexError, ValueError: the letters do not fit.
    """
    sizes = [-1 if size is None else int(size) for size in shape]
    before, *after = letters.split("...")
    text = output
    if not after:
        if len(before) != len(sizes):
            raise ValueError(letters)
        for letter, size in zip(before, sizes, strict=True):
            text = text.replace(letter, f"{size} ")
        text = text.replace("...", "")
    else:
        for axis, letter in enumerate(before):
            text = text.replace(letter, f"{sizes[axis]} ")
        for axis, letter in enumerate(reversed(after[0]), 1):
            text = text.replace(letter, f"{sizes[-axis]} ")
        elided = sizes[len(before) : len(sizes) if not after[0] else -len(after[0])]
        text = text.replace("...", f"{' '.join(map(str, elided))} ")
    expanded = "".join("1 " if "a" <= letter <= "z" else letter for letter in text)
    return tuple(None if size == "-1" else int(size) for size in expanded.split())


def _demand_equal_sizes(one: Size, other: Size, first: Shape, second: Shape) -> None:
    """Raise LayerError if both sizes of the axis to sum over are known and differ."""
    if None not in (one, other) and one != other:
        raise LayerError(f"cannot multiply {first} and {second}: sizes {one} and {other} differ")
