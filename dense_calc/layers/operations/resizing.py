"""Operations that repeat elements, or make axes longer or shorter."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.operations.operation import (
    Int,
    Ints,
    Operation,
    Sizes,
    at,
    broadcast,
    place,
    with_size,
)
from dense_calc.layers.reshaping import longer, scaled
from dense_calc.shapes import Shape, Shapes, Size, product


class BroadcastTo(Operation, frozen=True, kw_only=True):
    """Repeated to `shape`."""

    rule: ClassVar[str] = "(...) → shape"

    shape: Sizes

    def result(self, x: Shape, /) -> Shapes:
        broadcast(x, self.shape)
        return self.shape


class Tile(Operation, frozen=True, kw_only=True):
    """Repeated along each of the last axes."""

    rule: ClassVar[str] = "(...) → (...')"

    repeats: Int | Ints

    def result(self, x: Shape, /) -> Shapes:
        repeats = (self.repeats,) if isinstance(self.repeats, int) else self.repeats
        rank = max(len(x), len(repeats))
        times_each = (1,) * (rank - len(repeats)) + repeats
        return tuple(map(scaled, (1,) * (rank - len(x)) + x, times_each))


class Repeat(Operation, frozen=True, kw_only=True):
    """Each element along `axis` repeated as often, or as often as `repeats` says of each."""

    rule: ClassVar[str] = Tile.rule

    repeats: Int | Ints
    axis: Int | None = None

    def result(self, x: Shape, /) -> Shapes:
        if self.axis is None:
            return (self.repeated(product(x)),)
        return with_size(x, place(self.axis, len(x)), self.repeated(at(x, self.axis)))

    def repeated(self, size: Size) -> Size:
        """A size after repetition."""
        repeats = (self.repeats,) if isinstance(self.repeats, int) else self.repeats
        if size is None:
            return None
        if len(repeats) == 1:
            return scaled(size, repeats[0])
        if len(repeats) != size:
            raise LayerError(
                f"there are {len(repeats)} repeats for a size of {size}; give one, or one for each",
                "repeats",
            )
        return sum(repeats)


class Pad(Operation, frozen=True, kw_only=True):
    """More at the ends of each axis: one number, a pair, or a pair for each axis."""

    takes: ClassVar[range] = range(1, 3)
    inputs: ClassVar[tuple[str, ...]] = ("x", "constant_values")
    rule: ClassVar[str] = Tile.rule

    pad_width: Int | tuple[Int | Ints, ...]
    mode: str = "constant"

    def result(self, x: Shape, _values: Shape | None, /) -> Shapes:
        pairs = self.pairs()
        if len(pairs) == 1:
            pairs = pairs * len(x)
        if len(pairs) != len(x):
            raise LayerError(f"pad_width has {len(pairs)} pairs for an input of {x}", "pad_width")
        return tuple(map(padded, x, pairs))

    def pairs(self) -> tuple[tuple[Any, ...], ...]:
        """What each axis has at its ends, or all axes have, as Keras reads it."""
        given = self.pad_width
        if isinstance(given, int):
            return ((given, given),)
        if given and isinstance(given[0], int):
            return (given,)
        pairs = [pair for pair in given if isinstance(pair, tuple)]
        if not pairs or len(pairs) < len(given) or len({len(pair) for pair in pairs}) > 1:
            raise LayerError("pad_width is a number, a pair, or one for each axis", "pad_width")
        return tuple(pair * 2 if len(pair) == 1 else pair for pair in pairs)


class Vander(Operation, frozen=True, kw_only=True):
    """The powers of each number, `N` of them or as many as there are numbers."""

    rule: ClassVar[str] = "(length) → (length, N)"

    N: Int | None = None
    increasing: bool = False

    def result(self, x: Shape, /) -> Shapes:
        return (*x, at(x, 0, "N") if self.N is None else self.N)


class Diff(Operation, frozen=True, kw_only=True):
    """The differences of neighbours along `axis`, taken `n` times."""

    inputs: ClassVar[tuple[str, ...]] = ("a",)
    rule: ClassVar[str] = "(..., size) → (..., size - n)"

    n: Int = 1
    axis: Int = -1

    def result(self, a: Shape, /) -> Shapes:
        axis = place(self.axis, len(a))
        size = a[axis]
        return a if size is None else with_size(a, axis, max(0, size - self.n))


def padded(size: Size, pair: tuple[Any, ...]) -> Size:
    """A size with more at its ends; of a longer list the first two count."""
    if size is None:
        return None
    if len(pair) < 2 or not all(isinstance(end, int) for end in pair[:2]):
        raise LayerError(f"pad_width must hold pairs of numbers, not {list(pair)}", "pad_width")
    return longer(size, pair[:2])
