"""Operations of linear algebra on two inputs or more: products of all sorts."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS
from dense_calc.layers.operations.operation import (
    TWO,
    Int,
    Ints,
    Operation,
    agree,
    at,
    broadcast,
    place,
    places,
)
from dense_calc.shapes import Shape, Shapes, Size, demand_rank, product, worked

TEXT = 1000  # characters of a formula: more axes than there can be
VECTORS = (2, 3, None)  # how long vectors may be that are multiplied crosswise


class Pair(Operation, frozen=True, kw_only=True):
    """An operation on two inputs."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("x1", "x2")
    rule: ClassVar[str] = "(..., size), (..., size) → (...')"


class Matmul(Pair, frozen=True, kw_only=True):
    """The product of matrices; one axis alone is a vector, those before the last two broadcast."""

    rule: ClassVar[str] = "(..., rows, size), (..., size, columns) → (..., rows, columns)"

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 1, "(..., size)", or_more=True)
        demand_rank(other, 1, "(..., size)", or_more=True)
        left = one if len(one) > 1 else (1, *one)
        right = other if len(other) > 1 else (*other, 1)
        demand_same(left[-1], right[-2], one, other)
        rows, columns = left[-2:-1] * (len(one) > 1), right[-1:] * (len(other) > 1)
        return (*broadcast(left[:-2], right[:-2]), *rows, *columns)


class Dot(Pair, frozen=True, kw_only=True):
    """The product over the last axis of one input and the last but one of the other.

    Keras does not look at the sizes of two vectors; beside a vector, both must be known or none.
    """

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        if not one or not other:
            return broadcast(one, other)
        if len(other) == 1:
            if len(one) > 1 and one[-1] != other[0]:
                raise LayerError(f"the last sizes of {one} and {other} must be the same")
            return one[:-1]
        demand_same(one[-1], other[-2], one, other)
        return (*one[:-1], *other[:-2], other[-1])


class Inner(Pair, frozen=True, kw_only=True):
    """The products of all vectors along the last axes."""

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        if one and other:
            demand_same(one[-1], other[-1], one, other)
            return one[:-1] + other[:-1]
        return one or other


class Outer(Pair, frozen=True, kw_only=True):
    """The product of each element of one input with each of the other."""

    rule: ClassVar[str] = "(...), (...) → (first, second)"

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        return product(one), product(other)


class Kron(Pair, frozen=True, kw_only=True):
    """The second input once for each element of the first; Keras drops axes that one lacks."""

    rule: ClassVar[str] = "(...), (...) → (...')"

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        return tuple(product(sizes) for sizes in zip(one, other, strict=False))


class Cross(Pair, frozen=True, kw_only=True):
    """The cross product of vectors of 2 or 3 numbers."""

    rule: ClassVar[str] = "(..., 3), (..., 3) → (..., 3)"

    axisa: Int = -1
    axisb: Int = -1
    axisc: Int = -1
    axis: Int | None = None

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        first, second, third = (
            (self.axisa, self.axisb, self.axisc) if self.axis is None else (self.axis,) * 3
        )
        sizes = at(one, first, "axisa"), at(other, second, "axisb")
        if any(size not in VECTORS for size in sizes):
            raise LayerError(f"vectors have 2 or 3 numbers, not {sizes[0]} and {sizes[1]}")
        rest = broadcast(dropped(one, first), dropped(other, second))
        vector = (3,) * (3 in sizes)
        axis = place(third, len(rest) + len(vector), "axisc")
        return (*rest[:axis], *vector, *rest[axis:])


class Tensordot(Pair, frozen=True, kw_only=True):
    """The product over several axes: so many of the last and the first, or those that are named.

    Keras does not look at the sizes where it is given a number.
    """

    axes: Int | tuple[Ints, ...] = 2

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        if isinstance(self.axes, int):
            return one + other if self.axes <= 0 else one[: -self.axes] + other[self.axes :]
        if len(self.axes) < 2:
            raise LayerError("axes must be a number, or a list for each input", "axes")
        left = places(self.axes[0], len(one), "axes")
        right = places(self.axes[1], len(other), "axes")
        summed = tuple(one[axis] for axis in left), tuple(other[axis] for axis in right)
        if not agree(*summed):
            raise LayerError(f"along axes {list(self.axes)} {one} and {other} differ", "axes")
        return kept(one, left) + kept(other, right)


class CDist(Operation, frozen=True, kw_only=True):
    """The distance of each row of one input from each of the other."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("x", "y")
    rule: ClassVar[str] = "(..., first, size), (..., second, size) → (..., first, second)"

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 2, "(..., rows, size)", or_more=True)
        demand_rank(other, 2, "(..., rows, size)", or_more=True)
        demand_same(one[-1], other[-1], one, other)
        return (*broadcast(one[:-2], other[:-2]), one[-2], other[-2])


class Correlate(Pair, frozen=True, kw_only=True):
    """The correlation of two sequences; their lengths must be known."""

    rule: ClassVar[str] = "(first), (second) → (places)"

    mode: Literal["valid", "same", "full"] = "valid"

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        demand_rank(one, 1, "(length)")
        demand_rank(other, 1, "(length)")
        if one[0] is None or other[0] is None:
            raise LayerError("both lengths must be known")
        short, long = sorted((one[0], other[0]))
        if self.mode == "same":
            return (long,)
        if self.mode == "full":
            return (worked(long + short - 1, f"{long} + {short} - 1"),)
        return (worked(long - short + 1, f"{long} - {short} + 1"),)


class Einsum(Operation, frozen=True, kw_only=True):
    """A sum of products in Einstein's notation, followed as Keras reads it."""

    takes: ClassVar[range] = LIST_OF_INPUTS
    inputs: ClassVar[tuple[str, ...]] = ()
    rule: ClassVar[str] = "(...), (...) → subscripts"

    subscripts: Annotated[str, Meta(max_length=TEXT)]

    def result(self, *shapes: Shape) -> Shapes:
        given, *more = self.subscripts.split("->")
        operands = given.split(",")
        if len(more) > 1 or len(operands) != len(shapes):
            raise LayerError(
                f"'{self.subscripts}' does not speak of {len(shapes)} inputs", "subscripts"
            )
        once = sorted(each for each in set(given) if each.isalpha() and given.count(each) == 1)
        wanted = more[0] if more else f"...{''.join(once)}"
        try:
            expanded = [expand(*each, wanted) for each in zip(operands, shapes, strict=True)]
        except (IndexError, ValueError):
            raise LayerError(
                f"'{self.subscripts}' does not fit {', '.join(map(str, shapes))}", "subscripts"
            ) from None
        return broadcast(*expanded)


def expand(letters: str, shape: Shape, wanted: str) -> Shape:
    """The shape of an operand with all axes of the output, 1 where it has none.

    It puts sizes in place of letters in a text, as Keras does: what is odd there is odd here.

    Raises:
        IndexError, ValueError: the letters do not fit.
    """
    sizes = [-1 if size is None else size for size in shape]
    before, *after = letters.split("...")
    text = wanted
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
    written = "".join("1 " if "a" <= each <= "z" else each for each in text).split()
    return tuple(None if size == "-1" else int(size) for size in written)


def demand_same(one: Size, other: Size, first: Shape, second: Shape) -> None:
    """Raise LayerError where the sizes that are summed over are known and differ."""
    if None not in (one, other) and one != other:
        raise LayerError(f"cannot multiply {first} and {second}: sizes {one} and {other} differ")


def dropped(shape: Shape, axis: int) -> Shape:
    """A shape without an axis that it has."""
    return kept(shape, [axis % len(shape)])


def kept(shape: Shape, gone: list[int]) -> Shape:
    """A shape without axes, which may be named twice."""
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)
