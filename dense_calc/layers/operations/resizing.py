"""Operations that repeat elements, or make axes longer or shorter."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.operations.operation import (
    Int64,
    Int64Tuple,
    Operation,
    ShapeArgument,
    axis_size,
    normalize_axis,
    replace_axis_size,
)
from dense_calc.layers.reshaping import extend_side, scale_side
from dense_calc.shapes import Shape, Shapes, Size, as_tuple, size_product


class BroadcastTo(Operation, frozen=True, kw_only=True):
    """Repeats its input to fill `shape`."""

    shape_rule = "(...) → shape"

    shape: ShapeArgument

    def infer_shape(self, x: Shape, /) -> Shapes:
        broadcast_shapes(x, self.shape)
        return self.shape


class Tile(Operation, frozen=True, kw_only=True):
    """Repeats its input along each of the last axes."""

    shape_rule = "(...) → (...')"

    repeats: Int64 | Int64Tuple

    def infer_shape(self, x: Shape, /) -> Shapes:
        repeats = as_tuple(self.repeats)
        rank = max(len(x), len(repeats))
        factors = (1,) * (rank - len(repeats)) + repeats
        return tuple(map(scale_side, (1,) * (rank - len(x)) + x, factors))


class Repeat(Operation, frozen=True, kw_only=True):
    """Repeats each element along `axis`, all as often or each by its own number."""

    shape_rule = Tile.shape_rule

    repeats: Int64 | Int64Tuple
    axis: Int64 | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is None:
            return (self._repeated_size(size_product(x)),)
        axis = normalize_axis(self.axis, len(x))
        return replace_axis_size(x, axis, self._repeated_size(x[axis]))

    def _repeated_size(self, size: Size) -> Size:
        """The size of an axis after the repetition."""
        repeats = as_tuple(self.repeats)
        if size is None:
            return None
        if len(repeats) == 1:
            return scale_side(size, repeats[0])
        if len(repeats) != size:
            raise LayerError(
                f"there are {len(repeats)} repeats for a size of {size}; give one, or one for each",
                "repeats",
            )
        return sum(repeats)


class Pad(Operation, frozen=True, kw_only=True):
    """Elements at both ends of each axis: one number, a pair, or a pair for each axis."""

    arity = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("x", "constant_values")
    shape_rule = Tile.shape_rule

    pad_width: Int64 | tuple[Int64 | Int64Tuple, ...]
    mode: str = "constant"

    def infer_shape(self, x: Shape, _values: Shape | None, /) -> Shapes:
        pairs = self._padding_pairs()
        if len(pairs) == 1:
            pairs = pairs * len(x)
        if len(pairs) != len(x):
            raise LayerError(f"pad_width has {len(pairs)} pairs for an input of {x}", "pad_width")
        return tuple(map(_padded_axis_size, x, pairs))

    def _padding_pairs(self) -> tuple[tuple[Any, ...], ...]:
        """The padding at the two ends of each axis, or one pair for all axes, as Keras reads it."""
        width = self.pad_width
        if isinstance(width, int):
            return ((width, width),)
        if width and isinstance(width[0], int):
            return (width,)
        pairs = [pair for pair in width if isinstance(pair, tuple)]
        if not pairs or len(pairs) < len(width) or len({len(pair) for pair in pairs}) > 1:
            raise LayerError("pad_width is a number, a pair, or one for each axis", "pad_width")
        return tuple(pair * 2 if len(pair) == 1 else pair for pair in pairs)


class Vander(Operation, frozen=True, kw_only=True):
    """The powers of each number: `N` of them, by default as many as there are numbers."""

    shape_rule = "(length) → (length, N)"

    N: Int64 | None = None
    increasing: bool = False

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (*x, axis_size(x, 0, "N") if self.N is None else self.N)


class Diff(Operation, frozen=True, kw_only=True):
    """The differences of neighbours along `axis`, `n` times in a row."""

    input_names: ClassVar[tuple[str, ...]] = ("a",)
    shape_rule = "(..., size) → (..., size - n)"

    n: Int64 = 1
    axis: Int64 = -1

    def infer_shape(self, a: Shape, /) -> Shapes:
        axis = normalize_axis(self.axis, len(a))
        size = a[axis]
        return a if size is None else replace_axis_size(a, axis, max(0, size - self.n))


def _padded_axis_size(size: Size, pair: tuple[Any, ...]) -> Size:
    """A size with padding at its ends; of a longer list the first two numbers count."""
    if size is None:
        return None
    if len(pair) < 2 or not all(isinstance(end, int) for end in pair[:2]):
        raise LayerError(f"pad_width must hold pairs of numbers, not {list(pair)}", "pad_width")
    return extend_side(size, pair[:2])
