"""Keras' reshaping layers."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError, MisfitError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import (
    DtypePreservingLayer,
    KerasLayer,
    NonNegativeInt,
    PositiveInt,
    WindowSize,
)
from dense_calc.layers.spatial import SpatialLayer
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
        channels = shape[channel_axis(self.data_format)]
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
        known = math.prod(size for size in target if size is not None and size != -1)
        fits = elements == known if -1 not in target else known and elements % known == 0
        if not fits:
            raise MisfitError.of_argument(
                "target_shape",
                f"target_shape {list(target)} does not hold the {elements:,} elements "
                f"of the input, {shape}",
                _describe_fitting_targets([size or 0 for size in target], elements),
            )
        if -1 not in target:
            return (shape[0], *target)
        rest = (
            elements if known == 1 else computed_size(elements // known, f"{elements} // {known}")
        )
        return (shape[0], *(rest if size == -1 else size for size in target))


def _describe_fitting_targets(target: list[int], elements: int) -> str:
    """The hint to write another size in a target shape that does not hold so many elements."""
    fitting = []
    for axis in range(len(target)):
        others = target[:axis] + target[axis + 1 :]
        rest = math.prod(others)
        if rest > 0 and elements % rest == 0:
            fitting.append([*target[:axis], elements // rest, *target[axis + 1 :]])
    return f"; {' or '.join(map(str, fitting))} would" if fitting else ""


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


class _PadOrCropLayer(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """A layer that makes each side of its input longer or shorter at both ends.

    Its argument is one number for all ends, or a number or a pair for each side. For a sequence,
    which has one side, it is a number or a pair.
    """

    _argument_name: ClassVar[str]
    _sign: ClassVar[int]  # 1 adds to a side, -1 takes from it
    _min_side: ClassVar[int]  # the least size that may remain

    def output_shape(self, shape: Shape, /) -> Shape:
        sides = self.spatial_sizes(shape)
        sizes = tuple(map(self._resized_side, self.spatial_axes, sides, self._end_paddings()))
        return self.replace_spatial_sizes(shape, sizes)

    def _resized_side(self, axis: str, side: Size, ends: Sizes) -> Size:
        """The size of a side after both ends; LayerError where too little remains."""
        size = extend_side(side, ends)
        if size is not None and size < self._min_side:
            raise LayerError(
                f"{self._argument_name} takes {-sum(ends)} of {axis} {side}, which leaves "
                f"{'nothing' if self._min_side else 'less than nothing'}; make it smaller",
                self._argument_name,
            )
        return size

    def _end_paddings(self) -> tuple[Sizes, ...]:
        """The numbers to add at the two ends of each side, negative where it is cropped.

        Raises:
            LayerError: the argument has numbers for more or fewer sides.
        """
        argument, count = getattr(self, self._argument_name), len(self.spatial_axes)
        sides = (argument,) * count if isinstance(argument, int) or count == 1 else argument
        if len(sides) != count:
            raise LayerError(
                f"{self._argument_name} must be one integer, or {count} integers or pairs of them, "
                f"not {len(sides)}",
                self._argument_name,
            )
        pairs = ((ends, ends) if isinstance(ends, int) else ends for ends in sides)
        return tuple(tuple(self._sign * end for end in pair) for pair in pairs)


class _ZeroPadding(_PadOrCropLayer, frozen=True, kw_only=True):
    """Zeros around the input; `padding` is one number, one for each axis, or pairs of them."""

    _argument_name = "padding"
    _sign = 1
    _min_side = 0

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
    """Takes away from the ends of each side, which must not become empty."""

    _argument_name = "cropping"
    _sign = -1
    _min_side = 1


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


class _UpSampling(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """Makes each side `size` times as long."""

    size: WindowSize = 2

    def output_shape(self, shape: Shape, /) -> Shape:
        factors = self.argument_sizes("size")
        sizes = tuple(map(scale_side, self.spatial_sizes(shape), factors))
        return self.replace_spatial_sizes(shape, sizes)


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
    """The size of a side after `ends` are added to it; a negative one is taken away."""
    changes = [end for end in ends if end]
    if size is None or not changes:
        return size
    arithmetic = "".join(f" {'+' if end > 0 else '-'} {abs(end)}" for end in changes)
    return computed_size(size + sum(changes), f"{size}{arithmetic}")


def scale_side(size: Size, factor: int) -> Size:
    """The size of a side `factor` times as long."""
    return size if factor == 1 else size_product((size, factor))
