"""Keras' reshaping layers."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import KeepsDtype, KerasLayer, NotNegative, Positive, Window
from dense_calc.shapes import (
    IMAGE,
    MAX_RANK,
    SEQUENCE,
    VOLUME,
    Shape,
    Size,
    Sizes,
    channel_axis,
    demand_rank,
    per_axis,
    product,
    sides,
    with_sides,
    worked,
)

SizeOrRest = Annotated[int, Meta(ge=-1)]
Interpolation = Annotated[
    str, Meta(extra={"words": ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")})
]
Pad = NotNegative | Annotated[tuple[NotNegative, ...], Meta(min_length=2, max_length=2)]


class Flatten(KeepsDtype, frozen=True, kw_only=True):
    """All axes but the batch in one."""

    rule: ClassVar[str] = "(batch, ...) → (batch, elements)"

    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        return (shape[0], product(shape[1:]))

    def instead(self, shape: Shape, /) -> str:
        sides = len(shape) - 2
        if sides not in (1, 2, 3):
            return ""
        channels = shape[1 if self.data_format == "channels_first" else -1]
        return f"GlobalAveragePooling{sides}D" if channels else ""


class Reshape(KeepsDtype, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for what is left."""

    starts_built: ClassVar[bool] = True
    rule: ClassVar[str] = "(batch, ...) → (batch, *target_shape)"

    target_shape: Annotated[tuple[SizeOrRest | None, ...], Meta(max_length=MAX_RANK)]

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        target = self.target_shape
        if target.count(-1) > 1:
            raise LayerError("target_shape may hold -1 once", "target_shape")
        elements = product(shape[1:])
        if elements is None or None in target:
            return (shape[0], *(None if size == -1 else size for size in target))
        rest = math.prod(size for size in target if size is not None and size != -1)
        fits = elements == rest if -1 not in target else rest and elements % rest == 0
        if not fits:
            raise LayerError(
                f"target_shape {list(target)} does not hold the {elements:,} elements "
                f"of the input, {shape}",
                "target_shape",
            )
        if -1 not in target:
            return (shape[0], *target)
        left = elements if rest == 1 else worked(elements // rest, f"{elements} // {rest}")
        return (shape[0], *(left if size == -1 else size for size in target))


class Permute(KeepsDtype, frozen=True, kw_only=True):
    """The axes in another order; they count from 1, the first after the batch."""

    rule: ClassVar[str] = "(batch, ...) → (batch, *dims)"

    dims: tuple[Positive, ...]

    def output_shape(self, shape: Shape, /) -> Shape:
        count = len(self.dims)
        if sorted(self.dims) != list(range(1, count + 1)):
            raise LayerError(
                f"dims must hold each axis from 1 on once, as [2, 1] does, not {list(self.dims)}",
                "dims",
            )
        axes = ["batch", *(f"axis {axis}" for axis in range(1, count + 1))]
        demand_rank(shape, count + 1, f"({', '.join(axes)})")
        return (shape[0], *(shape[axis] for axis in self.dims))


class RepeatVector(KerasLayer, frozen=True, kw_only=True):
    """Its input `n` times, one after the other."""

    rule: ClassVar[str] = "(batch, features) → (batch, n, features)"

    n: Positive

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, features)")
        return (shape[0], self.n, shape[1])


class Ends(KerasLayer, frozen=True, kw_only=True):
    """A layer that makes each side of its input longer or shorter at its ends.

    What it adds or takes is one number for all ends, or for each side a number or a pair. Of a
    sequence it is a pair.
    """

    axes: ClassVar[tuple[str, ...]]
    argument: ClassVar[str]
    sign: ClassVar[int]
    least: ClassVar[int]  # that must be left of a side
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    def output_shape(self, shape: Shape, /) -> Shape:
        data_format = getattr(self, "data_format", None)
        sizes = []
        for axis, size, ends in zip(
            self.axes, sides(shape, self.axes, data_format), self.ends(), strict=True
        ):
            sizes.append(longer(size, ends))
            left = sizes[-1]
            if left is not None and left < self.least:
                raise LayerError(
                    f"{self.argument} takes {-sum(ends)} of {axis} {size}, which leaves "
                    f"{'nothing' if self.least else 'less than nothing'}; make it smaller",
                    self.argument,
                )
        return with_sides(shape, tuple(sizes), shape[channel_axis(data_format)], data_format)

    def ends(self) -> tuple[tuple[int, ...], ...]:
        """What is added at the two ends of each side.

        Raises:
            LayerError: the argument speaks of more or fewer sides.
        """
        given, count = getattr(self, self.argument), len(self.axes)
        each = (given,) * count if isinstance(given, int) or count == 1 else given
        if len(each) != count:
            raise LayerError(
                f"{self.argument} must be one integer, or {count} integers or pairs of them, "
                f"not {len(each)}",
                self.argument,
            )
        pairs = ((pad, pad) if isinstance(pad, int) else pad for pad in each)
        return tuple(tuple(self.sign * pad for pad in pair) for pair in pairs)


class ZeroPadding(Ends, frozen=True, kw_only=True):
    """Zeros around the input; `padding` is one number, one for each axis, or pairs of them."""

    argument = "padding"
    sign = 1
    least = 0

    padding: int | tuple[Pad, ...] = 1
    data_format: DataFormat | None = None


class ZeroPadding1D(ZeroPadding, frozen=True, kw_only=True):
    """Zeros before and after a sequence."""

    axes = SEQUENCE

    padding: Pad = 1


class ZeroPadding2D(ZeroPadding, frozen=True, kw_only=True):
    """Rows and columns of zeros around an image; a single negative number takes some away."""

    axes = IMAGE


class ZeroPadding3D(ZeroPadding, frozen=True, kw_only=True):
    """Layers of zeros around a volume; a single negative number takes some away."""

    axes = VOLUME


class Cropping(Ends, frozen=True, kw_only=True):
    """Takes away from the ends of each side; something must be left."""

    argument = "cropping"
    sign = -1
    least = 1


class Cropping1D(Cropping, frozen=True, kw_only=True):
    """Takes away from the ends of a sequence."""

    axes = SEQUENCE

    cropping: Pad = 1


class Cropping2D(Cropping, frozen=True, kw_only=True):
    """Takes away rows and columns of an image; none by default."""

    axes = IMAGE

    cropping: NotNegative | tuple[Pad, ...] = 0
    data_format: DataFormat | None = None


class Cropping3D(Cropping, frozen=True, kw_only=True):
    """Takes away from the ends of a volume."""

    axes = VOLUME

    cropping: NotNegative | tuple[Pad, ...] = 1
    data_format: DataFormat | None = None


class UpSampling(KerasLayer, frozen=True, kw_only=True):
    """Makes each side `size` times as long."""

    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = Ends.rule

    size: Window = 2

    def output_shape(self, shape: Shape, /) -> Shape:
        data_format = getattr(self, "data_format", None)
        factors = per_axis(self.size, len(self.axes), "size")
        sizes = tuple(map(scaled, sides(shape, self.axes, data_format), factors))
        return with_sides(shape, sizes, shape[channel_axis(data_format)], data_format)


class UpSampling1D(UpSampling, frozen=True, kw_only=True):
    """Repeats each step of a sequence."""

    axes = SEQUENCE

    size: Positive = 2


class UpSampling2D(UpSampling, frozen=True, kw_only=True):
    """Makes an image larger; Keras does not look at `interpolation` before data comes."""

    axes = IMAGE

    data_format: DataFormat | None = None
    interpolation: Interpolation = "nearest"


class UpSampling3D(UpSampling, frozen=True, kw_only=True):
    """Repeats along the sides of a volume."""

    axes = VOLUME

    data_format: DataFormat | None = None


def longer(size: Size, ends: Sizes) -> Size:
    """A side with more, or less, at its ends."""
    added = [end for end in ends if end]
    if size is None or not added:
        return size
    how = "".join(f" {'+' if end > 0 else '-'} {abs(end)}" for end in added)
    return worked(size + sum(added), f"{size}{how}")


def scaled(size: Size, factor: int) -> Size:
    """A side `factor` times as long."""
    return size if size is None or factor == 1 else worked(size * factor, f"{size} × {factor}")
