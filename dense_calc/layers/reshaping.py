"""Keras' reshaping layers."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import (
    DtypePreservingLayer,
    KerasLayer,
    NonNegativeInt,
    PositiveInt,
    WindowSize,
)
from dense_calc.shapes import (
    IMAGE_AXES,
    MAX_RANK,
    SEQUENCE_AXES,
    VOLUME_AXES,
    Shape,
    Size,
    Sizes,
    channel_axis,
    computed_size,
    demand_rank,
    size_product,
    sizes_per_axis,
    spatial_sizes,
    with_spatial_sizes,
)

_SizeOrRest = Annotated[int, Meta(ge=-1)]
_ResizeInterpolation = Annotated[
    str, Meta(extra={"words": ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")})
]
_EndPadding = (
    NonNegativeInt | Annotated[tuple[NonNegativeInt, ...], Meta(min_length=2, max_length=2)]
)


class Flatten(DtypePreservingLayer, frozen=True, kw_only=True):
    """All axes but the batch in one."""

    shape_rule: ClassVar[str] = "(batch, ...) → (batch, elements)"

    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        return (shape[0], size_product(shape[1:]))

    def suggested_replacement(self, shape: Shape, /) -> str:
        sides = len(shape) - 2
        if sides not in (1, 2, 3):
            return ""
        channels = shape[1 if self.data_format == "channels_first" else -1]
        return f"GlobalAveragePooling{sides}D" if channels else ""


class Reshape(DtypePreservingLayer, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for what is left."""

    is_initially_built: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, ...) → (batch, *target_shape)"

    target_shape: Annotated[tuple[_SizeOrRest | None, ...], Meta(max_length=MAX_RANK)]

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        target = self.target_shape
        if target.count(-1) > 1:
            raise LayerError("target_shape may hold -1 once", "target_shape")
        elements = size_product(shape[1:])
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
        left = elements if rest == 1 else computed_size(elements // rest, f"{elements} // {rest}")
        return (shape[0], *(left if size == -1 else size for size in target))


class Permute(DtypePreservingLayer, frozen=True, kw_only=True):
    """The axes in another order; they count from 1, the first after the batch."""

    shape_rule: ClassVar[str] = "(batch, ...) → (batch, *dims)"

    dims: tuple[PositiveInt, ...]

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

    shape_rule: ClassVar[str] = "(batch, features) → (batch, n, features)"

    n: PositiveInt

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, features)")
        return (shape[0], self.n, shape[1])


class _PadOrCropLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that makes each side of its input longer or shorter at its ends.

    What it adds or takes is one number for all ends, or for each side a number or a pair. Of a
    sequence it is a pair.
    """

    spatial_axes: ClassVar[tuple[str, ...]]
    argument_name: ClassVar[str]
    padding_sign: ClassVar[int]
    min_side: ClassVar[int]  # that must be left of a side
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    def output_shape(self, shape: Shape, /) -> Shape:
        data_format = getattr(self, "data_format", None)
        sizes = []
        for axis, size, ends in zip(
            self.spatial_axes,
            spatial_sizes(shape, self.spatial_axes, data_format),
            self.end_paddings(),
            strict=True,
        ):
            sizes.append(extend_side(size, ends))
            left = sizes[-1]
            if left is not None and left < self.min_side:
                raise LayerError(
                    f"{self.argument_name} takes {-sum(ends)} of {axis} {size}, which leaves "
                    f"{'nothing' if self.min_side else 'less than nothing'}; make it smaller",
                    self.argument_name,
                )
        return with_spatial_sizes(
            shape, tuple(sizes), shape[channel_axis(data_format)], data_format
        )

    def end_paddings(self) -> tuple[tuple[int, ...], ...]:
        """What is added at the two ends of each side.

        Raises:
            LayerError: the argument speaks of more or fewer sides.
        """
        given, count = getattr(self, self.argument_name), len(self.spatial_axes)
        each = (given,) * count if isinstance(given, int) or count == 1 else given
        if len(each) != count:
            raise LayerError(
                f"{self.argument_name} must be one integer, or {count} integers or pairs of them, "
                f"not {len(each)}",
                self.argument_name,
            )
        pairs = ((pad, pad) if isinstance(pad, int) else pad for pad in each)
        return tuple(tuple(self.padding_sign * pad for pad in pair) for pair in pairs)


class _ZeroPadding(_PadOrCropLayer, frozen=True, kw_only=True):
    """Zeros around the input; `padding` is one number, one for each axis, or pairs of them."""

    argument_name = "padding"
    padding_sign = 1
    min_side = 0

    padding: int | tuple[_EndPadding, ...] = 1
    data_format: DataFormat | None = None


class ZeroPadding1D(_ZeroPadding, frozen=True, kw_only=True):
    """Zeros before and after a sequence."""

    spatial_axes = SEQUENCE_AXES

    padding: _EndPadding = 1


class ZeroPadding2D(_ZeroPadding, frozen=True, kw_only=True):
    """Rows and columns of zeros around an image; a single negative number takes some away."""

    spatial_axes = IMAGE_AXES


class ZeroPadding3D(_ZeroPadding, frozen=True, kw_only=True):
    """Layers of zeros around a volume; a single negative number takes some away."""

    spatial_axes = VOLUME_AXES


class _Cropping(_PadOrCropLayer, frozen=True, kw_only=True):
    """Takes away from the ends of each side; something must be left."""

    argument_name = "cropping"
    padding_sign = -1
    min_side = 1


class Cropping1D(_Cropping, frozen=True, kw_only=True):
    """Takes away from the ends of a sequence."""

    spatial_axes = SEQUENCE_AXES

    cropping: _EndPadding = 1


class Cropping2D(_Cropping, frozen=True, kw_only=True):
    """Takes away rows and columns of an image; none by default."""

    spatial_axes = IMAGE_AXES

    cropping: NonNegativeInt | tuple[_EndPadding, ...] = 0
    data_format: DataFormat | None = None


class Cropping3D(_Cropping, frozen=True, kw_only=True):
    """Takes away from the ends of a volume."""

    spatial_axes = VOLUME_AXES

    cropping: NonNegativeInt | tuple[_EndPadding, ...] = 1
    data_format: DataFormat | None = None


class _UpSampling(KerasLayer, frozen=True, kw_only=True):
    """Makes each side `size` times as long."""

    spatial_axes: ClassVar[tuple[str, ...]]
    shape_rule: ClassVar[str] = _PadOrCropLayer.shape_rule

    size: WindowSize = 2

    def output_shape(self, shape: Shape, /) -> Shape:
        data_format = getattr(self, "data_format", None)
        factors = sizes_per_axis(self.size, len(self.spatial_axes), "size")
        sizes = tuple(
            map(scale_side, spatial_sizes(shape, self.spatial_axes, data_format), factors)
        )
        return with_spatial_sizes(shape, sizes, shape[channel_axis(data_format)], data_format)


class UpSampling1D(_UpSampling, frozen=True, kw_only=True):
    """Repeats each step of a sequence."""

    spatial_axes = SEQUENCE_AXES

    size: PositiveInt = 2


class UpSampling2D(_UpSampling, frozen=True, kw_only=True):
    """Makes an image larger; Keras does not look at `interpolation` before data comes."""

    spatial_axes = IMAGE_AXES

    data_format: DataFormat | None = None
    interpolation: _ResizeInterpolation = "nearest"


class UpSampling3D(_UpSampling, frozen=True, kw_only=True):
    """Repeats along the sides of a volume."""

    spatial_axes = VOLUME_AXES

    data_format: DataFormat | None = None


def extend_side(size: Size, ends: Sizes) -> Size:
    """A side with more, or less, at its ends."""
    added = [end for end in ends if end]
    if size is None or not added:
        return size
    how = "".join(f" {'+' if end > 0 else '-'} {abs(end)}" for end in added)
    return computed_size(size + sum(added), f"{size}{how}")


def scale_side(size: Size, factor: int) -> Size:
    """A side `factor` times as long."""
    return (
        size if size is None or factor == 1 else computed_size(size * factor, f"{size} × {factor}")
    )
